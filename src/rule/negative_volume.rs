//! `negative_volume`: are there surely more negative posts than a fixed number, or than is normal for the topic?

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::condition::{Evaluation, Measured, Normal, Past, confidence_fault, length_fault};
use super::{bound, defaults};
use crate::window::Counts;

/// Holds when the lower confidence bound of the number of negative posts in `window` exceeds the threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegativeVolume {
    pub window: SignedDuration,
    pub above: VolumeThreshold,
    /// One-sided confidence of the lower bound.
    #[serde(default = "defaults::confidence")]
    pub confidence: f64,
    /// Windows with fewer negative posts are not judged.
    #[serde(default = "defaults::min_posts")]
    pub min_posts: u64,
}

/// What the number of negative posts is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number of posts such as 50, or { baseline = \"24h\", times = 3.0, min_posts = 100 }")]
pub enum VolumeThreshold {
    /// Negative posts per window.
    Fixed(f64),
    /// The topic's own number per window over the `baseline` before it, `times` over.
    Baseline(VolumeBaseline),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeBaseline {
    pub baseline: SignedDuration,
    /// How many times the normal number is too many.
    pub times: f64,
    /// With fewer posts in the baseline nothing is normal yet, and the condition does not hold.
    #[serde(default = "defaults::min_baseline_posts")]
    pub min_posts: u64,
}

impl VolumeThreshold {
    pub(super) fn baseline(&self) -> Option<i64> {
        match self {
            Self::Fixed(_) => None,
            Self::Baseline(baseline) => Some(baseline.baseline.as_secs()),
        }
    }
}

impl NegativeVolume {
    pub(super) fn evaluate(&self, counts: Counts, past: Option<Past>, frozen: Option<Normal>) -> Evaluation {
        let enough = counts.negative >= self.min_posts.max(1);
        let bound = bound::count(counts.negative, self.confidence);
        let mut measured = Measured::new(counts, bound);
        match &self.above {
            VolumeThreshold::Fixed(posts) => measured.threshold = Some(*posts),
            VolumeThreshold::Baseline(above) => {
                measured.normal = frozen.or_else(|| past.and_then(|past| above.normal(past, self.window)));
                measured.threshold = measured.normal.map(|normal| normal.value * above.times);
            }
        }
        Evaluation { holds: enough && measured.threshold.is_some_and(|threshold| bound > threshold), measured }
    }

    pub(super) fn faults(&self, bucket: SignedDuration) -> Vec<String> {
        let mut faults = Vec::new();
        faults.extend(length_fault("condition.window", self.window, bucket));
        faults.extend(confidence_fault(self.confidence));
        match &self.above {
            VolumeThreshold::Fixed(posts) if !(posts.is_finite() && *posts >= 0.0) => {
                faults.push(format!("condition.above: {posts} is not a number of posts"));
            }
            VolumeThreshold::Fixed(_) => {}
            VolumeThreshold::Baseline(above) => {
                faults.extend(length_fault("condition.above.baseline", above.baseline, bucket));
                if !(above.times.is_finite() && above.times >= 1.0) {
                    faults.push(format!("condition.above.times: {} is not 1 or more", above.times));
                }
            }
        }
        faults
    }
}

impl VolumeBaseline {
    /// Negative posts per `window`, were they spread evenly over the baseline; none while that is not yet over, as hours
    /// nobody watched would count as calm ones.
    fn normal(&self, past: Past, window: SignedDuration) -> Option<Normal> {
        let share = window.as_secs_f64() / self.baseline.as_secs_f64();
        let Past { counts, is_whole } = past;
        let known = is_whole && counts.posts() >= self.min_posts;
        known.then(|| Normal { value: counts.negative as f64 * share, posts: counts.posts() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negative(count: u64) -> Counts {
        Counts { negative: count, ..Counts::default() }
    }

    fn past(count: u64, is_whole: bool) -> Option<Past> {
        Some(Past { counts: negative(count), is_whole })
    }

    fn condition(above: VolumeThreshold) -> NegativeVolume {
        NegativeVolume { window: SignedDuration::from_hours(1), above, confidence: 0.99, min_posts: 20 }
    }

    #[test]
    fn a_fixed_number_must_be_passed_with_confidence() {
        let condition = condition(VolumeThreshold::Fixed(50.0));
        assert!(!condition.evaluate(negative(60), None, None).holds);
        assert!(condition.evaluate(negative(80), None, None).holds);
    }

    #[test]
    fn normal_is_counted_per_window() {
        let baseline = VolumeBaseline { baseline: SignedDuration::from_hours(24), times: 3.0, min_posts: 100 };
        let condition = condition(VolumeThreshold::Baseline(baseline));
        let evaluation = condition.evaluate(negative(60), past(240, true), None);
        assert_eq!(evaluation.measured.threshold, Some(30.0));
        assert!(evaluation.holds);
        assert!(!condition.evaluate(negative(35), past(240, true), None).holds);
        assert!(!condition.evaluate(negative(60), past(99, true), None).holds, "too little past");
        assert!(!condition.evaluate(negative(60), past(240, false), None).holds, "not watched for a day yet");
    }
}
