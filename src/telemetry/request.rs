//! Bodies of requests: records with the resource that they come from, as protobuf.

use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use super::attribute::text_attribute;
use super::signal::Signal;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Who sends: the service, its version, and the machine.
pub(super) fn resource(service_name: &str) -> Resource {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let attributes = vec![
        text_attribute("service.name", service_name),
        text_attribute("service.version", VERSION),
        text_attribute("service.instance.id", &host),
        text_attribute("host.name", &host),
    ];
    Resource { attributes, ..Resource::default() }
}

fn scope() -> Option<InstrumentationScope> {
    Some(InstrumentationScope { name: "vigie".into(), version: VERSION.into(), ..InstrumentationScope::default() })
}

pub(super) fn logs(resource: &Resource, log_records: Vec<LogRecord>) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { scope: scope(), log_records, ..ScopeLogs::default() }];
    let of_resource = ResourceLogs { resource: Some(resource.clone()), scope_logs, ..ResourceLogs::default() };
    ExportLogsServiceRequest { resource_logs: vec![of_resource] }.encode_to_vec()
}

pub(super) fn traces(resource: &Resource, spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { scope: scope(), spans, ..ScopeSpans::default() }];
    let of_resource = ResourceSpans { resource: Some(resource.clone()), scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![of_resource] }.encode_to_vec()
}

pub(super) fn metrics(resource: &Resource, metrics: Vec<Metric>) -> Vec<u8> {
    let scope_metrics = vec![ScopeMetrics { scope: scope(), metrics, ..ScopeMetrics::default() }];
    let of_resource = ResourceMetrics { resource: Some(resource.clone()), scope_metrics, ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![of_resource] }.encode_to_vec()
}

/// How many records a collector refused of a request that it accepted. A body that is no answer refuses nothing.
pub(super) fn rejected(signal: Signal, answer: &[u8]) -> u64 {
    let rejected = match signal {
        Signal::Logs => ExportLogsServiceResponse::decode(answer)
            .ok()
            .and_then(|it| it.partial_success)
            .map(|it| it.rejected_log_records),
        Signal::Metrics => ExportMetricsServiceResponse::decode(answer)
            .ok()
            .and_then(|it| it.partial_success)
            .map(|it| it.rejected_data_points),
        Signal::Traces => ExportTraceServiceResponse::decode(answer)
            .ok()
            .and_then(|it| it.partial_success)
            .map(|it| it.rejected_spans),
    };
    u64::try_from(rejected.unwrap_or(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsPartialSuccess;

    use super::super::event::tests::value;
    use super::*;

    #[test]
    fn a_request_names_its_sender() {
        let body = logs(&resource("mine"), vec![LogRecord { event_name: "A".into(), ..LogRecord::default() }]);
        let read = ExportLogsServiceRequest::decode(body.as_slice()).unwrap();
        let sent = &read.resource_logs[0];
        let attributes = &sent.resource.as_ref().unwrap().attributes;
        assert_eq!(value(attributes, "service.name").unwrap(), "mine");
        assert_eq!(value(attributes, "service.version").unwrap(), VERSION);
        assert!(value(attributes, "host.name").is_some());
        assert_eq!(sent.scope_logs[0].log_records[0].event_name, "A");
    }

    #[test]
    fn refused_records_are_counted() {
        let partial_success = Some(ExportLogsPartialSuccess { rejected_log_records: 3, error_message: "no".into() });
        let answer = ExportLogsServiceResponse { partial_success }.encode_to_vec();
        assert_eq!(rejected(Signal::Logs, &answer), 3);
        assert_eq!(rejected(Signal::Logs, &[]), 0);
        assert_eq!(rejected(Signal::Traces, b"<html>"), 0);
    }
}
