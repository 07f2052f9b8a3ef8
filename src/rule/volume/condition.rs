//! [`Volume`], the condition `volume`: do far more people write of the topic than at this hour of other weeks, whatever they say?

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::rule::condition::length_fault;
use crate::rule::spike::{Spike, SpikeMemory};
use crate::rule::{Evaluation, Evidence, defaults, duration_serde};
use crate::window::Span;

/// Holds from when the number of posts is higher than chance makes it once in `false_alarm_every`, until the crowd has
/// clearly gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// The stretch whose numbers and posts people are shown, and which must hold `min_posts`.
    #[serde(default = "default_window")]
    pub window: SignedDuration,
    /// How long it takes in the mean, in calm, until it holds by chance.
    #[serde(default = "defaults::false_alarm_every", with = "duration_serde")]
    pub false_alarm_every: SignedDuration,
    /// After it began to hold it does not begin again for so long.
    #[serde(default = "defaults::rest", with = "duration_serde")]
    pub rest: SignedDuration,
    /// Posts are counted by so much time, and judged as often.
    #[serde(default = "defaults::step")]
    pub step: SignedDuration,
    /// With fewer posts in `window` it does not begin to hold.
    #[serde(default = "defaults::min_posts")]
    pub min_posts: u64,
}

fn default_window() -> SignedDuration {
    SignedDuration::from_hours(1)
}

impl Volume {
    fn spike(&self) -> Spike {
        Spike {
            condition: "volume",
            is_of_negative: false,
            window: self.window.as_secs(),
            step: self.step.as_secs(),
            false_alarm_every: self.false_alarm_every,
            rest: self.rest,
            min_posts: self.min_posts,
        }
    }

    pub(in crate::rule) fn spans(&self) -> [Span; 2] {
        self.spike().spans()
    }

    pub(in crate::rule) fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut SpikeMemory) -> Evaluation {
        self.spike().evaluate(evidence, memory)
    }

    pub(in crate::rule) fn faults(&self, bucket: SignedDuration) -> Vec<String> {
        let mut faults = self.spike().faults("condition", bucket);
        faults.extend(length_fault("condition.window", self.window, bucket));
        faults
    }
}
