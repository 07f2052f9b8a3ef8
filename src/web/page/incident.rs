//! The page of an incident, where the links in messages lead, with buttons to acknowledge and to silence it.
//!
//! The buttons send forms: mail scanners follow links, so a link must change nothing. Forms of other sites are rejected by
//! [`origin_check`](super::super::origin_check), and who may press them decides [`sign_in`](super::super::sign_in).

use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use minijinja::Value;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};

use super::super::error::Problem;
use super::super::{Console, blocking};
use super::chart::{Chart, MarkedSpan};
use super::incident_summary::IncidentSummary;
use super::templates::Frame;
use super::time_range::TimeRange;
use super::visitor::{Visitor, local_path, name_cookie, trim_name};
use crate::notify::Matcher;
use crate::notify::dispatch::IncidentView;
use crate::pipeline::{AlertQuery, IncidentBoard};
use crate::query::Query;
use crate::store::StoreError;

/// How long the page's button silences, in seconds.
const SILENCE_SECONDS: u64 = 2 * 3_600;
/// What the chart shows before and after the incident.
const MARGIN: SignedDuration = SignedDuration::from_hours(6);

/// Something that happened to the incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct TimelineEntry {
    at: Timestamp,
    kind: &'static str,
    what: String,
    count: u32,
    escalated: bool,
}

/// The page of one incident.
pub(in crate::web) async fn page(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (board, now) = (console.daemon.board(), console.daemon.status().now);
    let incident = board.incident(&id).cloned().ok_or_else(|| not_found(&id))?;
    let (query, pages, reader, incidents) =
        (console.daemon.query.clone(), console.pages.clone(), visitor.clone(), board.clone());
    let values = blocking::run(move || {
        let chart = chart(&incident, &query, (pages.zone(), &reader), now)?;
        Ok::<_, StoreError>(context(&incident, &incidents, chart, &reader, now))
    });
    let frame = Frame { place: "incidents", open: board.open() };
    Ok(console.pages.respond(&visitor, ("incident.html", &frame), values.await?))
}

fn not_found(id: &str) -> Problem {
    let id: String = id.chars().take(40).collect();
    Problem::new(StatusCode::NOT_FOUND, format!("there is no incident {id:?}; resolved ones are kept for 7 days"))
}

/// The curve of the incident's topic, from some hours before it to some hours after; none for one without a topic.
fn chart(
    view: &IncidentView,
    query: &Query,
    (zone, visitor): (&jiff::tz::TimeZone, &Visitor),
    now: Timestamp,
) -> Result<Option<(String, Chart)>, StoreError> {
    let Some(topic) = view.alerts.iter().map(|entry| &entry.alert.topic).find(|topic| !topic.is_empty()) else {
        return Ok(None);
    };
    let (since, until) = (view.incident.started_at, view.incident.ended_at);
    let end = until.map_or(now, |until| until.saturating_add(MARGIN).unwrap_or(now).min(now));
    let range = TimeRange::read(None, since.checked_sub(MARGIN).ok(), Some(end), now);
    let curve = query.curve(topic, range.since, range.until, range.step)?;
    // A component that is called like a topic has no posts.
    if curve.iter().all(|step| step.counts.posts() == 0) {
        return Ok(None);
    }
    let id = view.incident.id.clone();
    let span = MarkedSpan::new(&range, since.as_second(), until.map(Timestamp::as_second), Some(id.clone()), id);
    Ok(Some((topic.clone(), Chart::new(&curve, span.into_iter().collect(), &range, zone, visitor))))
}

/// What happened, the oldest first.
fn timeline(view: &IncidentView) -> Vec<TimelineEntry> {
    let entry = |at, kind, what: &str| TimelineEntry { at, kind, what: what.to_owned(), count: 0, escalated: false };
    let mut entries = Vec::new();
    for alert in view.alerts.iter().map(|entry| &entry.alert) {
        entries.push(entry(alert.starts_at, "began", &alert.rule));
        entries.push(entry(alert.fired_at, "fired", &alert.rule));
        if alert.peak_at > alert.fired_at {
            entries.push(entry(alert.peak_at, "peak", &alert.rule));
        }
        entries.extend(alert.ends_at.map(|end| entry(end, "resolved", &alert.rule)));
    }
    for (name, delivery) in &view.deliveries {
        let (count, escalated) = (delivery.notifications, delivery.escalated);
        entries.extend(delivery.last.map(|at| TimelineEntry { count, escalated, ..entry(at, "notified", name) }));
    }
    entries.extend(view.acknowledged.as_ref().map(|given| entry(given.at, "acknowledged", &given.by)));
    entries.extend(view.incident.ended_at.map(|end| entry(end, "ended", "")));
    entries.sort_by_key(|entry| entry.at);
    entries
}

/// A button of the page, with the name of who pressed it.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Button {
    action: Action,
    #[serde(default)]
    by: String,
    /// The page to return to.
    #[serde(default)]
    back: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Acknowledge,
    Unacknowledge,
    Silence,
}

pub(in crate::web) async fn press(
    State(console): State<Console>,
    Path(id): Path<String>,
    visitor: Visitor,
    Form(button): Form<Button>,
) -> Response {
    let given = trim_name(&button.by);
    let by = visitor.signer_or_anonymous(given.clone());
    let query = match button.action {
        Action::Acknowledge => AlertQuery::Acknowledge { id: id.clone(), by },
        Action::Unacknowledge => AlertQuery::Unacknowledge { id: id.clone() },
        Action::Silence => {
            let board = console.daemon.board();
            let Some(incident) = board.incident(&id) else { return not_found(&id).into_response() };
            let matchers = incident.group.iter().filter_map(|(name, value)| Matcher::equals(name, value)).collect();
            let comment = format!("incident {}", incident.incident.id);
            AlertQuery::Silence { matchers, seconds: SILENCE_SECONDS, by, comment }
        }
    };
    match console.daemon.alerts(query).await {
        Ok(Ok(_)) => {
            // GET again: reloading the page must not press the button again.
            let own = format!("/alerts/{id}");
            let mut response = Redirect::to(local_path(&button.back).unwrap_or(&own)).into_response();
            if let Some(cookie) = given.as_deref().and_then(name_cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(Err(error)) => Problem::from(&error).into_response(),
        Err(error) => Problem::unavailable(&error).into_response(),
    }
}

fn context(
    incident: &IncidentView,
    board: &IncidentBoard,
    chart: Option<(String, Chart)>,
    visitor: &Visitor,
    now: Timestamp,
) -> Value {
    let (chart_topic, chart) = chart.unzip();
    minijinja::context! {
        i => Serde(incident),
        summary => Serde(IncidentSummary::new(incident, board, visitor.is_french())),
        timeline => Serde(timeline(incident)),
        chart => Serde(chart),
        chart_topic,
        live => true,
        now => now.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Pages;
    use super::*;
    use crate::language::Language;
    use crate::notify::dispatch::DeliveryView;
    use crate::notify::{SampleKind, sample};

    fn render(incident: &IncidentView, language: Language) -> String {
        let now = "2026-11-24T14:00:00Z".parse().unwrap();
        let (visitor, pages) = (Visitor::speaking(language), Pages::new(language, "UTC").unwrap());
        let values = context(incident, &IncidentBoard::default(), None, &visitor, now);
        pages.render(&visitor, ("incident.html", &Frame::default()), values).unwrap()
    }

    #[test]
    fn the_page_shows_the_incident_and_its_buttons_in_both_languages() {
        let notification = sample("desk", SampleKind::Opened, "2026-11-24T12:00:00Z".parse().unwrap(), None);
        let entry = |alert| crate::notify::dispatch::AlertEntry { alert, silenced_by: None, inhibited_by: None };
        let delivery = DeliveryView {
            notifications: 1,
            last: Some(notification.at),
            error: Some("<401>".into()),
            escalated: false,
        };
        let mut incident = IncidentView {
            incident: notification.incident.clone(),
            group: notification.group.clone(),
            acknowledged: None,
            alerts: notification.alerts.into_iter().map(entry).collect(),
            deliveries: BTreeMap::from([("desk".to_owned(), delivery)]),
        };
        let english = render(&incident, Language::English);
        for expected in
            [notification.incident.id.as_str(), "Acknowledge", "Silence for 2 h", "&lt;401&gt;", "method=\"post\""]
        {
            assert!(english.contains(expected), "{expected} is not in\n{english}");
        }
        let french = render(&incident, Language::French);
        assert!(french.contains("Prendre en charge") && french.contains("Mettre en sourdine 2\u{a0}h"), "{french}");
        incident.incident.ended_at = Some(notification.at);
        assert!(!render(&incident, Language::French).contains("<form method=\"post\""));
    }
}
