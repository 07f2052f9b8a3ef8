//! [`Condition`]: the kinds of question a rule can ask, and [`Evaluation`], the answer with its reasons.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::negative_rate::NegativeRate;
use super::negative_volume::NegativeVolume;
use crate::window::{Counts, Span, TopicWindow};

/// What a rule asks of a topic's windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Condition {
    NegativeRate(NegativeRate),
    NegativeVolume(NegativeVolume),
}

/// What is normal for a topic, learnt from its own past.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Normal {
    /// In the unit of the condition: a share in `[0, 1]`, or negative posts per window.
    pub value: f64,
    /// Posts it was learnt from.
    pub posts: u64,
}

/// The time before the window, from which a condition learns what is normal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    pub(super) counts: Counts,
    /// The topic was watched all that time.
    pub(super) is_whole: bool,
}

/// The numbers that decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub posts: u64,
    pub negative: u64,
    /// Share of negative posts in `[0, 1]`; 0 without posts.
    pub rate: f64,
    /// Lower confidence bound, in the unit of the condition.
    pub lower_bound: f64,
    /// What the bound must exceed; none while it is not known.
    pub threshold: Option<f64>,
    pub normal: Option<Normal>,
}

impl Measured {
    pub(super) fn new(counts: Counts, lower_bound: f64) -> Self {
        Self {
            posts: counts.posts(),
            negative: counts.negative,
            rate: counts.negative_rate().unwrap_or(0.0),
            lower_bound,
            threshold: None,
            normal: None,
        }
    }
}

/// A condition's answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    pub holds: bool,
    pub measured: Measured,
}

impl Condition {
    /// Seconds of the window that is judged.
    pub fn window(&self) -> i64 {
        match self {
            Self::NegativeRate(condition) => condition.window.as_secs(),
            Self::NegativeVolume(condition) => condition.window.as_secs(),
        }
    }

    /// The spans whose sums [`Condition::evaluate`] reads.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans = vec![Span::last(self.window())];
        spans.extend(self.baseline().map(|length| Span::before(self.window(), length)));
        spans
    }

    /// Seconds of past that tell what is normal, where the condition compares with that.
    pub fn baseline(&self) -> Option<i64> {
        match self {
            Self::NegativeRate(condition) => condition.above.baseline(),
            Self::NegativeVolume(condition) => condition.above.baseline(),
        }
    }

    /// Judges the windows of `topic`. `frozen` replaces what is normal while an alert fires, so that an incident does not
    /// become its own excuse.
    pub fn evaluate(&self, topic: &TopicWindow, frozen: Option<Normal>) -> Evaluation {
        let counts = topic.sum(Span::last(self.window()));
        let past = self.baseline().map(|length| {
            let span = Span::before(self.window(), length);
            Past { counts: topic.sum(span), is_whole: topic.covers(span) }
        });
        match self {
            Self::NegativeRate(condition) => condition.evaluate(counts, past, frozen),
            Self::NegativeVolume(condition) => condition.evaluate(counts, past, frozen),
        }
    }

    /// Whether rates in `[0, 1]`, and not counts, are compared.
    pub fn is_rate(&self) -> bool {
        matches!(self, Self::NegativeRate(_))
    }

    pub(super) fn faults(&self, bucket: SignedDuration) -> Vec<String> {
        match self {
            Self::NegativeRate(condition) => condition.faults(bucket),
            Self::NegativeVolume(condition) => condition.faults(bucket),
        }
    }
}

/// Longest window and baseline: what is kept in memory per topic follows from it.
const LONGEST: SignedDuration = SignedDuration::from_hours(28 * 24);

pub(super) fn length_fault(key: &str, length: SignedDuration, bucket: SignedDuration) -> Option<String> {
    let whole = length.subsec_nanos() == 0 && length.as_secs() % bucket.as_secs().max(1) == 0;
    (length < bucket || length > LONGEST || !whole).then(|| {
        format!("{key}: {length:#} is not a multiple of window.bucket ({bucket:#}) between it and {LONGEST:#}")
    })
}

pub(super) fn confidence_fault(confidence: f64) -> Option<String> {
    (!(0.5..1.0).contains(&confidence))
        .then(|| format!("condition.confidence: {confidence} is not between 0.5 and 1 (1 excluded)"))
}
