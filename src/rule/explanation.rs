//! [`Explanation`]: the numbers behind a decision, for messages and for `vigie alerts show`.

use serde::{Deserialize, Serialize};

/// Why a condition holds or does not hold. A tree, as conditions can be combined.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The condition's `type`, such as `negative_rate`, `and`.
    pub condition: String,
    pub holds: bool,
    /// Named numbers, deciding ones first.
    pub numbers: Vec<(String, f64)>,
    /// The combined conditions.
    pub parts: Vec<Explanation>,
}

/// A cheap form of [`Explanation`]: every evaluation produces one, but few are ever shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reasons {
    pub condition: &'static str,
    pub holds: bool,
    pub numbers: Vec<(&'static str, f64)>,
    pub parts: Vec<Reasons>,
}

impl Reasons {
    pub fn explain(&self) -> Explanation {
        Explanation {
            condition: self.condition.into(),
            holds: self.holds,
            numbers: self.numbers.iter().map(|(name, number)| ((*name).into(), *number)).collect(),
            parts: self.parts.iter().map(Self::explain).collect(),
        }
    }
}
