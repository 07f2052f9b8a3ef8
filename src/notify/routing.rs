//! [`Routing`]: which receivers an alert goes to, at which hours, with which timers, and what inhibits it.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::digest::DigestConfig;
use super::matcher::{Labels, Matcher};
use super::receiver::ReceiverConfig;
use super::report::ReportConfig;
use super::time_interval::{TimeInterval, first_minute};
use crate::alert::OperationalAlert;

/// `[notify]`: the defaults of all receivers and routes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the console for the links in messages; none where nobody can reach it.
    #[serde(default)]
    pub console: Option<String>,
    /// The time zone of `active_times`, `mute_times`, messages, and the rhythm of topics that state none; an IANA name.
    pub time_zone: String,
    /// A directory of templates that override the embedded ones.
    #[serde(default)]
    pub templates: Option<PathBuf>,
    /// The receivers of alerts that no route matches; all receivers when empty.
    pub receivers: Vec<String>,
    pub group_by: Vec<String>,
    #[serde(with = "crate::duration")]
    pub group_wait: SignedDuration,
    #[serde(with = "crate::duration")]
    pub group_interval: SignedDuration,
    #[serde(with = "crate::duration")]
    pub repeat_interval: SignedDuration,
    /// What flares up again within this time after its end is the same incident, under the same name and in the same thread.
    #[serde(default = "default_reopen_within", with = "crate::duration")]
    pub reopen_within: SignedDuration,
    /// Resolved incidents that could not be delivered within this time are dropped.
    #[serde(with = "crate::duration")]
    pub give_up_after: SignedDuration,
    /// Alerts of severity `info`.
    #[serde(default)]
    pub digest: DigestConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            console: None,
            time_zone: "UTC".into(),
            templates: None,
            receivers: Vec::new(),
            group_by: vec!["topic".into()],
            group_wait: SignedDuration::from_secs(30),
            group_interval: SignedDuration::from_mins(5),
            repeat_interval: SignedDuration::from_hours(12),
            reopen_within: default_reopen_within(),
            give_up_after: SignedDuration::from_hours(72),
            digest: DigestConfig::default(),
        }
    }
}

fn default_reopen_within() -> SignedDuration {
    SignedDuration::from_hours(12)
}

const SEVERITY: &str = "severity";

/// What a route does with an alert outside its hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OffHours {
    /// Notifications are held until the hours begin: then firing alerts are sent, and missed ones are summed up once.
    #[default]
    Hold,
    /// The alert goes to the next matching route, as if this one did not match.
    Next,
}

/// A `[[route]]`. The first that matches gets an alert; later ones only after `continue = true`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// All of them must match; without any, every alert does.
    #[serde(default)]
    pub matchers: Vec<Matcher>,
    pub receivers: Vec<String>,
    #[serde(default, rename = "continue")]
    pub continue_matching: bool,
    #[serde(default)]
    pub group_by: Option<Vec<String>>,
    #[serde(default, with = "crate::duration::optional")]
    pub group_wait: Option<SignedDuration>,
    #[serde(default, with = "crate::duration::optional")]
    pub group_interval: Option<SignedDuration>,
    #[serde(default, with = "crate::duration::optional")]
    pub repeat_interval: Option<SignedDuration>,
    /// The hours of the route; always when empty.
    #[serde(default)]
    pub active_times: Vec<TimeInterval>,
    /// Exceptions from the hours.
    #[serde(default)]
    pub mute_times: Vec<TimeInterval>,
    #[serde(default)]
    pub off_hours: OffHours,
    /// Also notified when nobody has acknowledged `escalate_after` the notification of the receivers was due.
    #[serde(default)]
    pub escalate_to: Option<String>,
    #[serde(default, with = "crate::duration::optional")]
    pub escalate_after: Option<SignedDuration>,
}

/// An `[[inhibit]]`: while a source fires, targets with the same labels are not sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inhibit {
    pub source: Vec<Matcher>,
    pub target: Vec<Matcher>,
    #[serde(default)]
    pub equal: Vec<String>,
}

/// The timers of a group at one receiver: `group_wait`, `group_interval`, `repeat_interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GroupTimers {
    pub(super) wait: SignedDuration,
    pub(super) interval: SignedDuration,
    pub(super) repeat: SignedDuration,
}

impl GroupTimers {
    /// The shorter of both, for each timer.
    pub(super) fn shortest(self, other: Self) -> Self {
        Self {
            wait: self.wait.min(other.wait),
            interval: self.interval.min(other.interval),
            repeat: self.repeat.min(other.repeat),
        }
    }
}

/// The routing tree: receivers, routes, inhibitions and their defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Routing {
    pub notify: Config,
    pub receivers: Vec<ReceiverConfig>,
    pub routes: Vec<Route>,
    pub inhibits: Vec<Inhibit>,
    /// None in a replay, which has no clock to send them by.
    pub reports: Vec<ReportConfig>,
    zone: TimeZone,
}

/// A group, and the receivers that get it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destination {
    pub group: Labels,
    pub receivers: Vec<String>,
}

impl Routing {
    /// Without receivers there is one: the log.
    pub fn new(notify: Config, receivers: Vec<ReceiverConfig>, routes: Vec<Route>, inhibits: Vec<Inhibit>) -> Self {
        let receivers = if receivers.is_empty() { vec![ReceiverConfig::log()] } else { receivers };
        let zone = TimeZone::get(&notify.time_zone).unwrap_or(TimeZone::UTC);
        Self { notify, receivers, routes, inhibits, reports: Vec::new(), zone }
    }

    /// The same, with reports to send.
    #[must_use]
    pub fn with_reports(self, reports: Vec<ReportConfig>) -> Self {
        Self { reports, ..self }
    }

    /// The time zone of hours and messages.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The routes that match an alert with these labels at `now`, in order.
    pub fn matching_routes(&self, labels: &Labels, now: Timestamp) -> Vec<&Route> {
        let mut matching = Vec::new();
        for route in self.routes.iter().filter(|route| Matcher::all(&route.matchers, labels)) {
            if route.off_hours == OffHours::Next && !self.is_active(route, now) {
                continue;
            }
            matching.push(route);
            if !route.continue_matching {
                break;
            }
        }
        matching
    }

    /// Where an alert with these labels goes: one destination for each way it is grouped.
    pub fn destinations(&self, labels: &Labels, now: Timestamp) -> Vec<Destination> {
        let routes = self.matching_routes(labels, now);
        let target = |route: Option<&Route>, receivers| {
            let group_by = route.and_then(|route| route.group_by.as_deref()).unwrap_or(&self.notify.group_by);
            let mut group = group_labels(group_by, labels);
            // Alerts of the digest are separate incidents: they must not add messages to one that people work on.
            if self.is_digest(route, labels) {
                group.extend(labels.get_key_value(SEVERITY).map(|(name, value)| (name.clone(), value.clone())));
            }
            (group, receivers)
        };
        let mut targets: Vec<(Labels, &[String])> =
            routes.iter().map(|route| target(Some(*route), route.receivers.as_slice())).collect();
        // An alert that no route matches goes to the default receivers: none is lost by a gap in the routes.
        let default: Vec<String>;
        if targets.is_empty() {
            default = self.default_receivers();
            targets.push(target(None, &default));
        }
        // A receiver cannot report its own failure: where no other one is addressed, all others are.
        let others: Vec<String>;
        let avoided = Self::avoided_receiver(labels);
        if targets.iter().all(|(_, receivers)| receivers.iter().all(|name| Some(name.as_str()) == avoided)) {
            others = self.receivers.iter().map(|receiver| receiver.name.clone()).collect();
            targets.push(target(None, &others));
        }
        let mut destinations: Vec<Destination> = Vec::new();
        for (group, receivers) in targets {
            let receivers: Vec<String> =
                receivers.iter().filter(|name| Some(name.as_str()) != avoided).cloned().collect();
            if receivers.is_empty() {
                continue;
            }
            // Two routes that group alike make one incident, and a receiver of both gets it once.
            match destinations.iter_mut().find(|destination| destination.group == group) {
                Some(same) => {
                    let new = receivers.into_iter().filter(|name| !same.receivers.contains(name)).collect::<Vec<_>>();
                    same.receivers.extend(new);
                }
                None => destinations.push(Destination { group, receivers }),
            }
        }
        destinations
    }

    fn default_receivers(&self) -> Vec<String> {
        if self.notify.receivers.is_empty() {
            return self.receivers.iter().map(|receiver| receiver.name.clone()).collect();
        }
        self.notify.receivers.clone()
    }

    /// The receiver that an operational alert is about, where the alert must go to the others.
    fn avoided_receiver(labels: &Labels) -> Option<&str> {
        let alert: OperationalAlert = labels.get("alertname")?.parse().ok()?;
        labels.get("component").filter(|_| alert.avoids_its_receiver()).map(String::as_str)
    }

    pub fn receiver(&self, name: &str) -> Option<&ReceiverConfig> {
        self.receivers.iter().find(|receiver| receiver.name == name)
    }

    /// The route that leads an alert with these labels to `receiver`; none for a default receiver.
    pub(super) fn route_to(&self, receiver: &str, labels: &Labels) -> Option<&Route> {
        let leads = |route: &&Route| route.receivers.iter().any(|name| name == receiver);
        self.routes.iter().filter(leads).find(|route| Matcher::all(&route.matchers, labels))
    }

    pub(super) fn timers(&self, receiver: &str, labels: &Labels) -> GroupTimers {
        // A receiver that groups and repeats for itself gets everything at once, and often enough not to forget it.
        if let Some(resend) = self.resend_interval(receiver) {
            return GroupTimers { wait: SignedDuration::ZERO, interval: SignedDuration::ZERO, repeat: resend };
        }
        let route = self.route_to(receiver, labels);
        let Config { digest, group_wait, group_interval, repeat_interval, .. } = &self.notify;
        // An alert of the digest waits for its reading time. Due at once, it is reported even if it ends before.
        let (wait, interval, repeat) = match self.is_digest(route, labels) {
            true => (SignedDuration::ZERO, digest.group_interval, digest.repeat_interval),
            false => (*group_wait, *group_interval, *repeat_interval),
        };
        let timer = |of: fn(&Route) -> Option<SignedDuration>, default| route.and_then(of).unwrap_or(default);
        GroupTimers {
            wait: timer(|route| route.group_wait, wait),
            interval: timer(|route| route.group_interval, interval),
            repeat: timer(|route| route.repeat_interval, repeat),
        }
    }

    /// Whether an alert with these labels, led by `route`, waits for the digest. A route that names a severity, or has
    /// its own hours, overrides the digest.
    pub(super) fn is_digest(&self, route: Option<&Route>, labels: &Labels) -> bool {
        let decides = |route: &Route| {
            let has_hours = !route.active_times.is_empty() || !route.mute_times.is_empty();
            has_hours || route.matchers.iter().any(|matcher| matcher.name() == SEVERITY)
        };
        self.notify.digest.takes(labels) && !route.is_some_and(decides)
    }

    /// How often this receiver needs a firing alert again, acknowledged or not, so as not to forget it.
    pub(super) fn resend_interval(&self, receiver: &str) -> Option<SignedDuration> {
        let resend = self.receiver(receiver)?.integration.resend_interval()?;
        SignedDuration::try_from(resend).ok()
    }

    fn is_active(&self, route: &Route, now: Timestamp) -> bool {
        let contain = |times: &[TimeInterval]| times.iter().any(|time| time.contains(now, &self.zone));
        (route.active_times.is_empty() || contain(&route.active_times)) && !contain(&route.mute_times)
    }

    /// When `receiver` may next be notified of an alert with these labels; none for never.
    pub(super) fn next_active_at(&self, receiver: &str, labels: &Labels, now: Timestamp) -> Option<Timestamp> {
        let route = self.route_to(receiver, labels);
        // A receiver that is sent everything again would forget what is held.
        if self.is_digest(route, labels) && self.resend_interval(receiver).is_none() {
            let times = &self.notify.digest.active_times;
            return first_minute(now, |now| times.iter().any(|time| time.contains(now, &self.zone)));
        }
        match route {
            Some(route) if route.off_hours == OffHours::Hold => first_minute(now, |now| self.is_active(route, now)),
            _ => Some(now),
        }
    }

    /// Whether an alert with the labels `target` is inhibited while one with the labels `source` fires.
    pub(super) fn inhibits(&self, source: &Labels, target: &Labels) -> bool {
        let same = |name: &String| source.get(name) == target.get(name);
        self.inhibits.iter().any(|rule| {
            // Two alerts that match both sides would inhibit each other, and nobody would be notified of either.
            let mutual = Matcher::all(&rule.source, target) && Matcher::all(&rule.target, source);
            Matcher::all(&rule.source, source)
                && Matcher::all(&rule.target, target)
                && !mutual
                && rule.equal.iter().all(same)
        })
    }
}

/// The labels that the alerts of one group share. An alert with none of the `group_by` labels, such as one about vigie
/// itself, is grouped by its component.
fn group_labels(by: &[String], labels: &Labels) -> Labels {
    let pick = |name: &String| labels.get(name).map(|value| (name.clone(), value.clone()));
    let group: Labels = by.iter().filter_map(pick).collect();
    if group.is_empty() { pick(&"component".to_owned()).into_iter().collect() } else { group }
}
