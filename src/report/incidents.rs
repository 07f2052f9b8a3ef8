//! The incidents of a report: those that the dispatcher still knows, and, for older times and replays, the alerts that are kept,
//! put together as the dispatcher would.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::facts::IncidentFacts;
use crate::alert::Alert;
use crate::notify::ReportSpan;
use crate::notify::dispatch::IncidentView;

/// Who acknowledged an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acknowledgement {
    /// `after`: since the first alert fired.
    By {
        name: String,
        after: SignedDuration,
    },
    Nobody,
    /// Not kept any more, or never known.
    Unknown,
}

/// The numbers of the worst moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PeakFacts {
    pub at: Timestamp,
    pub posts: u64,
    pub negative: u64,
    /// In `[0, 1]`.
    pub rate: f64,
    /// Whether the rule compares rates rather than numbers of posts.
    pub is_rate: bool,
}

/// Incidents within `span`, the oldest first: `views`, then `alerts` that belong to none of them.
pub(super) fn read(
    views: &[IncidentView],
    alerts: &[Alert],
    span: ReportSpan,
    reopen_within: SignedDuration,
) -> Vec<IncidentFacts> {
    let lies_within =
        |start: Timestamp, end: Option<Timestamp>| start < span.until && end.is_none_or(|end| end > span.since);
    let known: BTreeSet<_> = views.iter().flat_map(|view| &view.alerts).map(|entry| identity(&entry.alert)).collect();
    let of_views = views.iter().filter(|view| lies_within(view.incident.started_at, view.incident.ended_at));
    let mut incidents: Vec<IncidentFacts> = of_views.filter_map(of_view).collect();
    let mut rest: Vec<&Alert> = alerts
        .iter()
        .filter(|alert| !known.contains(&identity(alert)) && lies_within(alert.starts_at, alert.ends_at))
        .collect();
    rest.sort_by(|a, b| (&a.topic, a.starts_at, &a.rule).cmp(&(&b.topic, b.starts_at, &b.rule)));
    for group in rest.chunk_by(|a, b| a.topic == b.topic && follows(a, b, reopen_within)) {
        incidents.extend(of_alerts(group));
    }
    incidents.sort_by(|a, b| (a.started_at, &a.subject).cmp(&(b.started_at, &b.subject)));
    incidents
}

fn identity(alert: &Alert) -> (String, Timestamp) {
    (alert.fingerprint.to_string(), alert.starts_at)
}

/// Whether `next` belongs to the incident of `alert`.
fn follows(alert: &Alert, next: &Alert, reopen_within: SignedDuration) -> bool {
    alert.ends_at.is_none_or(|end| next.starts_at.duration_since(end) <= reopen_within)
}

fn of_view(view: &IncidentView) -> Option<IncidentFacts> {
    let alerts: Vec<&Alert> = view.alerts.iter().map(|entry| &entry.alert).collect();
    let fired_at = alerts.iter().map(|alert| alert.fired_at).min()?;
    let acknowledged = match &view.acknowledged {
        Some(given) => {
            let after = given.at.duration_since(fired_at).max(SignedDuration::ZERO);
            Acknowledgement::By { name: given.by.clone(), after }
        }
        None => Acknowledgement::Nobody,
    };
    let facts = of_alerts(&alerts)?;
    Some(IncidentFacts {
        id: Some(view.incident.id.clone()),
        started_at: view.incident.started_at,
        ended_at: view.incident.ended_at,
        acknowledged,
        ..facts
    })
}

/// The incident of these alerts, which are at least one.
fn of_alerts(alerts: &[&Alert]) -> Option<IncidentFacts> {
    let severity = |alert: &Alert| alert.labels.get("severity").cloned().unwrap_or_default();
    let rank = |alert: &Alert| match severity(alert).as_str() {
        "critical" | "page" => 2,
        "warning" => 1,
        _ => 0,
    };
    // Of several the first: later ones repeat it.
    let worst = alerts.iter().rev().max_by_key(|alert| rank(alert))?;
    let is_operational = worst.labels.contains_key("component");
    let mut rules: Vec<String> = Vec::new();
    for alert in alerts {
        if !rules.contains(&alert.rule) {
            rules.push(alert.rule.clone());
        }
    }
    let is_over = alerts.iter().all(|alert| alert.ends_at.is_some());
    Some(IncidentFacts {
        id: None,
        subject: worst.topic.clone(),
        is_operational,
        severity: severity(worst),
        summary: worst.annotations.get("summary").cloned().unwrap_or_default(),
        summary_fr: worst.annotations.get("summary_fr").cloned(),
        rules,
        started_at: alerts.iter().map(|alert| alert.starts_at).min()?,
        ended_at: alerts.iter().filter_map(|alert| alert.ends_at).max().filter(|_| is_over),
        peak: peak(worst),
        acknowledged: Acknowledgement::Unknown,
    })
}

fn peak(alert: &Alert) -> Option<PeakFacts> {
    let is_counted = !matches!(alert.explanation.condition.as_str(), "no_data" | "events" | "");
    let peak = &alert.peak;
    (is_counted && peak.posts > 0).then_some(PeakFacts {
        at: alert.peak_at,
        posts: peak.posts,
        negative: peak.negative,
        rate: peak.rate,
        is_rate: alert.is_rate,
    })
}
