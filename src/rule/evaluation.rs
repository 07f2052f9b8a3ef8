//! [`Evaluation`]: a condition's answer, with the numbers that decided.

use serde::{Deserialize, Serialize};

use super::Reasons;
use crate::classify::ErrorRates;
use crate::window::Counts;

/// What is normal for a topic, learnt from its own past.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Normal {
    /// In the unit of the condition: a share in `[0, 1]`, or negative posts per window.
    pub value: f64,
    /// Posts it was learnt from.
    pub posts: u64,
}

/// The numbers that decided. Rates are as the classifier reads them, so that all of them can be compared with each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub posts: u64,
    pub negative: u64,
    /// Share of negative posts in `[0, 1]`; 0 without posts.
    pub rate: f64,
    /// Lower confidence bound, in the unit of the condition.
    pub lower_bound: f64,
    /// What the bound must exceed; none while it is not known.
    pub threshold: Option<f64>,
    pub normal: Option<Normal>,
    /// [`Measured::rate`] corrected for the classifier's measured error; none where that is not known.
    pub corrected: Option<f64>,
}

impl Measured {
    pub(super) fn new(counts: Counts, lower_bound: f64, error: Option<ErrorRates>) -> Self {
        let rate = counts.negative_rate();
        Self {
            posts: counts.posts(),
            negative: counts.negative,
            rate: rate.unwrap_or(0.0),
            lower_bound,
            threshold: None,
            normal: None,
            corrected: rate.zip(error).map(|(rate, error)| error.truth(rate)),
        }
    }
}

/// A condition's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    pub holds: bool,
    /// Of combined conditions those of the one that leads: see [`super::Condition`].
    pub measured: Measured,
    /// Whether rates in `[0, 1]`, and not counts, were compared.
    pub is_rate: bool,
    pub reasons: Reasons,
}
