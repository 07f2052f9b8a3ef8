//! [`Condition`]: the types of condition a rule can have, alone or combined with `and` and `or`.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::negative_rate::NegativeRate;
use super::negative_volume::NegativeVolume;
use super::no_data::NoData;
use super::rising::Rising;
use super::volume::Volume;
use super::{ConditionResult, Events, Evidence, Memory, Reasons};
use crate::window::{Span, TopicWindow};

/// The condition of a rule. It is evaluated once per topic when a bucket closes, with the [`Memory`] of the last
/// evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Condition {
    NegativeRate(NegativeRate),
    NegativeVolume(NegativeVolume),
    Rising(Rising),
    NoData(NoData),
    Volume(Volume),
    Events(Events),
    And(AllOf),
    Or(AnyOf),
}

/// Holds while all of its conditions hold. The first one leads: alerts show its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllOf {
    pub all: Vec<Condition>,
}

/// Holds while any of its conditions holds. The one that held first leads for as long as the rule is pending or firing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnyOf {
    pub any: Vec<Condition>,
}

/// Maximum nesting of combined conditions.
const MAX_DEPTH: usize = 8;

impl Condition {
    /// The conditions that this one combines; empty unless it is `and` or `or`.
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::And(combined) => &combined.all,
            Self::Or(combined) => &combined.any,
            _ => &[],
        }
    }

    /// Length in seconds of the window shown in alerts: the longest one of its conditions.
    pub fn window(&self) -> i64 {
        match self {
            Self::NegativeRate(condition) => condition.window.as_secs(),
            Self::NegativeVolume(condition) => condition.window.as_secs(),
            Self::Rising(condition) => condition.window.as_secs(),
            Self::NoData(condition) => condition.at_least.as_secs(),
            Self::Volume(condition) => condition.window.as_secs(),
            Self::Events(_) => 0,
            Self::And(_) | Self::Or(_) => self.parts().iter().map(Self::window).max().unwrap_or_default(),
        }
    }

    /// The spans whose sums [`Condition::evaluate`] reads.
    pub fn spans(&self) -> Vec<Span> {
        let past = match self {
            Self::NegativeRate(condition) => condition.above.trailing(),
            Self::NegativeVolume(condition) => return condition.spans(),
            Self::Volume(condition) => return condition.spans().into(),
            Self::Rising(condition) => return condition.spans().into(),
            Self::NoData(_) => None,
            Self::Events(_) => return Vec::new(),
            Self::And(_) | Self::Or(_) => return self.parts().iter().flat_map(Self::spans).collect(),
        };
        let window = self.window();
        [Span::last(window)].into_iter().chain(past.map(|length| Span::before(window, length))).collect()
    }

    /// Whether it is about vigie itself and not about a topic.
    pub fn is_topicless(&self) -> bool {
        match self {
            Self::Events(_) => true,
            Self::And(_) | Self::Or(_) => !self.parts().is_empty() && self.parts().iter().all(Self::is_topicless),
            _ => false,
        }
    }

    /// Whether it compares with what is normal for the topic; for combined conditions, whether all of them do.
    pub fn has_normal(&self) -> bool {
        match self {
            Self::NegativeRate(condition) => condition.above.has_normal(),
            Self::NegativeVolume(condition) => condition.above.has_normal(),
            Self::Rising(_) | Self::NoData(_) | Self::Volume(_) => true,
            Self::Events(_) => false,
            Self::And(_) | Self::Or(_) => self.parts().iter().all(Self::has_normal),
        }
    }

    /// Whether it holds in silence: then there are no posts to show.
    pub fn is_silence(&self) -> bool {
        match self {
            Self::NoData(_) => true,
            Self::And(_) | Self::Or(_) => self.parts().iter().all(Self::is_silence),
            _ => false,
        }
    }

    /// Whether it is about the number of posts alone, whatever they say.
    pub fn is_crowd(&self) -> bool {
        match self {
            Self::Volume(_) => true,
            Self::And(_) | Self::Or(_) => !self.parts().is_empty() && self.parts().iter().all(Self::is_crowd),
            _ => false,
        }
    }

    /// Until when (Unix seconds) an evaluation after `now` changes nothing, as long as no post is counted and the hour is the
    /// same; `i64::MAX` for ever. None where each bucket has to be evaluated: sums that shrink, or a level that follows the
    /// clock, may change the result.
    pub fn sleeps_until(&self, memory: &Memory, topic: &TopicWindow, now: i64) -> Option<i64> {
        match (self, memory) {
            (Self::Rising(condition), Memory::Rising(memory)) => Some(condition.sleeps_until(Some(memory), now)),
            (Self::Rising(condition), _) => Some(condition.sleeps_until(None, now)),
            (Self::NoData(condition), Memory::Silence(memory)) => Some(condition.sleeps_until(memory, topic, now)),
            (Self::Volume(condition), Memory::SpikeCondition(memory)) => condition.sleeps_until(memory, topic),
            (Self::Events(_), _) => Some(i64::MAX),
            (Self::And(_) | Self::Or(_), Memory::Parts(_, memories)) if memories.len() == self.parts().len() => {
                let parts = self.parts().iter().zip(memories);
                parts
                    .map(|(part, memory)| part.sleeps_until(memory, topic, now))
                    .try_fold(i64::MAX, |first, at| Some(first.min(at?)))
            }
            _ => None,
        }
    }

    /// Makes up for the buckets without posts that were not evaluated, up to the one that ended at `until` (Unix seconds).
    pub fn catch_up(&self, evidence: &Evidence<'_>, memory: &mut Memory, until: i64) {
        match (self, memory) {
            (Self::Rising(condition), Memory::Rising(memory)) => condition.catch_up(evidence, memory, until),
            (Self::Volume(condition), Memory::SpikeCondition(memory)) => condition.catch_up(evidence, memory, until),
            (Self::And(_) | Self::Or(_), Memory::Parts(_, memories)) => {
                self.parts().iter().zip(memories).for_each(|(part, memory)| part.catch_up(evidence, memory, until));
            }
            _ => {}
        }
    }

    /// Evaluates the condition for a topic when a bucket closes.
    pub fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut Memory) -> ConditionResult {
        // A memory of another shape was left by an older rule file; each condition then starts with an empty one.
        let found = std::mem::take(memory);
        let (evaluation, kept) = match (self, found) {
            (Self::NegativeRate(condition), found) => {
                let mut own = if let Memory::Rate(own) = found { own } else { Default::default() };
                (condition.evaluate(evidence, &mut own), Memory::Rate(own))
            }
            (Self::NegativeVolume(condition), found) if condition.above.is_seasonal() => {
                let mut own = if let Memory::SpikeCondition(own) = found { own } else { Default::default() };
                (condition.evaluate_spike(evidence, &mut own), Memory::SpikeCondition(own))
            }
            (Self::Volume(condition), found) => {
                let mut own = if let Memory::SpikeCondition(own) = found { own } else { Default::default() };
                (condition.evaluate(evidence, &mut own), Memory::SpikeCondition(own))
            }
            (Self::NegativeVolume(condition), found) => {
                let mut own = if let Memory::Volume(own) = found { own } else { Default::default() };
                (condition.evaluate(evidence, &mut own), Memory::Volume(own))
            }
            (Self::Rising(condition), found) => {
                let mut own = if let Memory::Rising(own) = found { own } else { Default::default() };
                (condition.evaluate(evidence, &mut own), Memory::Rising(own))
            }
            (Self::NoData(condition), found) => {
                let mut own = if let Memory::Silence(own) = found { own } else { Default::default() };
                (condition.evaluate(evidence, &mut own), Memory::Silence(own))
            }
            (Self::Events(condition), _) => (condition.evaluate(evidence), Memory::Nothing),
            (Self::And(_) | Self::Or(_), found) => self.combine(evidence, found),
        };
        *memory = kept;
        evaluation
    }

    fn combine(&self, evidence: &Evidence<'_>, memory: Memory) -> (ConditionResult, Memory) {
        let parts = self.parts();
        let (led, mut memories) = match memory {
            Memory::Parts(led, memories) if memories.len() == parts.len() => (led as usize, memories),
            _ => (0, vec![Memory::default(); parts.len()]),
        };
        let judge = |(part, memory): (&Self, &mut Memory)| part.evaluate(evidence, memory);
        let mut evaluations: Vec<ConditionResult> = parts.iter().zip(&mut memories).map(judge).collect();
        let first = evaluations.iter().position(|evaluation| evaluation.holds);
        let (condition, holds, leader) = match self {
            // While the rule is pending or firing, the leader stays: an alert must not change its subject.
            Self::Or(_) if evidence.frozen => ("or", first.is_some(), led),
            Self::Or(_) => ("or", first.is_some(), first.unwrap_or(0)),
            _ => ("and", evaluations.iter().all(|evaluation| evaluation.holds), 0),
        };
        let reasons = evaluations.iter_mut().map(|evaluation| std::mem::take(&mut evaluation.reasons)).collect();
        let reasons = Reasons { condition, holds, numbers: Vec::new(), parts: reasons };
        let (measured, is_rate) = evaluations.get(leader).map(|led| (led.measured, led.is_rate)).unwrap_or_default();
        (ConditionResult { holds, measured, is_rate, reasons }, Memory::Parts(leader as u32, memories))
    }

    pub(super) fn validate(&self, bucket: SignedDuration) -> Vec<String> {
        self.validate_at("condition", 0, bucket)
    }

    /// Every problem with its key, starting at `condition`; `at` is the key of this condition.
    fn validate_at(&self, at: &str, depth: usize, bucket: SignedDuration) -> Vec<String> {
        let own = match self {
            Self::NegativeRate(condition) => condition.validate(bucket),
            Self::NegativeVolume(condition) => condition.validate(bucket),
            Self::Rising(condition) => condition.validate(bucket),
            Self::NoData(condition) => condition.validate(bucket),
            Self::Volume(condition) => condition.validate(bucket),
            Self::Events(condition) => condition.validate(),
            Self::And(_) | Self::Or(_) => return self.validate_parts(at, depth, bucket),
        };
        own.into_iter().map(|problem| problem.replacen("condition", at, 1)).collect()
    }

    fn validate_parts(&self, at: &str, depth: usize, bucket: SignedDuration) -> Vec<String> {
        let key = if matches!(self, Self::And(_)) { "all" } else { "any" };
        if depth == MAX_DEPTH {
            return vec![format!("{at}.{key}: conditions are nested more than {MAX_DEPTH} deep")];
        }
        if self.parts().is_empty() {
            return vec![format!("{at}.{key}: it is empty; expected at least one condition")];
        }
        let below = self.parts().iter().enumerate();
        below.flat_map(|(i, part)| part.validate_at(&format!("{at}.{key}[{i}]"), depth + 1, bucket)).collect()
    }
}
