//! A dispatcher on a timeline, with receivers that accept notifications, or fail.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::alert::{Alert, AlertContext, Fingerprint, Transition, TransitionKind};
use crate::notify::dispatch::Delivery;
use crate::notify::routing::{Config, Inhibit, Route, Routing};
use crate::notify::{Dispatcher, Notification, NotifyError, ReceiverConfig};
use crate::rule::{Explanation, Measurement};
use crate::store::{Batch, Store};

/// A routing configuration in TOML; receivers without a type are logs.
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
        table.entry("type").or_insert_with(|| "log".into());
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
        quiet_since: None,
        resolves_at: None,
        fired_on: Measurement::default(),
        peak: Measurement::default(),
        peak_at: start(),
        latest: Measurement::default(),
        samples: Vec::new(),
        is_rate: true,
        explanation: Explanation::default(),
        context: AlertContext::default(),
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

pub(super) enum KitEvent {
    Take(Transition),
    Urgent(Transition),
    Silence(String, i64),
}

/// See the module.
pub(super) struct Kit {
    pub(super) dispatcher: Dispatcher,
    /// Future events, by their second.
    coming: BTreeMap<i64, Vec<KitEvent>>,
    /// Alerts that fire after all future events.
    firing: Vec<Alert>,
    at: i64,
    down_until: i64,
    refusing: BTreeSet<String>,
    hanging: BTreeSet<String>,
    /// Whether a receiver refuses a message for its content.
    pub(super) objects: fn(&Notification) -> bool,
    /// Requests made.
    pub(super) requests: usize,
    /// The partial failure that accepting receivers report.
    pub(super) partial_failure: Option<String>,
    /// Every attempted notification.
    pub(super) attempts: Vec<Notification>,
    /// Those that were delivered.
    pub(super) delivered: Vec<(i64, Notification)>,
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
            hanging: BTreeSet::new(),
            objects: |_| false,
            requests: 0,
            partial_failure: None,
            attempts: Vec::new(),
            delivered: Vec::new(),
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
        // Pending that came another way is of the same alert.
        let alert = self.firing.iter().find(|old| old.fingerprint == alert.fingerprint).cloned().unwrap_or(alert);
        self.firing.retain(|old| old.fingerprint != alert.fingerprint);
        self.firing.push(alert.clone());
        self.add(second, KitEvent::Take(Transition { status: TransitionKind::Firing, at: at(second), alert }));
    }

    pub(super) fn urgent(&mut self, second: i64, alert: Alert) {
        let alert = Alert { starts_at: at(second), fired_at: at(second), ..alert };
        self.firing.push(alert.clone());
        self.add(second, KitEvent::Urgent(Transition { status: TransitionKind::Firing, at: at(second), alert }));
    }

    pub(super) fn resolve(&mut self, second: i64, name: &str) {
        let place = self.firing.iter().position(|alert| alert.rule == name).expect("it fires");
        let alert = Alert { ends_at: Some(at(second)), ..self.firing.remove(place) };
        self.add(second, KitEvent::Take(Transition { status: TransitionKind::Resolved, at: at(second), alert }));
    }

    pub(super) fn silence(&mut self, second: i64, matcher: &str, seconds: i64) -> String {
        if second > self.at {
            self.add(second, KitEvent::Silence(matcher.into(), seconds));
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
        self.dispatcher.acknowledge(&id, "ann", "", self.now()).unwrap();
    }

    pub(super) fn fails_until(&mut self, second: i64) {
        self.down_until = second;
    }

    pub(super) fn refuses(&mut self, receiver: &str) {
        self.refusing.insert(receiver.into());
    }

    /// Never answers.
    pub(super) fn hangs(&mut self, receiver: &str) {
        self.hanging.insert(receiver.into());
    }

    pub(super) fn accepts(&mut self) {
        self.refusing.clear();
    }

    fn add(&mut self, second: i64, event: KitEvent) {
        self.coming.entry(second).or_default().push(event);
    }

    /// Lets time pass up to `second`; returns the deliveries, such as `30 log Opened Rate -Volume` (`-`: resolved).
    pub(super) fn play(&mut self, second: i64) -> Vec<String> {
        let before = self.delivered.len();
        self.settle();
        loop {
            let due = self
                .dispatcher
                .next_due(self.now())
                .map(|due| (due.as_millisecond() - start().as_millisecond() + 999).div_euclid(1_000));
            let next = self.coming.keys().next().copied().into_iter().chain(due).min();
            let Some(next) = next.filter(|next| *next <= second) else { break };
            self.at = next.max(self.at);
            for event in self.coming.remove(&next).unwrap_or_default() {
                match event {
                    KitEvent::Take(transition) => self.dispatcher.process(&transition, at(next)),
                    KitEvent::Urgent(transition) => self.dispatcher.process_urgent(&transition, at(next)),
                    KitEvent::Silence(matcher, seconds) => drop(self.silence_now(&matcher, seconds)),
                }
                self.save();
            }
            self.settle();
        }
        self.at = self.at.max(second);
        self.settle();
        self.delivered.iter().skip(before).map(|(second, notification)| line(*second, notification)).collect()
    }

    /// Sends what is due until nothing is.
    fn settle(&mut self) {
        loop {
            let out = self.dispatcher.tick(self.now(), &|_| None);
            self.save();
            if out.is_empty() {
                return;
            }
            for batch in out {
                if self.hanging.contains(&batch.receiver) {
                    continue;
                }
                let sent = if self.refusing.contains(&batch.receiver) {
                    Err(NotifyError::Permanent { reason: "401".into() })
                } else if self.at < self.down_until {
                    Err(NotifyError::Transient { reason: "503".into(), retry_after: None })
                } else if batch.notifications.iter().any(|notification| (self.objects)(notification)) {
                    Err(NotifyError::Rejected { reason: "400".into() })
                } else {
                    self.delivered.extend(batch.notifications.iter().map(|sent| (self.at, sent.clone())));
                    Ok(())
                };
                let delivery = Delivery::new(sent, self.partial_failure.clone());
                let now = self.now();
                self.dispatcher.record_attempt(&batch.receiver, &batch.key, &delivery, now);
                self.attempts.extend(batch.notifications);
                self.requests += 1;
                self.save();
            }
        }
    }

    fn save(&mut self) {
        let Some((_, Some(store))) = &self.store else { return };
        let mut batch = Batch::default();
        self.dispatcher.save(&mut batch).unwrap();
        store.commit(batch).unwrap();
        self.dispatcher.mark_saved();
    }

    /// Restarts the process from the stored state.
    pub(super) fn restart(&mut self) {
        let Some((dir, store)) = &mut self.store else { return };
        drop(store.take());
        let reopened = Store::open(dir.path()).unwrap();
        self.dispatcher = Dispatcher::open(&reopened, self.dispatcher.routing().clone(), at(self.at)).unwrap();
        *store = Some(reopened);
    }

    /// Like [`Kit::restart`], after a notification was sent and before its delivery was recorded.
    pub(super) fn die_while_sending(&mut self) -> Vec<Notification> {
        let out = self.dispatcher.tick(self.now(), &|_| None);
        self.save();
        let out: Vec<Notification> = out.into_iter().flat_map(|batch| batch.notifications).collect();
        self.delivered.extend(out.iter().map(|notification| (self.at, notification.clone())));
        self.restart();
        out
    }

    /// Lets time pass without a tick.
    pub(super) fn play_silently(&mut self, second: i64) {
        self.at = second;
    }

    pub(super) fn last(&self) -> &Notification {
        &self.delivered.last().expect("something was delivered").1
    }

    pub(super) fn sequences(&self) -> Vec<u32> {
        self.delivered.iter().map(|(_, notification)| notification.sequence).collect()
    }

    /// The names of all incidents that were delivered.
    pub(super) fn incidents(&self) -> BTreeSet<String> {
        self.delivered.iter().map(|(_, notification)| notification.incident.id.clone()).collect()
    }
}

fn line(second: i64, notification: &Notification) -> String {
    let alerts = notification
        .alerts
        .iter()
        .map(|alert| format!(" {}{}", if alert.ends_at.is_some() { "-" } else { "" }, alert.rule));
    let mut names: Vec<String> = Vec::new();
    for name in alerts {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    format!("{second} {} {:?}{}", notification.receiver, notification.kind, names.concat())
}
