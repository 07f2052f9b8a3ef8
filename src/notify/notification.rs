//! [`Notification`]: one message about an incident for one receiver. The dispatcher makes it, `render` writes its text,
//! a [`super::Notifier`] sends it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::DueReport;
use crate::alert::Alert;

/// Why a notification is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The first notification.
    Opened,
    /// It was over, and flares up again.
    Reopened,
    /// Alerts were added or resolved.
    Changed,
    /// A reminder after `repeat_interval`: nothing changed, and nobody acknowledged.
    Repeated,
    /// Nobody acknowledged in time: this receiver is notified as well.
    Escalated,
    /// All alerts have resolved.
    Resolved,
    /// From `vigie send-test`.
    Test,
}

/// How much a notification says. A receiver that refuses one for its content gets it again in a smaller form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageForm {
    #[default]
    Full,
    /// Headline, summary and link: no posts, chart, table or template.
    Short,
    /// The summary as plain text, without layout.
    Plain,
}

impl MessageForm {
    /// The form to try after this one was refused; none after the smallest.
    pub fn smaller(self) -> Option<Self> {
        match self {
            Self::Full => Some(Self::Short),
            Self::Short => Some(Self::Plain),
            Self::Plain => None,
        }
    }
}

/// One incident: a group of alerts, from the first that fires until the last resolves. The same for every receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Incident {
    /// Short and easy to dictate, such as `AIRP-7F3K`; letters, digits, `-`.
    pub id: String,
    /// When the condition of the first alert began to hold.
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// Who acknowledged an incident, when, and with which words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Acknowledged {
    pub by: String,
    pub at: Timestamp,
    /// What the others should know; empty where nothing was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The same for every delivery of this notification, so that a receiver can drop duplicates.
    pub key: String,
    pub kind: Kind,
    #[serde(default)]
    pub form: MessageForm,
    pub incident: Incident,
    /// How many notifications of this incident the receiver got before; 0 starts a thread.
    pub sequence: u32,
    pub at: Timestamp,
    pub receiver: String,
    /// The labels that the alerts share: those of `group_by`.
    pub group: BTreeMap<String, String>,
    /// Firing alerts first, the most severe first; then resolved ones.
    pub alerts: Vec<Alert>,
    pub acknowledged: Option<Acknowledged>,
    /// When the next reminder is due, unless somebody acknowledges.
    pub repeats_at: Option<Timestamp>,
    /// For a receiver that forgets what is not sent again: the longest time until this is sent again.
    #[serde(default)]
    pub resent_within: Option<SignedDuration>,
    /// The console's URL, without a trailing slash; none where nobody can reach it.
    pub console: Option<String>,
}

/// What a receiver gets in one request: one notification, or several where it takes lists.
#[derive(Debug, Clone, PartialEq)]
pub struct NotificationBatch {
    pub receiver: String,
    /// Identifies the request; of one notification its own key.
    pub key: String,
    pub notifications: Vec<Notification>,
    /// A report, in place of notifications: it is written when it is sent.
    pub report: Option<DueReport>,
}
