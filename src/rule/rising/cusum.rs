//! [`Cusums`]: Page's cumulative sums (1954), one for each size of trouble that is looked for, and the way back.
//!
//! ```text
//!            some sum passes its h                     the leading one is clearly back
//!   calm ------------------------------> raised --------------------------------------> calm, all sums 0
//!   up_i = max(0, up_i + z_i)             up_i += z_i; down_i = max(0, down_i - z_i)
//! ```
//!
//! While raised the sums go on, so that the one whose size of trouble fits best leads, and its `down` is the same test the
//! other way round: it tells when calm explains the posts [`BACK`] times better than trouble does.

use serde::{Deserialize, Serialize};

/// Log of the odds for calm at which trouble is over: 50 to 1.
const BACK: f64 = 3.912;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Cusums {
    sums: Vec<Cusum>,
    raised: bool,
}

/// One sum; in nats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Cusum {
    up: f64,
    down: f64,
    /// When it last was zero, in Unix seconds.
    since: i64,
}

/// Where the leading sum stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lead {
    /// Which one.
    pub(super) index: usize,
    pub(super) sum: f64,
    pub(super) since: i64,
}

impl Cusums {
    /// Takes the log-likelihood ratios of a step that ended at `now`, one for each sum, with the height each may reach by
    /// chance. Returns whether trouble is on, and which sum leads.
    pub(super) fn step(&mut self, ratios: &[f64], heights: &[f64], now: i64) -> (bool, Option<Lead>) {
        self.sums.resize(ratios.len(), Cusum::default());
        for (sum, ratio) in self.sums.iter_mut().zip(ratios) {
            if self.raised {
                sum.up += ratio;
                sum.down = (sum.down - ratio).max(0.0);
            } else {
                sum.up = (sum.up + ratio).max(0.0);
                // A sum that rises from its first step on never was zero.
                if sum.up == 0.0 || sum.since == 0 {
                    sum.since = now;
                }
            }
        }
        let raised = self.raised || self.sums.iter().zip(heights).any(|(sum, height)| sum.up >= *height);
        let lead = self.lead(heights, raised);
        let is_back = lead.and_then(|lead| self.sums.get(lead.index)).is_some_and(|sum| sum.down >= BACK);
        if self.raised && is_back {
            *self = Self::default();
            (false, lead)
        } else {
            self.raised = raised;
            (raised, lead)
        }
    }

    /// The most likely size of trouble while raised, else the sum that is nearest to its height.
    fn lead(&self, heights: &[f64], raised: bool) -> Option<Lead> {
        let score = |(sum, height): (&Cusum, &f64)| if raised { sum.up } else { sum.up / height };
        let scores = self.sums.iter().zip(heights).map(score);
        let (index, _) = scores.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        self.sums.get(index).map(|sum| Lead { index, sum: sum.up, since: sum.since })
    }
}
