//! [`Explanation`]: the numbers by which a condition decided, for people and for `vigie alerts show`.

use serde::{Deserialize, Serialize};

/// Why a condition holds, or does not; a tree where conditions are combined.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The condition's `type`, such as `negative_rate`, `and`.
    pub condition: String,
    pub holds: bool,
    /// Named numbers, the deciding ones first; each condition documents its own.
    pub numbers: Vec<(String, f64)>,
    /// The combined conditions.
    pub parts: Vec<Explanation>,
}

/// An [`Explanation`] in the making: every evaluation gives reasons, and few of them are ever told.
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
