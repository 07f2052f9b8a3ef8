//! [`Thread`]: what one receiver was told of one incident, and what it is owed. Together they are what Alertmanager calls
//! the notification log.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One receiver's side of an incident.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Thread {
    /// Notifications that arrived.
    pub(super) sequence: u32,
    pub(super) told_at: Option<Timestamp>,
    /// Alerts that, for all it knows, fire.
    pub(super) firing: BTreeSet<String>,
    /// Alerts it was ever told of.
    pub(super) known: BTreeSet<String>,
    /// Alerts it was to be told of, and has not been: they are told even when they are over by then.
    pub(super) owed: BTreeSet<String>,
    pub(super) owed_since: Option<Timestamp>,
    /// Since when it could have acknowledged.
    pub(super) asked_at: Option<Timestamp>,
    /// It is told because others did not acknowledge.
    pub(super) escalated: bool,
}

/// What a thread's receiver does not know yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct News {
    /// Fire, and were not told.
    pub(super) fresh: BTreeSet<String>,
    /// Were told as firing, and are over.
    pub(super) ended: BTreeSet<String>,
    /// Were owed, and are over.
    pub(super) missed: BTreeSet<String>,
    /// Fire, and are shown: fresh or told.
    pub(super) firing: BTreeSet<String>,
    /// One of those is not suppressed: it may be said again.
    pub(super) audible: bool,
}

impl News {
    pub(super) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.ended.is_empty() && self.missed.is_empty()
    }

    pub(super) fn over(&self) -> impl Iterator<Item = &String> {
        self.ended.iter().chain(&self.missed)
    }
}

impl Thread {
    /// Everything that was shown has arrived at `now`.
    pub(super) fn was_told(&mut self, firing: &BTreeSet<String>, over: &BTreeSet<String>, now: Timestamp) {
        self.sequence += 1;
        self.told_at = Some(now);
        self.known.extend(firing.iter().chain(over).cloned());
        self.firing = firing.clone();
        self.settle(firing, over);
    }

    /// What was told in another thread of this receiver is not owed any more.
    pub(super) fn settle(&mut self, firing: &BTreeSet<String>, over: &BTreeSet<String>) {
        self.owed.retain(|id| !firing.contains(id) && !over.contains(id));
        if self.owed.is_empty() {
            self.owed_since = None;
        }
    }
}
