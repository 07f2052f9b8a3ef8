//! [`Dispatcher`]: which receiver gets which notification, and when. A pure state machine with Alertmanager's
//! semantics: time is an argument, and nothing is sent here.
//!
//! ```text
//!   process(transition) --> Group (incident): alerts, and a notification log entry per receiver
//!   tick(now)           --> per log entry: anything pending? due? within its hours? receiver ready? --> NotificationBatch
//!                           no more alerts due: is a report due? --> NotificationBatch
//!   record_attempt(..)  --> delivered: the log entry is updated; failed: the receiver backs off;
//!                           refused for its content: this message shrinks, or is held, and nothing else waits
//! ```
//!
//! Notifications follow the state of an incident, not its events: a receiver that was down gets the current state of
//! each incident once it is back, not every change in between. [`Dispatcher::save`] writes all changes in the commit
//! that removes the transitions from the outbox. What is in flight is not saved, so that it is sent again after a
//! crash, under the same key.

mod actions;
mod attempts;
mod escalation;
mod group;
mod history;
mod name;
mod next_request;
mod notification_log;
mod plan;
mod receiver_state;
mod refusal;
mod reports;
mod saved;
mod view;

#[cfg(test)]
mod tests;

pub use actions::{AlertQueryError, MAX_COMMENT, MAX_NOTE};
pub use attempts::Delivery;
pub use history::{HistoryEntry, HistoryEvent};
pub use view::{AlertEntry, DeliveryView, IncidentView};

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::matcher::Labels;
use super::routing::Routing;
use super::silence::Silence;
use crate::alert::{Alert, OperationalAlert, Transition, TransitionKind};
use attempts::{InFlight, InFlightMessage};
use group::{Group, alert_id};
use receiver_state::ReceiverState;
use reports::ReportState;

/// How long closed incidents and expired silences can still be looked up.
const SHOWN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long they are kept: a weekly report tells of them up to a day after its time.
const RETENTION: SignedDuration = SignedDuration::from_hours(9 * 24);
/// Closed incidents kept at most.
const MAX_CLOSED: usize = 500;

/// Changes that are not in the store yet.
#[derive(Debug, Default)]
struct Dirty {
    groups: BTreeSet<String>,
    alerts: BTreeSet<(String, String)>,
    receivers: BTreeSet<String>,
    silences: BTreeSet<String>,
    reports: BTreeSet<String>,
    routing: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Dispatcher {
    routing: Routing,
    groups: BTreeMap<String, Group>,
    silences: BTreeMap<String, Silence>,
    receiver_states: BTreeMap<String, ReceiverState>,
    in_flight: BTreeMap<String, InFlight>,
    /// By report and receiver.
    reports: BTreeMap<String, ReportState>,
    dirty: Dirty,
}

impl Dispatcher {
    /// Processes a transition; one that was processed before changes nothing.
    pub fn process(&mut self, transition: &Transition, now: Timestamp) {
        match transition.status {
            TransitionKind::Firing => {
                for destination in self.routing.destinations(&transition.alert.labels, now) {
                    self.add_alert(&transition.alert, destination.group, &destination.receivers, now, false);
                }
            }
            TransitionKind::Resolved => self.resolve_alert(&transition.alert, now),
        }
    }

    /// Processes a transition that cannot be stored: it goes to all receivers, at once.
    pub fn process_urgent(&mut self, transition: &Transition, now: Timestamp) {
        let receivers: Vec<String> = self.routing.receivers.iter().map(|receiver| receiver.name.clone()).collect();
        let destinations = self.routing.destinations(&transition.alert.labels, now);
        if let Some(first) = destinations.into_iter().next() {
            self.add_alert(&transition.alert, first.group, &receivers, now, true);
        }
    }

    fn add_alert(&mut self, alert: &Alert, labels: Labels, receivers: &[String], now: Timestamp, urgent: bool) {
        let alert_id = alert_id(alert);
        // The outbox may deliver a transition twice, after a crash.
        let contains = |group: &Group| group.labels == labels && group.alerts.contains_key(&alert_id);
        if self.groups.values().any(contains) {
            return;
        }
        let reopen_within = self.routing.notify.reopen_within;
        let matching = self.groups.values().filter(|group| group.matches(&labels, now, reopen_within));
        // Of several that have ended lately, the last one continues.
        let open = matching.max_by_key(|group| (group.is_firing(), group.ended_at)).map(|group| group.id.clone());
        let id = open.unwrap_or_else(|| {
            let id = self.incident_id(&labels, alert.starts_at);
            self.groups.insert(id.clone(), Group::new(id.clone(), labels, alert.starts_at));
            id
        });
        let Some(group) = self.groups.get_mut(&id) else { return };
        group.add(alert, receivers, now);
        group.urgent |= urgent;
        self.dirty.alerts.insert((id.clone(), alert_id));
        self.dirty.groups.insert(id);
    }

    fn resolve_alert(&mut self, alert: &Alert, now: Timestamp) {
        let alert_id = alert_id(alert);
        // One alert may be in several incidents: routes may group it differently.
        for group in self.groups.values_mut() {
            let Some(grouped) = group.alerts.get_mut(&alert_id).filter(|grouped| grouped.ended_at.is_none()) else {
                continue;
            };
            grouped.ended_at = Some(alert.ends_at.unwrap_or(now));
            grouped.alert = Some(alert.clone());
            if !group.is_firing() {
                group.ended_at = Some(now);
                group.record(now, HistoryEvent::Ended);
            }
            self.dirty.alerts.insert((group.id.clone(), alert_id.clone()));
            self.dirty.groups.insert(group.id.clone());
        }
        self.close_finished(now);
    }

    fn incident_id(&self, labels: &Labels, started_at: Timestamp) -> String {
        let of: Vec<String> = labels.iter().map(|(name, value)| format!("{name}\u{ff}{value}")).collect();
        let of = format!("{}\u{ff}{}", of.join("\u{ff}"), started_at.as_second());
        let prefix = name::prefix(labels.get("topic").or_else(|| labels.values().next()).map(String::as_str));
        name::short(&prefix, &of, |name| self.groups.contains_key(name))
    }

    /// Switches to a new configuration: firing alerts are routed again, failing receivers are retried at once.
    pub fn reload(&mut self, routing: Routing, now: Timestamp) {
        self.routing = routing;
        self.dirty.routing = true;
        self.forget_removed_reports();
        for (name, state) in &mut self.receiver_states {
            if state.reset_backoff() {
                self.dirty.receivers.insert(name.clone());
            }
        }
        for name in self.routing.receivers.iter().map(|receiver| receiver.name.clone()).collect::<Vec<_>>() {
            self.clear_refusals(&name);
        }
        self.reroute(now);
    }

    fn reroute(&mut self, now: Timestamp) {
        let Self { routing, groups, dirty, .. } = self;
        for group in groups.values_mut().filter(|group| group.closed_at.is_none()) {
            group.log.retain(|name, _| routing.receiver(name).is_some());
            for grouped in group.alerts.values_mut() {
                grouped.receivers.retain(|name| routing.receiver(name).is_some());
                // A resolved alert keeps its receivers: they get the end of what they know.
                let Some(alert) = grouped.alert.as_ref().filter(|_| grouped.ended_at.is_none()) else { continue };
                // A receiver that has been notified, or that escalation added, stays until the end.
                let involved = |name: &String| group.log.get(name).is_some_and(|it| it.sequence > 0 || it.escalated);
                grouped.receivers.retain(involved);
                // Under another `group_by` a firing alert stays in the incident that it began.
                let destinations = routing.destinations(&alert.labels, now);
                grouped.receivers.extend(destinations.into_iter().flat_map(|destination| destination.receivers));
                for receiver in &grouped.receivers {
                    group.log.entry(receiver.clone()).or_default();
                }
            }
            dirty.groups.insert(group.id.clone());
        }
    }

    /// The operational alerts about receivers, by component; no text where the alert does not apply.
    pub fn operational_alerts(&self, now: Timestamp) -> Vec<(OperationalAlert, String, Option<String>)> {
        let mut alerts = Vec::new();
        for (name, state) in &self.receiver_states {
            // A receiver that left the configuration has no alerts any more.
            let configured = self.routing.receiver(name).is_some();
            let failed = state.permanent_error().filter(|_| configured);
            let failed = failed.map(|error| format!("receiver {name} rejects notifications: {error}"));
            let unreachable = state.unreachable(now).filter(|_| configured);
            let unreachable =
                unreachable.map(|(since, error)| format!("receiver {name} unreachable since {since}: {error}"));
            let partial = state.partial_failure().filter(|_| configured);
            let partial = partial.map(|reason| format!("receiver {name} notified in part: {reason}"));
            alerts.push((OperationalAlert::NotificationRejected, name.clone(), self.rejected(name)));
            alerts.push((OperationalAlert::ReceiverFailed, name.clone(), failed));
            alerts.push((OperationalAlert::ReceiverPartialDelivery, name.clone(), partial));
            alerts.push((OperationalAlert::ReceiverUnreachable, name.clone(), unreachable));
        }
        alerts
    }

    /// The message that `receiver` refused in every form, and its answer; of several the first.
    fn rejected(&self, receiver: &str) -> Option<String> {
        self.routing.receiver(receiver)?;
        let mut open = self.groups.values().filter(|group| group.closed_at.is_none());
        let rejected = open.find_map(|group| Some((group, group.log.get(receiver)?.given_up()?)));
        let of_incident = rejected.map(|(group, error)| {
            format!("receiver {receiver} refuses a message about incident {}: {error}", group.id)
        });
        of_incident.or_else(|| {
            let (report, error) = self.refused_report(receiver)?;
            Some(format!("receiver {receiver} refuses the report {report}: {error}"))
        })
    }

    /// Closes resolved incidents that no receiver waits for any more.
    fn close_finished(&mut self, now: Timestamp) {
        let none = BTreeSet::new();
        for group in self.groups.values_mut() {
            let is_about = |sent: &InFlightMessage| {
                sent.incident == group.id || sent.missed.iter().any(|(incident, _)| *incident == group.id)
            };
            let in_flight = self.in_flight.values().flat_map(|sent| &sent.messages).any(is_about);
            let finished = |group: &Group| group.log.keys().all(|name| group.pending(name, &none).is_empty());
            if group.closed_at.is_none() && !group.is_firing() && !in_flight && finished(group) {
                group.closed_at = Some(now);
                self.dirty.groups.insert(group.id.clone());
            }
        }
    }

    /// Removes closed incidents and expired silences beyond their retention.
    fn expire(&mut self, now: Timestamp) {
        let is_old = |time: Timestamp| now.duration_since(time) > RETENTION;
        let mut closed: Vec<(Timestamp, String)> =
            self.groups.values().filter_map(|group| Some((group.closed_at?, group.id.clone()))).collect();
        closed.sort();
        let surplus = closed.len().saturating_sub(MAX_CLOSED);
        let removed = closed.iter().enumerate().filter(|(n, (time, _))| *n < surplus || is_old(*time));
        for (_, (_, id)) in removed {
            if let Some(group) = self.groups.remove(id) {
                self.dirty.alerts.extend(group.alerts.into_keys().map(|alert| (id.clone(), alert)));
                self.dirty.groups.insert(id.clone());
            }
        }
        let expired: Vec<String> =
            self.silences.values().filter(|it| is_old(it.ends_at)).map(|silence| silence.id.clone()).collect();
        for id in expired {
            self.silences.remove(&id);
            self.dirty.silences.insert(id);
        }
    }

    /// Whether an incident contains this alert.
    pub fn contains(&self, alert: &Alert) -> bool {
        let id = alert_id(alert);
        self.groups.values().any(|group| group.alerts.contains_key(&id))
    }

    pub fn routing(&self) -> &Routing {
        &self.routing
    }
}
