//! Attributes of records, and times, as OTLP has them.

use jiff::Timestamp;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// Characters of an attribute or a message; collectors refuse requests that are too large.
const MAX_TEXT: usize = 10_000;

pub(super) fn text(text: impl AsRef<str>) -> AnyValue {
    let text = text.as_ref();
    let end = text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(end, _)| end);
    AnyValue { value: Some(Value::StringValue(text.get(..end).unwrap_or_default().to_owned())) }
}

pub(super) fn attribute(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

pub(super) fn text_attribute(key: &str, value: impl AsRef<str>) -> KeyValue {
    attribute(key, text(value))
}

pub(super) fn integer(value: i64) -> AnyValue {
    AnyValue { value: Some(Value::IntValue(value)) }
}

pub(super) fn float(value: f64) -> AnyValue {
    AnyValue { value: Some(Value::DoubleValue(value)) }
}

pub(super) fn boolean(value: bool) -> AnyValue {
    AnyValue { value: Some(Value::BoolValue(value)) }
}

/// Nanoseconds since 1970; 0, which means unknown, before that.
pub(super) fn nanoseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_in_characters() {
        let long = "é".repeat(MAX_TEXT + 1);
        let AnyValue { value: Some(Value::StringValue(kept)) } = text(&long) else { panic!("not a text") };
        assert_eq!(kept.chars().count(), MAX_TEXT);
    }
}
