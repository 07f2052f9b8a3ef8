//! Alerts: what a rule on a topic has become over time. Stands between `rule`, which judges one moment, and `monitor`,
//! which commits the outcome.

mod fingerprint;
mod story;
mod tracker;

pub use fingerprint::Fingerprint;
pub use story::{Point, Reason, Story, Word};
pub use tracker::{AlertState, Change, Timing};

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rule::{Explanation, Measured};
use crate::window::Sample;

/// One alert, from the moment its condition first held to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub fingerprint: Fingerprint,
    pub rule: String,
    pub topic: String,
    pub labels: BTreeMap<String, String>,
    /// Rendered when the alert fired.
    pub annotations: BTreeMap<String, String>,
    /// When the condition first held.
    pub starts_at: Timestamp,
    /// When it had held for as long as the rule wants.
    pub fired_at: Timestamp,
    /// When it was over; none while the alert fires.
    pub ends_at: Option<Timestamp>,
    /// The numbers that made it fire.
    pub fired_on: Measured,
    /// The numbers of its worst moment: the highest lower bound.
    pub peak: Measured,
    pub peak_at: Timestamp,
    /// The numbers now.
    pub latest: Measured,
    /// Posts that show what people say, the most negative first.
    pub samples: Vec<Sample>,
    /// Whether rates, and not numbers of posts, were compared.
    pub is_rate: bool,
    /// Why it fired, in numbers.
    pub explanation: Explanation,
    /// What else people are shown, as of its worst moment.
    pub story: Story,
}

/// Whether a notification tells of a beginning or an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Firing,
    Resolved,
}

/// A change that people are told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    pub status: Status,
    pub at: Timestamp,
    pub alert: Alert,
}

impl Transition {
    /// The same for every delivery of this transition, so that a receiver can drop a repeat.
    pub fn key(&self) -> String {
        let Alert { fingerprint, starts_at, .. } = &self.alert;
        let status = match self.status {
            Status::Firing => "firing",
            Status::Resolved => "resolved",
        };
        format!("{fingerprint}-{}-{status}", starts_at.as_second())
    }
}
