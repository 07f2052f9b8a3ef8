//! Incidents as `vigie alerts` and the console show them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::group::Group;
use super::history::HistoryEntry;
use super::plan::{Suppressed, severity, suppressed_ids};
use super::{Dispatcher, SHOWN};
use crate::alert::Alert;
use crate::notify::matcher::Labels;
use crate::notify::silence::Silence;
use crate::notify::{Acknowledged, Incident};

/// An incident as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct IncidentView {
    #[serde(flatten)]
    pub incident: Incident,
    #[schema(value_type = BTreeMap<String, String>)]
    pub group: Labels,
    pub acknowledged: Option<Acknowledged>,
    /// Firing alerts first, the most severe first.
    pub alerts: Vec<AlertEntry>,
    /// By receiver.
    pub deliveries: BTreeMap<String, DeliveryView>,
    /// What happened since it began, the oldest first: messages, acknowledgements, notes. Empty in the answers of an older vigie.
    #[serde(default)]
    pub history: Vec<HistoryEntry>,
}

/// An alert of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlertEntry {
    #[serde(flatten)]
    pub alert: Alert,
    /// The silence that suppresses it.
    pub silenced_by: Option<String>,
    /// The incident that inhibits it.
    pub inhibited_by: Option<String>,
}

/// The deliveries of an incident to one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeliveryView {
    /// Notifications delivered.
    pub notifications: u32,
    pub last: Option<Timestamp>,
    /// The receiver's last error, in its own words.
    pub error: Option<String>,
    pub escalated: bool,
}

impl IncidentView {
    pub fn is_firing(&self) -> bool {
        self.incident.ended_at.is_none()
    }
}

impl Dispatcher {
    /// Firing incidents, the newest first; with `all` also the resolved ones of the last days.
    pub fn incidents(&self, all: bool, now: Timestamp) -> Vec<IncidentView> {
        let suppressed = self.suppressed(now);
        let is_recent = |group: &Group| group.closed_at.is_none_or(|closed| now.duration_since(closed) <= SHOWN);
        let shown = self.groups.values().filter(|group| group.is_firing() || (all && is_recent(group)));
        let mut views: Vec<IncidentView> = shown.map(|group| self.view(group, &suppressed)).collect();
        views.sort_by_key(|view| (view.incident.ended_at.is_some(), std::cmp::Reverse(view.incident.started_at)));
        views
    }

    /// Every incident that is kept, for reports.
    pub fn past_incidents(&self, now: Timestamp) -> Vec<IncidentView> {
        let suppressed = self.suppressed(now);
        self.groups.values().map(|group| self.view(group, &suppressed)).collect()
    }

    /// The incident with this id, in upper or lower case.
    pub fn incident(&self, id: &str, now: Timestamp) -> Option<IncidentView> {
        let group = self.groups.get(&id.to_ascii_uppercase())?;
        Some(self.view(group, &self.suppressed(now)))
    }

    /// The incident with a firing alert of `rule` about `topic`, or about that component, and who acknowledged it.
    pub fn incident_of(&self, rule: &str, topic: &str) -> Option<(&str, Option<&Acknowledged>)> {
        let is_it = |alert: &Alert| alert.rule == rule && alert.topic == topic;
        let mut firing = self.groups.values().filter(|group| group.closed_at.is_none());
        let has_it = |group: &&Group| {
            let alerts = group.alerts.values().filter(|grouped| grouped.ended_at.is_none());
            alerts.filter_map(|grouped| grouped.alert.as_ref()).any(is_it)
        };
        firing.find(has_it).map(|group| (group.id.as_str(), group.acknowledged.as_ref()))
    }

    /// Active silences; with `all` also those that expired in the last days.
    pub fn silences(&self, all: bool, now: Timestamp) -> Vec<Silence> {
        let is_recent = |silence: &Silence| now.duration_since(silence.ends_at) <= SHOWN;
        let shown = |silence: &&Silence| silence.ends_at > now || (all && is_recent(silence));
        self.silences.values().filter(shown).cloned().collect()
    }

    /// The number of firing incidents.
    pub fn firing_incidents(&self) -> usize {
        self.groups.values().filter(|group| group.is_firing()).count()
    }

    /// How many alerts are silenced, and how many are inhibited.
    pub fn suppressed_counts(&self, now: Timestamp) -> (usize, usize) {
        let suppressed = self.suppressed(now);
        let silenced = suppressed.values().filter(|why| matches!(why, Suppressed::Silenced(_))).count();
        (silenced, suppressed.len() - silenced)
    }

    /// All receivers with their last error, if any.
    pub fn receivers(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.routing.receivers.iter().map(|receiver| {
            let name = receiver.name.as_str();
            (name, self.receiver_states.get(name).and_then(|state| state.error()))
        })
    }

    /// Why `receiver` does not have everything about `group`: its own refusal of this message, or a failure that holds back
    /// every message. None where nothing waits.
    fn delivery_error(
        &self,
        group: &Group,
        receiver: &str,
        suppressed: &BTreeMap<(String, String), Suppressed>,
    ) -> Option<String> {
        let pending = group.pending(receiver, &suppressed_ids(suppressed, &group.id));
        let refusal = group.log.get(receiver)?.refusal_of(&pending).map(|refusal| refusal.error.clone());
        let failure =
            self.receiver_states.get(receiver).and_then(|state| state.error()).filter(|_| !pending.is_empty());
        refusal.or_else(|| failure.map(str::to_owned))
    }

    fn view(&self, group: &Group, suppressed: &BTreeMap<(String, String), Suppressed>) -> IncidentView {
        let entry = |(id, grouped): (&String, &super::group::GroupedAlert)| {
            let why = suppressed.get(&(group.id.clone(), id.clone()));
            let alert = Alert { ends_at: grouped.ended_at, ..grouped.alert.clone()? };
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
        let mut alerts: Vec<AlertEntry> = group.alerts.iter().filter_map(entry).collect();
        alerts.sort_by_key(|entry| {
            let alert = &entry.alert;
            (alert.ends_at.is_some(), std::cmp::Reverse(severity(&alert.labels)), alert.fired_at, alert.fingerprint)
        });
        let deliveries = group.log.iter().map(|(name, entry)| {
            let error = self.delivery_error(group, name, suppressed);
            let (notifications, last, escalated) = (entry.sequence, entry.notified_at, entry.escalated);
            (name.clone(), DeliveryView { notifications, last, error, escalated })
        });
        IncidentView {
            incident: group.incident(group.ended_at.filter(|_| !group.is_firing())),
            group: group.labels.clone(),
            acknowledged: group.acknowledged.clone(),
            alerts,
            deliveries: deliveries.collect(),
            history: group.history.clone(),
        }
    }
}
