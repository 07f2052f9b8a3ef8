//! `negative_volume`: are there surely more negative posts than a fixed number, or than is normal for the topic?
//!
//! Three normals: a number; the trailing hours, times over; and the hour of the week, by [`super::spike`], where how much
//! more is too much follows from how often a false alarm is bearable.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::condition::{confidence_fault, length_fault};
use super::evidence::Past;
use super::negative_rate::Seasonal;
use super::spike::{Spike, SpikeMemory};
use super::{Evaluation, Evidence, Measured, Normal, Reasons, bound, defaults, duration_serde};
use crate::window::{Counts, Span};

/// Holds when the lower confidence bound of the number of negative posts in `window` exceeds the threshold; with a seasonal
/// baseline from an alarm of the detector on, until the crowd has clearly gone.
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
#[serde(
    untagged,
    expecting = "a number of posts such as 50, { baseline = \"24h\", times = 3.0, min_posts = 100 }, or { baseline = \"seasonal\", \
     false_alarm_every = \"30d\", rest = \"24h\", step = \"5m\" }"
)]
pub enum VolumeThreshold {
    /// Negative posts per window.
    Fixed(f64),
    /// What is usual at this hour of the week.
    Seasonal(SeasonalVolume),
    /// The topic's own number per window over the `baseline` before it, `times` over.
    Baseline(VolumeBaseline),
}

/// As in [`super::volume::Volume`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeasonalVolume {
    pub baseline: Seasonal,
    #[serde(default = "defaults::false_alarm_every", with = "duration_serde")]
    pub false_alarm_every: SignedDuration,
    #[serde(default = "defaults::rest", with = "duration_serde")]
    pub rest: SignedDuration,
    #[serde(default = "defaults::step")]
    pub step: SignedDuration,
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

/// What was normal when the condition began to hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct VolumeMemory {
    normal: Option<Normal>,
}

impl VolumeThreshold {
    /// Seconds before the window that tell what is normal.
    pub(super) fn trailing(&self) -> Option<i64> {
        match self {
            Self::Fixed(_) | Self::Seasonal(_) => None,
            Self::Baseline(baseline) => Some(baseline.baseline.as_secs()),
        }
    }

    pub(super) fn has_normal(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }

    /// Whether the detector of spikes decides.
    pub(super) fn spikes(&self) -> bool {
        matches!(self, Self::Seasonal(_))
    }
}

impl NegativeVolume {
    fn spike(&self) -> Option<Spike> {
        let VolumeThreshold::Seasonal(SeasonalVolume { false_alarm_every, rest, step, .. }) = self.above else {
            return None;
        };
        Some(Spike {
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

    /// Judges by a seasonal baseline.
    pub(super) fn evaluate_spike(&self, evidence: &Evidence<'_>, memory: &mut SpikeMemory) -> Evaluation {
        let mut evaluation = match self.spike() {
            Some(spike) => spike.evaluate(evidence, memory),
            None => return self.evaluate(evidence, &mut VolumeMemory::default()),
        };
        evaluation.measured.corrected = evidence.error.map(|error| error.truth(evaluation.measured.rate));
        evaluation
    }

    pub(super) fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut VolumeMemory) -> Evaluation {
        let window = self.window.as_secs();
        let past = self.above.trailing().map(|length| evidence.past(window, length));
        let (mut evaluation, normal) =
            self.judge(evidence.topic.sum(Span::last(window)), past, evidence.kept(memory.normal));
        evaluation.measured.corrected = evidence.error.map(|error| error.truth(evaluation.measured.rate));
        memory.normal = normal.filter(|_| evaluation.holds || evidence.frozen);
        evaluation
    }

    fn judge(&self, counts: Counts, past: Option<Past>, kept: Option<Normal>) -> (Evaluation, Option<Normal>) {
        let enough = counts.negative >= self.min_posts.max(1);
        let bound = bound::count(counts.negative, self.confidence);
        let mut measured = Measured::new(counts, bound, None);
        match &self.above {
            VolumeThreshold::Fixed(posts) => measured.threshold = Some(*posts),
            VolumeThreshold::Seasonal(_) => {}
            VolumeThreshold::Baseline(above) => {
                measured.normal = kept.or_else(|| past.and_then(|past| above.normal(past, self.window)));
                measured.threshold = measured.normal.map(|normal| normal.value * above.times);
            }
        }
        let holds = enough && measured.threshold.is_some_and(|threshold| bound > threshold);
        let mut numbers = vec![("negative", counts.negative as f64), ("lower_bound", bound)];
        numbers.extend(measured.threshold.map(|threshold| ("threshold", threshold)));
        numbers.extend(measured.normal.map(|normal| ("normal", normal.value)));
        numbers.push(("window_minutes", self.window.as_secs_f64() / 60.0));
        let reasons = Reasons { condition: "negative_volume", holds, numbers, parts: Vec::new() };
        (Evaluation { holds, measured, is_rate: false, reasons }, measured.normal)
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
            VolumeThreshold::Seasonal(_) => {
                faults.extend(self.spike().into_iter().flat_map(|spike| spike.faults("condition.above", bucket)));
            }
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
        let Past { counts, is_whole, is_mixed } = past;
        let known = is_whole && !is_mixed && counts.posts() >= self.min_posts;
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
        Some(Past { counts: negative(count), is_whole, is_mixed: false })
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
