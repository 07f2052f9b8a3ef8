//! [`Health`]: how a running source reports its state to the console, readiness and operational alerts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What a source is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HealthReport {
    /// One line for operators: `recent search, every 60 s: "Air Paradis" OR @AirParadis`.
    pub what: String,
    pub state: SourceState,
    /// When the upstream last answered, even if it had nothing new.
    pub last_success: Option<Timestamp>,
    /// The source is stalled when the upstream is silent for longer than this; none for a source that only listens.
    #[schema(value_type = Option<String>)]
    pub stalled_after: Option<SignedDuration>,
    pub last_error: Option<String>,
    /// Since when the source waits or is blocked, without a success since.
    #[serde(default)]
    pub paused_since: Option<Timestamp>,
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

    /// Records that the source waits or is blocked from `now` on, because of `why`.
    pub fn pause(&mut self, state: SourceState, why: &str, now: Timestamp) {
        self.paused_since.get_or_insert(now);
        self.last_error = Some(why.to_owned());
        self.state = state;
    }

    /// Records an answer of the upstream at `now`. Returns how long the source was paused before, if it was.
    pub fn succeed(&mut self, now: Timestamp) -> Option<SignedDuration> {
        self.last_success = Some(now);
        self.state = SourceState::Working;
        self.paused_since.take().map(|since| now.duration_since(since))
    }

    /// Why no posts are read at `now`, for `/-/ready`; none while the source does its work. `started`: when it started.
    pub fn fault(&self, source: &str, started: Timestamp, now: Timestamp) -> Option<String> {
        let since = self.last_success.unwrap_or(started);
        match &self.state {
            SourceState::Blocked { why } => Some(format!("source {source} is blocked: {why}")),
            // The silence will be too long: that is known as soon as the wait begins.
            SourceState::Waiting { until, why } if self.is_stalled(started, *until) => {
                Some(format!("source {source} has received nothing since {since:.0} and waits until {until:.0}: {why}"))
            }
            _ => self.stalled(source, started, now),
        }
    }

    /// Why the source is stalled at `now`, for the alert about it; none if it is not.
    pub fn stalled(&self, source: &str, started: Timestamp, now: Timestamp) -> Option<String> {
        self.is_stalled(started, now).then(|| self.silence(source, self.last_success.unwrap_or(started)))
    }

    fn silence(&self, source: &str, since: Timestamp) -> String {
        // An error of before the last success explains nothing.
        match self.last_error.as_ref().filter(|_| self.paused_since.is_some()) {
            Some(why) => format!("source {source} has received nothing since {since:.0}: {why}"),
            None => format!("source {source} has received nothing since {since:.0}"),
        }
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

    /// A wait is a fault from its first second if the silence will be too long by its end, and none otherwise.
    #[test]
    fn a_long_wait_is_a_fault_at_once_and_a_short_one_is_not() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut report =
            HealthReport { stalled_after: Some(SignedDuration::from_secs(100)), ..HealthReport::default() };
        assert_eq!(report.succeed(at(1_000)), None);
        let wait = |until| SourceState::Waiting { until: at(until), why: "rate limit".into() };
        report.pause(wait(1_099), "rate limit", at(1_010));
        assert_eq!(report.fault("x", at(0), at(1_011)), None);
        report.pause(wait(1_900), "rate limit", at(1_020));
        let fault = report.fault("x", at(0), at(1_021)).unwrap();
        assert!(fault.contains("waits until 1970-01-01T00:31:40Z: rate limit"), "{fault}");
        assert_eq!(report.stalled("x", at(0), at(1_021)), None, "the alert waits for the silence itself");
        assert!(report.stalled("x", at(0), at(1_101)).unwrap().ends_with(": rate limit"));
        assert_eq!(report.succeed(at(1_900)), Some(SignedDuration::from_secs(890)), "from the first pause on");
        assert_eq!(report.fault("x", at(0), at(1_901)), None);
        let silent = report.fault("x", at(0), at(2_100)).unwrap();
        assert!(
            silent.ends_with("since 1970-01-01T00:31:40Z"),
            "an error of before the success explains nothing: {silent}"
        );
    }
}
