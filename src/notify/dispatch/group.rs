//! [`Group`]: an incident as the dispatcher keeps it: its alerts, and a [`Thread`] for each receiver.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::matcher::Labels;
use super::super::routing::{Pace, Routing};
use super::super::{Acknowledged, Incident};
use super::notification_log::{News, Thread};
use crate::alert::Alert;

/// An alert of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Member {
    /// Stored beside the group, where posts can be taken out of it.
    #[serde(skip)]
    pub(super) alert: Option<Alert>,
    pub(super) arrived_at: Timestamp,
    pub(super) receivers: BTreeSet<String>,
    pub(super) ended_at: Option<Timestamp>,
}

/// One incident, its members by [`member_id`] and its threads by receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) labels: Labels,
    pub(super) started_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) acknowledged: Option<Acknowledged>,
    pub(super) members: BTreeMap<String, Member>,
    pub(super) threads: BTreeMap<String, Thread>,
    /// Somebody was told that it is over: what fires now is another incident.
    pub(super) told_over: bool,
    /// Nothing is left to tell.
    pub(super) closed_at: Option<Timestamp>,
    /// Told without waiting for others to join.
    pub(super) urgent: bool,
}

/// Names one alert from its beginning to its end; the same fingerprint may fire again.
pub(super) fn member_id(alert: &Alert) -> String {
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
            members: BTreeMap::new(),
            threads: BTreeMap::new(),
            told_over: false,
            closed_at: None,
            urgent: false,
        }
    }

    pub(super) fn is_firing(&self) -> bool {
        self.members.values().any(|member| member.ended_at.is_none())
    }

    /// Whether an alert that fires at `now` belongs to it.
    pub(super) fn takes(&self, labels: &Labels, now: Timestamp, interval: SignedDuration) -> bool {
        let still = || self.ended_at.is_some_and(|ended| now.duration_since(ended) < interval) && !self.told_over;
        self.labels == *labels && self.closed_at.is_none() && (self.is_firing() || still())
    }

    pub(super) fn join(&mut self, alert: &Alert, receivers: &[String], now: Timestamp) {
        for receiver in receivers {
            self.threads.entry(receiver.clone()).or_default();
        }
        let member = Member {
            alert: Some(alert.clone()),
            arrived_at: now,
            receivers: receivers.iter().cloned().collect(),
            ended_at: None,
        };
        self.ended_at = None;
        self.members.insert(member_id(alert), member);
    }

    pub(super) fn incident(&self, ended_at: Option<Timestamp>) -> Incident {
        Incident { id: self.id.clone(), started_at: self.started_at, ended_at }
    }

    /// What `receiver` does not know, where `suppressed` are not to be told.
    pub(super) fn news(&self, receiver: &str, suppressed: &BTreeSet<String>) -> News {
        let mut news = News::default();
        let Some(thread) = self.threads.get(receiver) else { return news };
        for (id, member) in &self.members {
            let told = thread.firing.contains(id);
            let addressed = member.receivers.contains(receiver);
            if member.ended_at.is_none() {
                let visible = addressed && !suppressed.contains(id);
                news.audible |= visible;
                if visible && !told {
                    news.fresh.insert(id.clone());
                }
                if visible || told {
                    news.firing.insert(id.clone());
                }
            } else if told {
                news.ended.insert(id.clone());
            } else if thread.owed.contains(id) {
                news.missed.insert(id.clone());
            }
        }
        news
    }

    pub(super) fn pace(&self, routing: &Routing, receiver: &str) -> Pace {
        let of = |member: &Member| Some(routing.pace(receiver, &member.alert.as_ref()?.labels));
        let addressed = self.members.values().filter(|member| member.receivers.contains(receiver));
        let firing = addressed.clone().filter(|member| member.ended_at.is_none()).filter_map(of);
        let pace = firing.reduce(Pace::urgent).or_else(|| addressed.filter_map(of).reduce(Pace::urgent));
        pace.unwrap_or_else(|| routing.pace(receiver, &self.labels))
    }

    /// When `receiver` is to be told `news`, or the same again; none while there is nothing to tell.
    pub(super) fn due(&self, routing: &Routing, receiver: &str, news: &News) -> Option<Timestamp> {
        let thread = self.threads.get(receiver)?;
        let pace = self.pace(routing, receiver);
        let after = |time: Timestamp, wait| time.checked_add(wait).unwrap_or(Timestamp::MAX);
        let rested = thread.told_at.map_or(Timestamp::MIN, |told| after(told, pace.interval));
        let waited = |id: &String| {
            let arrived = self.members.get(id).map_or(Timestamp::MIN, |member| member.arrived_at);
            if self.urgent { arrived } else { after(arrived, pace.wait) }
        };
        let fresh = news.fresh.iter().map(waited).min().map(|waited| waited.max(rested));
        let over = (news.over().next().is_some()).then(|| {
            let ended = news.over().filter_map(|id| self.members.get(id)?.ended_at).min();
            ended.unwrap_or(Timestamp::MIN).max(rested)
        });
        let asks = self.acknowledged.is_none() || routing.resend(receiver).is_some();
        let told = thread.told_at.filter(|_| asks && !thread.firing.is_empty() && news.audible);
        let again = told.map(|told| after(told, pace.repeat));
        [fresh, over, again].into_iter().flatten().min()
    }
}
