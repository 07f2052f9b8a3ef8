//! What people are shown of incidents, by `vigie alerts` and the console.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Dispatcher;
use super::group::Group;
use super::plan::{Suppressed, severity};
use crate::alert::Alert;
use crate::notify::matcher::Labels;
use crate::notify::silence::Silence;
use crate::notify::{Acknowledged, Incident};

/// An incident as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentView {
    #[serde(flatten)]
    pub incident: Incident,
    pub group: Labels,
    pub acknowledged: Option<Acknowledged>,
    /// Those that fire first, the most severe first.
    pub alerts: Vec<AlertEntry>,
    /// By receiver.
    pub told: BTreeMap<String, Telling>,
}

/// An alert of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertEntry {
    #[serde(flatten)]
    pub alert: Alert,
    /// The silence that keeps it quiet.
    pub silenced_by: Option<String>,
    /// The incident that keeps it quiet.
    pub inhibited_by: Option<String>,
}

/// How one receiver is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// Notifications that arrived.
    pub notifications: u32,
    pub last: Option<Timestamp>,
    /// Why the receiver cannot be told, in its own words.
    pub fault: Option<String>,
    pub escalated: bool,
}

impl IncidentView {
    pub fn is_firing(&self) -> bool {
        self.incident.ended_at.is_none()
    }
}

impl Dispatcher {
    /// Incidents that fire, the newest first; with `all` also those of the last days.
    pub fn incidents(&self, all: bool, now: Timestamp) -> Vec<IncidentView> {
        let suppressed = self.suppressed(now);
        let shown = self.groups.values().filter(|group| all || group.is_firing());
        let mut views: Vec<IncidentView> = shown.map(|group| self.view(group, &suppressed)).collect();
        views.sort_by_key(|view| (view.incident.ended_at.is_some(), std::cmp::Reverse(view.incident.started_at)));
        views
    }

    /// The incident `id`, in any case.
    pub fn incident(&self, id: &str, now: Timestamp) -> Option<IncidentView> {
        let group = self.groups.get(&id.to_ascii_uppercase())?;
        Some(self.view(group, &self.suppressed(now)))
    }

    /// Silences that have not ended; with `all` also those that ended in the last days.
    pub fn silences(&self, all: bool, now: Timestamp) -> Vec<Silence> {
        self.silences.values().filter(|silence| all || silence.ends_at > now).cloned().collect()
    }

    /// Alerts that nobody is told of now: silenced, and inhibited.
    pub fn quiet(&self, now: Timestamp) -> (usize, usize) {
        let suppressed = self.suppressed(now);
        let silenced = suppressed.values().filter(|why| matches!(why, Suppressed::Silenced(_))).count();
        (silenced, suppressed.len() - silenced)
    }

    /// Receivers with what keeps them from being told; no text where all is well.
    pub fn receivers(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.routing.receivers.iter().map(|receiver| {
            let name = receiver.name.as_str();
            (name, self.receiving.get(name).and_then(|receiving| receiving.fault()))
        })
    }

    fn view(&self, group: &Group, suppressed: &BTreeMap<(String, String), Suppressed>) -> IncidentView {
        let entry = |(id, member): (&String, &super::group::Member)| {
            let why = suppressed.get(&(group.id.clone(), id.clone()));
            let alert = Alert { ends_at: member.ended_at, ..member.alert.clone()? };
            let silenced_by = why.and_then(|why| match why {
                Suppressed::Silenced(by) => Some(by.clone()),
                Suppressed::Inhibited(_) => None,
            });
            let inhibited_by = why.and_then(|why| match why {
                Suppressed::Inhibited(by) => Some(by.clone()),
                Suppressed::Silenced(_) => None,
            });
            Some(AlertEntry { alert, silenced_by, inhibited_by })
        };
        let mut alerts: Vec<AlertEntry> = group.members.iter().filter_map(entry).collect();
        alerts.sort_by_key(|entry| {
            let alert = &entry.alert;
            (alert.ends_at.is_some(), std::cmp::Reverse(severity(&alert.labels)), alert.fired_at, alert.fingerprint)
        });
        let told = group.threads.iter().map(|(name, thread)| {
            let fault = self.receiving.get(name).and_then(|receiving| receiving.fault()).map(str::to_owned);
            let (notifications, last, escalated) = (thread.sequence, thread.told_at, thread.escalated);
            (name.clone(), Telling { notifications, last, fault, escalated })
        });
        IncidentView {
            incident: group.incident(group.ended_at.filter(|_| !group.is_firing())),
            group: group.labels.clone(),
            acknowledged: group.acknowledged.clone(),
            alerts,
            told: told.collect(),
        }
    }
}
