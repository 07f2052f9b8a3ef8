//! Events: log records with a name, such as `FeedbackReceived`. Azure Monitor files them as custom events.

use jiff::Timestamp;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};

use super::attribute::{nanoseconds, text, text_attribute};

/// Azure Monitor files a log record with this attribute as a custom event of that name.
const CUSTOM_EVENT: &str = "microsoft.custom_event.name";

/// The event `name` of the time `at`, seen at `now`.
pub(super) fn event(
    name: &str,
    (at, now): (Timestamp, Timestamp),
    attributes: impl IntoIterator<Item = KeyValue>,
) -> LogRecord {
    let mut all = vec![text_attribute(CUSTOM_EVENT, name)];
    all.extend(attributes);
    LogRecord {
        time_unix_nano: nanoseconds(at),
        observed_time_unix_nano: nanoseconds(now),
        severity_number: SeverityNumber::Info.into(),
        severity_text: "INFO".into(),
        // For backends that do not know the name of an event.
        body: Some(text(name)),
        event_name: name.into(),
        attributes: all,
        ..LogRecord::default()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;

    use super::*;

    /// The attribute `key` as text, if the record has it.
    pub(in crate::telemetry) fn value(attributes: &[KeyValue], key: &str) -> Option<String> {
        let found = attributes.iter().find(|attribute| attribute.key == key)?;
        Some(match found.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => text.clone(),
            Value::IntValue(number) => number.to_string(),
            Value::DoubleValue(number) => number.to_string(),
            Value::BoolValue(flag) => flag.to_string(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn an_event_has_its_name_where_each_backend_looks() {
        let (at, now) = (Timestamp::from_second(1).unwrap(), Timestamp::from_second(2).unwrap());
        let record = event("Happened", (at, now), [text_attribute("a", "b")]);
        assert_eq!(record.event_name, "Happened");
        assert_eq!(value(&record.attributes, "microsoft.custom_event.name").unwrap(), "Happened");
        assert_eq!(value(&record.attributes, "a").unwrap(), "b");
        assert_eq!((record.time_unix_nano, record.observed_time_unix_nano), (1_000_000_000, 2_000_000_000));
    }
}
