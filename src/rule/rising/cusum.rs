//! [`Cusums`]: Page's cumulative sums (1954), one per shift size, and the detection of recovery.
//!
//! ```text
//!            a sum reaches its threshold h              recovery of the leading sum
//!   calm ------------------------------> raised --------------------------------------> calm, all sums 0
//!   up_i = max(0, up_i + z_i)             up_i += z_i; down_i = max(0, down_i - z_i)
//! ```
//!
//! While raised, all sums continue, so that the sum of the most likely shift size leads. Its `down` is the same test in
//! the opposite direction: recovery is when the posts are [`MIN_BACK_ODDS`] (as a log-likelihood ratio) in favour of
//! calm.

use serde::{Deserialize, Serialize};

/// Log-likelihood ratio in favour of calm at which the shift is over: 50 to 1.
const MIN_BACK_ODDS: f64 = 3.912;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Cusums {
    sums: Vec<Cusum>,
    raised: bool,
}

/// One sum, in nats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Cusum {
    up: f64,
    down: f64,
    /// When `up` was last zero, in Unix seconds.
    since: i64,
}

/// The state of the leading sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LeadingSum {
    /// Index of its shift size.
    pub(super) index: usize,
    pub(super) sum: f64,
    pub(super) since: i64,
}

impl Cusums {
    /// Adds the log-likelihood ratios of a step of `width` seconds that ended at `now`, one per sum; `values` are the
    /// thresholds. Steps without posts may be left out. Returns whether a shift is detected, and the leading sum.
    pub(super) fn step(&mut self, ratios: &[f64], values: &[f64], now: i64, width: i64) -> (bool, Option<LeadingSum>) {
        self.sums.resize(ratios.len(), Cusum::default());
        for (sum, ratio) in self.sums.iter_mut().zip(ratios) {
            if self.raised {
                // Not clipped at zero: the sums are compared with each other.
                sum.up += ratio;
                sum.down = (sum.down - ratio).max(0.0);
            } else {
                // It was zero until this step began, in the steps that were left out too.
                if sum.up == 0.0 && sum.since != 0 {
                    sum.since = now - width;
                }
                sum.up = (sum.up + ratio).max(0.0);
                // A sum that rises from its first step on was never zero.
                if sum.up == 0.0 || sum.since == 0 {
                    sum.since = now;
                }
            }
        }
        let raised = self.raised || self.sums.iter().zip(values).any(|(sum, threshold)| sum.up >= *threshold);
        let lead = self.lead(values, raised);
        let is_back = lead.and_then(|lead| self.sums.get(lead.index)).is_some_and(|sum| sum.down >= MIN_BACK_ODDS);
        if self.raised && is_back {
            // Start again from zero, so that the evidence of this shift does not count for the next one.
            *self = Self::default();
            (false, lead)
        } else {
            self.raised = raised;
            (raised, lead)
        }
    }

    /// The sum of the most likely shift size while raised; otherwise the one closest to its threshold.
    fn lead(&self, values: &[f64], raised: bool) -> Option<LeadingSum> {
        let score = |(sum, threshold): (&Cusum, &f64)| if raised { sum.up } else { sum.up / threshold };
        let scores = self.sums.iter().zip(values).map(score);
        let (index, _) = scores.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        self.sums.get(index).map(|sum| LeadingSum { index, sum: sum.up, since: sum.since })
    }
}
