//! [`Health`]: what a running source says of itself, for the status page, readiness and operational alerts.

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
    /// Held up until `until` by something that passes by itself: a rate limit, a server that fails.
    Waiting {
        until: Timestamp,
        why: String,
    },
    /// Held up until somebody does something: a refused token, a spent budget. `why` says what to do.
    Blocked {
        why: String,
    },
    Stopped,
}

/// Money and posts spent in a period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// `day` or `month`.
    pub period: String,
    pub posts: u64,
    pub dollars: f64,
    /// None: no limit.
    pub most_posts: Option<u64>,
    pub most_dollars: Option<f64>,
}

/// A source's own account of itself. No text or author of a post.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What is read, in a line for people: `recent search, every 60 s: "Air Paradis" OR @AirParadis`.
    pub what: String,
    pub state: SourceState,
    /// When the source last heard from its far end, be it only that there is nothing new.
    pub last_success: Option<Timestamp>,
    /// It is stalled when it hears nothing for this long; none for a source that only listens.
    pub stalled_after: Option<SignedDuration>,
    pub last_error: Option<String>,
    pub spent: Vec<Spent>,
    /// What people have to be told of, by a name such as `BudgetNearlySpent`; each becomes an alert while it is here.
    pub problems: BTreeMap<String, String>,
}

impl Report {
    /// Whether nothing was heard for longer than is plausible. `started`: when the source began.
    pub fn is_stalled(&self, started: Timestamp, now: Timestamp) -> bool {
        let since = self.last_success.unwrap_or(started);
        self.stalled_after.is_some_and(|most| now.duration_since(since) > most)
    }
}

/// Shared between a source, which writes it, and who watches it.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Report>>);

impl Health {
    pub fn update(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.lock());
    }

    pub fn report(&self) -> Report {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Report> {
        // A report is plain values: one that a panic left half-written still reads.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_from_the_start_until_there_was_a_success() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut report = Report { stalled_after: Some(SignedDuration::from_secs(10)), ..Report::default() };
        assert!(!report.is_stalled(at(100), at(110)) && report.is_stalled(at(100), at(111)));
        report.last_success = Some(at(105));
        assert!(!report.is_stalled(at(100), at(115)) && report.is_stalled(at(100), at(116)));
        report.stalled_after = None;
        assert!(!report.is_stalled(at(100), at(1_000_000)));
    }
}
