//! [`Group`]: one incident as the dispatcher keeps it: its alerts, and a notification log with an entry per receiver.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::matcher::Labels;
use super::super::routing::{GroupTimers, Routing};
use super::super::{Acknowledged, Incident};
use super::history::{HistoryEntry, HistoryEvent};
use super::notification_log::{NotificationLogEntry, Pending};
use crate::alert::Alert;

/// An alert of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct GroupedAlert {
    /// Stored in a separate table, so that posts can be erased from it.
    #[serde(skip)]
    pub(super) alert: Option<Alert>,
    pub(super) arrived_at: Timestamp,
    pub(super) receivers: BTreeSet<String>,
    pub(super) ended_at: Option<Timestamp>,
}

/// One incident: its alerts by [`alert_id`], its notification log by receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) labels: Labels,
    pub(super) started_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) acknowledged: Option<Acknowledged>,
    pub(super) alerts: BTreeMap<String, GroupedAlert>,
    pub(super) log: BTreeMap<String, NotificationLogEntry>,
    /// Every receiver has been notified of the end.
    pub(super) closed_at: Option<Timestamp>,
    /// Sent without `group_wait`.
    pub(super) urgent: bool,
    #[serde(default)]
    pub(super) history: Vec<HistoryEntry>,
}

/// Identifies one alert from its beginning to its end; the same fingerprint may fire again later.
pub(super) fn alert_id(alert: &Alert) -> String {
    format!("{}-{}", alert.fingerprint, alert.starts_at.as_second())
}

impl Group {
    pub(super) fn new(id: String, labels: Labels, started_at: Timestamp) -> Self {
        Self {
            id,
            labels,
            started_at,
            ended_at: None,
            acknowledged: None,
            alerts: BTreeMap::new(),
            log: BTreeMap::new(),
            closed_at: None,
            urgent: false,
            history: Vec::new(),
        }
    }

    pub(super) fn is_firing(&self) -> bool {
        self.alerts.values().any(|alert| alert.ended_at.is_none())
    }

    /// Whether an alert that fires at `now` belongs to this incident.
    pub(super) fn matches(&self, labels: &Labels, now: Timestamp, reopen_within: SignedDuration) -> bool {
        // People follow what flares up again under the name, and in the thread, that they know.
        let reopens = || self.ended_at.is_some_and(|ended| now.duration_since(ended) < reopen_within);
        self.labels == *labels && (self.is_firing() || reopens())
    }

    pub(super) fn add(&mut self, alert: &Alert, receivers: &[String], now: Timestamp) {
        for receiver in receivers {
            self.log.entry(receiver.clone()).or_default();
        }
        let grouped = GroupedAlert {
            alert: Some(alert.clone()),
            arrived_at: now,
            receivers: receivers.iter().cloned().collect(),
            ended_at: None,
        };
        if self.ended_at.take().is_some() {
            self.closed_at = None;
            self.record(now, HistoryEvent::Reopened);
            // The person who took care of it may have left: somebody has to take over again.
            self.acknowledged = None;
        }
        self.alerts.insert(alert_id(alert), grouped);
    }

    pub(super) fn incident(&self, ended_at: Option<Timestamp>) -> Incident {
        Incident { id: self.id.clone(), started_at: self.started_at, ended_at }
    }

    /// What `receiver` has not been notified of. Alerts in `suppressed` do not count as new.
    pub(super) fn pending(&self, receiver: &str, suppressed: &BTreeSet<String>) -> Pending {
        let mut pending = Pending::default();
        let Some(entry) = self.log.get(receiver) else { return pending };
        for (id, alert) in &self.alerts {
            let notified = entry.firing.contains(id);
            let addressed = alert.receivers.contains(receiver);
            if alert.ended_at.is_none() {
                let visible = addressed && !suppressed.contains(id);
                pending.unsuppressed |= visible;
                if visible && !notified {
                    pending.new_firing.insert(id.clone());
                }
                // An alert that was silenced after its notification stays in the list: it has not resolved.
                if visible || notified {
                    pending.firing.insert(id.clone());
                }
            } else if notified {
                pending.resolved.insert(id.clone());
            } else if entry.undelivered.contains(id) {
                // It was due, but the receiver was down until it resolved: one message reports both.
                pending.missed.insert(id.clone());
            }
            // An alert that resolved within `group_wait` was never due: nobody hears of it.
        }
        pending
    }

    pub(super) fn timers(&self, routing: &Routing, receiver: &str) -> GroupTimers {
        let of = |alert: &GroupedAlert| Some(routing.timers(receiver, &alert.alert.as_ref()?.labels));
        let addressed = self.alerts.values().filter(|alert| alert.receivers.contains(receiver));
        // Firing alerts decide: a resolved critical alert must not speed up the reminders of a warning.
        let firing = addressed.clone().filter(|alert| alert.ended_at.is_none()).filter_map(of);
        let timers =
            firing.reduce(GroupTimers::shortest).or_else(|| addressed.filter_map(of).reduce(GroupTimers::shortest));
        timers.unwrap_or_else(|| routing.timers(receiver, &self.labels))
    }

    /// When `receiver` is due to get `pending`, or a reminder; none while there is nothing to send.
    pub(super) fn due_at(&self, routing: &Routing, receiver: &str, pending: &Pending) -> Option<Timestamp> {
        let entry = self.log.get(receiver)?;
        let timers = self.timers(routing, receiver);
        let after = |time: Timestamp, wait| time.checked_add(wait).unwrap_or(Timestamp::MAX);
        // `group_interval` keeps two messages about one incident apart, whatever their reason.
        let spaced = entry.notified_at.map_or(Timestamp::MIN, |notified| after(notified, timers.interval));
        // `group_wait` gathers alerts that belong together into one message.
        let waited = |id: &String| {
            let arrived = self.alerts.get(id).map_or(Timestamp::MIN, |alert| alert.arrived_at);
            if self.urgent { arrived } else { after(arrived, timers.wait) }
        };
        let new_firing = pending.new_firing.iter().map(waited).min().map(|waited| waited.max(spaced));
        // The end is reported at once: people who work on an incident want to know.
        let ended = (pending.ended().next().is_some()).then(|| {
            let ended = pending.ended().filter_map(|id| self.alerts.get(id)?.ended_at).min();
            ended.unwrap_or(Timestamp::MIN).max(spaced)
        });
        // No reminders once somebody has acknowledged, except where the other side forgets what is not sent again.
        let reminds = self.acknowledged.is_none() || routing.resend_interval(receiver).is_some();
        let notified = entry.notified_at.filter(|_| reminds && !entry.firing.is_empty() && pending.unsuppressed);
        let reminder = notified.map(|notified| after(notified, timers.repeat));
        let due = [new_firing, ended, reminder].into_iter().flatten().min()?;
        // A message that was refused in every form waits; one with other content does not.
        let held = entry.refusal_of(pending).and_then(super::refusal::Refusal::held_until);
        Some(due.max(held.unwrap_or(Timestamp::MIN)))
    }
}
