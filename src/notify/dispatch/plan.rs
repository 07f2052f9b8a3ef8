//! [`Dispatcher::tick`]: which notifications are sent now, and when to look again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Dispatcher;
use super::attempts::{InFlight, InFlightMessage};
use super::escalation::escalations;
use super::group::Group;
use super::next_request::{Candidate, batch_key};
use super::notification_log::Pending;
use super::refusal::Refusal;
use crate::alert::Alert;
use crate::notify::matcher::Labels;
use crate::notify::{Kind, MessageForm, Notification, NotificationBatch};

/// Alerts of missed incidents in one message, at most.
const MAX_MISSED: usize = 10;

/// Why an alert is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Suppressed {
    /// By the silence with this id.
    Silenced(String),
    /// By the incident with this id.
    Inhibited(String),
}

/// Critical first, then warning, then everything else.
pub(super) fn severity(labels: &Labels) -> u8 {
    match labels.get("severity").map(String::as_str) {
        Some("critical" | "page") => 2,
        Some("warning") => 1,
        _ => 0,
    }
}

impl Dispatcher {
    /// The requests to send now: at most one per receiver, and none for a receiver with one in flight. `current` returns the
    /// present state of an alert that still fires. Report each outcome to [`Dispatcher::record_attempt`].
    ///
    /// Every fourth request to a receiver goes to the message that has waited longest, whatever its rank: a message with `n`
    /// others due before it is sent within `4 (n + 1)` requests, however many more severe ones come after it.
    pub fn tick(&mut self, now: Timestamp, current: &dyn Fn(&Alert) -> Option<Alert>) -> Vec<NotificationBatch> {
        self.expire(now);
        self.escalate(now);
        self.give_up(now);
        let mut out = Vec::new();
        for (receiver, mut candidates) in self.candidates(now) {
            let rate = self.routing.receiver(&receiver).map_or(1, |config| config.rate_limit);
            let ready = self.receiver_states.get(&receiver).is_none_or(|state| state.ready_at(rate) <= now);
            // Backing off, over its rate limit, or still busy: the candidates stay due, with the state of a later tick.
            if !ready || self.in_flight.contains_key(&receiver) {
                continue;
            }
            self.pick(&receiver, &mut candidates);
            let resent_within = self.resent_within(&receiver);
            let (mut notifications, mut messages) = (Vec::new(), Vec::new());
            for candidate in &candidates {
                self.refresh(candidate, current);
                let made = self.notification(&receiver, candidate, now);
                let Some((notification, message)) = made else { continue };
                notifications.push(Notification { resent_within, ..notification });
                messages.push(message);
            }
            if notifications.is_empty() {
                continue;
            }
            let key = batch_key(&notifications);
            self.receiver_states.entry(receiver.clone()).or_default().record_send(rate, now);
            self.in_flight.insert(receiver.clone(), InFlight { key: key.clone(), messages, report: None });
            out.push(NotificationBatch { receiver, key, notifications, report: None });
        }
        out.extend(self.due_reports(now));
        self.close_finished(now);
        out
    }

    /// The log entries that are due and within their hours, by receiver. Whatever is due counts as undelivered from
    /// here.
    fn candidates(&mut self, now: Timestamp) -> BTreeMap<String, Vec<Candidate>> {
        let suppressed = self.suppressed(now);
        let mut candidates: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
        let Self { groups, routing, dirty, .. } = self;
        for group in groups.values_mut().filter(|group| group.closed_at.is_none()) {
            let suppressed = suppressed_ids(&suppressed, &group.id);
            let receivers: Vec<String> = group.log.keys().cloned().collect();
            for receiver in receivers {
                let pending = group.pending(&receiver, &suppressed);
                let Some(due) = group.due_at(routing, &receiver, &pending).filter(|due| *due <= now) else { continue };
                let labels: Vec<&Labels> = labels_of(group, &pending).collect();
                // One alert within its hours opens the door for the whole message.
                let active = labels
                    .iter()
                    .any(|labels| routing.next_active_at(&receiver, labels, now).is_some_and(|at| at <= now));
                let severity = labels.iter().map(|labels| severity(labels)).max().unwrap_or_default();
                let Some(entry) = group.log.get_mut(&receiver) else { continue };
                let before = entry.clone();
                // Outside of its hours, too: when they begin, alerts that came and went meanwhile are reported as
                // missed.
                entry.undelivered.extend(pending.new_firing.iter().cloned());
                if !pending.is_empty() {
                    entry.undelivered_since.get_or_insert(now);
                }
                if active {
                    // Escalation counts from here, not from the start of an alert that nobody could see.
                    entry.ack_requested_at.get_or_insert(now);
                    let incident = group.id.clone();
                    let form = entry.refusal_of(&pending).map(Refusal::form).unwrap_or_default();
                    let candidate = Candidate { severity, due, incident, pending, form };
                    candidates.entry(receiver).or_default().push(candidate);
                }
                if *entry != before {
                    dirty.groups.insert(group.id.clone());
                }
            }
        }
        candidates
    }

    /// Which alerts are not sent at `now`, and why, by incident and alert.
    pub(super) fn suppressed(&self, now: Timestamp) -> BTreeMap<(String, String), Suppressed> {
        let firing = || {
            self.groups.values().flat_map(|group| {
                let firing = group.alerts.iter().filter(|(_, grouped)| grouped.ended_at.is_none());
                firing.filter_map(move |(id, grouped)| Some((group, id, &grouped.alert.as_ref()?.labels)))
            })
        };
        let mut suppressed = BTreeMap::new();
        for (group, id, labels) in firing() {
            let silence = self.silences.values().find(|silence| silence.matches(labels, now));
            let why = match silence {
                // A silence was set by a person: it is named before any inhibition.
                Some(silence) => Some(Suppressed::Silenced(silence.id.clone())),
                None if self.routing.inhibits.is_empty() => None,
                // A silenced alert still inhibits others, as in Alertmanager. No alert inhibits itself.
                None => firing()
                    .find(|(_, source, by)| *source != id && self.routing.inhibits(by, labels))
                    .map(|(source, ..)| Suppressed::Inhibited(source.id.clone())),
            };
            suppressed.extend(why.map(|why| ((group.id.clone(), id.clone()), why)));
        }
        suppressed
    }

    /// Drops notifications about resolved incidents that have been undelivered for too long.
    fn give_up(&mut self, now: Timestamp) {
        let Self { groups, routing, dirty, in_flight, .. } = self;
        // A firing incident is never given up: its state is worth knowing however late.
        for group in groups.values_mut().filter(|group| group.closed_at.is_none() && !group.is_firing()) {
            for (name, entry) in &mut group.log {
                let is_old = |since: Timestamp| now.duration_since(since) > routing.notify.give_up_after;
                let expired = entry.undelivered_since.is_some_and(is_old) && group.ended_at.is_some_and(is_old);
                if expired && !in_flight.contains_key(name) {
                    tracing::error!(
                        receiver = name,
                        incident = group.id,
                        "notification dropped: give_up_after exceeded"
                    );
                    (entry.undelivered_since, entry.undelivered, entry.firing) = Default::default();
                    dirty.groups.insert(group.id.clone());
                }
            }
        }
    }

    /// Replaces firing alerts by their present state, so that a message shows the numbers of now.
    fn refresh(&mut self, candidate: &Candidate, current: &dyn Fn(&Alert) -> Option<Alert>) {
        let Some(group) = self.groups.get_mut(&candidate.incident) else { return };
        for id in &candidate.pending.firing {
            let Some(alert) = group.alerts.get_mut(id).and_then(|grouped| grouped.alert.as_mut()) else { continue };
            // The same rule and topic may fire again: only the state of this very alert replaces it.
            if let Some(now) = current(alert).filter(|now| super::alert_id(now) == *id && now != alert) {
                *alert = now;
                self.dirty.alerts.insert((group.id.clone(), id.clone()));
            }
        }
    }

    fn notification(
        &self,
        receiver: &str,
        candidate: &Candidate,
        now: Timestamp,
    ) -> Option<(Notification, InFlightMessage)> {
        let group = self.groups.get(&candidate.incident)?;
        let entry = group.log.get(receiver)?;
        let pending = &candidate.pending;
        let firing = pending.firing.clone();
        let mut ended: BTreeSet<String> = pending.ended().cloned().collect();
        if firing.is_empty() {
            // The last message sums up all alerts that the receiver was ever notified of.
            ended.extend(entry.known.iter().filter(|id| group.alerts.contains_key(*id)).cloned());
        }
        let kind = match (firing.is_empty(), entry.sequence) {
            (true, _) => Kind::Resolved,
            (false, 0) if entry.escalated => Kind::Escalated,
            (false, 0) => Kind::Opened,
            // The last message to this receiver was about the end.
            (false, _) if entry.firing.is_empty() => Kind::Reopened,
            // Due with nothing pending: `repeat_interval` has passed.
            (false, _) if pending.is_empty() => Kind::Repeated,
            (false, _) => Kind::Changed,
        };
        let alert = |group: &Group, id: &String| group.alerts.get(id).and_then(|grouped| grouped.alert.clone());
        let mut alerts: Vec<Alert> = firing.iter().filter_map(|id| alert(group, id)).collect();
        alerts.sort_by_key(|alert| (Reverse(severity(&alert.labels)), alert.fired_at, alert.fingerprint));
        let mut over: Vec<Alert> = ended.iter().filter_map(|id| alert(group, id)).collect();
        // The first message after an outage also reports what was missed, instead of one message for each.
        let missed = if entry.sequence == 0 { self.missed(receiver, group) } else { Vec::new() };
        for (incident, alerts) in &missed {
            let Some(missed) = self.groups.get(incident) else { continue };
            over.extend(alerts.iter().filter_map(|id| alert(missed, id)));
        }
        over.sort_by_key(|alert| (Reverse(severity(&alert.labels)), Reverse(alert.ends_at), alert.fingerprint));
        // The end sums up everything; while something fires, that is what matters.
        over.truncate(if firing.is_empty() { ended.len().max(MAX_MISSED) } else { MAX_MISSED });
        alerts.extend(over);
        let ended_at = alerts.iter().filter_map(|alert| alert.ends_at).max().filter(|_| firing.is_empty());
        let resends = self.routing.resend_interval(receiver).is_some();
        let repeats = !firing.is_empty() && (group.acknowledged.is_none() || resends);
        let repeat = group.timers(&self.routing, receiver).repeat;
        let sequence = entry.sequence;
        let form = candidate.form;
        let notification = Notification {
            key: key(group, receiver, sequence, (kind, form), &firing, &ended),
            kind,
            form,
            incident: group.incident(ended_at),
            sequence,
            at: now,
            receiver: receiver.to_owned(),
            group: group.labels.clone(),
            alerts,
            acknowledged: group.acknowledged.clone(),
            repeats_at: now.checked_add(repeat).ok().filter(|_| repeats),
            resent_within: None,
            console: self.routing.notify.console.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        };
        Some((notification, InFlightMessage { incident: group.id.clone(), kind, form, firing, ended, missed }))
    }

    /// Alerts of earlier incidents of the same group that came and went while `receiver` could not be reached.
    fn missed(&self, receiver: &str, of: &Group) -> Vec<(String, BTreeSet<String>)> {
        let none = BTreeSet::new();
        let others = self.groups.values().filter(|group| group.id != of.id && group.labels == of.labels);
        let missed = others.filter(|group| group.closed_at.is_none() && !group.is_firing()).filter_map(|group| {
            // An incident that was notified before gets its own resolved message.
            let entry = group.log.get(receiver).filter(|entry| entry.sequence == 0)?;
            let missed = group.pending(receiver, &none).missed;
            (!missed.is_empty() && !entry.undelivered.is_empty()).then(|| (group.id.clone(), missed))
        });
        missed.collect()
    }

    /// The next moment after `now` at which a tick may have something to send; none until something else happens.
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let suppressed = self.suppressed(now);
        let mut times: Vec<Timestamp> =
            self.silences.values().flat_map(|silence| [silence.starts_at, silence.ends_at]).collect();
        for group in self.groups.values().filter(|group| group.closed_at.is_none()) {
            if group.acknowledged.is_none() {
                times.extend(escalations(group, &self.routing, &suppressed).map(|escalation| escalation.at));
            }
            let suppressed = suppressed_ids(&suppressed, &group.id);
            for receiver in group.log.keys() {
                let pending = group.pending(receiver, &suppressed);
                let Some(due) = group.due_at(&self.routing, receiver, &pending) else { continue };
                times.push(due);
                let rate = self.routing.receiver(receiver).map_or(1, |config| config.rate_limit);
                let ready = self.receiver_states.get(receiver).map_or(due, |state| state.ready_at(rate).max(due));
                times.push(ready);
                let active = labels_of(group, &pending)
                    .filter_map(|labels| self.routing.next_active_at(receiver, labels, ready));
                times.extend(active.min());
            }
        }
        times.into_iter().filter(|time| *time > now).min()
    }
}

/// The alerts of `group` among `suppressed`.
pub(super) fn suppressed_ids(suppressed: &BTreeMap<(String, String), Suppressed>, group: &str) -> BTreeSet<String> {
    let from = (group.to_owned(), String::new());
    suppressed.range(from..).take_while(|((of, _), _)| of == group).map(|((_, alert), _)| alert.clone()).collect()
}

/// The labels of all alerts of the message.
fn labels_of<'a>(group: &'a Group, pending: &'a Pending) -> impl Iterator<Item = &'a Labels> {
    let ids = pending.firing.iter().chain(pending.ended());
    ids.filter_map(|id| Some(&group.alerts.get(id)?.alert.as_ref()?.labels))
}

/// The key of a notification. It stays the same while the content does, so that a receiver drops duplicates; other
/// content gets another key, so that it drops nothing else.
fn key(
    group: &Group,
    receiver: &str,
    sequence: u32,
    (kind, form): (Kind, MessageForm),
    firing: &BTreeSet<String>,
    ended: &BTreeSet<String>,
) -> String {
    let content = format!("{receiver} {kind:?} {form:?} {firing:?} {ended:?}");
    let hash = twox_hash::XxHash64::oneshot(0, content.as_bytes());
    format!("{}-{}-{sequence}-{hash:016x}", group.id, group.started_at.as_second())
}
