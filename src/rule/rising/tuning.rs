//! [`Tuned`]: the height of each sum, chosen for a topic's volume, rate and spread, and chosen again when those change.

use serde::{Deserialize, Serialize};

use super::threshold::{Step, information};
use super::{Of, lifted};

/// A change of less than this changes no height by anything worth the reckoning.
const NOTABLE: f64 = 0.1;

/// What heights depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning<'a> {
    pub(super) of: Of,
    pub(super) sizes: &'a [f64],
    /// Hours between two false alarms, of all sums together.
    pub(super) hours: f64,
    /// Of a bucket, in seconds.
    pub(super) width: i64,
    /// Share of negative posts, over all hours.
    pub(super) rate: f64,
    /// Posts an hour, over all hours.
    pub(super) posts: f64,
    /// Correlation between the posts of an hour.
    pub(super) spread: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tuned {
    /// Of what it was tuned for.
    fingerprint: Vec<f64>,
    /// Of each sum.
    pub(super) heights: Vec<f64>,
    /// Posts that each sum takes together, at most, where posts of an hour hang together.
    together: Vec<f64>,
}

impl Tuned {
    /// Tunes anew where it was tuned for something else.
    pub(super) fn follow(&mut self, tuning: &Tuning<'_>) {
        let found = tuning.fingerprint();
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= NOTABLE * a.abs().max(b.abs());
        if self.fingerprint.len() == found.len() && self.fingerprint.iter().zip(&found).all(near) {
            return;
        }
        let of = |size: &f64| match tuning.of {
            Of::NegativeRate => tuning.rate(*size),
            Of::NegativeVolume => tuning.volume(*size),
        };
        (self.heights, self.together) = tuning.sizes.iter().map(of).unzip();
        self.fingerprint = found;
    }

    /// What a post weighs in each sum, in an hour of so many: the design effect of Kish 1965, hours being the clusters.
    pub(super) fn weights(&self, posts: f64, spread: f64) -> impl Iterator<Item = f64> + '_ {
        self.together.iter().map(move |together| weight(together.min(posts), spread))
    }
}

fn weight(posts: f64, spread: f64) -> f64 {
    1.0 / (1.0 + (posts - 1.0).max(0.0) * spread)
}

impl Tuning<'_> {
    fn fingerprint(&self) -> Vec<f64> {
        let odds = self.rate / (1.0 - self.rate).max(1e-9);
        let which = f64::from(u8::from(self.of == Of::NegativeVolume));
        // A design effect, rather than a spread, so that a small spread that doubles is no news.
        let effect = 1.0 + self.posts * self.spread;
        [which, self.hours, self.width as f64, odds, self.posts, effect]
            .into_iter()
            .chain(self.sizes.iter().copied())
            .collect()
    }

    /// Hours between two false alarms of one sum. Sums rise together, so that they may have more than their parts.
    fn share(&self) -> f64 {
        let sums = self.sizes.len() as f64;
        self.hours * (1.0 + 0.75 * (sums - 1.0))
    }

    /// Height of the sum for one lift, and how many posts it takes together. Posts are correlated within an hour: as many
    /// count as one as trouble of this size needs to be found by, [`REACH`] times over.
    fn rate(&self, lift: f64) -> (f64, f64) {
        /// How much longer than that chance may need to get there.
        const REACH: f64 = 5.0;
        let (p0, p1) = (self.rate, lifted(self.rate, lift));
        let mut height = 10.0;
        let mut together = 1.0;
        for _ in 0..3 {
            together = REACH * height / information(p0, p1);
            let posts = self.posts * weight(self.posts.min(together), self.spread);
            height = Step::of_rate(posts, self.width, p0, p1).threshold(self.share());
        }
        (height, together)
    }

    fn volume(&self, times: f64) -> (f64, f64) {
        (Step::of_count(self.posts * self.rate, self.width, times).threshold(self.share()), 1.0)
    }
}
