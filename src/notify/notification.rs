//! [`Notification`]: what one receiver is told at one moment of an incident. Made by the dispatcher, turned into words by
//! `render`, sent by a [`super::Notifier`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::Alert;

/// Where an incident stands for its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The first message.
    Opened,
    /// Alerts joined or left.
    Changed,
    /// Nothing changed, nobody acknowledged: said again after `repeat_interval`.
    Repeated,
    /// Nobody acknowledged in time: this receiver is told as well.
    Escalated,
    /// It is over.
    Resolved,
    /// `vigie send-test`: nothing happened.
    Test,
}

/// One incident: a group of alerts from its first to the end of its last. The same for every receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Short and sayable, such as `AIRP-7F3K`; letters, digits, `-`.
    pub id: String,
    /// When the condition of its first alert began to hold.
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// Who took an incident on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    pub by: String,
    pub at: Timestamp,
}

/// What one receiver is told at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The same for every delivery of this notification, so that a receiver can drop a repeat.
    pub key: String,
    pub kind: Kind,
    pub incident: Incident,
    /// How many of this incident came to this receiver before; 0 is the root of a thread.
    pub sequence: u32,
    pub at: Timestamp,
    pub receiver: String,
    /// What the alerts have in common: the labels of `group_by`.
    pub group: BTreeMap<String, String>,
    /// Firing ones first, the most severe first; then those that are over.
    pub alerts: Vec<Alert>,
    pub acknowledged: Option<Acknowledged>,
    /// When it will be said again, unless somebody acknowledges.
    pub repeats_at: Option<Timestamp>,
    /// Address of the console, without a slash at its end; none where nobody can reach it.
    pub console: Option<String>,
}
