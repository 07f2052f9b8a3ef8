//! [`Dispatcher`]: who is to be told what, now? A pure state machine with Alertmanager's semantics: time is an argument,
//! and nothing is sent here.
//!
//! ```text
//!   take(transition) --> Group (incident): members (alerts) x threads (receivers: what each knows, what it is owed)
//!   tick(now)        --> for each thread: news? due? in its hours? receiver ready? --> Notification, one per receiver
//!   attempted(...)   --> the thread knows, or its receiver waits and is tried again with what is true by then
//! ```
//!
//! It is driven by levels and not by edges: a receiver that was down is told of each incident as it is when it comes back,
//! and not of all that happened meanwhile. Whatever changed is saved by [`Dispatcher::save`] in the commit that takes the
//! transitions out of the outbox; what is in flight is not, so that after a crash it goes out again, under the same key.

mod group;
mod name;
mod notification_log;
mod plan;
mod receiver_state;
mod saved;
mod view;

#[cfg(test)]
mod tests;

pub use view::{AlertEntry, IncidentView, Telling};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::matcher::{Labels, Matcher};
use super::routing::Routing;
use super::silence::Silence;
use super::{Acknowledged, NotifyError};
use crate::alert::{Alert, Status, Transition};
use group::{Group, member_id};
use receiver_state::Receiving;

/// Operational alerts about receivers: one that cannot be told for good, and one that cannot for some time.
pub const FAILED: &str = "ReceiverFailed";
pub const UNREACHABLE: &str = "ReceiverUnreachable";
/// Operational alert: of those behind a receiver some were told and some were not.
pub const IN_PART: &str = "ReceiverToldInPart";

/// What became of an attempt: told, perhaps with a complaint, or not.
pub type Outcome = Result<Option<String>, NotifyError>;

/// How long incidents that are over, and silences that have ended, can still be looked up.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// As many of them, at most.
const MOST_KEPT: usize = 500;
const LONGEST_SILENCE: Duration = Duration::from_secs(400 * 86_400);

/// Why something that was asked for is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("there is no incident {0}; `vigie alerts list --all` shows those there are")]
    NoIncident(String),
    #[error("the incident {0} is over: there is nothing to acknowledge")]
    Over(String),
    #[error("there is no silence {0} that has not ended")]
    NoSilence(String),
    #[error(
        "a silence needs at least one matcher, such as topic=\"Air Paradis\"; one that matches everything is alertname=~\".*\""
    )]
    NoMatcher,
    #[error("a silence lasts from 1 minute to 400 days")]
    Length,
}

/// A notification on its way.
#[derive(Debug, Clone, PartialEq)]
struct Flight {
    key: String,
    incident: String,
    firing: BTreeSet<String>,
    over: BTreeSet<String>,
    /// Incidents missed before, told by the same message.
    also: Vec<(String, BTreeSet<String>)>,
}

/// What is in memory and not yet in the store.
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
    receiving: BTreeMap<String, Receiving>,
    flights: BTreeMap<String, Flight>,
    dirty: Dirty,
}

impl Dispatcher {
    /// Takes a transition; one that was taken before changes nothing.
    pub fn take(&mut self, transition: &Transition, now: Timestamp) {
        match transition.status {
            Status::Firing => {
                for destination in self.routing.destinations(&transition.alert.labels, now) {
                    self.begin(&transition.alert, destination.group, &destination.receivers, now, false);
                }
            }
            Status::Resolved => self.end(&transition.alert, now),
        }
    }

    /// Takes a transition that all receivers are to be told of at once, as it cannot be stored.
    pub fn take_urgent(&mut self, transition: &Transition, now: Timestamp) {
        let receivers: Vec<String> = self.routing.receivers.iter().map(|receiver| receiver.name.clone()).collect();
        let destinations = self.routing.destinations(&transition.alert.labels, now);
        if let Some(first) = destinations.into_iter().next() {
            self.begin(&transition.alert, first.group, &receivers, now, true);
        }
    }

    fn begin(&mut self, alert: &Alert, labels: Labels, receivers: &[String], now: Timestamp, urgent: bool) {
        let member = member_id(alert);
        let known = |group: &&Group| group.labels == labels && group.members.contains_key(&member);
        if self.groups.values().any(|group| known(&group)) {
            return;
        }
        let interval = self.routing.notify.group_interval;
        let open = self.groups.values().find(|group| group.takes(&labels, now, interval)).map(|group| group.id.clone());
        let id = open.unwrap_or_else(|| {
            let id = self.name(&labels, alert.starts_at);
            self.groups.insert(id.clone(), Group::new(id.clone(), labels, alert.starts_at));
            id
        });
        let Some(group) = self.groups.get_mut(&id) else { return };
        group.join(alert, receivers, now);
        group.urgent |= urgent;
        self.dirty.alerts.insert((id.clone(), member));
        self.dirty.groups.insert(id);
    }

    fn end(&mut self, alert: &Alert, now: Timestamp) {
        let member_id = member_id(alert);
        for group in self.groups.values_mut() {
            let Some(member) = group.members.get_mut(&member_id).filter(|member| member.ended_at.is_none()) else {
                continue;
            };
            member.ended_at = Some(alert.ends_at.unwrap_or(now));
            member.alert = Some(alert.clone());
            if !group.is_firing() {
                group.ended_at = Some(now);
            }
            self.dirty.alerts.insert((group.id.clone(), member_id.clone()));
            self.dirty.groups.insert(group.id.clone());
        }
        self.close(now);
    }

    fn name(&self, labels: &Labels, started_at: Timestamp) -> String {
        let of: Vec<String> = labels.iter().map(|(name, value)| format!("{name}\u{ff}{value}")).collect();
        let of = format!("{}\u{ff}{}", of.join("\u{ff}"), started_at.as_second());
        let prefix = name::prefix(labels.values().next().map(String::as_str));
        name::short(&prefix, &of, |name| self.groups.contains_key(name))
    }

    /// What became of the notification that went to `receiver` under `key`; told, there may be a
    /// [`complaint`](crate::notify::Notifier::complaint).
    pub fn attempted(&mut self, receiver: &str, key: &str, outcome: &Outcome, now: Timestamp) {
        let Some(flight) = self.flights.remove(receiver) else { return };
        if flight.key != key {
            self.flights.insert(receiver.to_owned(), flight);
            return;
        }
        let receiving = self.receiving.entry(receiver.to_owned()).or_default();
        self.dirty.receivers.insert(receiver.to_owned());
        match outcome {
            Ok(complaint) => receiving.succeeded(complaint.clone()),
            Err(error) => return receiving.failed(error, key, now),
        }
        if let Some(group) = self.groups.get_mut(&flight.incident)
            && let Some(thread) = group.threads.get_mut(receiver)
        {
            thread.was_told(&flight.firing, &flight.over, now);
            group.told_over |= flight.firing.is_empty();
            self.dirty.groups.insert(flight.incident);
        }
        for (incident, over) in flight.also {
            if let Some(thread) = self.groups.get_mut(&incident).and_then(|group| group.threads.get_mut(receiver)) {
                thread.settle(&BTreeSet::new(), &over);
                self.dirty.groups.insert(incident);
            }
        }
        self.close(now);
    }

    /// Somebody takes the incident on: no repeats and no escalation from here on.
    ///
    /// # Errors
    /// When there is none that fires.
    pub fn acknowledge(&mut self, id: &str, by: &str, now: Timestamp) -> Result<(), AskError> {
        let id = id.to_ascii_uppercase();
        let group = self.groups.get_mut(&id).ok_or_else(|| AskError::NoIncident(id.clone()))?;
        if !group.is_firing() {
            return Err(AskError::Over(id));
        }
        if group.acknowledged.is_none() {
            group.acknowledged = Some(Acknowledged { by: by.to_owned(), at: now });
            self.dirty.groups.insert(id);
        }
        Ok(())
    }

    /// Takes an acknowledgement back.
    ///
    /// # Errors
    /// When there is no such incident.
    pub fn unacknowledge(&mut self, id: &str) -> Result<(), AskError> {
        let id = id.to_ascii_uppercase();
        let group = self.groups.get_mut(&id).ok_or_else(|| AskError::NoIncident(id.clone()))?;
        group.acknowledged = None;
        self.dirty.groups.insert(id);
        Ok(())
    }

    /// Silences alerts that match, from `now` on.
    ///
    /// # Errors
    /// When nothing is to match, or it would last too long or not at all.
    pub fn silence(
        &mut self,
        matchers: Vec<Matcher>,
        lasts: Duration,
        by: &str,
        comment: &str,
        now: Timestamp,
    ) -> Result<Silence, AskError> {
        if matchers.is_empty() {
            return Err(AskError::NoMatcher);
        }
        let ends_at = now.checked_add(lasts).map_err(|_| AskError::Length)?;
        if lasts < Duration::from_secs(60) || lasts > LONGEST_SILENCE {
            return Err(AskError::Length);
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
    /// When there is none that has not ended.
    pub fn unsilence(&mut self, id: &str, now: Timestamp) -> Result<(), AskError> {
        let id = id.to_ascii_uppercase();
        match self.silences.get_mut(&id).filter(|silence| silence.ends_at > now) {
            Some(silence) => {
                silence.ends_at = now;
                self.dirty.silences.insert(id);
                Ok(())
            }
            None => Err(AskError::NoSilence(id)),
        }
    }

    /// Goes on under another configuration: alerts that fire are routed anew, receivers that failed are tried at once.
    pub fn reload(&mut self, routing: Routing, now: Timestamp) {
        self.routing = routing;
        self.dirty.routing = true;
        for (name, receiving) in &mut self.receiving {
            if receiving.try_again() {
                self.dirty.receivers.insert(name.clone());
            }
        }
        self.reroute(now);
    }

    fn reroute(&mut self, now: Timestamp) {
        let Self { routing, groups, dirty, .. } = self;
        for group in groups.values_mut().filter(|group| group.closed_at.is_none()) {
            group.threads.retain(|name, _| routing.receiver(name).is_some());
            for member in group.members.values_mut() {
                let known = |name: &String| routing.receiver(name).is_some();
                member.receivers.retain(known);
                let Some(alert) = member.alert.as_ref().filter(|_| member.ended_at.is_none()) else { continue };
                let told = |name: &String| group.threads.get(name).is_some_and(|it| it.sequence > 0 || it.escalated);
                member.receivers.retain(told);
                let wanted = routing.destinations(&alert.labels, now);
                // Under another `group_by` an alert that fires stays in the incident that it began.
                let wanted = wanted.into_iter().flat_map(|destination| destination.receivers);
                member.receivers.extend(wanted);
                for receiver in &member.receivers {
                    group.threads.entry(receiver.clone()).or_default();
                }
            }
            dirty.groups.insert(group.id.clone());
        }
    }

    /// Operational alerts about receivers, by name and component; no text where all is well.
    pub fn problems(&self, now: Timestamp) -> Vec<(&'static str, String, Option<String>)> {
        let mut problems = Vec::new();
        for (name, receiving) in &self.receiving {
            let configured = self.routing.receiver(name).is_some();
            let failed = receiving.failed_for_good().filter(|_| configured);
            let failed =
                failed.map(|fault| format!("receiver {name} cannot be told of alerts until somebody acts: {fault}"));
            let unreachable = receiving.unreachable(now).filter(|_| configured);
            let unreachable =
                unreachable.map(|(since, fault)| format!("receiver {name} could not be told since {since}: {fault}"));
            let in_part = receiving.complaint().filter(|_| configured);
            let in_part = in_part.map(|complaint| format!("receiver {name} was told in part: {complaint}"));
            problems.push((FAILED, name.clone(), failed));
            problems.push((IN_PART, name.clone(), in_part));
            problems.push((UNREACHABLE, name.clone(), unreachable));
        }
        problems
    }

    /// Closes incidents that nobody is to be told anything of any more.
    fn close(&mut self, now: Timestamp) {
        let nobody = BTreeSet::new();
        for group in self.groups.values_mut() {
            let flies = self.flights.values().any(|flight| {
                flight.incident == group.id || flight.also.iter().any(|(incident, _)| *incident == group.id)
            });
            let done = |group: &Group| group.threads.keys().all(|name| group.news(name, &nobody).is_empty());
            if group.closed_at.is_none() && !group.is_firing() && !flies && done(group) {
                group.closed_at = Some(now);
                self.dirty.groups.insert(group.id.clone());
            }
        }
    }

    /// Lets go of what nobody looks up any more.
    fn expire(&mut self, now: Timestamp) {
        let old = |time: Timestamp| now.duration_since(time) > KEPT;
        let mut closed: Vec<(Timestamp, String)> =
            self.groups.values().filter_map(|group| Some((group.closed_at?, group.id.clone()))).collect();
        closed.sort();
        let surplus = closed.len().saturating_sub(MOST_KEPT);
        for (_, id) in closed.iter().enumerate().filter(|(n, (time, _))| *n < surplus || old(*time)).map(|(_, it)| it) {
            if let Some(group) = self.groups.remove(id) {
                self.dirty.alerts.extend(group.members.into_keys().map(|member| (id.clone(), member)));
                self.dirty.groups.insert(id.clone());
            }
        }
        let ended: Vec<String> =
            self.silences.values().filter(|it| old(it.ends_at)).map(|silence| silence.id.clone()).collect();
        for id in ended {
            self.silences.remove(&id);
            self.dirty.silences.insert(id);
        }
    }

    /// Whether an incident has this alert.
    pub fn knows(&self, alert: &Alert) -> bool {
        let member = member_id(alert);
        self.groups.values().any(|group| group.members.contains_key(&member))
    }

    /// What was to go to `receiver` did not go out.
    pub fn abandon(&mut self, receiver: &str) {
        self.flights.remove(receiver);
    }

    pub fn routing(&self) -> &Routing {
        &self.routing
    }

    /// Whether anything is on its way.
    pub fn is_sending(&self) -> bool {
        !self.flights.is_empty()
    }
}
