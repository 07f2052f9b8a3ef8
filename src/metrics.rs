//! Every series that vigie exports, one struct per stage, in a registry of its own. Stands at the bottom of the import
//! order: each stage is handed its struct. No label holds personal data, and each label has few values.

use std::sync::Arc;

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

/// Seconds that work inside the process takes.
const WORK: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Seconds until a post, or the news of it, has come from somewhere else.
const DELAY: [f64; 14] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 1_800.0, 7_200.0];
/// Posts in a batch.
const BATCH: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 512.0];

/// How a type is made from its options; lets [`stage!`] declare every kind of series in the same way.
trait Series: Sized + Clone + prometheus::core::Collector + 'static {
    fn make(opts: Opts, labels: &[&str], buckets: &[f64]) -> prometheus::Result<Self>;
}

macro_rules! series {
    ($($plain:ty),*; $($labelled:ty),*) => {
        $(impl Series for $plain {
            fn make(opts: Opts, _: &[&str], _: &[f64]) -> prometheus::Result<Self> {
                Self::with_opts(opts)
            }
        })*
        $(impl Series for $labelled {
            fn make(opts: Opts, labels: &[&str], _: &[f64]) -> prometheus::Result<Self> {
                Self::new(opts, labels)
            }
        })*
    };
}

series!(IntCounter, IntGauge, Gauge; IntCounterVec, IntGaugeVec, GaugeVec);

impl Series for Histogram {
    fn make(opts: Opts, _: &[&str], buckets: &[f64]) -> prometheus::Result<Self> {
        Self::with_opts(HistogramOpts::from(opts).buckets(buckets.to_vec()))
    }
}

impl Series for HistogramVec {
    fn make(opts: Opts, labels: &[&str], buckets: &[f64]) -> prometheus::Result<Self> {
        Self::new(HistogramOpts::from(opts).buckets(buckets.to_vec()), labels)
    }
}

fn register<S: Series>(registry: &Registry, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> S {
    let made = S::make(Opts::new(name, help.trim()), labels, buckets)
        .and_then(|series| registry.register(Box::new(series.clone())).map(|()| series));
    made.expect("names and labels are constants of this file, and a test makes them all")
}

/// A series as it is declared, whether or not it has a value yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    pub name: &'static str,
    /// Its type here, such as `IntCounterVec`.
    pub kind: &'static str,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

macro_rules! buckets {
    () => {
        &[]
    };
    ($buckets:expr) => {
        &$buckets
    };
}

/// Declares the series of one stage: the doc comment of each is its help text.
macro_rules! stage {
    ($(#[$about:meta])* $stage:ident { $($(#[doc = $help:literal])+ $field:ident: $kind:ty = $name:literal $([$($label:literal),*])? $(in $buckets:expr)?;)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        pub struct $stage { $($(#[doc = $help])+ pub $field: $kind,)* }

        impl $stage {
            const DECLARED: &[Declared] = &[$(Declared {
                name: $name,
                kind: stringify!($kind),
                labels: &[$($($label),*)?],
                help: concat!($($help),+),
            },)*];

            fn new(registry: &Registry) -> Self {
                Self { $($field: register(registry, $name, concat!($($help),+), &[$($($label),*)?], buckets!($($buckets)?)),)* }
            }
        }
    };
}

stage! {
    /// Series of the sources, each labelled with the source's name.
    Sources {
        /// Posts and rows a source handed over, before anything was dropped.
        received: IntCounterVec = "vigie_source_received_total" ["source"];
        /// Rows and posts that could not be used, by reason; poison is a post that the classifier fails on.
        rejected: IntCounterVec = "vigie_source_rejected_total" ["source", "reason"];
        /// Posts that had come before, from this source or another.
        duplicates: IntCounterVec = "vigie_source_duplicates_total" ["source"];
        /// Posts that were classified.
        classified: IntCounterVec = "vigie_source_classified_total" ["source"];
        /// Deletions and edits that a source announced.
        notices: IntCounterVec = "vigie_source_notices_total" ["source"];
        /// Requests to a source's far end, by endpoint and outcome (ok, or the kind of failure).
        requests: IntCounterVec = "vigie_source_requests_total" ["source", "endpoint", "outcome"];
        /// Requests the far end still allows in its current window.
        rate_limit_remaining: IntGaugeVec = "vigie_source_rate_limit_remaining" ["source", "endpoint"];
        /// Times a source was started again after it failed.
        restarts: IntCounterVec = "vigie_source_restarts_total" ["source"];
        /// Seconds from when a post was written to when its source handed it over.
        lag: HistogramVec = "vigie_source_lag_seconds" ["source"] in DELAY;
        /// When the source last heard from its far end, as Unix time.
        last_success: GaugeVec = "vigie_source_last_success_timestamp_seconds" ["source"];
        /// 1 while the source hears nothing for longer than is plausible.
        stalled: IntGaugeVec = "vigie_source_stalled" ["source"];
        /// 1 while the source cannot go on until somebody does something.
        blocked: IntGaugeVec = "vigie_source_blocked" ["source"];
        /// Posts paid for in the current day or month (UTC).
        budget_posts: IntGaugeVec = "vigie_source_budget_used_posts" ["source", "period"];
        /// Dollars spent in the current day or month (UTC).
        budget_dollars: GaugeVec = "vigie_source_budget_used_dollars" ["source", "period"];
        /// Share of the budget that is spent, the larger of posts and dollars.
        budget_ratio: GaugeVec = "vigie_source_budget_used_ratio" ["source", "period"];
    }
}

stage! {
    /// Series of the classifier.
    Classify {
        /// Posts classified, by label.
        posts: IntCounterVec = "vigie_classify_posts_total" ["label"];
        /// Seconds to clean and classify a batch.
        duration: Histogram = "vigie_classify_duration_seconds" in WORK;
        /// Posts in a batch.
        batch: Histogram = "vigie_classify_batch_posts" in BATCH;
        /// Times the classifier failed on a batch.
        failures: IntCounter = "vigie_classify_failures_total";
        /// Posts set aside because the classifier failed on them twice.
        set_aside: IntCounter = "vigie_classify_set_aside_total";
        /// The model in use: always 1.
        model: IntGaugeVec = "vigie_classify_model_info" ["model"];
    }
}

stage! {
    /// Series of the monitor and of its store.
    Monitor {
        /// Classified posts by what became of them: counted, copied (counted, and without a vote), too_late, unmatched, duplicate.
        posts: IntCounterVec = "vigie_monitor_posts_total" ["outcome"];
        /// Seconds from when a post was written to when it was counted and the rules could see it.
        end_to_end: Histogram = "vigie_monitor_end_to_end_seconds" in DELAY;
        /// Seconds from when a source handed a post over to when it was counted and the rules could see it.
        arrival_to_decision: Histogram = "vigie_monitor_arrival_to_decision_seconds" in WORK;
        /// Seconds to commit a batch to the store.
        commit: Histogram = "vigie_monitor_commit_duration_seconds" in WORK;
        /// Seconds to flush the store to disk.
        flush: Histogram = "vigie_monitor_flush_duration_seconds" in WORK;
        /// Commits and flushes that the store refused.
        store_failures: IntCounter = "vigie_monitor_store_failures_total";
        /// Bytes the store takes on disk.
        store_bytes: IntGauge = "vigie_store_size_bytes";
        /// Posts a topic counted, by label.
        topic_posts: IntCounterVec = "vigie_topic_posts_total" ["topic", "label"];
        /// Share of negative posts of a topic in the last hour; absent without posts.
        topic_negative_ratio: GaugeVec = "vigie_topic_negative_ratio" ["topic"];
        /// Alerts that fire now.
        alerts_firing: IntGauge = "vigie_alerts_firing";
        /// Alerts that began to fire or were resolved.
        transitions: IntCounterVec = "vigie_alert_transitions_total" ["status"];
        /// When rules were last evaluated, as Unix time.
        last_evaluation: Gauge = "vigie_monitor_last_evaluation_timestamp_seconds";
    }
}

stage! {
    /// Series of notification.
    Notify {
        /// Notifications by receiver and outcome: ok or failed.
        sent: IntCounterVec = "vigie_notify_total" ["receiver", "outcome"];
        /// Seconds a receiver took to take a notification.
        duration: HistogramVec = "vigie_notify_duration_seconds" ["receiver"] in DELAY;
        /// Seconds from when an alert fired to when a receiver was first told of it.
        latency: Histogram = "vigie_notify_latency_seconds" in DELAY;
        /// Incidents that fire now.
        incidents: IntGauge = "vigie_notify_incidents";
        /// Silences that have not ended.
        silences: IntGauge = "vigie_notify_silences";
        /// Alerts that fire and nobody is told of, by reason: silence, inhibition.
        suppressed: IntGaugeVec = "vigie_notify_suppressed_alerts" ["reason"];
        /// 1 while a receiver cannot be told.
        failing: IntGaugeVec = "vigie_notify_receiver_failing" ["receiver"];
        /// Changes of alerts not yet taken over for telling.
        outbox: IntGauge = "vigie_notify_outbox_transitions";
    }
}

stage! {
    /// Series of the daemon as a whole.
    Daemon {
        /// The version that runs: always 1.
        build: IntGaugeVec = "vigie_build_info" ["version"];
        /// 1 when `/-/ready` says so.
        ready: IntGauge = "vigie_ready";
        /// Deliveries that wait in a queue.
        queued: IntGaugeVec = "vigie_queue_deliveries" ["queue"];
        /// Deliveries that a queue can hold.
        queue_capacity: IntGaugeVec = "vigie_queue_capacity_deliveries" ["queue"];
        /// Times a task was started again after it died, by task.
        deaths: IntCounterVec = "vigie_task_deaths_total" ["task"];
        /// 1 when the last reload of the configuration was taken.
        reload_successful: IntGauge = "vigie_config_last_reload_successful";
        /// When the configuration was last taken, as Unix time.
        reload_time: Gauge = "vigie_config_last_reload_success_timestamp_seconds";
        /// Requests to the web server, by route and status code.
        http_requests: IntCounterVec = "vigie_http_requests_total" ["route", "code"];
    }
}

/// All stages and the registry they are in.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    pub sources: Sources,
    pub classify: Classify,
    pub monitor: Monitor,
    pub notify: Notify,
    pub daemon: Daemon,
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
            registry,
        };
        metrics.start_known_labels();
        metrics
    }

    /// Also exports memory, CPU time and open files of this process, where the platform tells them.
    #[must_use]
    pub fn with_process(self) -> Self {
        #[cfg(target_os = "linux")]
        {
            let collector = prometheus::process_collector::ProcessCollector::for_self();
            // Registered twice at most, which changes nothing.
            let _ = self.registry.register(Box::new(collector));
        }
        self
    }

    /// A rate needs a first 0: labels that are known start there.
    fn start_known_labels(&self) {
        self.daemon.build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        for label in ["negative", "neutral", "positive"] {
            self.classify.posts.with_label_values(&[label]);
        }
        for outcome in ["counted", "copied", "too_late", "unmatched", "duplicate"] {
            self.monitor.posts.with_label_values(&[outcome]);
        }
        for status in ["firing", "resolved"] {
            self.monitor.transitions.with_label_values(&[status]);
        }
    }

    /// The series of the source `name`.
    pub fn source(&self, name: &str) -> SourceMetrics {
        SourceMetrics::new(&self.sources, name)
    }

    /// Everything in Prometheus' text format.
    ///
    /// # Errors
    /// When a series has no value of its own kind, which would be a fault of the library.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    /// All series that are declared; those of [`Metrics::with_process`] are not.
    pub fn declared() -> impl Iterator<Item = &'static Declared> {
        [Sources::DECLARED, Classify::DECLARED, Monitor::DECLARED, Notify::DECLARED, Daemon::DECLARED]
            .into_iter()
            .flatten()
    }
}

/// The series of one source.
#[derive(Debug, Clone)]
pub struct SourceMetrics {
    all: Sources,
    name: Arc<str>,
    pub received: IntCounter,
    pub duplicates: IntCounter,
    pub classified: IntCounter,
    pub notices: IntCounter,
    pub restarts: IntCounter,
    pub lag: Histogram,
    pub last_success: Gauge,
    pub stalled: IntGauge,
    pub blocked: IntGauge,
}

impl SourceMetrics {
    fn new(all: &Sources, name: &str) -> Self {
        let of = [name];
        Self {
            received: all.received.with_label_values(&of),
            duplicates: all.duplicates.with_label_values(&of),
            classified: all.classified.with_label_values(&of),
            notices: all.notices.with_label_values(&of),
            restarts: all.restarts.with_label_values(&of),
            lag: all.lag.with_label_values(&of),
            last_success: all.last_success.with_label_values(&of),
            stalled: all.stalled.with_label_values(&of),
            blocked: all.blocked.with_label_values(&of),
            all: all.clone(),
            name: name.into(),
        }
    }

    pub fn rejected(&self, reason: &str) {
        self.all.rejected.with_label_values(&[&*self.name, reason]).inc();
    }

    /// `outcome`: `ok`, or a word for the kind of failure.
    pub fn request(&self, endpoint: &str, outcome: &str) {
        self.all.requests.with_label_values(&[&*self.name, endpoint, outcome]).inc();
    }

    pub fn rate_limit_remaining(&self, endpoint: &str, remaining: i64) {
        self.all.rate_limit_remaining.with_label_values(&[&*self.name, endpoint]).set(remaining);
    }

    /// What was spent in `period` (`day` or `month`), and the share of the budget that is.
    pub fn budget(&self, period: &str, posts: u64, dollars: f64, ratio: f64) {
        let labels = [&*self.name, period];
        self.all.budget_posts.with_label_values(&labels).set(i64::try_from(posts).unwrap_or(i64::MAX));
        self.all.budget_dollars.with_label_values(&labels).set(dollars);
        self.all.budget_ratio.with_label_values(&labels).set(ratio);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_series_are_made_and_known_labels_start_at_zero() {
        let metrics = Metrics::new();
        metrics.source("x").rejected("json");
        let text = metrics.render().unwrap();
        for line in [
            "vigie_monitor_posts_total{outcome=\"too_late\"} 0",
            "vigie_source_received_total{source=\"x\"} 0",
            "vigie_source_rejected_total{reason=\"json\",source=\"x\"} 1",
            "# HELP vigie_classify_failures_total Times the classifier failed on a batch.",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn two_registries_do_not_meet() {
        let (one, other) = (Metrics::new(), Metrics::new());
        one.classify.failures.inc();
        assert_eq!(other.classify.failures.get(), 0);
    }
}
