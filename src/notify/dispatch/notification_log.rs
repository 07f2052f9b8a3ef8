//! [`NotificationLogEntry`]: what one receiver has been notified of in one incident, and what is still undelivered.
//! Alertmanager calls it the notification log.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// The state of one incident at one receiver.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct NotificationLogEntry {
    /// Notifications delivered.
    pub(super) sequence: u32,
    pub(super) notified_at: Option<Timestamp>,
    /// Alerts that were firing in the last notification.
    pub(super) firing: BTreeSet<String>,
    /// Alerts in any notification so far.
    pub(super) known: BTreeSet<String>,
    /// Alerts that became due and have not been delivered; they are reported even after they resolve.
    pub(super) undelivered: BTreeSet<String>,
    pub(super) undelivered_since: Option<Timestamp>,
    /// When the receiver could first have acknowledged: escalation counts from here.
    pub(super) ack_requested_at: Option<Timestamp>,
    /// The receiver was added because nobody acknowledged.
    pub(super) escalated: bool,
    /// The last message, where the receiver refused it for its content.
    #[serde(default)]
    pub(super) refusal: Option<Refusal>,
}

/// What a receiver has not been notified of yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Pending {
    /// Firing, and not in a notification yet.
    pub(super) new_firing: BTreeSet<String>,
    /// Reported as firing, and resolved since.
    pub(super) resolved: BTreeSet<String>,
    /// Undelivered, and resolved meanwhile.
    pub(super) missed: BTreeSet<String>,
    /// All firing alerts of the message, new or not.
    pub(super) firing: BTreeSet<String>,
    /// At least one of them is not suppressed, so a reminder may be sent.
    pub(super) unsuppressed: bool,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.new_firing.is_empty() && self.resolved.is_empty() && self.missed.is_empty()
    }

    /// The alerts that are over: resolved, and missed.
    pub(super) fn ended(&self) -> impl Iterator<Item = &String> {
        self.resolved.iter().chain(&self.missed)
    }
}

impl NotificationLogEntry {
    /// The refusal of the very message that `pending` makes.
    pub(super) fn refusal_of(&self, pending: &Pending) -> Option<&Refusal> {
        self.refusal.as_ref().filter(|refusal| refusal.concerns(pending))
    }

    /// Why the last message was given up: the receiver refused it in every form.
    pub(super) fn given_up(&self) -> Option<&str> {
        self.refusal.as_ref().filter(|refusal| refusal.held_until().is_some()).map(|refusal| refusal.error.as_str())
    }

    /// A notification with `firing` and `ended` alerts was delivered at `now`.
    pub(super) fn record_delivered(&mut self, firing: &BTreeSet<String>, ended: &BTreeSet<String>, now: Timestamp) {
        self.sequence += 1;
        self.refusal = None;
        self.notified_at = Some(now);
        self.known.extend(firing.iter().chain(ended).cloned());
        self.firing = firing.clone();
        self.clear_undelivered(firing, ended);
    }

    /// Removes alerts that a notification, also one of another incident, has delivered.
    pub(super) fn clear_undelivered(&mut self, firing: &BTreeSet<String>, ended: &BTreeSet<String>) {
        self.undelivered.retain(|id| !firing.contains(id) && !ended.contains(id));
        if self.undelivered.is_empty() {
            self.undelivered_since = None;
        }
    }
}
