//! Condition `negative_volume`: the number of negative posts is above a fixed number, or above what is normal for the
//! topic, with a given confidence.
//!
//! Three kinds of threshold: a fixed number; a multiple of the trailing hours; and the hour of the week, by
//! [`super::spike`], which derives the threshold from the accepted false-alarm interval.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::bounds_check::{check_confidence, check_length};
use super::evidence::TrailingCounts;
use super::negative_rate::Seasonal;
use super::spike::{SpikeCondition, SpikeMemory};
use super::{ConditionResult, Evidence, Measurement, NormalLevel, Reasons, defaults};
use crate::stats;
use crate::window::{Counts, Span};

/// Holds while the lower confidence bound of the number of negative posts in `window` exceeds the threshold. With a
/// seasonal baseline it holds from an alarm of the detector until the volume is clearly back to normal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegativeVolume {
    #[serde(with = "crate::duration")]
    pub window: SignedDuration,
    pub above: VolumeThreshold,
    /// One-sided confidence of the lower bound.
    #[serde(default = "defaults::confidence")]
    pub confidence: f64,
    /// In windows with fewer negative posts the condition does not hold.
    #[serde(default = "defaults::min_posts")]
    pub min_posts: u64,
}

/// The threshold for the number of negative posts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a number of posts such as 50, { baseline = \"24h\", times = 3.0, min_posts = 100 }, or { baseline = \"seasonal\", \
     false_alarm_every = \"30d\", rest = \"24h\", step = \"5m\" }"
)]
pub enum VolumeThreshold {
    /// Negative posts per window.
    Fixed(f64),
    /// What is normal at this hour of the week.
    Seasonal(SeasonalVolume),
    /// `times` the topic's own number per window over the `baseline` before it.
    Baseline(VolumeBaseline),
}

/// Keys as in [`super::volume::Volume`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeasonalVolume {
    pub baseline: Seasonal,
    #[serde(default = "defaults::false_alarm_every", with = "crate::duration")]
    pub false_alarm_every: SignedDuration,
    #[serde(default = "defaults::rest", with = "crate::duration")]
    pub rest: SignedDuration,
    #[serde(default = "defaults::step", with = "crate::duration")]
    pub step: SignedDuration,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeBaseline {
    #[serde(with = "crate::duration")]
    pub baseline: SignedDuration,
    /// The threshold as a multiple of the normal number.
    pub times: f64,
    /// With fewer posts in the baseline the normal number is unknown, and the condition does not hold.
    #[serde(default = "defaults::min_baseline_posts")]
    pub min_posts: u64,
}

/// The normal number when the condition began to hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct VolumeMemory {
    normal: Option<NormalLevel>,
}

impl VolumeThreshold {
    /// Length in seconds of the period before the window that defines what is normal.
    pub(super) fn trailing(&self) -> Option<i64> {
        match self {
            Self::Fixed(_) | Self::Seasonal(_) => None,
            Self::Baseline(baseline) => Some(baseline.baseline.as_secs()),
        }
    }

    pub(super) fn has_normal(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }

    /// Whether the spike detector decides.
    pub(super) fn is_seasonal(&self) -> bool {
        matches!(self, Self::Seasonal(_))
    }
}

impl NegativeVolume {
    fn spike(&self) -> Option<SpikeCondition> {
        let VolumeThreshold::Seasonal(SeasonalVolume { false_alarm_every, rest, step, .. }) = self.above else {
            return None;
        };
        Some(SpikeCondition {
            condition: "negative_volume",
            is_of_negative: true,
            window: self.window.as_secs(),
            step: step.as_secs(),
            false_alarm_every,
            rest,
            min_posts: self.min_posts,
        })
    }

    /// The spans whose sums are read.
    pub(super) fn spans(&self) -> Vec<Span> {
        let window = self.window.as_secs();
        match self.spike() {
            Some(spike) => spike.spans().into(),
            None => {
                let past = self.above.trailing().map(|length| Span::before(window, length));
                [Span::last(window)].into_iter().chain(past).collect()
            }
        }
    }

    /// Evaluates a seasonal threshold.
    pub(super) fn evaluate_spike(&self, evidence: &Evidence<'_>, memory: &mut SpikeMemory) -> ConditionResult {
        let mut evaluation = match self.spike() {
            Some(spike) => spike.evaluate(evidence, memory),
            None => return self.evaluate(evidence, &mut VolumeMemory::default()),
        };
        evaluation.measured.corrected = evidence.error.map(|error| error.correct(evaluation.measured.rate));
        evaluation
    }

    pub(super) fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut VolumeMemory) -> ConditionResult {
        let window = self.window.as_secs();
        let past = self.above.trailing().map(|length| evidence.past(window, length));
        let (mut evaluation, normal) =
            self.judge(evidence.topic.sum(Span::last(window)), past, evidence.frozen_normal(memory.normal));
        evaluation.measured.corrected = evidence.error.map(|error| error.correct(evaluation.measured.rate));
        memory.normal = normal.filter(|_| evaluation.holds || evidence.frozen);
        evaluation
    }

    fn judge(
        &self,
        counts: Counts,
        past: Option<TrailingCounts>,
        frozen: Option<NormalLevel>,
    ) -> (ConditionResult, Option<NormalLevel>) {
        let enough = counts.negative >= self.min_posts.max(1);
        let bound = stats::poisson_lower(counts.negative_votes(), self.confidence);
        let mut measured = Measurement::new(counts, bound, None);
        match &self.above {
            VolumeThreshold::Fixed(posts) => measured.threshold = Some(*posts),
            // The spike detector decides: see `evaluate_spike`.
            VolumeThreshold::Seasonal(_) => {}
            VolumeThreshold::Baseline(above) => {
                // During an incident the frozen number counts, else the incident would raise its own threshold.
                measured.normal = frozen.or_else(|| past.and_then(|past| above.normal(past, self.window)));
                measured.threshold = measured.normal.map(|normal| normal.value * above.times);
            }
        }
        // The bound and not the count decides, so that a handful of posts wakes nobody.
        let holds = enough && measured.threshold.is_some_and(|threshold| bound > threshold);
        let mut numbers = vec![("negative", counts.negative as f64), ("lower_bound", bound)];
        numbers.extend(measured.threshold.map(|threshold| ("threshold", threshold)));
        numbers.extend(measured.normal.map(|normal| ("normal", normal.value)));
        numbers.push(("window_minutes", self.window.as_secs_f64() / 60.0));
        let reasons = Reasons { condition: "negative_volume", holds, numbers, parts: Vec::new() };
        (ConditionResult { holds, measured, is_rate: false, reasons }, measured.normal)
    }

    pub(super) fn validate(&self, bucket: SignedDuration) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(check_length("condition.window", self.window, bucket));
        problems.extend(check_confidence(self.confidence));
        match &self.above {
            VolumeThreshold::Fixed(posts) if !(posts.is_finite() && *posts >= 0.0) => {
                problems.push(format!("condition.above: {posts} is not valid; expected a number of posts, e.g. 50"));
            }
            VolumeThreshold::Fixed(_) => {}
            VolumeThreshold::Seasonal(_) => {
                problems.extend(self.spike().into_iter().flat_map(|spike| spike.validate("condition.above", bucket)));
            }
            VolumeThreshold::Baseline(above) => {
                problems.extend(check_length("condition.above.baseline", above.baseline, bucket));
                if !(above.times.is_finite() && above.times >= 1.0) {
                    let times = above.times;
                    problems.push(format!("condition.above.times: {times} is not valid; expected 1 or more, e.g. 3.0"));
                }
            }
        }
        problems
    }
}

impl VolumeBaseline {
    /// Mean number of negative posts per `window` over the baseline. `None` until the topic was watched for the whole
    /// baseline, as unwatched hours would count as calm ones.
    fn normal(&self, past: TrailingCounts, window: SignedDuration) -> Option<NormalLevel> {
        let share = window.as_secs_f64() / self.baseline.as_secs_f64();
        let TrailingCounts { counts, is_whole, is_mixed } = past;
        let known = is_whole && !is_mixed && counts.posts() >= self.min_posts;
        known.then(|| NormalLevel { value: counts.negative_votes() * share, posts: counts.posts() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negative(count: u64) -> Counts {
        Counts { negative: count, ..Counts::default() }
    }

    fn past(count: u64, is_whole: bool) -> Option<TrailingCounts> {
        Some(TrailingCounts { counts: negative(count), is_whole, is_mixed: false })
    }

    fn condition(above: VolumeThreshold) -> NegativeVolume {
        NegativeVolume { window: SignedDuration::from_hours(1), above, confidence: 0.99, min_posts: 20 }
    }

    #[test]
    fn a_fixed_number_must_be_passed_with_confidence() {
        let condition = condition(VolumeThreshold::Fixed(50.0));
        assert!(!condition.judge(negative(60), None, None).0.holds);
        assert!(condition.judge(negative(80), None, None).0.holds);
    }

    #[test]
    fn normal_is_counted_per_window() {
        let baseline = VolumeBaseline { baseline: SignedDuration::from_hours(24), times: 3.0, min_posts: 100 };
        let condition = condition(VolumeThreshold::Baseline(baseline));
        let evaluation = condition.judge(negative(60), past(240, true), None).0;
        assert_eq!(evaluation.measured.threshold, Some(30.0));
        assert!(evaluation.holds);
        assert!(!condition.judge(negative(35), past(240, true), None).0.holds);
        assert!(!condition.judge(negative(60), past(99, true), None).0.holds, "too little past");
        assert!(!condition.judge(negative(60), past(240, false), None).0.holds, "not watched for a day yet");
    }
}
