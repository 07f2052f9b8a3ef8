//! [`IncidentSummary`]: an incident in one line, as lists of them show it: what, how bad, who took it, who was notified, and
//! whether it is silenced.

use jiff::Timestamp;
use serde::Serialize;

use crate::notify::Silence;
use crate::notify::dispatch::IncidentView;
use crate::pipeline::IncidentBoard;

/// See the module.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct IncidentSummary {
    pub(super) id: String,
    /// The topic, or the component that has the problem.
    topic: String,
    severity: String,
    /// The sentence of its worst alert.
    pub(super) summary: String,
    rules: Vec<String>,
    since: String,
    ended_at: Option<String>,
    acknowledged_by: Option<String>,
    acknowledged_at: Option<String>,
    /// Only where every alert that fires is silenced.
    silence: Option<SilenceSummary>,
    inhibited_by: Option<String>,
    /// Receivers that got a message.
    notified: Vec<String>,
    /// Receivers that could not be notified, and what they said.
    failing: Vec<(String, String)>,
    learned_hours: Option<u32>,
}

/// A silence, where it applies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct SilenceSummary {
    pub(super) id: String,
    pub(super) by: String,
    pub(super) comment: String,
    pub(super) until: String,
}

impl SilenceSummary {
    pub(super) fn new(silence: &Silence) -> Self {
        let Silence { id, by, comment, ends_at, .. } = silence.clone();
        Self { id, by, comment, until: ends_at.to_string() }
    }
}

impl IncidentSummary {
    pub(super) fn new(view: &IncidentView, board: &IncidentBoard, french: bool) -> Self {
        let worst = view.alerts.first().map(|entry| &entry.alert);
        let sentence = worst.and_then(|alert| {
            let in_french = alert.annotations.get("summary_fr").filter(|_| french);
            in_french.or_else(|| alert.annotations.get("summary"))
        });
        let firing: Vec<_> = view.alerts.iter().filter(|entry| entry.alert.ends_at.is_none()).collect();
        let silenced: Option<Vec<&String>> = firing.iter().map(|entry| entry.silenced_by.as_ref()).collect();
        let silence = silenced.and_then(|ids| {
            let id = ids.first().copied()?;
            board.silences.iter().find(|silence| silence.id == *id)
        });
        let mut rules: Vec<String> = view.alerts.iter().map(|entry| entry.alert.rule.clone()).collect();
        rules.dedup();
        let delivered = view.deliveries.iter().filter(|(_, delivery)| delivery.notifications > 0);
        let failing =
            view.deliveries.iter().filter_map(|(name, delivery)| Some((name.clone(), delivery.error.clone()?)));
        let topic = view.group.get("topic").or_else(|| view.group.values().next()).cloned();
        Self {
            id: view.incident.id.clone(),
            topic: topic.or_else(|| worst.map(|alert| alert.topic.clone())).unwrap_or_default(),
            severity: worst.and_then(|alert| alert.labels.get("severity").cloned()).unwrap_or_default(),
            summary: sentence.cloned().unwrap_or_default(),
            rules,
            since: view.incident.started_at.to_string(),
            ended_at: view.incident.ended_at.map(|time: Timestamp| time.to_string()),
            acknowledged_by: view.acknowledged.as_ref().map(|acknowledged| acknowledged.by.clone()),
            acknowledged_at: view.acknowledged.as_ref().map(|acknowledged| acknowledged.at.to_string()),
            silence: silence.map(SilenceSummary::new),
            inhibited_by: firing.first().and_then(|entry| entry.inhibited_by.clone()),
            notified: delivered.map(|(name, _)| name.clone()).collect(),
            failing: failing.collect(),
            learned_hours: worst
                .and_then(|alert| alert.explanation.number(crate::rule::LEARNED_HOURS))
                .map(|hours| hours as u32),
        }
    }
}
