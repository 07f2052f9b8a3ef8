//! What the posts of a bucket say: the log-likelihood ratios that the sums add, and whether the last hours are still above usual.

use super::cusum::Ratio;
use super::tuning::CusumThresholds;
use super::{Expected, HOUR, RECENT_SPAN, Rising, RisingMemory, RisingQuantity, lifted};
use crate::rule::{Evidence, ExpectedRate};
use crate::stats;
use crate::window::{Counts, Span};

/// Approximate number of posts of other sentiment from which the current volume level is estimated, and the longest
/// period for that in seconds.
const LEVEL_POSTS: f64 = 30.0;
const MAX_LEVEL_SPAN: f64 = 3_600.0;
/// Number of standard deviations added to the estimated volume level.
const LEVEL_MARGIN: f64 = 3.0;
/// A shift is over when the posts favour calm over this part of it, within these limits: a test against less would take days, one
/// against more would call a shift over that is not.
pub(super) const RECOVERY_SHARE: f64 = 2.0 / 3.0;
const RECOVERY_LIFT: (f64, f64) = (0.1, 0.2);
const RECOVERY_TIMES: (f64, f64) = (1.5, 2.0);
/// One-sided confidence with which the level must be above usual for a shift to continue.
const STILL_HIGH_CONFIDENCE: f64 = 0.9;
/// With this many votes an hour says enough.
const VOTES_OF_AN_HOUR: f64 = 30.0;

impl Rising {
    /// `k ln(p1/p0) + (n - k) ln((1 - p1)/(1 - p0))` for each lift, times the weight of a post (posts are correlated).
    pub(super) fn rate_ratios(&self, counts: Counts, expected: &Expected, thresholds: &CusumThresholds) -> Vec<Ratio> {
        let p0 = expected.rate.rate;
        let k = counts.negative_votes();
        let others = counts.votes() - k;
        let against = |lift: f64| {
            let p1 = lifted(p0, lift);
            k * (p1 / p0).ln() + others * ((1.0 - p1) / (1.0 - p0)).ln()
        };
        let ratio = |(lift, weight): (&f64, f64)| Ratio {
            shift: weight * against(*lift),
            recovery: weight * against((lift * RECOVERY_SHARE).clamp(RECOVERY_LIFT.0, RECOVERY_LIFT.1)),
            // An empty bucket says nothing about a share.
            charge: 0.0,
        };
        let weights = thresholds.weights(expected.volume.posts, expected.rate.spread);
        self.lift.iter().zip(weights).map(ratio).collect()
    }

    /// `k ln(times) - mean (times - 1)` for each size: the log-likelihood ratio of a Poisson count. The mean follows
    /// the posts of other sentiment, so that a busy day is not a shift. As that level is an estimate, its upper limit
    /// is used.
    pub(super) fn volume_ratios(&self, counts: Counts, expected: &Expected, memory: &mut RisingMemory) -> Vec<Ratio> {
        let Expected { rate: ExpectedRate { rate, spread, .. }, volume, buckets, width } = *expected;
        let posts = volume.posts * (width as f64 / HOUR as f64) * buckets;
        let others = posts * (1.0 - rate);
        let stretch =
            (LEVEL_POSTS / others.max(1e-9) * buckets * width as f64).clamp(2.0 * width as f64, MAX_LEVEL_SPAN);
        let kept = (-buckets * width as f64 / stretch).exp();
        memory.others = memory.others * kept + counts.votes() - counts.negative_votes();
        memory.expected_others = memory.expected_others * kept + others;
        // Posterior mean and standard deviation of the level, with a gamma prior.
        let prior = 1.0 / volume.spread.max(1e-3);
        let level = (prior + memory.others) / (prior + memory.expected_others);
        let deviation = (1.0 / (prior + memory.others) + spread / (rate * (1.0 - rate))).sqrt();
        let mean = posts * rate * level * (1.0 + LEVEL_MARGIN * deviation);
        let k = counts.negative_votes();
        let against = |times: f64| k * times.ln() - mean * (times - 1.0);
        let ratio = |times: &f64| Ratio {
            shift: against(*times),
            recovery: against(times.sqrt().clamp(RECOVERY_TIMES.0, RECOVERY_TIMES.1)),
            charge: mean / buckets * (times - 1.0),
        };
        self.times.iter().map(ratio).collect()
    }

    /// Whether the last hour, or the last two where one has few votes, is above usual beyond its interval.
    pub(super) fn is_still_high(&self, evidence: &Evidence<'_>, expected: &Expected) -> bool {
        let now = evidence.now();
        let hour = evidence.topic.sum(Span::last(HOUR));
        let (span, counts) = match hour.votes() {
            enough if enough >= VOTES_OF_AN_HOUR => (HOUR, hour),
            _ => (RECENT_SPAN, evidence.topic.sum(Span::last(RECENT_SPAN))),
        };
        let (k, n, hours) = (counts.negative_votes(), counts.votes(), span as f64 / HOUR as f64);
        let Some(usual) = evidence.baseline.rate_over(now - span, now) else { return false };
        match self.of {
            RisingQuantity::NegativeRate => {
                let weight = stats::cluster_weight(n / hours, usual.spread);
                stats::proportion_lower(k * weight, n * weight, STILL_HIGH_CONFIDENCE) > usual.rate
            }
            RisingQuantity::NegativeVolume => {
                let starts = (0..span / HOUR).map(|back| now - back * HOUR - HOUR / 2);
                let votes: f64 =
                    starts.filter_map(|time| evidence.baseline.volume_at(time)).map(|hour| hour.posts).sum();
                let votes = votes * usual.rate;
                // An hour of a busy day is not an incident: the spread of hours is usual.
                let deviation = (votes + expected.volume.spread * votes * votes).sqrt();
                stats::poisson_lower(k, STILL_HIGH_CONFIDENCE) > votes + deviation
            }
        }
    }
}
