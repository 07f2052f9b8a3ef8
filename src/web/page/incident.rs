//! The page of an incident, where the links in messages lead: curve, alerts, timeline, notes, with buttons to acknowledge, to
//! silence, to note and to share; and its post-mortem.
//!
//! The buttons send forms: mail scanners follow links, so a link must change nothing. Forms of other sites are rejected by
//! [`origin_check`](super::super::origin_check), and who may press them decides [`sign_in`](super::super::sign_in).

pub(in crate::web) mod actions;
pub(in crate::web) mod links;
pub(in crate::web) mod post_mortem;
mod timeline;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use minijinja::Value;
use minijinja::value::Serde;

use super::super::error::Problem;
use super::super::{Console, blocking};
use super::chart::{Chart, MarkedSpan};
use super::incident_summary::IncidentSummary;
use super::templates::Frame;
use super::time_range::TimeRange;
use super::visitor::Visitor;
use crate::notify::Matcher;
use crate::notify::dispatch::{IncidentView, MAX_COMMENT, MAX_NOTE};
use crate::pipeline::IncidentBoard;
use crate::query::{Filter, LabelCounts, Query};
use crate::store::StoreError;
use post_mortem::Course;

/// What the chart shows before and after the incident.
const MARGIN: SignedDuration = SignedDuration::from_hours(6);

/// What the store has about an incident.
#[derive(Default)]
struct StoredPart {
    /// The topic and its curve; none for an incident without posts.
    chart: Option<(String, Chart)>,
    /// The posts of the topic while it lasted.
    counts: Option<LabelCounts>,
}

/// The page of one incident.
pub(in crate::web) async fn page(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    respond(&console, &visitor, &id, None).await
}

/// The page, with the address of a link that was made just now.
async fn respond(
    console: &Console,
    visitor: &Visitor,
    id: &str,
    new_link: Option<String>,
) -> Result<Response, Problem> {
    let board = console.daemon.board();
    let incident = board.incident(id).cloned().ok_or_else(|| not_found(id))?;
    let (links, name) = (console.shared_links.clone(), incident.incident.id.clone());
    let links = blocking::run(move || links.to(&name, Timestamp::now())).await?;
    let silence = silence_address(&incident);
    let values = document(console, visitor, incident).await?;
    let page = minijinja::context! {
        // A page that shows an address once must not load itself again.
        live => new_link.is_none(),
        links => Serde(links),
        link_days => Serde(super::super::shared_links::DAYS),
        new_link,
        silence_address => silence,
        max_comment => MAX_COMMENT,
        max_note => MAX_NOTE,
        ..values
    };
    let frame = Frame { place: "incidents", open: board.open() };
    Ok(console.pages.respond(visitor, ("incident.html", &frame), page))
}

/// What the page and the post-mortem show of an incident.
async fn document(console: &Console, visitor: &Visitor, incident: IncidentView) -> Result<Value, Problem> {
    let (board, now) = (console.daemon.board(), console.daemon.status().now);
    let (query, pages, reader) = (console.daemon.query.clone(), console.pages.clone(), visitor.clone());
    let values = blocking::run(move || {
        let stored = stored_part(&incident, &query, (pages.zone(), &reader), now)?;
        Ok::<_, StoreError>(context(&incident, &board, stored, &reader, now))
    });
    values.await
}

fn not_found(id: &str) -> Problem {
    let id: String = id.chars().take(40).collect();
    Problem::new(StatusCode::NOT_FOUND, format!("there is no incident {id:?}; resolved ones are kept for 7 days"))
}

/// Where a silence of this incident begins: the form with its matchers, which shows what it would mute.
fn silence_address(view: &IncidentView) -> String {
    let (matchers, comment) = silence(view);
    let matchers: Vec<String> = matchers.iter().map(Matcher::to_string).collect();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("matchers", &matchers.join(", ")).append_pair("hours", "2").append_pair("comment", &comment);
    format!("/incidents?{}#silences", query.finish())
}

/// What silences the alerts of an incident, and the comment that says why.
fn silence(view: &IncidentView) -> (Vec<Matcher>, String) {
    let matchers = view.group.iter().filter_map(|(name, value)| Matcher::equals(name, value));
    (matchers.collect(), format!("incident {}", view.incident.id))
}

/// The curve of the incident's topic, from some hours before it to some hours after, and its posts while it lasted; nothing for one
/// without a topic.
fn stored_part(
    view: &IncidentView,
    query: &Query,
    (zone, visitor): (&jiff::tz::TimeZone, &Visitor),
    now: Timestamp,
) -> Result<StoredPart, StoreError> {
    let Some(topic) = view.alerts.iter().map(|entry| &entry.alert.topic).find(|topic| !topic.is_empty()) else {
        return Ok(StoredPart::default());
    };
    let (since, until) = (view.incident.started_at, view.incident.ended_at);
    let end = until.map_or(now, |until| until.saturating_add(MARGIN).unwrap_or(now).min(now));
    let range = TimeRange::read(None, since.checked_sub(MARGIN).ok(), Some(end), now);
    let curve = query.curve(topic, range.since, range.until, range.step)?;
    // A component that is called like a topic has no posts.
    if curve.iter().all(|step| step.counts.posts() == 0) {
        return Ok(StoredPart::default());
    }
    let during = Filter {
        topics: vec![topic.clone()],
        since: Some(since),
        until: Some(until.unwrap_or(now)),
        ..Filter::default()
    };
    let counts = query.counts(&during)?;
    let id = view.incident.id.clone();
    let span = MarkedSpan::new(&range, since.as_second(), until.map(Timestamp::as_second), Some(id.clone()), id);
    let chart = Chart::new(&curve, span.into_iter().collect(), &range, zone, visitor);
    Ok(StoredPart { chart: Some((topic.clone(), chart)), counts: Some(counts) })
}

fn context(
    incident: &IncidentView,
    board: &IncidentBoard,
    stored: StoredPart,
    visitor: &Visitor,
    now: Timestamp,
) -> Value {
    let (chart_topic, chart) = stored.chart.unzip();
    minijinja::context! {
        i => Serde(incident),
        summary => Serde(IncidentSummary::new(incident, board, visitor.is_french())),
        timeline => Serde(timeline::timeline(incident)),
        course => Serde(Course::new(incident, stored.counts)),
        chart => Serde(chart),
        chart_topic,
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
        let values = context(incident, &IncidentBoard::default(), StoredPart::default(), &visitor, now);
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
            history: Vec::new(),
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
        let over = render(&incident, Language::French);
        assert!(!over.contains("value=\"acknowledge\"") && over.contains("Ajouter la note"), "{over}");
    }
}
