//! [`CusumThresholds`]: the threshold of each sum, derived from the volume, rate and spread of a topic, and derived
//! again when those change.

use serde::{Deserialize, Serialize};

use super::threshold::{StepStatistics, information};
use super::{RisingQuantity, lifted};
use crate::stats::cluster_weight;

/// Smaller relative changes of a parameter do not change a threshold noticeably.
const MIN_CHANGE: f64 = 0.1;

/// The parameters that thresholds depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct ThresholdParams<'a> {
    pub(super) of: RisingQuantity,
    pub(super) sizes: &'a [f64],
    /// Hours between two false alarms of all sums together.
    pub(super) hours: f64,
    /// Width of a bucket in seconds.
    pub(super) width: i64,
    /// Share of negative posts, over all hours.
    pub(super) rate: f64,
    /// Posts per hour, over all hours.
    pub(super) posts: f64,
    /// Correlation between the posts of an hour.
    pub(super) spread: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CusumThresholds {
    /// The parameters they were derived from.
    fingerprint: Vec<f64>,
    /// One threshold per sum.
    pub(super) values: Vec<f64>,
    /// Maximum number of correlated posts per sum.
    together: Vec<f64>,
}

impl CusumThresholds {
    /// Derives the thresholds again if the parameters have changed.
    pub(super) fn update(&mut self, params: &ThresholdParams<'_>) {
        let found = params.fingerprint();
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= MIN_CHANGE * a.abs().max(b.abs());
        if self.fingerprint.len() == found.len() && self.fingerprint.iter().zip(&found).all(near) {
            return;
        }
        let of = |size: &f64| match params.of {
            RisingQuantity::NegativeRate => params.rate(*size),
            RisingQuantity::NegativeVolume => params.volume(*size),
        };
        (self.values, self.together) = params.sizes.iter().map(of).unzip();
        self.fingerprint = found;
    }

    /// Weight of a post in each sum, in an hour with `posts` posts: hours are clusters.
    pub(super) fn weights(&self, posts: f64, spread: f64) -> impl Iterator<Item = f64> + '_ {
        self.together.iter().map(move |together| cluster_weight(together.min(posts), spread))
    }
}

impl ThresholdParams<'_> {
    fn fingerprint(&self) -> Vec<f64> {
        let odds = self.rate / (1.0 - self.rate).max(1e-9);
        let which = f64::from(u8::from(self.of == RisingQuantity::NegativeVolume));
        // The design effect instead of the spread: doubling a tiny spread changes nothing.
        let effect = 1.0 + self.posts * self.spread;
        [which, self.hours, self.width as f64, odds, self.posts, effect]
            .into_iter()
            .chain(self.sizes.iter().copied())
            .collect()
    }

    /// Hours between two false alarms of one sum. Sums are correlated, so each gets more than an equal part.
    fn share(&self) -> f64 {
        let sums = self.sizes.len() as f64;
        self.hours * (1.0 + 0.75 * (sums - 1.0))
    }

    /// Threshold of the sum for one lift, and its maximum number of correlated posts: the number of posts needed to
    /// detect this lift, times [`DELAY_FACTOR`].
    fn rate(&self, lift: f64) -> (f64, f64) {
        /// A false alarm may take this much longer to build up than a detection.
        const DELAY_FACTOR: f64 = 5.0;
        let (p0, p1) = (self.rate, lifted(self.rate, lift));
        let mut threshold = 10.0;
        let mut together = 1.0;
        for _ in 0..3 {
            together = DELAY_FACTOR * threshold / information(p0, p1);
            let posts = self.posts * cluster_weight(self.posts.min(together), self.spread);
            threshold = StepStatistics::of_rate(posts, self.width, p0, p1).threshold(self.share());
        }
        (threshold, together)
    }

    fn volume(&self, times: f64) -> (f64, f64) {
        (StepStatistics::of_count(self.posts * self.rate, self.width, times).threshold(self.share()), 1.0)
    }
}
