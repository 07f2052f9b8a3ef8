//! [`Cusums`]: Page's cumulative sums (1954), one per shift size, and the detection of recovery.
//!
//! ```text
//!            a sum reaches its threshold h              recovery of the leading sum
//!   calm ------------------------------> raised --------------------------------------> calm, all sums 0
//!   up_i = max(0, up_i + z_i)             up_i += z_i; down_i = max(0, down_i - r_i)
//! ```
//!
//! While raised, all sums continue, so that the sum of the most likely shift size leads. Its `down` is a test in the opposite
//! direction, of calm against a part of the shift (`r`): a test against the whole would take the posts of a shift that is half
//! over for calm. Recovery is when the posts are [`MIN_BACK_ODDS`] (as a log-likelihood ratio) in favour of calm.

use serde::{Deserialize, Serialize};

use crate::window::LateShare;

/// Log-likelihood ratio in favour of calm at which the shift is over: 20 to 1.
const MIN_BACK_ODDS: f64 = 2.996;

/// Part of the threshold at which the sums start again after a shift.
const HEAD_START: f64 = 0.5;

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

/// What a step adds, and what it is compared with; one of each per sum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) ratios: &'a [Ratio],
    pub(super) thresholds: &'a [f64],
    /// Whether a shift may begin: enough people complain now.
    pub(super) may_begin: bool,
    /// Buckets whose posts are only now in the ratios.
    pub(super) late: &'a [LateShare],
}

/// Log-likelihood ratios of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ratio {
    /// Of the shift against calm.
    pub(super) shift: f64,
    /// Of the part of the shift that recovery is tested against.
    pub(super) recovery: f64,
    /// What the ratio of the shift takes off for a bucket, however many posts it has.
    pub(super) charge: f64,
}

impl Ratio {
    /// The ratio of the shift, with the charge for late posts of buckets that ended before the sum was last zero: those were
    /// charged for while they seemed empty, and what a sum of zero is charged is lost. Without it, the posts of many minutes
    /// would be held against one, after each poll and each outage.
    fn with_late(&self, late: &[LateShare], since: i64) -> f64 {
        let lost = late.iter().filter(|late| late.start < since).map(|late| late.share);
        self.shift - self.charge * lost.sum::<f64>()
    }
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
    /// Adds a step of `width` seconds that ended at `now`. Steps without posts may be left out. Returns whether a shift is
    /// detected, and the leading sum.
    pub(super) fn step(&mut self, step: &Step<'_>, now: i64, width: i64) -> (bool, Option<LeadingSum>) {
        let Step { ratios, thresholds: values, may_begin, late } = *step;
        self.sums.resize(ratios.len(), Cusum::default());
        for (sum, ratio) in self.sums.iter_mut().zip(ratios) {
            let Ratio { shift, recovery, .. } = ratio;
            if self.raised {
                // Not clipped at zero: the sums are compared with each other.
                sum.up += shift;
                sum.down = (sum.down - recovery).max(0.0);
            } else {
                let last_zero = if sum.up == 0.0 { now } else { sum.since };
                // It was zero until this step began, in the steps that were left out too.
                if sum.up == 0.0 && sum.since != 0 {
                    sum.since = now - width;
                }
                sum.up = (sum.up + ratio.with_late(late, last_zero)).max(0.0);
                // A sum that rises from its first step on was never zero.
                if sum.up == 0.0 || sum.since == 0 {
                    sum.since = now;
                }
            }
        }
        if !self.raised && !may_begin {
            // What lies behind is not news when people come back to the topic: each sum may at most be about to exceed.
            for (sum, threshold) in self.sums.iter_mut().zip(values).filter(|(sum, threshold)| sum.up > **threshold) {
                (sum.up, sum.since) = (*threshold, now);
            }
        }
        let exceeds = self.sums.iter().zip(values).any(|(sum, threshold)| sum.up >= *threshold);
        let raised = self.raised || (may_begin && exceeds);
        // When a shift begins, the sum that exceeds its threshold most speaks for it, though another may be higher.
        let lead = self.lead(values, self.raised);
        let is_back = lead.and_then(|lead| self.sums.get(lead.index)).is_some_and(|sum| sum.down >= MIN_BACK_ODDS);
        if self.raised && is_back {
            self.end(values, now);
            (false, lead)
        } else {
            self.raised = raised;
            (raised, lead)
        }
    }

    pub(super) fn is_raised(&self) -> bool {
        self.raised
    }

    /// Ends a shift. The sums start again from half of their thresholds (the head start of Lucas and Crosier 1982): what flares
    /// up again is found sooner. Chance makes use of it with a probability of `exp(-h / 2)`, a few per cent, once.
    pub(super) fn end(&mut self, values: &[f64], now: i64) {
        if !std::mem::take(&mut self.raised) {
            return;
        }
        for (sum, threshold) in self.sums.iter_mut().zip(values) {
            *sum = Cusum { up: threshold * HEAD_START, down: 0.0, since: now };
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
