//! `negative_rate`: is the share of negative posts surely above a fixed value, or above what is normal for the topic?

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::condition::{confidence_fault, length_fault};
use super::{Evaluation, Evidence, Measured, Normal, Reasons, bound, defaults};
use crate::classify::ErrorRates;
use crate::window::{Counts, Span};

const HOUR: i64 = 3_600;

/// Holds when the lower confidence bound of the negative rate over `window` exceeds the threshold, and from then on until
/// the rate itself is back below the recovery threshold, where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegativeRate {
    pub window: SignedDuration,
    pub above: RateThreshold,
    /// With a fixed share: where the rate must be back before the condition ceases to hold.
    pub recover_below: Option<f64>,
    /// One-sided confidence of the lower bound.
    #[serde(default = "defaults::confidence")]
    pub confidence: f64,
    /// Windows with fewer posts are not judged.
    #[serde(default = "defaults::min_posts")]
    pub min_posts: u64,
}

/// What the rate is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a share such as 0.8, or { baseline = \"seasonal\", margin = 0.1, min_posts = 100 }")]
pub enum RateThreshold {
    /// A share in `[0, 1]`: the true one, where the classifier's error is known.
    Fixed(f64),
    /// The topic's own rate plus a margin.
    Baseline(RateBaseline),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateBaseline {
    pub baseline: RatePast,
    /// How far above normal is too far, as a share in `[0, 1]`.
    #[serde(default)]
    pub margin: f64,
    /// How far above normal is no longer too far once the condition holds, at most `margin`.
    pub recover_margin: Option<f64>,
    /// With fewer posts in the baseline nothing is normal yet, and the condition does not hold.
    #[serde(default = "defaults::min_baseline_posts")]
    pub min_posts: u64,
}

/// The past that tells what is normal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "\"seasonal\", or a length of time such as \"24h\"")]
pub enum RatePast {
    /// What is usual at this hour of the week.
    Seasonal(Seasonal),
    /// The time just before the window.
    Trailing(SignedDuration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seasonal {
    Seasonal,
}

/// What the condition keeps while it holds, or its rule is pending or fires.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RateMemory {
    normal: Option<Normal>,
    holds: bool,
}

/// What a window is compared with.
#[derive(Debug, Clone, Copy, Default)]
struct Comparison {
    normal: Option<Normal>,
    /// Correlation between the posts of an hour.
    spread: f64,
    error: Option<ErrorRates>,
    /// The condition held the last time.
    held: bool,
}

impl RateThreshold {
    /// Seconds before the window that tell what is normal.
    pub(super) fn trailing(&self) -> Option<i64> {
        match self {
            Self::Baseline(RateBaseline { baseline: RatePast::Trailing(length), .. }) => Some(length.as_secs()),
            Self::Fixed(_) | Self::Baseline(_) => None,
        }
    }

    pub(super) fn has_normal(&self) -> bool {
        matches!(self, Self::Baseline(_))
    }
}

impl NegativeRate {
    pub(super) fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut RateMemory) -> Evaluation {
        let window = self.window.as_secs();
        let expected = evidence.baseline.rate_at(evidence.now() - window / 2);
        let comparison = Comparison {
            normal: self.kept(evidence, memory).or_else(|| self.normal(evidence)),
            spread: expected.map_or(0.0, |expected| expected.spread),
            error: evidence.error,
            held: memory.holds,
        };
        let evaluation = self.judge(evidence.topic.sum(Span::last(window)), &comparison);
        memory.holds = evaluation.holds;
        memory.normal = evaluation.measured.normal.filter(|_| evaluation.holds || evidence.frozen);
        evaluation
    }

    /// What was normal before; what is seasonal stays so by itself, as hours of an incident are not learnt from.
    fn kept(&self, evidence: &Evidence<'_>, memory: &RateMemory) -> Option<Normal> {
        self.above.trailing().and_then(|_| evidence.kept(memory.normal))
    }

    fn normal(&self, evidence: &Evidence<'_>) -> Option<Normal> {
        let RateThreshold::Baseline(above) = &self.above else { return None };
        let window = self.window.as_secs();
        let normal = match above.baseline {
            RatePast::Seasonal(_) => {
                let expected = evidence.baseline.rate_over(evidence.now() - window, evidence.now())?;
                Normal { value: expected.rate, posts: expected.posts as u64 }
            }
            RatePast::Trailing(length) => {
                let past = evidence.past(window, length.as_secs());
                let rate = past.counts.negative_rate().filter(|_| !past.is_mixed)?;
                Normal { value: rate, posts: past.counts.posts() }
            }
        };
        Some(normal).filter(|normal| normal.posts >= above.min_posts)
    }

    fn judge(&self, counts: Counts, compared: &Comparison) -> Evaluation {
        let enough = counts.posts() >= self.min_posts.max(1);
        let weight = self.weight(counts.posts(), compared.spread);
        let (k, n) = (counts.negative as f64 * weight, counts.posts() as f64 * weight);
        let bound = if enough { bound::share(k, n, self.confidence) } else { 0.0 };
        let mut measured = Measured::new(counts, bound, compared.error);
        measured.normal = compared.normal.filter(|_| self.above.has_normal());
        let (threshold, recovery) = self.thresholds(measured.normal, compared.error);
        measured.threshold = threshold;
        let exceeds = threshold.is_some_and(|threshold| bound > threshold);
        let stays = compared.held && recovery.is_some_and(|recovery| measured.rate > recovery);
        let holds = enough && (exceeds || stays);

        let mut numbers = vec![("rate", measured.rate), ("posts", counts.posts() as f64), ("lower_bound", bound)];
        let recovery = recovery.filter(|_| holds);
        let more = [("threshold", threshold), ("normal", measured.normal.map(|normal| normal.value))];
        let known = [("recovers_below", recovery), ("corrected_rate", measured.corrected)];
        numbers.extend(more.into_iter().chain(known).filter_map(|(name, number)| Some((name, number?))));
        numbers.push(("weight_of_a_post", weight));
        numbers.push(("window_minutes", self.window.as_secs_f64() / 60.0));
        let reasons = Reasons { condition: "negative_rate", holds, numbers, parts: Vec::new() };
        Evaluation { holds, measured, is_rate: true, reasons }
    }

    /// What the bound must exceed, and where the rate must be back; as the classifier reads rates.
    fn thresholds(&self, normal: Option<Normal>, error: Option<ErrorRates>) -> (Option<f64>, Option<f64>) {
        match &self.above {
            RateThreshold::Fixed(share) => {
                let reading = |truth: f64| error.map_or(truth, |error| error.reading(truth));
                (Some(reading(*share)), self.recover_below.map(reading))
            }
            RateThreshold::Baseline(above) => {
                let over = |margin: f64| normal.map(|normal| normal.value + margin);
                (over(above.margin), above.recover_margin.and_then(over))
            }
        }
    }

    /// What one post of `posts` weighs, as posts of one hour hang together: the design effect of Kish 1965, hours being the
    /// clusters.
    fn weight(&self, posts: u64, spread: f64) -> f64 {
        let hours = (self.window.as_secs() as f64 / HOUR as f64).max(1.0);
        1.0 / (1.0 + (posts as f64 / hours - 1.0).max(0.0) * spread)
    }

    pub(super) fn faults(&self, bucket: SignedDuration) -> Vec<String> {
        let mut faults = Vec::new();
        faults.extend(length_fault("condition.window", self.window, bucket));
        faults.extend(confidence_fault(self.confidence));
        let share = |key: &str, share: f64| {
            (!(0.0..1.0).contains(&share)).then(|| format!("{key}: {share} is not a share from 0 to below 1"))
        };
        match &self.above {
            RateThreshold::Fixed(above) => {
                faults.extend(share("condition.above", *above));
                if let Some(recovery) = self.recover_below.filter(|recovery| !(0.0..=*above).contains(recovery)) {
                    faults.push(format!(
                        "condition.recover_below: {recovery} is not between 0 and condition.above ({above})"
                    ));
                }
            }
            RateThreshold::Baseline(above) => {
                if let RatePast::Trailing(length) = above.baseline {
                    faults.extend(length_fault("condition.above.baseline", length, bucket));
                }
                faults.extend(share("condition.above.margin", above.margin));
                if let Some(recovery) = above.recover_margin.filter(|recovery| !(0.0..=above.margin).contains(recovery))
                {
                    let margin = above.margin;
                    faults.push(format!(
                        "condition.above.recover_margin: {recovery} is not between 0 and the margin ({margin})"
                    ));
                }
                if self.recover_below.is_some() {
                    let way_out = "with a baseline give condition.above.recover_margin";
                    faults.push(format!("condition.recover_below: it goes with a fixed share; {way_out}"));
                }
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests;
