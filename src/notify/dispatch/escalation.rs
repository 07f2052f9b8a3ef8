//! Escalation: further receivers for incidents that nobody acknowledges in time.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Dispatcher;
use super::group::Group;
use super::history::HistoryEvent;
use super::notification_log::NotificationLogEntry;
use super::plan::Suppressed;
use crate::notify::routing::Routing;

impl Dispatcher {
    /// Adds receivers to incidents that nobody acknowledged in time.
    pub(super) fn escalate(&mut self, now: Timestamp) {
        let suppressed = self.suppressed(now);
        let Self { groups, routing, dirty, .. } = self;
        for group in groups.values_mut().filter(|group| group.closed_at.is_none() && group.acknowledged.is_none()) {
            let due: Vec<Escalation> = escalations(group, routing, &suppressed).filter(|it| it.at <= now).collect();
            for Escalation { to, alerts, .. } in due {
                let escalated = || NotificationLogEntry { escalated: true, ..Default::default() };
                // A receiver that is in the incident already keeps its log entry: it does not get the first message
                // twice.
                group.log.entry(to.clone()).or_insert_with(escalated);
                group.record(now, HistoryEvent::Escalated { receiver: to.clone() });
                for id in alerts {
                    if let Some(grouped) = group.alerts.get_mut(&id) {
                        grouped.receivers.insert(to.clone());
                    }
                }
                dirty.groups.insert(group.id.clone());
            }
        }
    }
}

/// A receiver to add to an incident.
pub(super) struct Escalation {
    pub(super) at: Timestamp,
    pub(super) to: String,
    pub(super) alerts: Vec<String>,
}

/// The escalations of a group that have not happened yet.
pub(super) fn escalations<'a>(
    group: &'a Group,
    routing: &'a Routing,
    suppressed: &'a BTreeMap<(String, String), Suppressed>,
) -> impl Iterator<Item = Escalation> + use<'a> {
    // A receiver that escalation added does not escalate further: there is one step.
    let requested: Vec<(&String, Timestamp)> = group
        .log
        .iter()
        .filter(|(_, entry)| !entry.escalated)
        .filter_map(|(name, entry)| Some((name, entry.ack_requested_at?)))
        .collect();
    let mut escalations: BTreeMap<String, Escalation> = BTreeMap::new();
    for (id, grouped) in group.alerts.iter().filter(|(_, grouped)| grouped.ended_at.is_none()) {
        let Some(alert) = &grouped.alert else { continue };
        // Nobody has to acknowledge what is silenced or inhibited.
        if suppressed.contains_key(&(group.id.clone(), id.clone())) {
            continue;
        }
        for (receiver, since) in requested.iter().filter(|(receiver, _)| grouped.receivers.contains(*receiver)) {
            let Some(route) = routing.route_to(receiver, &alert.labels) else { continue };
            // Nobody is called about what is only for information.
            if routing.is_digest(Some(route), &alert.labels) {
                continue;
            }
            let Some((to, after)) = route.escalate_to.clone().zip(route.escalate_after) else { continue };
            let Ok(at) = since.checked_add(after) else { continue };
            // It gets the alert already, by escalation or by a route.
            if grouped.receivers.contains(&to) {
                continue;
            }
            let escalation = escalations.entry(to.clone()).or_insert_with(|| Escalation { at, to, alerts: Vec::new() });
            // Several alerts escalate in one message, when the first of them is due.
            escalation.at = escalation.at.min(at);
            escalation.alerts.push(id.clone());
        }
    }
    escalations.into_values()
}
