//! `negative_rate`: is the share of negative posts surely above a fixed value, or above what is normal for the topic?

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::condition::{Evaluation, Measured, Normal, Past, confidence_fault, length_fault};
use super::{bound, defaults};
use crate::window::Counts;

/// Holds when the lower confidence bound of the negative rate over `window` exceeds the threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegativeRate {
    pub window: SignedDuration,
    pub above: RateThreshold,
    /// One-sided confidence of the lower bound.
    #[serde(default = "defaults::confidence")]
    pub confidence: f64,
    /// Windows with fewer posts are not judged.
    #[serde(default = "defaults::min_posts")]
    pub min_posts: u64,
}

/// What the rate is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a share such as 0.8, or { baseline = \"24h\", margin = 0.1, min_posts = 100 }")]
pub enum RateThreshold {
    /// A share in `[0, 1]`.
    Fixed(f64),
    /// The topic's own rate over the `baseline` before the window, plus `margin`.
    Baseline(RateBaseline),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateBaseline {
    pub baseline: SignedDuration,
    /// How far above normal is too far, as a share in `[0, 1]`.
    #[serde(default)]
    pub margin: f64,
    /// With fewer posts in the baseline nothing is normal yet, and the condition does not hold.
    #[serde(default = "defaults::min_baseline_posts")]
    pub min_posts: u64,
}

impl RateThreshold {
    pub(super) fn baseline(&self) -> Option<i64> {
        match self {
            Self::Fixed(_) => None,
            Self::Baseline(baseline) => Some(baseline.baseline.as_secs()),
        }
    }
}

impl NegativeRate {
    pub(super) fn evaluate(&self, counts: Counts, past: Option<Past>, frozen: Option<Normal>) -> Evaluation {
        let enough = counts.posts() >= self.min_posts.max(1);
        let bound = if enough { bound::share(counts.negative, counts.posts(), self.confidence) } else { 0.0 };
        let mut measured = Measured::new(counts, bound);
        match &self.above {
            RateThreshold::Fixed(share) => measured.threshold = Some(*share),
            RateThreshold::Baseline(baseline) => {
                measured.normal = frozen.or_else(|| past.and_then(|past| baseline.normal(past.counts)));
                measured.threshold = measured.normal.map(|normal| normal.value + baseline.margin);
            }
        }
        Evaluation { holds: enough && measured.threshold.is_some_and(|threshold| bound > threshold), measured }
    }

    pub(super) fn faults(&self, bucket: SignedDuration) -> Vec<String> {
        let mut faults = Vec::new();
        faults.extend(length_fault("condition.window", self.window, bucket));
        faults.extend(confidence_fault(self.confidence));
        match &self.above {
            RateThreshold::Fixed(share) if !(0.0..1.0).contains(share) => {
                faults.push(format!("condition.above: {share} is not a share from 0 to below 1"));
            }
            RateThreshold::Fixed(_) => {}
            RateThreshold::Baseline(above) => {
                faults.extend(length_fault("condition.above.baseline", above.baseline, bucket));
                if !(0.0..1.0).contains(&above.margin) {
                    faults.push(format!("condition.above.margin: {} is not a share from 0 to below 1", above.margin));
                }
            }
        }
        faults
    }
}

impl RateBaseline {
    fn normal(&self, past: Counts) -> Option<Normal> {
        let rate = past.negative_rate().filter(|_| past.posts() >= self.min_posts)?;
        Some(Normal { value: rate, posts: past.posts() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(negative: u64, posts: u64) -> Counts {
        Counts { negative, neutral: posts - negative, ..Counts::default() }
    }

    fn past(negative: u64, posts: u64) -> Option<Past> {
        Some(Past { counts: counts(negative, posts), is_whole: false })
    }

    fn against_baseline() -> NegativeRate {
        let hours = SignedDuration::from_hours;
        let above = RateThreshold::Baseline(RateBaseline { baseline: hours(24), margin: 0.1, min_posts: 100 });
        NegativeRate { window: hours(1), above, confidence: 0.99, min_posts: 20 }
    }

    /// The design's own example: 80 % on a brand whose normal is 63 % is chance with 10 posts and news with 200.
    #[test]
    fn a_high_share_of_few_posts_is_not_enough() {
        let past = past(630, 1_000);
        let condition = against_baseline();
        assert!(!condition.evaluate(counts(16, 20), past, None).holds);
        assert!(!condition.evaluate(counts(8, 10), past, None).holds);
        assert!(condition.evaluate(counts(170, 200), past, None).holds);
    }

    #[test]
    fn the_threshold_follows_the_topic() {
        let condition = against_baseline();
        assert!(condition.evaluate(counts(120, 200), past(300, 1_000), None).holds);
        assert!(!condition.evaluate(counts(120, 200), past(600, 1_000), None).holds);
    }

    #[test]
    fn without_enough_past_nothing_is_normal() {
        let evaluation = against_baseline().evaluate(counts(200, 200), past(10, 99), None);
        assert!(!evaluation.holds);
        assert_eq!(evaluation.measured.threshold, None);
    }

    #[test]
    fn a_frozen_normal_stands_in_for_the_past() {
        let frozen = Some(Normal { value: 0.3, posts: 500 });
        assert!(against_baseline().evaluate(counts(120, 200), past(900, 1_000), frozen).holds);
    }

    #[test]
    fn a_fixed_share_needs_no_past() {
        let condition = NegativeRate { above: RateThreshold::Fixed(0.5), ..against_baseline() };
        assert!(condition.evaluate(counts(130, 200), None, None).holds);
        assert!(!condition.evaluate(counts(101, 200), None, None).holds);
    }
}
