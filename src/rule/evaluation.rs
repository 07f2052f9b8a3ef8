//! [`ConditionResult`]: the result of a condition, with the numbers that decided.

use serde::{Deserialize, Serialize};

use super::Reasons;
use crate::classify::ErrorRates;
use crate::window::Counts;

/// The normal level of a topic, learned from its own past.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NormalLevel {
    /// In the unit of the condition: a share in `[0, 1]`, or negative posts per window.
    pub value: f64,
    /// Number of posts it was learned from.
    pub posts: u64,
}

/// The numbers that decided. All rates are measured by the classifier, without correction, so they can be compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Measurement {
    pub posts: u64,
    pub negative: u64,
    /// Share of negative posts in `[0, 1]`; 0 without posts.
    pub rate: f64,
    /// Lower confidence bound, in the unit of the condition.
    pub lower_bound: f64,
    /// The threshold for the bound; `None` while it is unknown.
    pub threshold: Option<f64>,
    pub normal: Option<NormalLevel>,
    /// [`Measurement::rate`] corrected for the measured error of the classifier; `None` if the error is unknown.
    pub corrected: Option<f64>,
}

impl Measurement {
    pub(super) fn new(counts: Counts, lower_bound: f64, error: Option<ErrorRates>) -> Self {
        let rate = counts.negative_rate();
        Self {
            posts: counts.posts(),
            negative: counts.negative,
            rate: rate.unwrap_or(0.0),
            lower_bound,
            threshold: None,
            normal: None,
            corrected: rate.zip(error).map(|(rate, error)| error.correct(rate)),
        }
    }
}

/// The result of a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionResult {
    pub holds: bool,
    /// For combined conditions, those of the leading one: see [`super::Condition`].
    pub measured: Measurement,
    /// Whether the numbers are rates in `[0, 1]`; otherwise they are counts.
    pub is_rate: bool,
    pub reasons: Reasons,
}
