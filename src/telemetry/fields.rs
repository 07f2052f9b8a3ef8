//! [`Fields`]: the fields of a `tracing` event or span as attributes. A few names have a meaning of their own, those of the crate
//! tracing-opentelemetry.

use std::error::Error;
use std::fmt::Debug;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tracing::field::{Field, Visit};

use super::attribute::{attribute, boolean, float, integer, text};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) message: String,
    /// `otel.name`: the name of a span that is only known at run time.
    pub(super) name: Option<String>,
    /// `otel.kind`: `server` or `client`; internal without it.
    pub(super) kind: SpanKind,
    /// `otel.status_code` is `ERROR`.
    pub(super) is_error: bool,
    /// `skip`: nothing happened in the span, and it is not sent.
    pub(super) is_skipped: bool,
    pub(super) attributes: Vec<KeyValue>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: AnyValue) {
        match (field.name(), value.value) {
            ("message", Some(Value::StringValue(message))) => self.message = message,
            ("otel.name", Some(Value::StringValue(name))) => self.name = Some(name),
            ("otel.kind", Some(Value::StringValue(kind))) => {
                self.kind = if kind == "server" { SpanKind::Server } else { SpanKind::Client };
            }
            ("otel.status_code", Some(Value::StringValue(code))) => self.is_error = code == "ERROR",
            ("skip", Some(Value::BoolValue(is_skipped))) => self.is_skipped = is_skipped,
            (name, value) => self.attributes.push(attribute(name, AnyValue { value })),
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, text(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, integer(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, integer(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, boolean(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, text(value.to_string()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, text(format!("{value:?}")));
    }
}
