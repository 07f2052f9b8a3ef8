//! Condition `events`: holds when a number of events of one kind occurs within a time span. Events are about vigie
//! itself and belong to no topic. A rule with only `events` is evaluated once; within `and` or `or` it is evaluated for
//! each topic.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ConditionResult, Evidence, Measurement, Reasons};

/// Number of latest events kept per kind.
const MAX_EVENTS: usize = 1_024;
/// Maximum time span.
const MAX_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A user reported a misclassified post.
    IncorrectPrediction,
    /// The classifier, the store or a source failed.
    PipelineError,
}

impl EventKind {
    pub const ALL: [Self; 2] = [Self::IncorrectPrediction, Self::PipelineError];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::IncorrectPrediction => "incorrect_prediction",
            Self::PipelineError => "pipeline_error",
        }
    }
}

/// Times of the events of each kind, in Unix milliseconds, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventLog(BTreeMap<EventKind, Vec<i64>>);

impl EventLog {
    pub fn record(&mut self, kind: EventKind, at: Timestamp) {
        let times = self.0.entry(kind).or_default();
        let place = times.partition_point(|time| *time <= at.as_millisecond());
        times.insert(place, at.as_millisecond());
        if times.len() > MAX_EVENTS {
            times.remove(0);
        }
    }

    /// Removes one event of `kind` at `at`; what did not happen after all.
    pub fn remove(&mut self, kind: EventKind, at: Timestamp) {
        if let Some(times) = self.0.get_mut(&kind)
            && let Some(place) = times.iter().position(|time| *time == at.as_millisecond())
        {
            times.remove(place);
        }
    }

    pub fn times(&self, kind: EventKind) -> &[i64] {
        self.0.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Replaces the times of one kind of event.
    pub fn set(&mut self, kind: EventKind, times: Vec<i64>) {
        self.0.insert(kind, times);
    }

    /// Time of the last event, in Unix milliseconds.
    pub fn last(&self) -> Option<i64> {
        self.0.values().filter_map(|times| times.last().copied()).max()
    }
}

/// Begins to hold when `count` events occur within `within`, and holds for another `within` after the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    pub kind: EventKind,
    pub count: u64,
    #[serde(with = "crate::duration")]
    pub within: SignedDuration,
}

impl Events {
    pub(super) fn evaluate(&self, evidence: &Evidence<'_>) -> ConditionResult {
        let now = evidence.now() * 1_000;
        let within = i64::try_from(self.within.as_millis()).unwrap_or(i64::MAX);
        let times = evidence.events.times(self.kind);
        let recent = times.iter().filter(|time| (now - within..=now).contains(*time)).count() as u64;
        // Any run of `count` events decides, not the last `within` before the bucket's end: a burst can span two
        // buckets.
        let count = usize::try_from(self.count).unwrap_or(usize::MAX).max(1);
        let full = |run: &[i64]| match (run.first(), run.last()) {
            (Some(first), Some(last)) => last - first <= within && (now - within..=now).contains(last),
            _ => false,
        };
        let holds = times.windows(count).any(full);
        let (posts, threshold) = (recent, Some(self.count as f64));
        let measured = Measurement { posts, lower_bound: recent as f64, threshold, ..Measurement::default() };
        let numbers = vec![
            ("events", recent as f64),
            ("count", self.count as f64),
            ("within_seconds", self.within.as_secs_f64()),
        ];
        let reasons = Reasons { condition: "events", holds, numbers, parts: Vec::new() };
        ConditionResult { holds, measured, is_rate: false, reasons }
    }

    pub(super) fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.count == 0 || self.count > MAX_EVENTS as u64 {
            problems.push(format!("condition.count: {} is not valid; expected 1 to {MAX_EVENTS}", self.count));
        }
        if self.within <= SignedDuration::ZERO || self.within > MAX_WITHIN {
            let within = self.within;
            problems.push(format!(
                "condition.within: {within:#} is not valid; expected more than 0s, at most {MAX_WITHIN:#}"
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Baseline;
    use crate::window;
    use crate::window::TopicWindow;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The minutes in which the condition holds, for events at these seconds.
    fn holds(seconds: &[i64]) -> Vec<i64> {
        let condition = Events { kind: EventKind::IncorrectPrediction, count: 3, within: SignedDuration::from_mins(5) };
        let mut events = EventLog::default();
        seconds.iter().for_each(|second| events.record(EventKind::IncorrectPrediction, at(*second)));
        events.record(EventKind::PipelineError, at(1));
        let baseline = Baseline::default();
        let judged = |minute: &i64| {
            let topic = TopicWindow::new(&window::Config::default(), &[], "", minute * 60);
            let evidence = Evidence { topic: &topic, baseline: &baseline, frozen: false, error: None, events: &events };
            condition.evaluate(&evidence).holds
        };
        (0..20).filter(judged).collect()
    }

    #[test]
    fn three_within_five_minutes_and_not_one_less() {
        assert_eq!(holds(&[30, 120]), [0_i64; 0]);
        assert_eq!(holds(&[30, 120, 331]), [0_i64; 0], "five minutes and a second");
        // No five whole minutes contain all three, but a span of five minutes does.
        assert_eq!(holds(&[30, 120, 320]), [6, 7, 8, 9, 10]);
        assert_eq!(holds(&[320, 30, 120]), [6, 7, 8, 9, 10], "in whatever order they were noted");
        assert_eq!(holds(&[60, 60, 60]), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut events = EventLog::default();
        (0..5_000).for_each(|second| events.record(EventKind::PipelineError, at(second)));
        assert_eq!(events.times(EventKind::PipelineError).len(), MAX_EVENTS);
        assert_eq!(events.last(), Some(4_999_000));
    }
}
