//! [`Dispatcher`]: which receiver gets which notification, and when. A pure state machine with Alertmanager's
//! semantics: time is an argument, and nothing is sent here.
//!
//! ```text
//!   process(transition) --> Group (incident): alerts, and a notification log entry per receiver
//!   tick(now)           --> per log entry: anything pending? due? within its hours? receiver ready? --> NotificationBatch
//!   record_attempt(..)  --> delivered: the log entry is updated; failed: the receiver backs off;
//!                           refused for its content: this message shrinks, or is held, and nothing else waits
//! ```
//!
//! Notifications follow the state of an incident, not its events: a receiver that was down gets the current state of
//! each incident once it is back, not every change in between. [`Dispatcher::save`] writes all changes in the commit
//! that removes the transitions from the outbox. What is in flight is not saved, so that it is sent again after a
//! crash, under the same key.

mod group;
mod name;
mod notification_log;
mod plan;
mod receiver_state;
mod refusal;
mod saved;
mod view;

#[cfg(test)]
mod tests;

pub use view::{AlertEntry, DeliveryView, IncidentView};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::matcher::{Labels, Matcher};
use super::routing::Routing;
use super::silence::Silence;
use super::{Acknowledged, MessageForm, NotifyError};
use crate::alert::{Alert, OperationalAlert, Transition, TransitionKind};
use group::{Group, alert_id};
use receiver_state::{ReceiverState, RefusalVerdict};
use refusal::Refusal;

/// The outcome of one attempt to deliver a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    Delivered,
    /// Delivered to some recipients, and why not to the others.
    Partial(String),
    Failed(NotifyError),
}

impl Delivery {
    /// The outcome of [`Notifier::notify`](super::Notifier::notify), with what it left undelivered.
    pub fn new(sent: Result<(), NotifyError>, partial_failure: Option<String>) -> Self {
        match (sent, partial_failure) {
            (Err(error), _) => Self::Failed(error),
            (Ok(()), Some(reason)) => Self::Partial(reason),
            (Ok(()), None) => Self::Delivered,
        }
    }
}

/// How long closed incidents and expired silences can still be looked up.
const RETENTION: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Closed incidents kept at most.
const MAX_CLOSED: usize = 500;
const MIN_SILENCE: Duration = Duration::from_secs(60);
const MAX_SILENCE: Duration = Duration::from_secs(400 * 86_400);

/// Why a request about incidents or silences is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlertQueryError {
    #[error("unknown incident {0}; `vigie alerts list --all` lists all incidents")]
    NoIncident(String),
    #[error("incident {0} is already resolved: there is nothing to acknowledge")]
    AlreadyResolved(String),
    #[error("unknown or expired silence {0}")]
    NoSilence(String),
    #[error(
        "a silence needs at least one matcher, such as topic=\"Air Paradis\"; alertname=~\".*\" matches every alert"
    )]
    NoMatcher,
    #[error("a silence must last from 1 minute to 400 days")]
    SilenceLength,
}

/// A request that is being sent.
#[derive(Debug, Clone, PartialEq)]
struct InFlight {
    key: String,
    messages: Vec<InFlightMessage>,
}

/// The message about one incident in it.
#[derive(Debug, Clone, PartialEq)]
struct InFlightMessage {
    incident: String,
    form: MessageForm,
    firing: BTreeSet<String>,
    ended: BTreeSet<String>,
    /// Alerts of earlier incidents that the same message reports as missed.
    missed: Vec<(String, BTreeSet<String>)>,
}

/// Changes that are not in the store yet.
#[derive(Debug, Default)]
struct Dirty {
    groups: BTreeSet<String>,
    alerts: BTreeSet<(String, String)>,
    receivers: BTreeSet<String>,
    silences: BTreeSet<String>,
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
        let interval = self.routing.notify.group_interval;
        let open =
            self.groups.values().find(|group| group.matches(&labels, now, interval)).map(|group| group.id.clone());
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
            }
            self.dirty.alerts.insert((group.id.clone(), alert_id.clone()));
            self.dirty.groups.insert(group.id.clone());
        }
        self.close_finished(now);
    }

    fn incident_id(&self, labels: &Labels, started_at: Timestamp) -> String {
        let of: Vec<String> = labels.iter().map(|(name, value)| format!("{name}\u{ff}{value}")).collect();
        let of = format!("{}\u{ff}{}", of.join("\u{ff}"), started_at.as_second());
        let prefix = name::prefix(labels.values().next().map(String::as_str));
        name::short(&prefix, &of, |name| self.groups.contains_key(name))
    }

    /// Records the outcome of the request that was sent to `receiver` under `key`.
    pub fn record_attempt(&mut self, receiver: &str, key: &str, delivery: &Delivery, now: Timestamp) {
        let Some(sent) = self.in_flight.remove(receiver) else { return };
        // A late answer to an earlier attempt says nothing about the current one.
        if sent.key != key {
            self.in_flight.insert(receiver.to_owned(), sent);
            return;
        }
        let state = self.receiver_states.entry(receiver.to_owned()).or_default();
        self.dirty.receivers.insert(receiver.to_owned());
        match delivery {
            Delivery::Delivered => state.record_success(None),
            // Some recipients have it: sending it again would reach them twice.
            Delivery::Partial(reason) => state.record_success(Some(reason.clone())),
            Delivery::Failed(error @ NotifyError::Rejected { .. }) => {
                return self.record_refusal(receiver, &sent, error, now);
            }
            // The log entry stays as it was, so that the next tick sends the state of then.
            Delivery::Failed(error) => return state.record_failure(error, key, now),
        }
        for message in sent.messages {
            if let Some(group) = self.groups.get_mut(&message.incident)
                && let Some(entry) = group.log.get_mut(receiver)
            {
                entry.record_delivered(&message.firing, &message.ended, now);
                group.resolved_sent |= message.firing.is_empty();
                self.dirty.groups.insert(message.incident);
            }
            for (incident, ended) in message.missed {
                if let Some(entry) = self.groups.get_mut(&incident).and_then(|group| group.log.get_mut(receiver)) {
                    entry.clear_undelivered(&BTreeSet::new(), &ended);
                    self.dirty.groups.insert(incident);
                }
            }
        }
        self.close_finished(now);
    }

    /// A request was refused for its content.
    fn record_refusal(&mut self, receiver: &str, sent: &InFlight, error: &NotifyError, now: Timestamp) {
        let incidents: Vec<&str> = sent.messages.iter().map(|message| message.incident.as_str()).collect();
        let is_last = sent.messages.iter().all(|message| message.form.smaller().is_none());
        let state = self.receiver_states.entry(receiver.to_owned()).or_default();
        match state.record_refusal(&incidents, is_last) {
            RefusalVerdict::SplitBatch => {}
            RefusalVerdict::Message => {
                for message in &sent.messages {
                    let Some(group) = self.groups.get_mut(&message.incident) else { continue };
                    let Some(entry) = group.log.get_mut(receiver) else { continue };
                    let content = (&message.firing, &message.ended);
                    entry.refusal = Some(Refusal::new(content, message.form, &error.to_string(), now));
                    self.dirty.groups.insert(message.incident.clone());
                }
            }
            RefusalVerdict::Receiver => {
                state.record_failure(error, &sent.key, now);
                self.clear_refusals(receiver);
            }
        }
    }

    /// Releases the messages that `receiver` refused: its fault, or the configuration, may have changed.
    fn clear_refusals(&mut self, receiver: &str) {
        for group in self.groups.values_mut() {
            let entry = group.log.get_mut(receiver);
            if entry.is_some_and(|entry| entry.refusal.take().is_some()) {
                self.dirty.groups.insert(group.id.clone());
            }
        }
    }

    /// Acknowledges an incident: no reminders and no escalation from now on.
    ///
    /// # Errors
    /// When no such incident is firing.
    pub fn acknowledge(&mut self, id: &str, by: &str, now: Timestamp) -> Result<(), AlertQueryError> {
        let id = id.to_ascii_uppercase();
        let group = self.groups.get_mut(&id).ok_or_else(|| AlertQueryError::NoIncident(id.clone()))?;
        if !group.is_firing() {
            return Err(AlertQueryError::AlreadyResolved(id));
        }
        // The first acknowledgement stands: messages name the person who really took over.
        if group.acknowledged.is_none() {
            group.acknowledged = Some(Acknowledged { by: by.to_owned(), at: now });
            self.dirty.groups.insert(id);
        }
        Ok(())
    }

    /// Withdraws an acknowledgement.
    ///
    /// # Errors
    /// When the incident does not exist.
    pub fn unacknowledge(&mut self, id: &str) -> Result<(), AlertQueryError> {
        let id = id.to_ascii_uppercase();
        let group = self.groups.get_mut(&id).ok_or_else(|| AlertQueryError::NoIncident(id.clone()))?;
        group.acknowledged = None;
        self.dirty.groups.insert(id);
        Ok(())
    }

    /// Silences matching alerts for `duration`, from `now` on.
    ///
    /// # Errors
    /// Without a matcher, or when the duration is too short or too long.
    pub fn silence(
        &mut self,
        matchers: Vec<Matcher>,
        duration: Duration,
        by: &str,
        comment: &str,
        now: Timestamp,
    ) -> Result<Silence, AlertQueryError> {
        if matchers.is_empty() {
            return Err(AlertQueryError::NoMatcher);
        }
        let ends_at = now.checked_add(duration).map_err(|_| AlertQueryError::SilenceLength)?;
        if !(MIN_SILENCE..=MAX_SILENCE).contains(&duration) {
            return Err(AlertQueryError::SilenceLength);
        }
        let of = format!("{matchers:?} {now} {by}");
        let id = name::short("S", &of, |name| self.silences.contains_key(name));
        let silence =
            Silence { id: id.clone(), matchers, starts_at: now, ends_at, by: by.into(), comment: comment.into() };
        self.silences.insert(id.clone(), silence.clone());
        self.dirty.silences.insert(id);
        Ok(silence)
    }

    /// Ends a silence now.
    ///
    /// # Errors
    /// When no such silence is active.
    pub fn unsilence(&mut self, id: &str, now: Timestamp) -> Result<(), AlertQueryError> {
        let id = id.to_ascii_uppercase();
        match self.silences.get_mut(&id).filter(|silence| silence.ends_at > now) {
            Some(silence) => {
                silence.ends_at = now;
                self.dirty.silences.insert(id);
                Ok(())
            }
            None => Err(AlertQueryError::NoSilence(id)),
        }
    }

    /// Switches to a new configuration: firing alerts are routed again, failing receivers are retried at once.
    pub fn reload(&mut self, routing: Routing, now: Timestamp) {
        self.routing = routing;
        self.dirty.routing = true;
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
        let open = self.groups.values().filter(|group| group.closed_at.is_none());
        open.filter_map(|group| Some((group, group.log.get(receiver)?.given_up()?)))
            .map(|(group, error)| format!("receiver {receiver} refuses a message about incident {}: {error}", group.id))
            .next()
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

    /// The request to `receiver` was not sent after all.
    pub fn cancel_in_flight(&mut self, receiver: &str) {
        self.in_flight.remove(receiver);
    }

    pub fn routing(&self) -> &Routing {
        &self.routing
    }

    /// Whether a request is in flight.
    pub fn is_sending(&self) -> bool {
        !self.in_flight.is_empty()
    }
}
