//! [`Explanation`]: the numbers behind a decision, for messages and for `vigie alerts show`.

use serde::{Deserialize, Serialize};

/// Numbers of an alert as a whole, which no condition computes: people who wrote the negative posts of its window, and other
/// topics with an alert of the same rule.
pub const NEGATIVE_AUTHORS: &str = "negative_authors";
pub const OTHER_TOPICS_RISING: &str = "other_topics_rising";

/// Hours of the topic's past that are learned, of an alert that compares with no normal level because they are fewer than
/// [`LEARNING_HOURS`].
pub const LEARNED_HOURS: &str = "learned_hours";
/// Hours after which the normal level of a topic is known: its first day.
pub const LEARNING_HOURS: u32 = 24;
/// The rule's `max_open`, of an alert that was closed by it.
pub const CLOSED_AFTER_HOURS: &str = "closed_after_hours";

/// Why a condition holds or does not hold. A tree, as conditions can be combined.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Explanation {
    /// The condition's `type`, such as `negative_rate`, `and`.
    pub condition: String,
    pub holds: bool,
    /// Named numbers, deciding ones first.
    pub numbers: Vec<(String, f64)>,
    /// The combined conditions.
    #[schema(no_recursion)]
    pub parts: Vec<Explanation>,
}

impl Explanation {
    /// A number of the topmost condition, or of the alert as a whole.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.numbers.iter().find(|(found, _)| found == name).map(|(_, number)| *number)
    }
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
