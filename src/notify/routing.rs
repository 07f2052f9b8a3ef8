//! [`Routing`]: which receivers an alert goes to, when they want to hear of it, and what keeps others quiet.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::matcher::{Labels, Matcher};
use super::receiver::ReceiverConfig;
use super::time_interval::{Hours, first_minute};

/// `[notify]`: what holds for all receivers and routes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the console for the links in messages; none where nobody can reach it.
    #[serde(default)]
    pub console: Option<String>,
    /// Of working hours, and of times in messages; an IANA name.
    pub time_zone: String,
    /// Templates over the embedded ones.
    #[serde(default)]
    pub templates: Option<PathBuf>,
    /// Who is told of what no route takes; all receivers when empty.
    pub receivers: Vec<String>,
    pub group_by: Vec<String>,
    pub group_wait: SignedDuration,
    pub group_interval: SignedDuration,
    pub repeat_interval: SignedDuration,
    /// What is over and could not be told for so long is not told any more.
    pub give_up_after: SignedDuration,
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
            give_up_after: SignedDuration::from_hours(72),
        }
    }
}

/// What a route does with an alert outside of its hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outside {
    /// Its receivers are told when the hours begin: of what still fires, and once of what has come and gone.
    #[default]
    Wait,
    /// The alert goes on to the next route, as if this one did not match.
    Next,
}

/// A `[[route]]`. The first that matches takes an alert; later ones only where it says `continue`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// All of them must match; without any, every alert does.
    #[serde(default)]
    pub matchers: Vec<Matcher>,
    pub receivers: Vec<String>,
    #[serde(default, rename = "continue")]
    pub goes_on: bool,
    #[serde(default)]
    pub group_by: Option<Vec<String>>,
    #[serde(default)]
    pub group_wait: Option<SignedDuration>,
    #[serde(default)]
    pub group_interval: Option<SignedDuration>,
    #[serde(default)]
    pub repeat_interval: Option<SignedDuration>,
    /// Only in these hours; always when empty.
    #[serde(default)]
    pub active_times: Vec<Hours>,
    /// Not in these.
    #[serde(default)]
    pub mute_times: Vec<Hours>,
    #[serde(default)]
    pub outside: Outside,
    /// Told as well when nobody acknowledged `escalate_after` the receivers were to be told.
    #[serde(default)]
    pub escalate_to: Option<String>,
    #[serde(default)]
    pub escalate_after: Option<SignedDuration>,
}

/// An `[[inhibit]]`: while a source fires, targets that have the same labels are not told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inhibit {
    pub source: Vec<Matcher>,
    pub target: Vec<Matcher>,
    #[serde(default)]
    pub equal: Vec<String>,
}

/// How fast a receiver is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) wait: SignedDuration,
    pub(super) interval: SignedDuration,
    pub(super) repeat: SignedDuration,
}

impl Pace {
    /// The more urgent of both, in each respect.
    pub(super) fn urgent(self, other: Self) -> Self {
        Self {
            wait: self.wait.min(other.wait),
            interval: self.interval.min(other.interval),
            repeat: self.repeat.min(other.repeat),
        }
    }
}

/// Everything about who is told what and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Routing {
    pub notify: Config,
    pub receivers: Vec<ReceiverConfig>,
    pub routes: Vec<Route>,
    pub inhibits: Vec<Inhibit>,
    zone: TimeZone,
}

/// Where one alert goes.
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
        Self { notify, receivers, routes, inhibits, zone }
    }

    /// The routes that take an alert with these labels at `now`, in their order.
    pub fn taking(&self, labels: &Labels, now: Timestamp) -> Vec<&Route> {
        let mut taking = Vec::new();
        for route in self.routes.iter().filter(|route| Matcher::all(&route.matchers, labels)) {
            if route.outside == Outside::Next && !self.is_active(route, now) {
                continue;
            }
            taking.push(route);
            if !route.goes_on {
                break;
            }
        }
        taking
    }

    /// Where an alert with these labels goes: a destination for each way it is grouped.
    pub fn destinations(&self, labels: &Labels, now: Timestamp) -> Vec<Destination> {
        let taking = self.taking(labels, now);
        let mut ways: Vec<(&[String], &[String])> = taking
            .iter()
            .map(|route| (route.group_by.as_deref().unwrap_or(&self.notify.group_by), route.receivers.as_slice()))
            .collect();
        let all: Vec<String>;
        if ways.is_empty() {
            all = self.fallback();
            ways.push((&self.notify.group_by, &all));
        }
        let others: Vec<String>;
        let about = Self::receiver_in_trouble(labels);
        if ways.iter().all(|(_, receivers)| receivers.iter().all(|name| Some(name.as_str()) == about)) {
            others = self.receivers.iter().map(|receiver| receiver.name.clone()).collect();
            ways.push((&self.notify.group_by, &others));
        }
        let mut destinations: Vec<Destination> = Vec::new();
        for (group_by, receivers) in ways {
            let receivers: Vec<String> =
                receivers.iter().filter(|name| Some(name.as_str()) != about).cloned().collect();
            let group = group(group_by, labels);
            if receivers.is_empty() {
                continue;
            }
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

    fn fallback(&self) -> Vec<String> {
        if self.notify.receivers.is_empty() {
            return self.receivers.iter().map(|receiver| receiver.name.clone()).collect();
        }
        self.notify.receivers.clone()
    }

    /// The receiver that an operational alert is about, which cannot be told of it.
    fn receiver_in_trouble(labels: &Labels) -> Option<&str> {
        let name = labels.get("alertname")?;
        let about = [super::dispatch::FAILED, super::dispatch::UNREACHABLE].contains(&name.as_str());
        labels.get("component").filter(|_| about).map(String::as_str)
    }

    pub fn receiver(&self, name: &str) -> Option<&ReceiverConfig> {
        self.receivers.iter().find(|receiver| receiver.name == name)
    }

    /// The route by which `receiver` is told of an alert with these labels; none for the default one.
    pub(super) fn route_to(&self, receiver: &str, labels: &Labels) -> Option<&Route> {
        let leads = |route: &&Route| route.receivers.iter().any(|name| name == receiver);
        self.routes.iter().filter(leads).find(|route| Matcher::all(&route.matchers, labels))
    }

    pub(super) fn pace(&self, receiver: &str, labels: &Labels) -> Pace {
        let route = self.route_to(receiver, labels);
        let own = |of: fn(&Route) -> Option<SignedDuration>, all| route.and_then(of).unwrap_or(all);
        let mut pace = Pace {
            wait: own(|route| route.group_wait, self.notify.group_wait),
            interval: own(|route| route.group_interval, self.notify.group_interval),
            repeat: own(|route| route.repeat_interval, self.notify.repeat_interval),
        };
        if let Some(resend) = self.resend(receiver) {
            // The other side groups for itself.
            pace = Pace { wait: SignedDuration::ZERO, interval: SignedDuration::ZERO, repeat: resend };
        }
        pace
    }

    /// How often this receiver wants to be told the same, acknowledged or not.
    pub(super) fn resend(&self, receiver: &str) -> Option<SignedDuration> {
        let resend = self.receiver(receiver)?.channel.wants_resend()?;
        SignedDuration::try_from(resend).ok()
    }

    fn is_active(&self, route: &Route, now: Timestamp) -> bool {
        let hold = |hours: &[Hours]| hours.iter().any(|hours| hours.hold(now, &self.zone));
        (route.active_times.is_empty() || hold(&route.active_times)) && !hold(&route.mute_times)
    }

    /// When `receiver` may next be told of an alert with these labels; none for never.
    pub(super) fn active_from(&self, receiver: &str, labels: &Labels, now: Timestamp) -> Option<Timestamp> {
        match self.route_to(receiver, labels) {
            Some(route) if route.outside == Outside::Wait => first_minute(now, |now| self.is_active(route, now)),
            _ => Some(now),
        }
    }

    /// Whether an alert with the labels `target` is inhibited while one with the labels `source` fires.
    pub(super) fn inhibits(&self, source: &Labels, target: &Labels) -> bool {
        let same = |name: &String| source.get(name) == target.get(name);
        self.inhibits.iter().any(|rule| {
            let both = Matcher::all(&rule.source, target) && Matcher::all(&rule.target, source);
            Matcher::all(&rule.source, source)
                && Matcher::all(&rule.target, target)
                && !both
                && rule.equal.iter().all(same)
        })
    }
}

/// What alerts of one group have in common. One that has none of the labels, as those about vigie itself, is grouped by
/// its component.
fn group(by: &[String], labels: &Labels) -> Labels {
    let pick = |name: &String| labels.get(name).map(|value| (name.clone(), value.clone()));
    let group: Labels = by.iter().filter_map(pick).collect();
    if group.is_empty() { pick(&"component".to_owned()).into_iter().collect() } else { group }
}
