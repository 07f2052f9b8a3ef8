//! [`Shared`]: what the handle, the layer and the thread of telemetry have in common: the queues, and the metrics.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::config::Config;
use super::metric::{self, Period};
use super::queue::Queue;
use super::signal::Signal;
use crate::clock::Clock;
use crate::metrics::Metrics;

/// See the module.
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) logs: Queue<LogRecord>,
    pub(super) spans: Queue<Span>,
    measured: Mutex<Measured>,
    clock: Clock,
}

/// The metrics that are sent, and since when they count.
struct Measured {
    metrics: Metrics,
    since: Timestamp,
}

impl Shared {
    pub(super) fn new(config: Config, clock: Clock) -> Self {
        let (logs, spans) = (Queue::new(config.queue), Queue::new(config.queue));
        let measured = Mutex::new(Measured { metrics: Metrics::new(), since: clock() });
        Self { config, logs, spans, measured, clock }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Sends `metrics` from now on.
    pub(super) fn set_metrics(&self, metrics: Metrics) {
        *self.measured() = Measured { metrics, since: self.now() };
    }

    pub(super) fn push_log(&self, record: LogRecord) {
        if self.config.logs && !self.logs.push(record) {
            self.count_dropped(Signal::Logs, 1);
        }
    }

    pub(super) fn push_span(&self, span: Span) {
        if self.config.traces && !self.spans.push(span) {
            self.count_dropped(Signal::Traces, 1);
        }
    }

    /// All metrics as they are now.
    pub(super) fn read_metrics(&self) -> Vec<Metric> {
        let (metrics, since) = {
            let measured = self.measured();
            (measured.metrics.clone(), measured.since)
        };
        metric::metrics(&metrics.gather(), Period { start: since, now: self.now() })
    }

    pub(super) fn count_sent(&self, signal: Signal, records: u64) {
        self.measured().metrics.telemetry.sent.with_label_values(&[signal.as_str()]).inc_by(records);
    }

    pub(super) fn count_dropped(&self, signal: Signal, records: u64) {
        self.measured().metrics.telemetry.dropped.with_label_values(&[signal.as_str()]).inc_by(records);
    }

    pub(super) fn count_failure(&self, signal: Signal) {
        self.measured().metrics.telemetry.failures.with_label_values(&[signal.as_str()]).inc();
    }

    fn measured(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Shared {
    /// Sends everything; its clock stands at the tenth second of 1970.
    pub(super) fn for_test() -> Self {
        Self::with_config(Config::default())
    }

    pub(super) fn with_config(config: Config) -> Self {
        Self::new(config, std::sync::Arc::new(|| Timestamp::from_second(10).unwrap()))
    }

    pub(super) fn sent(&self, signal: Signal) -> u64 {
        self.measured().metrics.telemetry.sent.with_label_values(&[signal.as_str()]).get()
    }

    pub(super) fn dropped(&self, signal: Signal) -> u64 {
        self.measured().metrics.telemetry.dropped.with_label_values(&[signal.as_str()]).get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted_and_a_signal_that_is_off_is_not_kept() {
        let shared = Shared::with_config(Config { queue: 2, traces: false, ..Config::default() });
        (0..5).for_each(|_| shared.push_log(LogRecord::default()));
        (0..5).for_each(|_| shared.push_span(Span::default()));
        assert_eq!((shared.dropped(Signal::Logs), shared.logs.take().len()), (3, 2));
        assert_eq!((shared.dropped(Signal::Traces), shared.spans.take().len()), (0, 0));
    }

    #[test]
    fn the_metrics_of_the_last_daemon_are_sent() {
        let shared = Shared::for_test();
        let metrics = Metrics::new();
        metrics.classify.failures.inc();
        shared.set_metrics(metrics);
        let sent = format!("{:?}", shared.read_metrics().iter().find(|it| it.name == "vigie_classify_failures_total"));
        assert!(sent.contains("AsDouble(1.0)"), "{sent}");
    }
}
