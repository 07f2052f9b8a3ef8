//! [`Score`]: the result of the detector for a row; [`ScoreError`]: why a row is not usable.

use serde::{Deserialize, Serialize};

/// How unusual a row is, with the numbers that decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Anomaly score in `[0, 1]`: 0.5 or more is an alarm. Below 0.5 while the detector rests; 0 while the normal level
    /// is unknown.
    pub value: f64,
    /// Logarithm of the ratio to normal.
    pub evidence: f64,
    /// The evidence from which there is an alarm; `None` while unknown.
    pub threshold: Option<f64>,
    /// Added to the volume and to its normal value in the longest span before they are compared: half the size.
    pub floor: f64,
    /// The expected value of this row; `None` for the first row and for rows that are not usable.
    pub expected: Option<f64>,
    /// The value from which this row would have been an alarm; `None` while unknown, and for empty rows that need none.
    pub upper: Option<f64>,
}

impl Score {
    pub fn is_alarm(&self) -> bool {
        self.value >= 0.5
    }
}

/// Why a row is not usable. It scores 0 and the detector learns nothing from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    #[error("is not a number")]
    NotANumber,
    #[error("is negative")]
    Negative,
    #[error("is not after the row before")]
    NotAfter,
}

impl ScoreError {
    /// Whether the problem is the time of the row and not its value.
    pub fn is_about_time(self) -> bool {
        self == Self::NotAfter
    }
}
