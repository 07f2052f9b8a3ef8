//! The threshold `h` of a CUSUM for a given mean time between false alarms.
//!
//! A CUSUM of log-likelihood ratios `z` exceeds `h` by chance once in `e^h I zeta'` steps on average (ARL0), where
//! `I = E1[z]`. The correction for the overshoot at the crossing follows from renewal theory (Siegmund 1985, ch. 8;
//! Tartakovsky, Nikiforov and Basseville 2014, ch. 8):
//!
//! ```text
//!   ARL0 = e^h I exp(2 sum_k 1/k [P0(S_k > 0) + P1(S_k <= 0)])
//! ```
//!
//! The tests compare these values with simulated streams.

use statrs::function::erf::erfc;
use statrs::function::gamma::{gamma_lr, gamma_ur};

/// Terms of the sum computed one by one; the rest is integrated.
const TERMS: u32 = 200;
/// Probabilities below this are ignored.
const NEGLIGIBLE: f64 = 1e-9;
/// Counts from which the normal approximation is used.
const NORMAL_FROM: f64 = 200.0;
/// Minimum expected posts per step; for rarer posts a step is several buckets.
const MIN_STEP_POSTS: f64 = 0.1;

/// Statistics of one step of a CUSUM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StepStatistics {
    /// Mean log-likelihood ratio of a step after the shift.
    information: f64,
    /// The sum over `k`: the overshoot correction.
    excess: f64,
    /// Steps per hour.
    per_hour: f64,
}

impl StepStatistics {
    /// For a rate: `posts` per hour (effective number: see the spread), each negative with probability `p0` in calm and
    /// `p1` after the shift; a bucket has `width` seconds.
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

    /// For a count: `posts` per hour in calm, `times` as many after the shift. Small counts use exact Poisson
    /// probabilities.
    pub(super) fn of_count(posts: f64, width: i64, times: f64) -> Self {
        let buckets = 3_600.0 / width as f64;
        let mean = (posts / buckets).max(MIN_STEP_POSTS);
        let up = times.ln();
        let deviation = mean.sqrt() * up;
        let (calm, trouble) = (mean * (times - 1.0 - up), mean * (times * up - times + 1.0));
        // S_k > 0 if there are more posts than this.
        let limit = |k: f64| (k * mean * (times - 1.0) / up).floor();
        let chance = |k: f64| match k * mean {
            few if few < NORMAL_FROM => gamma_lr(limit(k) + 1.0, few) + gamma_ur(limit(k) + 1.0, few * times),
            _ => below(calm / deviation, k) + below(trouble / (deviation * times.sqrt()), k),
        };
        let exact = (NORMAL_FROM / mean).ceil() as u32;
        Self { information: trouble, excess: series(exact, chance), per_hour: (posts / mean).min(buckets) }
    }

    /// The `h` that chance exceeds once in `hours`; at least 1.
    pub(super) fn threshold(&self, hours: f64) -> f64 {
        let steps = (hours * self.per_hour).max(1.0);
        (steps.ln() - self.information.ln() - 2.0 * self.excess).max(1.0)
    }
}

/// Probability that `S_k` is on the wrong side of 0, for steps whose mean is `d` standard deviations.
fn below(d: f64, k: f64) -> f64 {
    0.5 * erfc(d * (k / 2.0).sqrt())
}

/// `sum_k P(k) / k` for a `P` that falls to 0; at least `exact` terms are computed one by one.
fn series(exact: u32, chance: impl Fn(f64) -> f64) -> f64 {
    let mut sum = 0.0;
    let terms = TERMS.max(exact);
    for k in 1..=terms {
        let probability = chance(f64::from(k));
        sum += probability / f64::from(k);
        if probability < NEGLIGIBLE {
            return sum;
        }
    }
    // The rest is integrated over log k, in which it is smooth.
    let (mut x, step) = ((f64::from(terms) + 0.5).ln(), 0.1);
    while x < 40.0 {
        let probability = chance((x + step / 2.0).exp());
        if probability < NEGLIGIBLE {
            break;
        }
        sum += probability * step;
        x += step;
    }
    sum
}

/// Kullback-Leibler divergence of `p1` from `p0`: mean evidence of one post after the shift, in nats.
pub(super) fn information(p0: f64, p1: f64) -> f64 {
    p1 * (p1 / p0).ln() + (1.0 - p1) * ((1.0 - p1) / (1.0 - p0)).ln()
}
