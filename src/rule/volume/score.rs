//! [`Score`]: what the detector says of a row, or why it cannot.

use serde::{Deserialize, Serialize};

/// How unusual a row is, with the numbers that decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Anomaly score in `[0, 1]`: 0.5 and more is an alarm. Below 0.5 while the detector rests, and 0 while it does not yet
    /// know what is normal.
    pub value: f64,
    /// Logarithm of how many times the normal there is.
    pub evidence: f64,
    /// The least evidence of an alarm; none while it is not known.
    pub threshold: Option<f64>,
    /// What is added to a volume and to its normal in the longest span before they are compared: half a size.
    pub floor: f64,
    /// What was to be expected of this row; none for a row that is not usable, and for the first.
    pub expected: Option<f64>,
    /// The least value that would have been an alarm here; none while that is not known.
    pub upper: Option<f64>,
}

impl Score {
    pub fn is_alarm(&self) -> bool {
        self.value >= 0.5
    }
}

/// Why a row cannot be judged. It scores 0 and nothing is learnt from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("is not a number")]
    NotANumber,
    #[error("is negative, which no volume is")]
    Negative,
    #[error("is not after the row before")]
    NotAfter,
}

impl Unusable {
    /// Whether its time and not its value is at fault.
    pub fn is_about_time(self) -> bool {
        self == Self::NotAfter
    }
}
