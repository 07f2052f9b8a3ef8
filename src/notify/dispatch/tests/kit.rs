//! A dispatcher on a timeline, with receivers that take what they are told, or do not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::alert::{Alert, Fingerprint, Status, Story, Transition};
use crate::notify::routing::{Config, Inhibit, Route, Routing};
use crate::notify::{Dispatcher, Notification, NotifyError, ReceiverConfig};
use crate::rule::{Explanation, Measured};
use crate::store::{Batch, Store};

/// A configuration in TOML, where all receivers are logs.
pub(super) fn routing(text: &str) -> Routing {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        notify: toml::Table,
        #[serde(default)]
        receiver: Vec<toml::Table>,
        #[serde(default)]
        route: Vec<Route>,
        #[serde(default)]
        inhibit: Vec<Inhibit>,
    }
    let file: File = toml::from_str(text).unwrap();
    let mut notify = toml::Table::try_from(Config::default()).unwrap();
    notify.extend(file.notify);
    let receiver = |mut table: toml::Table| {
        table.insert("type".into(), "log".into());
        table.try_into::<ReceiverConfig>().unwrap()
    };
    let receivers = file.receiver.into_iter().map(receiver).collect();
    Routing::new(notify.try_into().unwrap(), receivers, file.route, file.inhibit)
}

pub(super) fn start() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(super) fn at(second: i64) -> Timestamp {
    start() + SignedDuration::from_secs(second)
}

fn labelled(name: &str, labels: &[(&str, &str)]) -> Alert {
    let labels: BTreeMap<String, String> =
        [("alertname", name)].iter().chain(labels).map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Alert {
        fingerprint: Fingerprint::of(&labels),
        rule: name.into(),
        topic: labels.get("topic").cloned().unwrap_or_default(),
        labels,
        annotations: BTreeMap::new(),
        starts_at: start(),
        fired_at: start(),
        ends_at: None,
        fired_on: Measured::default(),
        peak: Measured::default(),
        peak_at: start(),
        latest: Measured::default(),
        samples: Vec::new(),
        is_rate: true,
        explanation: Explanation::default(),
        story: Story::default(),
    }
}

pub(super) fn about(name: &str, severity: &str, topic: &str) -> Alert {
    labelled(name, &[("severity", severity), ("topic", topic)])
}

pub(super) fn alert(name: &str, severity: &str) -> Alert {
    about(name, severity, "t")
}

pub(super) fn operational(name: &str, component: &str) -> Alert {
    labelled(name, &[("severity", "warning"), ("component", component)])
}

pub(super) enum Happening {
    Take(Transition),
    Urgent(Transition),
    Silence(String, i64),
}

/// See the module.
pub(super) struct Kit {
    pub(super) dispatcher: Dispatcher,
    /// What is yet to come, by its second.
    coming: BTreeMap<i64, Vec<Happening>>,
    /// Alerts that fire at the end of what is coming.
    firing: Vec<Alert>,
    at: i64,
    down_until: i64,
    refusing: BTreeSet<String>,
    /// What receivers that accept complain of.
    pub(super) complaint: Option<String>,
    /// Every notification that was tried.
    pub(super) attempts: Vec<Notification>,
    /// Those that arrived.
    pub(super) told: Vec<(i64, Notification)>,
    store: Option<(tempfile::TempDir, Option<Store>)>,
}

impl Kit {
    /// Nothing is stored.
    pub(super) fn new(routing: Routing) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let dispatcher = Dispatcher::open(&store, routing, start()).unwrap();
        Self {
            dispatcher,
            coming: BTreeMap::new(),
            firing: Vec::new(),
            at: 0,
            down_until: 0,
            refusing: BTreeSet::new(),
            complaint: None,
            attempts: Vec::new(),
            told: Vec::new(),
            store: None,
        }
    }

    /// Everything is stored after every step.
    pub(super) fn stored(routing: Routing) -> Self {
        let mut kit = Self::new(routing);
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        kit.store = Some((dir, Some(store)));
        kit
    }

    pub(super) fn now(&self) -> Timestamp {
        at(self.at)
    }

    pub(super) fn fire(&mut self, second: i64, alert: Alert) {
        let alert = Alert { starts_at: at(second), fired_at: at(second), ..alert };
        // News that came another way is of the same alert.
        let alert = self.firing.iter().find(|old| old.fingerprint == alert.fingerprint).cloned().unwrap_or(alert);
        self.firing.retain(|old| old.fingerprint != alert.fingerprint);
        self.firing.push(alert.clone());
        self.add(second, Happening::Take(Transition { status: Status::Firing, at: at(second), alert }));
    }

    pub(super) fn urgent(&mut self, second: i64, alert: Alert) {
        let alert = Alert { starts_at: at(second), fired_at: at(second), ..alert };
        self.firing.push(alert.clone());
        self.add(second, Happening::Urgent(Transition { status: Status::Firing, at: at(second), alert }));
    }

    pub(super) fn resolve(&mut self, second: i64, name: &str) {
        let place = self.firing.iter().position(|alert| alert.rule == name).expect("it fires");
        let alert = Alert { ends_at: Some(at(second)), ..self.firing.remove(place) };
        self.add(second, Happening::Take(Transition { status: Status::Resolved, at: at(second), alert }));
    }

    pub(super) fn silence(&mut self, second: i64, matcher: &str, seconds: i64) -> String {
        if second > self.at {
            self.add(second, Happening::Silence(matcher.into(), seconds));
            return String::new();
        }
        self.silence_now(matcher, seconds)
    }

    fn silence_now(&mut self, matcher: &str, seconds: i64) -> String {
        let lasts = Duration::from_secs(seconds as u64);
        let matchers = vec![matcher.parse().unwrap()];
        self.dispatcher.silence(matchers, lasts, "ann", "known", self.now()).unwrap().id
    }

    pub(super) fn acknowledge(&mut self, second: i64) {
        assert!(second >= self.at);
        self.play(second);
        let id = self.last().incident.id.to_lowercase();
        self.dispatcher.acknowledge(&id, "ann", self.now()).unwrap();
    }

    pub(super) fn fails_until(&mut self, second: i64) {
        self.down_until = second;
    }

    pub(super) fn refuses(&mut self, receiver: &str) {
        self.refusing.insert(receiver.into());
    }

    pub(super) fn accepts(&mut self) {
        self.refusing.clear();
    }

    fn add(&mut self, second: i64, happening: Happening) {
        self.coming.entry(second).or_default().push(happening);
    }

    /// Lets time pass up to `second`; returns what arrived, such as `30 log Opened Rate -Volume` (`-`: over).
    pub(super) fn play(&mut self, second: i64) -> Vec<String> {
        let before = self.told.len();
        self.settle();
        loop {
            let due = self
                .dispatcher
                .next_due(self.now())
                .map(|due| (due.as_millisecond() - start().as_millisecond() + 999).div_euclid(1_000));
            let next = self.coming.keys().next().copied().into_iter().chain(due).min();
            let Some(next) = next.filter(|next| *next <= second) else { break };
            self.at = next.max(self.at);
            for happening in self.coming.remove(&next).unwrap_or_default() {
                match happening {
                    Happening::Take(transition) => self.dispatcher.take(&transition, at(next)),
                    Happening::Urgent(transition) => self.dispatcher.take_urgent(&transition, at(next)),
                    Happening::Silence(matcher, seconds) => drop(self.silence_now(&matcher, seconds)),
                }
                self.save();
            }
            self.settle();
        }
        self.at = self.at.max(second);
        self.settle();
        self.told.iter().skip(before).map(|(second, told)| line(*second, told)).collect()
    }

    /// Sends what is due until nothing is.
    fn settle(&mut self) {
        loop {
            let out = self.dispatcher.tick(self.now(), &|_| None);
            self.save();
            if out.is_empty() {
                return;
            }
            for notification in out {
                let outcome = if self.refusing.contains(&notification.receiver) {
                    Err(NotifyError::Permanent { reason: "401".into() })
                } else if self.at < self.down_until {
                    Err(NotifyError::Passing { reason: "503".into(), retry_after: None })
                } else {
                    self.told.push((self.at, notification.clone()));
                    Ok(self.complaint.clone())
                };
                let now = self.now();
                self.dispatcher.attempted(&notification.receiver, &notification.key, &outcome, now);
                self.attempts.push(notification);
                self.save();
            }
        }
    }

    fn save(&mut self) {
        let Some((_, Some(store))) = &self.store else { return };
        let mut batch = Batch::default();
        self.dispatcher.save(&mut batch).unwrap();
        store.commit(batch).unwrap();
        self.dispatcher.saved();
    }

    /// The process ends and another goes on from what is stored.
    pub(super) fn restart(&mut self) {
        let Some((dir, store)) = &mut self.store else { return };
        drop(store.take());
        let reopened = Store::open(dir.path()).unwrap();
        self.dispatcher = Dispatcher::open(&reopened, self.dispatcher.routing().clone(), at(self.at)).unwrap();
        *store = Some(reopened);
    }

    /// As [`Kit::restart`], after a notification was sent and before that was noted.
    pub(super) fn die_while_sending(&mut self) -> Vec<Notification> {
        let out = self.dispatcher.tick(self.now(), &|_| None);
        self.save();
        self.told.extend(out.iter().map(|notification| (self.at, notification.clone())));
        self.restart();
        out
    }

    /// Time passes, and nothing is looked at.
    pub(super) fn play_silently(&mut self, second: i64) {
        self.at = second;
    }

    pub(super) fn last(&self) -> &Notification {
        &self.told.last().expect("something was told").1
    }

    pub(super) fn sequences(&self) -> Vec<u32> {
        self.told.iter().map(|(_, told)| told.sequence).collect()
    }

    /// The names of all incidents that were told.
    pub(super) fn incidents(&self) -> BTreeSet<String> {
        self.told.iter().map(|(_, told)| told.incident.id.clone()).collect()
    }
}

fn line(second: i64, told: &Notification) -> String {
    let alerts =
        told.alerts.iter().map(|alert| format!(" {}{}", if alert.ends_at.is_some() { "-" } else { "" }, alert.rule));
    let mut names: Vec<String> = Vec::new();
    for name in alerts {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    format!("{second} {} {:?}{}", told.receiver, told.kind, names.concat())
}
