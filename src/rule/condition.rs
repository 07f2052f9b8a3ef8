//! [`Condition`]: the kinds of question a rule can ask, alone or combined by `and` and `or`.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::negative_rate::NegativeRate;
use super::negative_volume::NegativeVolume;
use super::no_data::NoData;
use super::rising::Rising;
use super::volume::Volume;
use super::{Evaluation, Events, Evidence, Memory, Reasons};
use crate::window::Span;

/// What a rule asks of a topic. Evaluated once as each bucket closes, with the [`Memory`] of the last time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Condition {
    NegativeRate(NegativeRate),
    NegativeVolume(NegativeVolume),
    Rising(Rising),
    NoData(NoData),
    Volume(Volume),
    Events(Events),
    And(All),
    Or(Any),
}

/// Holds while all of the conditions do; the first leads: its numbers are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct All {
    pub all: Vec<Condition>,
}

/// Holds while any of the conditions does; the one that held first leads, as long as the rule is pending or fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Any {
    pub any: Vec<Condition>,
}

/// Conditions nested deeper than this are nobody's intention.
const DEEPEST: usize = 8;

impl Condition {
    /// The conditions that this one combines; none for one that is not combined.
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::And(combined) => &combined.all,
            Self::Or(combined) => &combined.any,
            _ => &[],
        }
    }

    /// Seconds of the window that is shown to people: the longest of those that are judged.
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
            Self::Rising(_) | Self::NoData(_) => None,
            Self::Events(_) => return Vec::new(),
            Self::And(_) | Self::Or(_) => return self.parts().iter().flat_map(Self::spans).collect(),
        };
        let window = self.window();
        [Span::last(window)].into_iter().chain(past.map(|length| Span::before(window, length))).collect()
    }

    /// Whether it asks of vigie itself, and of no topic.
    pub fn is_of_no_topic(&self) -> bool {
        match self {
            Self::Events(_) => true,
            Self::And(_) | Self::Or(_) => !self.parts().is_empty() && self.parts().iter().all(Self::is_of_no_topic),
            _ => false,
        }
    }

    /// Whether it compares with what is normal for the topic; of combined conditions, whether all do.
    pub fn has_normal(&self) -> bool {
        match self {
            Self::NegativeRate(condition) => condition.above.has_normal(),
            Self::NegativeVolume(condition) => condition.above.has_normal(),
            Self::Rising(_) | Self::NoData(_) | Self::Volume(_) => true,
            Self::Events(_) => false,
            Self::And(_) | Self::Or(_) => self.parts().iter().all(Self::has_normal),
        }
    }

    /// Whether it is silence that it holds in: it says nothing of what people write.
    pub fn is_silence(&self) -> bool {
        match self {
            Self::NoData(_) => true,
            Self::And(_) | Self::Or(_) => self.parts().iter().all(Self::is_silence),
            _ => false,
        }
    }

    /// Judges a topic at the close of a bucket.
    pub fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut Memory) -> Evaluation {
        let found = std::mem::take(memory);
        let (evaluation, kept) = match (self, found) {
            (Self::NegativeRate(condition), found) => {
                let mut own = if let Memory::Rate(own) = found { own } else { Default::default() };
                (condition.evaluate(evidence, &mut own), Memory::Rate(own))
            }
            (Self::NegativeVolume(condition), found) if condition.above.spikes() => {
                let mut own = if let Memory::Spike(own) = found { own } else { Default::default() };
                (condition.evaluate_spike(evidence, &mut own), Memory::Spike(own))
            }
            (Self::Volume(condition), found) => {
                let mut own = if let Memory::Spike(own) = found { own } else { Default::default() };
                (condition.evaluate(evidence, &mut own), Memory::Spike(own))
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

    fn combine(&self, evidence: &Evidence<'_>, memory: Memory) -> (Evaluation, Memory) {
        let parts = self.parts();
        let (led, mut memories) = match memory {
            Memory::Parts(led, memories) if memories.len() == parts.len() => (led as usize, memories),
            _ => (0, vec![Memory::default(); parts.len()]),
        };
        let judge = |(part, memory): (&Self, &mut Memory)| part.evaluate(evidence, memory);
        let mut evaluations: Vec<Evaluation> = parts.iter().zip(&mut memories).map(judge).collect();
        let first = evaluations.iter().position(|evaluation| evaluation.holds);
        let (condition, holds, leader) = match self {
            Self::Or(_) if evidence.frozen => ("or", first.is_some(), led),
            Self::Or(_) => ("or", first.is_some(), first.unwrap_or(0)),
            _ => ("and", evaluations.iter().all(|evaluation| evaluation.holds), 0),
        };
        let reasons = evaluations.iter_mut().map(|evaluation| std::mem::take(&mut evaluation.reasons)).collect();
        let reasons = Reasons { condition, holds, numbers: Vec::new(), parts: reasons };
        let (measured, is_rate) = evaluations.get(leader).map(|led| (led.measured, led.is_rate)).unwrap_or_default();
        (Evaluation { holds, measured, is_rate, reasons }, Memory::Parts(leader as u32, memories))
    }

    pub(super) fn faults(&self, bucket: SignedDuration) -> Vec<String> {
        self.faults_at("condition", 0, bucket)
    }

    /// Every fault, each naming its key from `condition` on; `at` is where this condition stands.
    fn faults_at(&self, at: &str, depth: usize, bucket: SignedDuration) -> Vec<String> {
        let own = match self {
            Self::NegativeRate(condition) => condition.faults(bucket),
            Self::NegativeVolume(condition) => condition.faults(bucket),
            Self::Rising(condition) => condition.faults(bucket),
            Self::NoData(condition) => condition.faults(bucket),
            Self::Volume(condition) => condition.faults(bucket),
            Self::Events(condition) => condition.faults(),
            Self::And(_) | Self::Or(_) => return self.faults_below(at, depth, bucket),
        };
        own.into_iter().map(|fault| fault.replacen("condition", at, 1)).collect()
    }

    fn faults_below(&self, at: &str, depth: usize, bucket: SignedDuration) -> Vec<String> {
        let key = if matches!(self, Self::And(_)) { "all" } else { "any" };
        if depth == DEEPEST {
            return vec![format!("{at}.{key}: conditions are nested more than {DEEPEST} deep")];
        }
        if self.parts().is_empty() {
            return vec![format!("{at}.{key}: it is empty; wanted one condition or more")];
        }
        let below = self.parts().iter().enumerate();
        below.flat_map(|(i, part)| part.faults_at(&format!("{at}.{key}[{i}]"), depth + 1, bucket)).collect()
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
