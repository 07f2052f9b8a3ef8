//! [`TelemetryLayer`]: the `tracing` layer that sends warnings and errors as log records, and spans of the target
//! [`SPANS`] as spans.

use std::sync::Arc;

use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::attribute::{nanoseconds, text, text_attribute};
use super::fields::Fields;
use super::open_span::{OpenSpan, SpanIds};
use super::shared::Shared;
use crate::logging::{ExtraLayer, SPANS};

/// The target of telemetry's own log: a failure to send must not make more to send.
const OWN: &str = "vigie::telemetry";

/// See the module.
pub(super) struct TelemetryLayer {
    shared: Arc<Shared>,
}

/// The layer with its filter, which does not depend on the level of the log.
pub(super) fn layer(shared: &Arc<Shared>) -> ExtraLayer {
    let logs = if shared.config.logs { LevelFilter::WARN } else { LevelFilter::OFF };
    let spans = if shared.config.traces { LevelFilter::TRACE } else { LevelFilter::OFF };
    let targets = Targets::new().with_default(logs).with_target(OWN, LevelFilter::OFF).with_target(SPANS, spans);
    TelemetryLayer { shared: shared.clone() }.with_filter(targets).boxed()
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TelemetryLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id).filter(|span| span.metadata().target() == SPANS) else { return };
        let parent = span.parent().and_then(|parent| parent.extensions().get::<OpenSpan>().map(|open| open.ids));
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let ratio = self.shared.config.trace_ratio;
        let open = OpenSpan::new(span.metadata().name(), parent.as_ref(), fields, (ratio, self.shared.now()));
        if let Some(open) = open {
            span.extensions_mut().insert(open);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<OpenSpan>() {
            values.record(&mut open.fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let span = context.event_span(event);
        let ids = span.and_then(|span| span.extensions().get::<OpenSpan>().map(|open| open.ids));
        self.shared.push_log(self.log_record(event, ids.filter(|ids| ids.is_sampled)));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let open = context.span(&id).and_then(|span| span.extensions_mut().remove::<OpenSpan>());
        if let Some(span) = open.and_then(|open| open.end(self.shared.now())) {
            self.shared.push_span(span);
        }
    }
}

impl TelemetryLayer {
    /// A line of the log. It names the span it was written in.
    fn log_record(&self, event: &Event<'_>, ids: Option<SpanIds>) -> LogRecord {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let now = nanoseconds(self.shared.now());
        let (severity, severity_text) = match *event.metadata().level() {
            Level::ERROR => (SeverityNumber::Error, "ERROR"),
            _ => (SeverityNumber::Warn, "WARN"),
        };
        fields.attributes.push(text_attribute("target", event.metadata().target()));
        LogRecord {
            time_unix_nano: now,
            observed_time_unix_nano: now,
            severity_number: severity.into(),
            severity_text: severity_text.into(),
            body: Some(text(fields.message)),
            attributes: fields.attributes,
            trace_id: ids.map(|ids| ids.trace.to_vec()).unwrap_or_default(),
            span_id: ids.map(|ids| ids.span.to_vec()).unwrap_or_default(),
            ..LogRecord::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::Span;
    use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
    use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::super::config::Config;
    use super::super::event::tests::value;
    use super::*;

    /// Where most of the log comes from: not from telemetry itself.
    const ELSEWHERE: &str = "vigie::source";

    /// What is sent of `events`.
    fn sent(config: Config, events: impl FnOnce()) -> (Vec<LogRecord>, Vec<Span>) {
        let shared = Arc::new(Shared::with_config(config));
        let subscriber = tracing_subscriber::registry().with(layer(&shared));
        tracing::subscriber::with_default(subscriber, events);
        (shared.logs.take(), shared.spans.take())
    }

    #[test]
    fn warnings_and_errors_are_log_records_with_their_fields() {
        let (logs, _) = sent(Config::default(), || {
            tracing::info!(target: ELSEWHERE, "not sent");
            tracing::warn!(target: ELSEWHERE, source = "x", lag = 3_u64, late = true, "posts are late");
            tracing::error!(target: ELSEWHERE, error = %"disk full", "cannot write");
            tracing::error!(target: "vigie::telemetry::signal_sender", "its own failure");
        });
        let bodies: Vec<String> = logs.iter().map(|record| format!("{:?}", record.body)).collect();
        assert_eq!(logs.len(), 2, "{bodies:?}");
        assert!(bodies[0].contains("posts are late") && bodies[1].contains("cannot write"), "{bodies:?}");
        assert_eq!((logs[0].severity_text.as_str(), logs[1].severity_text.as_str()), ("WARN", "ERROR"));
        for (key, expected) in [("source", "x"), ("lag", "3"), ("late", "true")] {
            assert_eq!(value(&logs[0].attributes, key).as_deref(), Some(expected));
        }
        assert_eq!(value(&logs[1].attributes, "error").unwrap(), "disk full");
        assert_eq!(logs[0].time_unix_nano, 10_000_000_000);
    }

    #[test]
    fn spans_have_names_kinds_status_and_parents() {
        let (logs, spans) = sent(Config::default(), || {
            let outer = tracing::trace_span!(target: SPANS, "request", otel.name = "GET /posts", otel.kind = "server", code = tracing::field::Empty, otel.status_code = tracing::field::Empty);
            let _outer = outer.enter();
            let inner = tracing::trace_span!(target: SPANS, "classify", posts = 7_u64);
            inner.in_scope(|| tracing::warn!(target: ELSEWHERE, "inside"));
            drop(inner);
            tracing::trace_span!(target: SPANS, "nothing new", skip = true).in_scope(|| ());
            tracing::trace_span!(target: "hyper", "of a library").in_scope(|| ());
            outer.record("code", 500);
            outer.record("otel.status_code", "ERROR");
        });
        let [inner, outer] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!((outer.name.as_str(), inner.name.as_str()), ("GET /posts", "classify"));
        assert_eq!((outer.kind, inner.kind), (SpanKind::Server.into(), SpanKind::Internal.into()));
        assert_eq!(outer.status.as_ref().unwrap().code, i32::from(StatusCode::Error));
        assert_eq!((&inner.trace_id, &inner.parent_span_id), (&outer.trace_id, &outer.span_id));
        assert_eq!(
            (value(&outer.attributes, "code"), value(&inner.attributes, "posts")),
            (Some("500".into()), Some("7".into()))
        );
        assert_eq!((&logs[0].trace_id, &logs[0].span_id), (&inner.trace_id, &inner.span_id));
    }

    #[test]
    fn signals_are_switched_separately() {
        let both = || {
            tracing::warn!(target: ELSEWHERE, "a warning");
            tracing::trace_span!(target: SPANS, "a span").in_scope(|| ());
        };
        let (logs, spans) = sent(Config { logs: false, ..Config::default() }, both);
        assert_eq!((logs.len(), spans.len()), (0, 1));
        let (logs, spans) = sent(Config { traces: false, ..Config::default() }, both);
        assert_eq!((logs.len(), spans.len()), (1, 0));
        let (logs, spans) = sent(Config { trace_ratio: 0.0, ..Config::default() }, both);
        assert_eq!((logs.len(), spans.len()), (1, 0));
    }
}
