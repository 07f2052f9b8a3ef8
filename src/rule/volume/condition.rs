//! Condition `volume`: the number of posts, of any sentiment, is far above normal for this hour of the week.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::rule::bounds_check::check_length;
use crate::rule::spike::{SpikeCondition, SpikeMemory};
use crate::rule::{ConditionResult, Evidence, defaults};
use crate::window::{Span, TopicWindow};

/// Holds from when the number of posts exceeds what chance produces once in `false_alarm_every`, until it is clearly
/// back to normal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// The period whose numbers and posts alerts show, and which must contain `min_posts`.
    #[serde(default = "default_window", with = "crate::duration")]
    pub window: SignedDuration,
    /// Mean time between false alarms.
    #[serde(default = "defaults::false_alarm_every", with = "crate::duration")]
    pub false_alarm_every: SignedDuration,
    /// Minimum time between two alarms.
    #[serde(default = "defaults::rest", with = "crate::duration")]
    pub rest: SignedDuration,
    /// Length of a row: posts are counted and evaluated this often.
    #[serde(default = "defaults::step", with = "crate::duration")]
    pub step: SignedDuration,
    /// With fewer posts in `window` the condition does not begin to hold.
    #[serde(default = "defaults::min_posts")]
    pub min_posts: u64,
}

fn default_window() -> SignedDuration {
    SignedDuration::from_hours(1)
}

impl Volume {
    fn spike(&self) -> SpikeCondition {
        SpikeCondition {
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

    pub(in crate::rule) fn sleeps_until(&self, memory: &SpikeMemory, topic: &TopicWindow) -> Option<i64> {
        self.spike().sleeps_until(memory, topic)
    }

    pub(in crate::rule) fn catch_up(&self, evidence: &Evidence<'_>, memory: &mut SpikeMemory, until: i64) {
        self.spike().catch_up(evidence, memory, until);
    }

    pub(in crate::rule) fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut SpikeMemory) -> ConditionResult {
        self.spike().evaluate(evidence, memory)
    }

    pub(in crate::rule) fn validate(&self, bucket: SignedDuration) -> Vec<String> {
        let mut problems = self.spike().validate("condition", bucket);
        problems.extend(check_length("condition.window", self.window, bucket));
        problems
    }
}
