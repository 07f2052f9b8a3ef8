//! Condition `negative_rate`: the share of negative posts is above a fixed value, or above what is normal for the
//! topic, with a given confidence.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::bounds_check::{check_confidence, check_length};
use super::{ConditionResult, Evidence, Measurement, NormalLevel, Reasons, defaults};
use crate::classify::ErrorRates;
use crate::stats;
use crate::window::{Counts, Span};

const HOUR: i64 = 3_600;

/// Begins to hold when the lower confidence bound of the negative rate over `window` exceeds the threshold. With a
/// recovery threshold it holds until the rate itself is below that one (hysteresis).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegativeRate {
    #[serde(with = "crate::duration")]
    pub window: SignedDuration,
    pub above: RateThreshold,
    /// Recovery threshold, with a fixed share.
    pub recover_below: Option<f64>,
    /// One-sided confidence of the lower bound.
    #[serde(default = "defaults::confidence")]
    pub confidence: f64,
    /// In windows with fewer posts the condition does not hold.
    #[serde(default = "defaults::min_posts")]
    pub min_posts: u64,
}

/// The threshold for the rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a share such as 0.8, or { baseline = \"seasonal\", margin = 0.1, min_posts = 100 }")]
pub enum RateThreshold {
    /// A share in `[0, 1]`. If the classifier's error rates are known, it is the true share.
    Fixed(f64),
    /// The topic's own rate plus a margin.
    Baseline(RateBaseline),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateBaseline {
    pub baseline: RatePast,
    /// Added to the normal rate; a share in `[0, 1]`.
    #[serde(default)]
    pub margin: f64,
    /// Margin of the recovery threshold, at most `margin`.
    pub recover_margin: Option<f64>,
    /// With fewer posts in the baseline the normal rate is unknown, and the condition does not hold.
    #[serde(default = "defaults::min_baseline_posts")]
    pub min_posts: u64,
}

/// The period that defines what is normal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "\"seasonal\", or a length of time such as \"24h\"")]
pub enum RatePast {
    /// The same hour of past weeks.
    Seasonal(Seasonal),
    /// The period just before the window.
    Trailing(#[serde(with = "crate::duration")] SignedDuration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seasonal {
    Seasonal,
}

/// State kept while the condition holds, or its rule is pending or firing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RateMemory {
    normal: Option<NormalLevel>,
    holds: bool,
}

/// Everything a window is compared with.
#[derive(Debug, Clone, Copy, Default)]
struct Comparison {
    normal: Option<NormalLevel>,
    /// Correlation between the posts of an hour.
    spread: f64,
    error: Option<ErrorRates>,
    /// The condition held at the last evaluation.
    held: bool,
}

impl RateThreshold {
    /// Length in seconds of the period before the window that defines what is normal.
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
    pub(super) fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut RateMemory) -> ConditionResult {
        let window = self.window.as_secs();
        let expected = evidence.baseline.rate_at(evidence.now() - window / 2);
        let comparison = Comparison {
            normal: self.frozen_normal(evidence, memory).or_else(|| self.normal(evidence)),
            spread: expected.map_or(0.0, |expected| expected.spread),
            error: evidence.error,
            held: memory.holds,
        };
        let evaluation = self.judge(evidence.topic.sum(Span::last(window)), &comparison);
        memory.holds = evaluation.holds;
        // Otherwise the window would drag the trailing baseline up during the incident.
        memory.normal = evaluation.measured.normal.filter(|_| evaluation.holds || evidence.frozen);
        evaluation
    }

    /// The frozen normal rate of a trailing baseline. A seasonal one needs no freezing: it does not learn during
    /// incidents.
    fn frozen_normal(&self, evidence: &Evidence<'_>, memory: &RateMemory) -> Option<NormalLevel> {
        self.above.trailing().and_then(|_| evidence.frozen_normal(memory.normal))
    }

    fn normal(&self, evidence: &Evidence<'_>) -> Option<NormalLevel> {
        let RateThreshold::Baseline(above) = &self.above else { return None };
        let window = self.window.as_secs();
        let normal = match above.baseline {
            RatePast::Seasonal(_) => {
                let expected = evidence.baseline.rate_over(evidence.now() - window, evidence.now())?;
                NormalLevel { value: expected.rate, posts: expected.posts as u64 }
            }
            RatePast::Trailing(length) => {
                let past = evidence.past(window, length.as_secs());
                // Two models have different error rates: their rates cannot be compared.
                let rate = past.counts.negative_rate().filter(|_| !past.is_mixed)?;
                NormalLevel { value: rate, posts: past.counts.posts() }
            }
        };
        // A normal rate from few posts is mostly noise.
        Some(normal).filter(|normal| normal.posts >= above.min_posts)
    }

    fn judge(&self, counts: Counts, compared: &Comparison) -> ConditionResult {
        let enough = counts.posts() >= self.min_posts.max(1);
        let weight = self.weight(counts.votes(), compared.spread);
        let (k, n) = (counts.negative_votes() * weight, counts.votes() * weight);
        // Too few posts prove nothing, even when all of them are negative.
        let bound = if enough { stats::proportion_lower(k, n, self.confidence) } else { 0.0 };
        let mut measured = Measurement::new(counts, bound, compared.error);
        measured.normal = compared.normal.filter(|_| self.above.has_normal());
        let (threshold, recovery) = self.thresholds(measured.normal, compared.error);
        measured.threshold = threshold;
        // The bound and not the rate decides, so that a handful of posts wakes nobody.
        let exceeds = threshold.is_some_and(|threshold| bound > threshold);
        // Recovery is judged by the rate: a bound also falls when posts become fewer.
        let stays = compared.held && recovery.is_some_and(|recovery| measured.rate > recovery);
        let holds = enough && (exceeds || stays);

        let mut numbers = vec![("rate", measured.rate), ("posts", counts.posts() as f64), ("lower_bound", bound)];
        let recovery = recovery.filter(|_| holds);
        let more = [("threshold", threshold), ("normal", measured.normal.map(|normal| normal.value))];
        let known = [("recovers_below", recovery), ("corrected_rate", measured.corrected)];
        numbers.extend(more.into_iter().chain(known).filter_map(|(name, number)| Some((name, number?))));
        // Messages name the share that the configuration names, not its reading by an imperfect model.
        let configured = match &self.above {
            RateThreshold::Fixed(share) => compared.error.map(|_| ("configured_threshold", *share)),
            RateThreshold::Baseline(_) => None,
        };
        numbers.extend(configured);
        numbers.push(("weight_of_a_post", weight));
        numbers.push(("window_minutes", self.window.as_secs_f64() / 60.0));
        let reasons = Reasons { condition: "negative_rate", holds, numbers, parts: Vec::new() };
        ConditionResult { holds, measured, is_rate: true, reasons }
    }

    /// The threshold and the recovery threshold, both in rates as measured by the classifier.
    fn thresholds(&self, normal: Option<NormalLevel>, error: Option<ErrorRates>) -> (Option<f64>, Option<f64>) {
        match &self.above {
            RateThreshold::Fixed(share) => {
                let reading = |truth: f64| error.map_or(truth, |error| error.observe(truth));
                (Some(reading(*share)), self.recover_below.map(reading))
            }
            RateThreshold::Baseline(above) => {
                let over = |margin: f64| normal.map(|normal| normal.value + margin);
                (over(above.margin), above.recover_margin.and_then(over))
            }
        }
    }

    /// Weight of one of `votes` votes: the posts of an hour are a cluster.
    fn weight(&self, votes: f64, spread: f64) -> f64 {
        let hours = (self.window.as_secs() as f64 / HOUR as f64).max(1.0);
        stats::cluster_weight(votes / hours, spread)
    }

    pub(super) fn validate(&self, bucket: SignedDuration) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(check_length("condition.window", self.window, bucket));
        problems.extend(check_confidence(self.confidence));
        let share = |key: &str, share: f64| {
            (!(0.0..1.0).contains(&share))
                .then(|| format!("{key}: {share} is not valid; expected a share from 0 to below 1, e.g. 0.8"))
        };
        match &self.above {
            RateThreshold::Fixed(above) => {
                problems.extend(share("condition.above", *above));
                if let Some(recovery) = self.recover_below.filter(|recovery| !(0.0..=*above).contains(recovery)) {
                    problems.push(format!(
                        "condition.recover_below: {recovery} is not valid; expected 0 to condition.above ({above})"
                    ));
                }
            }
            RateThreshold::Baseline(above) => {
                if let RatePast::Trailing(length) = above.baseline {
                    problems.extend(check_length("condition.above.baseline", length, bucket));
                }
                problems.extend(share("condition.above.margin", above.margin));
                if let Some(recovery) = above.recover_margin.filter(|recovery| !(0.0..=above.margin).contains(recovery))
                {
                    let margin = above.margin;
                    problems.push(format!(
                        "condition.above.recover_margin: {recovery} is not valid; expected 0 to the margin ({margin})"
                    ));
                }
                if self.recover_below.is_some() {
                    let hint = "with a baseline, set condition.above.recover_margin";
                    problems.push(format!("condition.recover_below: only valid with a fixed share; {hint}"));
                }
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests;
