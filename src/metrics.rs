//! Every metric that vigie exports, one struct per stage, in its own registry. The module is at the bottom of the import
//! order: each stage receives its struct. No label contains personal data, and each label has few values.

#[cfg(target_os = "linux")]
mod process;
#[macro_use]
mod series;
mod source;

pub use series::SeriesDefinition;
pub use source::SourceMetrics;

use prometheus::proto::MetricFamily;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder,
};

/// Seconds of work within the process.
const WORK: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Seconds that include external delays.
const DELAY: [f64; 14] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 1_800.0, 7_200.0];
/// Posts in a batch.
const BATCH: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 512.0];

stage! {
    /// Metrics of the sources, labelled with the name of the source.
    Sources {
        /// Posts and rows that a source sent to the pipeline, before any was dropped.
        received: IntCounterVec = "vigie_source_received_total" ["source"];
        /// Rejected rows and posts, by reason; reason poison is a post on which the classifier fails.
        rejected: IntCounterVec = "vigie_source_rejected_total" ["source", "reason"];
        /// Posts that were dropped because this or another source had sent them before.
        duplicates: IntCounterVec = "vigie_source_duplicates_total" ["source"];
        /// Posts that were classified.
        classified: IntCounterVec = "vigie_source_classified_total" ["source"];
        /// Posts dated ahead of the clock by more than window.clock_skew; they count when they arrive.
        future: IntCounterVec = "vigie_source_future_total" ["source"];
        /// Posts that match no topic; they are not classified.
        unmatched: IntCounterVec = "vigie_source_unmatched_total" ["source"];
        /// Compliance events of a source: deletions and edits of posts.
        notices: IntCounterVec = "vigie_source_notices_total" ["source"];
        /// Requests to the upstream of a source, by endpoint and outcome (ok, or the kind of failure).
        requests: IntCounterVec = "vigie_source_requests_total" ["source", "endpoint", "outcome"];
        /// Requests that the upstream still allows in its current rate-limit window.
        rate_limit_remaining: IntGaugeVec = "vigie_source_rate_limit_remaining" ["source", "endpoint"];
        /// Restarts of a source after a failure.
        restarts: IntCounterVec = "vigie_source_restarts_total" ["source"];
        /// Seconds from the creation of a post until its source sent it to the pipeline.
        lag: HistogramVec = "vigie_source_lag_seconds" ["source"] in DELAY;
        /// Unix time of the last response from the upstream.
        last_success: GaugeVec = "vigie_source_last_success_timestamp_seconds" ["source"];
        /// 1 while the upstream has been silent for longer than expected, else 0.
        stalled: IntGaugeVec = "vigie_source_stalled" ["source"];
        /// 1 while the source is blocked until an operator acts, else 0.
        blocked: IntGaugeVec = "vigie_source_blocked" ["source"];
        /// Posts charged in the current day or month (UTC).
        budget_posts: IntGaugeVec = "vigie_source_budget_used_posts" ["source", "period"];
        /// Dollars spent in the current day or month (UTC).
        budget_dollars: GaugeVec = "vigie_source_budget_used_dollars" ["source", "period"];
        /// Fraction of the budget that is spent: the larger of posts and dollars.
        budget_ratio: GaugeVec = "vigie_source_budget_used_ratio" ["source", "period"];
    }
}

stage! {
    /// Metrics of the classifier.
    Classify {
        /// Posts classified, by label.
        posts: IntCounterVec = "vigie_classify_posts_total" ["label"];
        /// Seconds to clean and classify a batch.
        duration: Histogram = "vigie_classify_duration_seconds" in WORK;
        /// Posts in a batch.
        batch: Histogram = "vigie_classify_batch_posts" in BATCH;
        /// Batches on which the classifier failed.
        failures: IntCounter = "vigie_classify_failures_total";
        /// Posts moved to the dead letters because the classifier failed on them twice.
        dead_letters: IntCounter = "vigie_classify_dead_letters_total";
        /// Posts and texts that were not read, because the prediction of the same text was remembered.
        cached: IntCounter = "vigie_classify_cached_posts_total";
        /// The model in use; the value is always 1.
        model: IntGaugeVec = "vigie_classify_model_info" ["model"];
    }
}

stage! {
    /// Metrics of the monitor and its store.
    Monitor {
        /// Classified posts, by outcome: counted, copied (counted without a vote), too_late, unmatched or duplicate.
        posts: IntCounterVec = "vigie_monitor_posts_total" ["outcome"];
        /// Seconds from the creation of a post until it was counted and visible to the rules.
        end_to_end: Histogram = "vigie_monitor_end_to_end_seconds" in DELAY;
        /// Seconds from the arrival of a post in the pipeline until it was counted and visible to the rules.
        arrival_to_decision: Histogram = "vigie_monitor_arrival_to_decision_seconds" in WORK;
        /// Seconds to commit a batch to the store.
        commit: Histogram = "vigie_monitor_commit_duration_seconds" in WORK;
        /// Seconds to flush the store to disk.
        flush: Histogram = "vigie_monitor_flush_duration_seconds" in WORK;
        /// Failed commits and flushes of the store.
        store_failures: IntCounter = "vigie_monitor_store_failures_total";
        /// Size of the store on disk in bytes.
        store_bytes: IntGauge = "vigie_store_size_bytes";
        /// Posts counted for a topic, by label.
        topic_posts: IntCounterVec = "vigie_topic_posts_total" ["topic", "label"];
        /// Fraction of negative posts of a topic in the last hour; absent without posts.
        topic_negative_ratio: GaugeVec = "vigie_topic_negative_ratio" ["topic"];
        /// Alerts that are firing.
        alerts_firing: IntGauge = "vigie_alerts_firing";
        /// Alert transitions, by new status: firing or resolved.
        transitions: IntCounterVec = "vigie_alert_transitions_total" ["status"];
        /// Unix time of the last rule evaluation.
        last_evaluation: Gauge = "vigie_monitor_last_evaluation_timestamp_seconds";
    }
}

stage! {
    /// Metrics of notifications.
    Notify {
        /// Notification attempts, by receiver and outcome: ok or failed.
        sent: IntCounterVec = "vigie_notify_total" ["receiver", "outcome"];
        /// Seconds to deliver a notification to a receiver.
        duration: HistogramVec = "vigie_notify_duration_seconds" ["receiver"] in DELAY;
        /// Seconds from the firing of an alert until its first notification was delivered.
        latency: Histogram = "vigie_notify_latency_seconds" in DELAY;
        /// Incidents that are firing.
        incidents: IntGauge = "vigie_notify_incidents";
        /// Silences that have not expired.
        silences: IntGauge = "vigie_notify_silences";
        /// Firing alerts that are not notified, by reason: silence or inhibition.
        suppressed: IntGaugeVec = "vigie_notify_suppressed_alerts" ["reason"];
        /// 1 while notifications to a receiver fail, else 0.
        failing: IntGaugeVec = "vigie_notify_receiver_failing" ["receiver"];
        /// Alert transitions in the outbox that notification has not taken over yet.
        outbox: IntGauge = "vigie_notify_outbox_transitions";
    }
}

stage! {
    /// Metrics of the daemon.
    Daemon {
        /// The running version; the value is always 1.
        build: IntGaugeVec = "vigie_build_info" ["version"];
        /// 1 while the daemon is ready (see `/-/ready`), else 0.
        ready: IntGauge = "vigie_ready";
        /// Batches waiting in a queue.
        queued: IntGaugeVec = "vigie_queue_batches" ["queue"];
        /// Capacity of a queue in batches.
        queue_capacity: IntGaugeVec = "vigie_queue_capacity_batches" ["queue"];
        /// Restarts of a task after it died, by task.
        deaths: IntCounterVec = "vigie_task_deaths_total" ["task"];
        /// 1 if the last configuration reload succeeded, else 0.
        reload_successful: IntGauge = "vigie_config_last_reload_successful";
        /// Unix time of the last successful configuration reload.
        reload_time: Gauge = "vigie_config_last_reload_success_timestamp_seconds";
        /// Requests to the web server, by route and status code.
        http_requests: IntCounterVec = "vigie_http_requests_total" ["route", "code"];
    }
}

stage! {
    /// Metrics of telemetry: what is sent to an OpenTelemetry collector. Signals are logs, metrics and traces.
    TelemetryMetrics {
        /// Log records, metrics and spans that a collector accepted, by signal.
        sent: IntCounterVec = "vigie_telemetry_sent_total" ["signal"];
        /// Those that were dropped because the queue was full or the collector refused them, by signal.
        dropped: IntCounterVec = "vigie_telemetry_dropped_total" ["signal"];
        /// Requests to a collector that failed, by signal.
        failures: IntCounterVec = "vigie_telemetry_failures_total" ["signal"];
    }
}

/// The metrics of all stages, with their registry.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    pub sources: Sources,
    pub classify: Classify,
    pub monitor: Monitor,
    pub notify: Notify,
    pub daemon: Daemon,
    pub telemetry: TelemetryMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let registry = Registry::new();
        let metrics = Self {
            sources: Sources::new(&registry),
            classify: Classify::new(&registry),
            monitor: Monitor::new(&registry),
            notify: Notify::new(&registry),
            daemon: Daemon::new(&registry),
            telemetry: TelemetryMetrics::new(&registry),
            registry,
        };
        metrics.init_known_labels();
        metrics
    }

    /// Also exports memory, CPU time and open files of this process, where the platform provides them.
    #[must_use]
    pub fn with_process(self) -> Self {
        #[cfg(target_os = "linux")]
        {
            let collector = process::ProcessCollector::new().expect("names are constants, and a test creates them");
            // Fails only when it is registered already.
            let _ = self.registry.register(Box::new(collector));
        }
        self
    }

    /// Starts known labels at 0: a rate needs an initial value.
    fn init_known_labels(&self) {
        self.daemon.build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        for label in ["negative", "neutral", "positive"] {
            self.classify.posts.with_label_values(&[label]);
        }
        for outcome in ["counted", "copied", "too_late", "unmatched", "duplicate"] {
            self.monitor.posts.with_label_values(&[outcome]);
        }
        for signal in ["logs", "metrics", "traces"] {
            let TelemetryMetrics { sent, dropped, failures } = &self.telemetry;
            for series in [sent, dropped, failures] {
                series.with_label_values(&[signal]);
            }
        }
        for status in ["firing", "resolved"] {
            self.monitor.transitions.with_label_values(&[status]);
        }
    }

    /// The metrics of the source `name`.
    pub fn source(&self, name: &str) -> SourceMetrics {
        SourceMetrics::new(&self.sources, name)
    }

    /// Renders all metrics in Prometheus' text format.
    ///
    /// # Errors
    /// When a metric has a value of another type, which would be a bug of the library.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.gather())
    }

    /// All metrics with their present values.
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    /// All declared metrics, without those of [`Metrics::with_process`].
    pub fn declared() -> impl Iterator<Item = &'static SeriesDefinition> {
        let all = [Sources::DECLARED, Classify::DECLARED, Monitor::DECLARED, Notify::DECLARED, Daemon::DECLARED];
        all.into_iter().chain([TelemetryMetrics::DECLARED]).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_metrics_are_created_and_known_labels_start_at_zero() {
        let metrics = Metrics::new();
        metrics.source("x").rejected("json");
        let text = metrics.render().unwrap();
        for line in [
            "vigie_monitor_posts_total{outcome=\"too_late\"} 0",
            "vigie_source_received_total{source=\"x\"} 0",
            "vigie_source_rejected_total{reason=\"json\",source=\"x\"} 1",
            "# HELP vigie_classify_failures_total Batches on which the classifier failed.",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn two_registries_are_independent() {
        let (one, other) = (Metrics::new(), Metrics::new());
        one.classify.failures.inc();
        assert_eq!(other.classify.failures.get(), 0);
    }
}
