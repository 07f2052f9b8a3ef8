//! How high a CUSUM may rise by chance: the threshold `h` for a wanted mean time between false alarms.
//!
//! A CUSUM of log-likelihood ratios `z` passes `h` by chance once in `e^h I zeta'` steps in the mean, where `I = E1[z]` and
//! the factor for the excess over `h` at the step that passes it is that of renewal theory (Siegmund 1985, ch. 8; Tartakovsky,
//! Nikiforov and Basseville 2014, ch. 8):
//!
//! ```text
//!   ARL0 = e^h I exp(2 sum_k 1/k [P0(S_k > 0) + P1(S_k <= 0)])
//! ```
//!
//! The tests compare with simulated streams.

use statrs::function::erf::erfc;
use statrs::function::gamma::{gamma_lr, gamma_ur};

/// Terms of the sum taken one by one; the rest is an integral.
const TERMS: u32 = 200;
/// A probability too small to matter.
const NOTHING: f64 = 1e-9;
/// Counts from which on the central limit is near enough.
const MANY: f64 = 200.0;
/// Posts in a step, at the fewest: where fewer come, a step is several buckets.
const FEWEST: f64 = 0.1;

/// A CUSUM's step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// Mean log-likelihood ratio of a step in trouble.
    information: f64,
    /// The sum over `k`.
    excess: f64,
    /// Steps there are in an hour.
    per_hour: f64,
}

impl Step {
    /// Of `posts` an hour (those that count: see the spread), each negative with `p0` in calm and `p1` in trouble. Posts come
    /// by chance, about so many in a bucket of `width` seconds.
    pub(super) fn of_rate(posts: f64, width: i64, p0: f64, p1: f64) -> Self {
        let buckets = 3_600.0 / width as f64;
        let per_step = (posts / buckets).max(1.0);
        let (up, down) = ((p1 / p0).ln(), ((1.0 - p1) / (1.0 - p0)).ln());
        let mean = |p: f64| per_step * (p * up + (1.0 - p) * down);
        let deviation = |p: f64| (per_step * (p * up * up + (1.0 - p) * down * down)).sqrt();
        let (calm, trouble) = (-mean(p0) / deviation(p0), mean(p1) / deviation(p1));
        Self {
            information: mean(p1),
            excess: series(1, |k| below(calm, k)) + series(1, |k| below(trouble, k)),
            per_hour: (posts / per_step).min(buckets),
        }
    }

    /// Of `posts` an hour in calm, `times` as many in trouble. While they are few the probabilities are those of Poisson.
    pub(super) fn of_count(posts: f64, width: i64, times: f64) -> Self {
        let buckets = 3_600.0 / width as f64;
        let mean = (posts / buckets).max(FEWEST);
        let up = times.ln();
        let deviation = mean.sqrt() * up;
        let (calm, trouble) = (mean * (times - 1.0 - up), mean * (times * up - times + 1.0));
        // S_k > 0 where more posts came than this.
        let limit = |k: f64| (k * mean * (times - 1.0) / up).floor();
        let chance = |k: f64| match k * mean {
            few if few < MANY => gamma_lr(limit(k) + 1.0, few) + gamma_ur(limit(k) + 1.0, few * times),
            _ => below(calm / deviation, k) + below(trouble / (deviation * times.sqrt()), k),
        };
        let exact = (MANY / mean).ceil() as u32;
        Self { information: trouble, excess: series(exact, chance), per_hour: (posts / mean).min(buckets) }
    }

    /// The `h` that is passed by chance once in `hours`; 1 at least.
    pub(super) fn threshold(&self, hours: f64) -> f64 {
        let steps = (hours * self.per_hour).max(1.0);
        (steps.ln() - self.information.ln() - 2.0 * self.excess).max(1.0)
    }
}

/// `P(S_k)` on the wrong side of 0, where a step's mean is `d` of its deviations.
fn below(d: f64, k: f64) -> f64 {
    0.5 * erfc(d * (k / 2.0).sqrt())
}

/// `sum_k P(k) / k` for a `P` that falls to 0; one by one for `exact` terms at least.
fn series(exact: u32, chance: impl Fn(f64) -> f64) -> f64 {
    let mut sum = 0.0;
    let terms = TERMS.max(exact);
    for k in 1..=terms {
        let probability = chance(f64::from(k));
        sum += probability / f64::from(k);
        if probability < NOTHING {
            return sum;
        }
    }
    // What is left is integrated over log k, in which it is smooth.
    let (mut x, step) = ((f64::from(terms) + 0.5).ln(), 0.1);
    while x < 40.0 {
        let probability = chance((x + step / 2.0).exp());
        if probability < NOTHING {
            break;
        }
        sum += probability * step;
        x += step;
    }
    sum
}

/// Kullback and Leibler's distance of `p1` from `p0`: nats that one post tells in trouble.
pub(super) fn information(p0: f64, p1: f64) -> f64 {
    p1 * (p1 / p0).ln() + (1.0 - p1) * ((1.0 - p1) / (1.0 - p0)).ln()
}
