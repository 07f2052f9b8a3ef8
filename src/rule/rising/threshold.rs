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
//! The probabilities are those of the central limit; the tests compare with simulated streams.

use statrs::function::erf::erfc;

/// Terms of the sum taken one by one; the rest is an integral.
const TERMS: u32 = 200;

/// Mean and variance of the log-likelihood ratio of one step, in calm (`0`) and in trouble (`1`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) information0: f64,
    pub(super) variance0: f64,
    pub(super) information1: f64,
    pub(super) variance1: f64,
    /// Steps there are in an hour.
    pub(super) per_hour: f64,
}

impl Step {
    /// Of `posts` an hour (those that count: see the spread), each negative with `p0` in calm and `p1` in trouble. Posts come
    /// by chance, about so many in a bucket of `width` seconds.
    pub(super) fn of_rate(posts: f64, width: i64, p0: f64, p1: f64) -> Self {
        let buckets = 3_600.0 / width as f64;
        let per_step = (posts / buckets).max(1.0);
        let (up, down) = ((p1 / p0).ln(), ((1.0 - p1) / (1.0 - p0)).ln());
        let mean = |p: f64| per_step * (p * up + (1.0 - p) * down);
        let variance = |p: f64| per_step * (p * up * up + (1.0 - p) * down * down);
        Self {
            information0: -mean(p0),
            variance0: variance(p0),
            information1: mean(p1),
            variance1: variance(p1),
            per_hour: (posts / per_step).min(buckets),
        }
    }

    /// Of `posts` an hour in calm, `times` as many in trouble.
    pub(super) fn of_count(posts: f64, width: i64, times: f64) -> Self {
        let buckets = 3_600.0 / width as f64;
        let mean = (posts / buckets).max(1.0);
        let up = times.ln();
        Self {
            information0: mean * (times - 1.0 - up),
            variance0: mean * up * up,
            information1: mean * (times * up - times + 1.0),
            variance1: mean * times * up * up,
            per_hour: (posts / mean).min(buckets),
        }
    }

    /// The `h` that is passed by chance once in `hours`; 1 at least.
    pub(super) fn threshold(&self, hours: f64) -> f64 {
        let steps = (hours * self.per_hour).max(1.0);
        let excess =
            series(self.information0 / self.variance0.sqrt()) + series(self.information1 / self.variance1.sqrt());
        (steps.ln() - self.information1.ln() - 2.0 * excess).max(1.0)
    }
}

/// `sum_k 1/k P(N(0, 1) < -d sqrt k)` for `d > 0`.
fn series(d: f64) -> f64 {
    let below = |k: f64| 0.5 * erfc(d * (k / 2.0).sqrt());
    let first: f64 = (1..=TERMS).map(|k| below(f64::from(k)) / f64::from(k)).sum();
    // For small d the rest matters: integrated over log k, in which it is smooth.
    let (mut rest, mut x, step) = (0.0, f64::from(TERMS).ln() + 0.5 / f64::from(TERMS), 0.1);
    while x < 40.0 {
        let term = below((x + step / 2.0).exp());
        if term < 1e-12 {
            break;
        }
        rest += term * step;
        x += step;
    }
    first + rest
}

/// Kullback and Leibler's distance of `p1` from `p0`: nats that one post tells in trouble.
pub(super) fn information(p0: f64, p1: f64) -> f64 {
    p1 * (p1 / p0).ln() + (1.0 - p1) * ((1.0 - p1) / (1.0 - p0)).ln()
}
