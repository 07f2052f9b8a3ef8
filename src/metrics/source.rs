//! [`SourceMetrics`]: the metrics of one source, with its name filled in.

use std::sync::Arc;

use prometheus::{Gauge, Histogram, IntCounter, IntGauge};

use super::Sources;

/// The metrics of one source.
#[derive(Debug, Clone)]
pub struct SourceMetrics {
    all: Sources,
    name: Arc<str>,
    pub received: IntCounter,
    pub duplicates: IntCounter,
    pub classified: IntCounter,
    pub unmatched: IntCounter,
    pub future: IntCounter,
    pub notices: IntCounter,
    pub restarts: IntCounter,
    pub lag: Histogram,
    pub last_success: Gauge,
    pub stalled: IntGauge,
    pub blocked: IntGauge,
}

impl SourceMetrics {
    pub(super) fn new(all: &Sources, name: &str) -> Self {
        let labels = [name];
        Self {
            received: all.received.with_label_values(&labels),
            duplicates: all.duplicates.with_label_values(&labels),
            classified: all.classified.with_label_values(&labels),
            unmatched: all.unmatched.with_label_values(&labels),
            future: all.future.with_label_values(&labels),
            notices: all.notices.with_label_values(&labels),
            restarts: all.restarts.with_label_values(&labels),
            lag: all.lag.with_label_values(&labels),
            last_success: all.last_success.with_label_values(&labels),
            stalled: all.stalled.with_label_values(&labels),
            blocked: all.blocked.with_label_values(&labels),
            all: all.clone(),
            name: name.into(),
        }
    }

    pub fn rejected(&self, reason: &str) {
        self.all.rejected.with_label_values(&[&*self.name, reason]).inc();
    }

    /// Counts a request. `outcome`: `ok`, or the kind of failure.
    pub fn request(&self, endpoint: &str, outcome: &str) {
        self.all.requests.with_label_values(&[&*self.name, endpoint, outcome]).inc();
    }

    pub fn rate_limit_remaining(&self, endpoint: &str, remaining: i64) {
        self.all.rate_limit_remaining.with_label_values(&[&*self.name, endpoint]).set(remaining);
    }

    /// Sets the spending in `period` (`day` or `month`) and the fraction of the budget.
    pub fn budget(&self, period: &str, posts: u64, dollars: f64, ratio: f64) {
        let labels = [&*self.name, period];
        self.all.budget_posts.with_label_values(&labels).set(i64::try_from(posts).unwrap_or(i64::MAX));
        self.all.budget_dollars.with_label_values(&labels).set(dollars);
        self.all.budget_ratio.with_label_values(&labels).set(ratio);
    }
}
