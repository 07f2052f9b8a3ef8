//! [`ErrorRates`]: how often the classifier is wrong about negative posts, and what a rate would be without that.

use serde::{Deserialize, Serialize};

/// Measured on posts whose label is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ErrorRates {
    /// Share of negative posts that are read as such.
    pub sensitivity: f64,
    /// Share of other posts that are read as such.
    pub specificity: f64,
}

impl ErrorRates {
    /// Rates of a classifier that tells negative posts from others better than chance does; none of any other, as nothing
    /// can be said from its readings.
    pub fn new(sensitivity: f64, specificity: f64) -> Option<Self> {
        let are_shares = [sensitivity, specificity].iter().all(|share| (0.0..=1.0).contains(share));
        (are_shares && sensitivity + specificity > 1.05).then_some(Self { sensitivity, specificity })
    }

    /// The true share where the share `read` was read as negative: Rogan and Gladen 1978, within `[0, 1]`.
    pub fn truth(&self, read: f64) -> f64 {
        ((read + self.specificity - 1.0) / self.informedness()).clamp(0.0, 1.0)
    }

    /// The share that is read as negative where `truth` is the true one.
    pub fn reading(&self, truth: f64) -> f64 {
        truth * self.informedness() + 1.0 - self.specificity
    }

    /// Youden's J: by how much a true share shows in what is read.
    fn informedness(&self) -> f64 {
        self.sensitivity + self.specificity - 1.0
    }
}
