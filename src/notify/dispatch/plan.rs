//! [`Dispatcher::tick`]: what goes out now, and when to look next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::group::Group;
use super::notification_log::News;
use super::{Dispatcher, Flight};
use crate::alert::Alert;
use crate::notify::matcher::Labels;
use crate::notify::{Kind, Notification};

/// Alerts of incidents that were missed, shown in one message at most.
const MOST_MISSED: usize = 10;

/// Why an alert is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Suppressed {
    /// By the silence of this name.
    Silenced(String),
    /// By the incident of this name.
    Inhibited(String),
}

/// A thread whose time has come.
struct Candidate {
    /// The more, the more severe.
    severity: u8,
    due: Timestamp,
    incident: String,
    news: News,
}

/// Critical before warning before anything else.
pub(super) fn severity(labels: &Labels) -> u8 {
    match labels.get("severity").map(String::as_str) {
        Some("critical" | "page") => 2,
        Some("warning") => 1,
        _ => 0,
    }
}

impl Dispatcher {
    /// What is to be sent now: at most one notification for each receiver that has none on its way. `current` gives an
    /// alert as it is now, where it still fires. Each notification is to be answered by [`Dispatcher::attempted`].
    pub fn tick(&mut self, now: Timestamp, current: &dyn Fn(&Alert) -> Option<Alert>) -> Vec<Notification> {
        self.expire(now);
        self.escalate(now);
        self.give_up(now);
        let mut out = Vec::new();
        for (receiver, mut candidates) in self.candidates(now) {
            let rate = self.routing.receiver(&receiver).map_or(1, |config| config.rate_limit);
            let ready = self.receiving.get(&receiver).is_none_or(|receiving| receiving.ready_at(rate) <= now);
            if !ready || self.flights.contains_key(&receiver) {
                continue;
            }
            candidates.sort_by_key(|it| (Reverse(it.severity), it.due, it.incident.clone()));
            let Some(candidate) = candidates.into_iter().next() else { continue };
            self.refresh(&candidate, current);
            if let Some((notification, flight)) = self.notification(&receiver, &candidate, now) {
                self.receiving.entry(receiver.clone()).or_default().sends(rate, now);
                self.flights.insert(receiver, flight);
                out.push(notification);
            }
        }
        self.close(now);
        out
    }

    /// Threads that are due and in their hours, by receiver; those that are due are owed from here on.
    fn candidates(&mut self, now: Timestamp) -> BTreeMap<String, Vec<Candidate>> {
        let suppressed = self.suppressed(now);
        let mut candidates: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
        let Self { groups, routing, dirty, .. } = self;
        for group in groups.values_mut().filter(|group| group.closed_at.is_none()) {
            let quiet = ids_of(&suppressed, &group.id);
            let receivers: Vec<String> = group.threads.keys().cloned().collect();
            for receiver in receivers {
                let news = group.news(&receiver, &quiet);
                let Some(due) = group.due(routing, &receiver, &news).filter(|due| *due <= now) else { continue };
                let labels: Vec<&Labels> = labels_of(group, &news).collect();
                let in_hours =
                    labels.iter().any(|labels| routing.active_from(&receiver, labels, now).is_some_and(|at| at <= now));
                let severity = labels.iter().map(|labels| severity(labels)).max().unwrap_or_default();
                let Some(thread) = group.threads.get_mut(&receiver) else { continue };
                let before = thread.clone();
                thread.owed.extend(news.fresh.iter().cloned());
                if !news.is_empty() {
                    thread.owed_since.get_or_insert(now);
                }
                if in_hours {
                    thread.asked_at.get_or_insert(now);
                    let incident = group.id.clone();
                    candidates.entry(receiver).or_default().push(Candidate { severity, due, incident, news });
                }
                if *thread != before {
                    dirty.groups.insert(group.id.clone());
                }
            }
        }
        candidates
    }

    /// Why alerts are not told at `now`, by incident and member.
    pub(super) fn suppressed(&self, now: Timestamp) -> BTreeMap<(String, String), Suppressed> {
        let firing = || {
            self.groups.values().flat_map(|group| {
                let firing = group.members.iter().filter(|(_, member)| member.ended_at.is_none());
                firing.filter_map(move |(id, member)| Some((group, id, &member.alert.as_ref()?.labels)))
            })
        };
        let mut suppressed = BTreeMap::new();
        for (group, id, labels) in firing() {
            let silence = self.silences.values().find(|silence| silence.holds(labels, now));
            let why = match silence {
                Some(silence) => Some(Suppressed::Silenced(silence.id.clone())),
                None if self.routing.inhibits.is_empty() => None,
                None => firing()
                    .find(|(_, source, by)| *source != id && self.routing.inhibits(by, labels))
                    .map(|(source, ..)| Suppressed::Inhibited(source.id.clone())),
            };
            suppressed.extend(why.map(|why| ((group.id.clone(), id.clone()), why)));
        }
        suppressed
    }

    /// Adds receivers to incidents that nobody acknowledged in time.
    fn escalate(&mut self, now: Timestamp) {
        let suppressed = self.suppressed(now);
        let Self { groups, routing, dirty, .. } = self;
        for group in groups.values_mut().filter(|group| group.closed_at.is_none() && group.acknowledged.is_none()) {
            let due: Vec<Escalation> = escalations(group, routing, &suppressed).filter(|it| it.at <= now).collect();
            for Escalation { to, members, .. } in due {
                let thread = || super::notification_log::Thread { escalated: true, ..Default::default() };
                group.threads.entry(to.clone()).or_insert_with(thread);
                for id in members {
                    if let Some(member) = group.members.get_mut(&id) {
                        member.receivers.insert(to.clone());
                    }
                }
                dirty.groups.insert(group.id.clone());
            }
        }
    }

    /// Drops what is over and has been owed for too long.
    fn give_up(&mut self, now: Timestamp) {
        let Self { groups, routing, dirty, flights, .. } = self;
        for group in groups.values_mut().filter(|group| group.closed_at.is_none() && !group.is_firing()) {
            for (name, thread) in &mut group.threads {
                let old = |since: Timestamp| now.duration_since(since) > routing.notify.give_up_after;
                let waits = thread.owed_since.is_some_and(old) && group.ended_at.is_some_and(old);
                if waits && !flights.contains_key(name) {
                    tracing::error!(
                        receiver = name,
                        incident = group.id,
                        "could not be told in time, and is not any more"
                    );
                    (thread.owed_since, thread.owed, thread.firing) = Default::default();
                    dirty.groups.insert(group.id.clone());
                }
            }
        }
    }

    /// Takes what fires as it is now.
    fn refresh(&mut self, candidate: &Candidate, current: &dyn Fn(&Alert) -> Option<Alert>) {
        let Some(group) = self.groups.get_mut(&candidate.incident) else { return };
        for id in &candidate.news.firing {
            let Some(alert) = group.members.get_mut(id).and_then(|member| member.alert.as_mut()) else { continue };
            if let Some(now) = current(alert).filter(|now| super::member_id(now) == *id && now != alert) {
                *alert = now;
                self.dirty.alerts.insert((group.id.clone(), id.clone()));
            }
        }
    }

    fn notification(&self, receiver: &str, candidate: &Candidate, now: Timestamp) -> Option<(Notification, Flight)> {
        let group = self.groups.get(&candidate.incident)?;
        let thread = group.threads.get(receiver)?;
        let news = &candidate.news;
        let firing = news.firing.clone();
        let mut over: BTreeSet<String> = news.over().cloned().collect();
        if firing.is_empty() {
            // The last message tells of everything that was.
            over.extend(thread.known.iter().filter(|id| group.members.contains_key(*id)).cloned());
        }
        let kind = match (firing.is_empty(), thread.sequence) {
            (true, _) => Kind::Resolved,
            (false, 0) if thread.escalated => Kind::Escalated,
            (false, 0) => Kind::Opened,
            (false, _) if news.is_empty() => Kind::Repeated,
            (false, _) => Kind::Changed,
        };
        let alert = |group: &Group, id: &String| group.members.get(id).and_then(|member| member.alert.clone());
        let mut alerts: Vec<Alert> = firing.iter().filter_map(|id| alert(group, id)).collect();
        alerts.sort_by_key(|alert| (Reverse(severity(&alert.labels)), alert.fired_at, alert.fingerprint));
        let mut ended: Vec<Alert> = over.iter().filter_map(|id| alert(group, id)).collect();
        let also = if thread.sequence == 0 { self.missed(receiver, group) } else { Vec::new() };
        for (incident, members) in &also {
            let Some(missed) = self.groups.get(incident) else { continue };
            ended.extend(members.iter().filter_map(|id| alert(missed, id)));
        }
        ended.sort_by_key(|alert| (Reverse(severity(&alert.labels)), Reverse(alert.ends_at), alert.fingerprint));
        ended.truncate(over.len().max(MOST_MISSED));
        alerts.extend(ended);
        let ended_at = alerts.iter().filter_map(|alert| alert.ends_at).max().filter(|_| firing.is_empty());
        let repeats = !firing.is_empty() && (group.acknowledged.is_none() || self.routing.resend(receiver).is_some());
        let repeat = group.pace(&self.routing, receiver).repeat;
        let sequence = thread.sequence;
        let key = key(group, receiver, sequence, kind, &firing, &over);
        let notification = Notification {
            key: key.clone(),
            kind,
            incident: group.incident(ended_at),
            sequence,
            at: now,
            receiver: receiver.to_owned(),
            group: group.labels.clone(),
            alerts,
            acknowledged: group.acknowledged.clone(),
            repeats_at: now.checked_add(repeat).ok().filter(|_| repeats),
            console: self.routing.notify.console.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        };
        Some((notification, Flight { key, incident: group.id.clone(), firing, over, also }))
    }

    /// Earlier incidents of the same group that came and went while `receiver` could not be told.
    fn missed(&self, receiver: &str, of: &Group) -> Vec<(String, BTreeSet<String>)> {
        let none = BTreeSet::new();
        let others = self.groups.values().filter(|group| group.id != of.id && group.labels == of.labels);
        let missed = others.filter(|group| group.closed_at.is_none() && !group.is_firing()).filter_map(|group| {
            let thread = group.threads.get(receiver).filter(|thread| thread.sequence == 0)?;
            let missed = group.news(receiver, &none).missed;
            (!missed.is_empty() && !thread.owed.is_empty()).then(|| (group.id.clone(), missed))
        });
        missed.collect()
    }

    /// The next moment after `now` at which a tick may have something to send; none while nothing can come of itself.
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let suppressed = self.suppressed(now);
        let mut times: Vec<Timestamp> =
            self.silences.values().flat_map(|silence| [silence.starts_at, silence.ends_at]).collect();
        for group in self.groups.values().filter(|group| group.closed_at.is_none()) {
            if group.acknowledged.is_none() {
                times.extend(escalations(group, &self.routing, &suppressed).map(|escalation| escalation.at));
            }
            let quiet = ids_of(&suppressed, &group.id);
            for receiver in group.threads.keys() {
                let news = group.news(receiver, &quiet);
                let Some(due) = group.due(&self.routing, receiver, &news) else { continue };
                times.push(due);
                let rate = self.routing.receiver(receiver).map_or(1, |config| config.rate_limit);
                let ready = self.receiving.get(receiver).map_or(due, |receiving| receiving.ready_at(rate).max(due));
                times.push(ready);
                let hours =
                    labels_of(group, &news).filter_map(|labels| self.routing.active_from(receiver, labels, ready));
                times.extend(hours.min());
            }
        }
        times.into_iter().filter(|time| *time > now).min()
    }
}

/// A receiver that is to be told as well.
struct Escalation {
    at: Timestamp,
    to: String,
    members: Vec<String>,
}

/// The escalations of a group that have not happened.
fn escalations<'a>(
    group: &'a Group,
    routing: &'a crate::notify::routing::Routing,
    suppressed: &'a BTreeMap<(String, String), Suppressed>,
) -> impl Iterator<Item = Escalation> + use<'a> {
    let asked: Vec<(&String, Timestamp)> = group
        .threads
        .iter()
        .filter(|(_, thread)| !thread.escalated)
        .filter_map(|(name, thread)| Some((name, thread.asked_at?)))
        .collect();
    let mut escalations: BTreeMap<String, Escalation> = BTreeMap::new();
    for (id, member) in group.members.iter().filter(|(_, member)| member.ended_at.is_none()) {
        let Some(alert) = &member.alert else { continue };
        if suppressed.contains_key(&(group.id.clone(), id.clone())) {
            continue;
        }
        for (receiver, asked) in asked.iter().filter(|(receiver, _)| member.receivers.contains(*receiver)) {
            let Some(route) = routing.route_to(receiver, &alert.labels) else { continue };
            let Some((to, after)) = route.escalate_to.clone().zip(route.escalate_after) else { continue };
            let Ok(at) = asked.checked_add(after) else { continue };
            if member.receivers.contains(&to) {
                continue;
            }
            let escalation =
                escalations.entry(to.clone()).or_insert_with(|| Escalation { at, to, members: Vec::new() });
            escalation.at = escalation.at.min(at);
            escalation.members.push(id.clone());
        }
    }
    escalations.into_values()
}

fn ids_of(suppressed: &BTreeMap<(String, String), Suppressed>, group: &str) -> BTreeSet<String> {
    suppressed.keys().filter(|(of, _)| of == group).map(|(_, member)| member.clone()).collect()
}

/// Labels of what would be told.
fn labels_of<'a>(group: &'a Group, news: &'a News) -> impl Iterator<Item = &'a Labels> {
    let told = news.firing.iter().chain(news.over());
    told.filter_map(|id| Some(&group.members.get(id)?.alert.as_ref()?.labels))
}

/// The same as long as the same would be told: another truth is another notification, which no receiver may drop.
fn key(
    group: &Group,
    receiver: &str,
    sequence: u32,
    kind: Kind,
    firing: &BTreeSet<String>,
    over: &BTreeSet<String>,
) -> String {
    let told = format!("{receiver} {kind:?} {firing:?} {over:?}");
    let hash = twox_hash::XxHash64::oneshot(0, told.as_bytes());
    format!("{}-{}-{sequence}-{hash:016x}", group.id, group.started_at.as_second())
}
