//! [`Health`]: how a running source reports its state to the status page, readiness and operational alerts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What a source is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum SourceState {
    #[default]
    Starting,
    /// Reading, or between two regular reads.
    Working,
    /// Paused until `until` by a transient failure: a rate limit, a failing server.
    Waiting {
        until: Timestamp,
        why: String,
    },
    /// Paused until an operator acts: a rejected token, an exhausted budget. `why` says what to do.
    Blocked {
        why: String,
    },
    Stopped,
}

/// Posts and money spent in a period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BudgetUsage {
    /// `day` or `month`.
    pub period: String,
    pub posts: u64,
    pub dollars: f64,
    /// None: no limit.
    pub max_posts: Option<u64>,
    pub max_dollars: Option<f64>,
}

/// State of a source. It holds no text or author of a post.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HealthReport {
    /// One line for operators: `recent search, every 60 s: "Air Paradis" OR @AirParadis`.
    pub what: String,
    pub state: SourceState,
    /// When the upstream last answered, even if it had nothing new.
    pub last_success: Option<Timestamp>,
    /// The source is stalled when the upstream is silent for longer than this; none for a source that only listens.
    pub stalled_after: Option<SignedDuration>,
    pub last_error: Option<String>,
    pub spent: Vec<BudgetUsage>,
    /// Current problems by the name of their operational alert, such as `BudgetNearlySpent`.
    pub problems: BTreeMap<String, String>,
}

impl HealthReport {
    /// Whether the upstream has been silent for too long. `started`: when the source started.
    pub fn is_stalled(&self, started: Timestamp, now: Timestamp) -> bool {
        let since = self.last_success.unwrap_or(started);
        self.stalled_after.is_some_and(|limit| now.duration_since(since) > limit)
    }
}

/// Written by the source, read by the status publisher; clones share one report.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<HealthReport>>);

impl Health {
    pub fn update(&self, change: impl FnOnce(&mut HealthReport)) {
        change(&mut self.lock());
    }

    pub fn report(&self) -> HealthReport {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, HealthReport> {
        // The report holds plain values: it stays readable after a panic during an update.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_from_the_start_until_there_was_a_success() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut report = HealthReport { stalled_after: Some(SignedDuration::from_secs(10)), ..HealthReport::default() };
        assert!(!report.is_stalled(at(100), at(110)) && report.is_stalled(at(100), at(111)));
        report.last_success = Some(at(105));
        assert!(!report.is_stalled(at(100), at(115)) && report.is_stalled(at(100), at(116)));
        report.stalled_after = None;
        assert!(!report.is_stalled(at(100), at(1_000_000)));
    }
}
