//! Alerts: the state of a rule on a topic over time. Stands between `rule`, which evaluates one moment, and `monitor`,
//! which commits the result.

mod context;
mod fingerprint;
mod operational;
mod tracker;

pub use context::{AlertContext, Point, ReasonCount, Word};
pub use fingerprint::Fingerprint;
pub use operational::{OperationalAlert, UnknownOperationalAlert};
pub use tracker::{AlertState, Change, Timing};

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rule::{Explanation, Measurement};
use crate::window::Sample;

/// The annotation with the names of other topics that have an alert of the same rule; absent where there are none.
pub const ALSO_RISING: &str = "also_rising";

/// One alert, from the moment its condition first held to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Alert {
    #[schema(value_type = String)]
    pub fingerprint: Fingerprint,
    pub rule: String,
    pub topic: String,
    pub labels: BTreeMap<String, String>,
    /// Rendered when the alert fired.
    pub annotations: BTreeMap<String, String>,
    /// When the condition first held.
    pub starts_at: Timestamp,
    /// When the condition had held for the rule's `for`.
    pub fired_at: Timestamp,
    /// When it resolved; none while the alert fires.
    pub ends_at: Option<Timestamp>,
    /// Since when the condition no longer holds, while the alert still fires.
    pub quiet_since: Option<Timestamp>,
    /// When the alert resolves, unless the condition holds again before.
    pub resolves_at: Option<Timestamp>,
    /// The numbers that made it fire.
    pub fired_on: Measurement,
    /// The numbers of its worst moment: the highest lower bound.
    pub peak: Measurement,
    pub peak_at: Timestamp,
    /// The numbers now.
    pub latest: Measurement,
    /// Sample posts, the most negative first.
    pub samples: Vec<Sample>,
    /// Whether the rule compares rates rather than numbers of posts.
    pub is_rate: bool,
    /// The numbers behind the decision.
    pub explanation: Explanation,
    /// Words, reasons, reach and trend, as of its worst moment.
    pub context: AlertContext,
}

/// Whether an alert began or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransitionKind {
    Firing,
    Resolved,
}

/// A change that receivers are notified of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    pub status: TransitionKind,
    pub at: Timestamp,
    pub alert: Alert,
}

impl Transition {
    /// The same for every delivery of this transition, so that a receiver can drop duplicates.
    pub fn key(&self) -> String {
        let Alert { fingerprint, starts_at, .. } = &self.alert;
        let status = match self.status {
            TransitionKind::Firing => "firing",
            TransitionKind::Resolved => "resolved",
        };
        format!("{fingerprint}-{}-{status}", starts_at.as_second())
    }
}
