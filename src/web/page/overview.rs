//! The overview: what fires and who takes care of it, each topic over time, the sources. Follows the daemon by its script, and
//! says the same without one.

use std::cmp::Reverse;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use minijinja::Value;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};

use super::super::error::{Problem, UrlParameters};
use super::super::{Console, blocking};
use super::chart::{Chart, MarkedSpan};
use super::incident_summary::IncidentSummary;
use super::templates::{Frame, html};
use super::time_range::TimeRange;
use super::visitor::Visitor;
use crate::notify::dispatch::IncidentView;
use crate::pipeline::IncidentBoard;
use crate::pipeline::status::{AlertStatus, SourceStatus, Status, TopicStatus};
use crate::query::{CurveStep, Query};
use crate::rule::LEARNING_HOURS;
use crate::store::StoreError;

/// Topics with a chart; further ones are lines of a table.
const MAX_CHARTS: usize = 12;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct OverviewParameters {
    range: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// Shows this topic alone.
    topic: Option<String>,
}

/// How a topic is, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum CardState {
    Critical,
    Firing,
    /// No source works: silence says nothing.
    SourceDown,
    Pending,
    Learning,
    NoData,
    Quiet,
}

/// A topic's part of the page.
#[derive(Debug, Serialize)]
struct TopicCard {
    #[serde(flatten)]
    topic: TopicStatus,
    state: CardState,
    /// None below the topics with a chart.
    chart: Option<Chart>,
}

pub(in crate::web) async fn page(
    State(console): State<Console>,
    visitor: Visitor,
    UrlParameters(parameters): UrlParameters<OverviewParameters>,
) -> Result<Response, Problem> {
    let (status, board) = (console.daemon.status(), console.daemon.board());
    // A board that was published since the status has changed what the page shows.
    let state = status.now.max(board.at);
    if let Some(page) = console.pages.overviews.get(&visitor, state) {
        return Ok(html(&visitor, page.to_string()));
    }
    let (query, pages, reader) = (console.daemon.query.clone(), console.pages.clone(), visitor.clone());
    let page = blocking::run(move || {
        let zone = pages.zone();
        let values = values(&status, &board, &parameters, &query, (zone, &reader))?;
        let frame = Frame { place: "overview", open: board.open() };
        let page = pages.render(&reader, ("overview.html", &frame), values)?;
        pages.overviews.put(&reader, state, &page);
        anyhow::Ok(page)
    });
    Ok(html(&visitor, page.await?))
}

fn values(
    status: &Status,
    board: &IncidentBoard,
    parameters: &OverviewParameters,
    query: &Query,
    (zone, visitor): (&jiff::tz::TimeZone, &Visitor),
) -> Result<Value, StoreError> {
    let range = TimeRange::read(parameters.range.as_deref(), parameters.since, parameters.until, status.now);
    let is_asked = |topic: &&TopicStatus| parameters.topic.as_ref().is_none_or(|asked| *asked == topic.name);
    let mut cards: Vec<TopicCard> = status
        .topics
        .iter()
        .filter(is_asked)
        .map(|topic| TopicCard { topic: topic.clone(), state: state_of(topic, status, board), chart: None })
        .collect();
    cards.sort_by(|a, b| {
        let order = |card: &TopicCard| (card.state.min(CardState::Learning), Reverse(card.topic.posts));
        order(a).cmp(&order(b)).then_with(|| a.topic.name.cmp(&b.topic.name))
    });
    for card in cards.iter_mut().take(MAX_CHARTS) {
        let curve = query.curve(&card.topic.name, range.since, range.until, range.step)?;
        let spans = spans(&card.topic.name, &range, board, query, visitor)?;
        if card.state == CardState::Quiet && curve.iter().all(|step: &CurveStep| step.counts.posts() == 0) {
            card.state = CardState::NoData;
        }
        card.chart = Some(Chart::new(&curve, spans, &range, zone, visitor));
    }
    let mut states: Vec<CardState> = cards.iter().map(|card| card.state).collect();
    states.sort_unstable();
    states.dedup();
    let firing: Vec<IncidentSummary> = board
        .incidents
        .iter()
        .filter(|view| view.is_firing())
        .map(|view| IncidentSummary::new(view, board, visitor.is_french()))
        .collect();
    let pending: Vec<&AlertStatus> = status.alerts.iter().filter(|alert| alert.state == "pending").collect();
    let ranges: Vec<(&str, String)> = TimeRange::names().map(|name| (name, range_address(visitor, name))).collect();
    Ok(minijinja::context! {
        s => Serde(status),
        now => status.now.to_string(),
        topics => Serde(&cards),
        states => Serde(&states),
        firing => Serde(&firing),
        pending => Serde(&pending),
        ranges => Serde(&ranges),
        range => range.name,
        asked_topic => &parameters.topic,
        learning_hours => LEARNING_HOURS,
        live => range.name.is_some(),
    })
}

fn range_address(visitor: &Visitor, name: &str) -> String {
    visitor.with_parameters(&[("since", None), ("until", None), ("range", Some(name))])
}

fn state_of(topic: &TopicStatus, status: &Status, board: &IncidentBoard) -> CardState {
    let of_topic = |alert: &&AlertStatus| alert.topic == topic.name;
    let is_critical = |view: &IncidentView| {
        let mut alerts = view.alerts.iter().filter(|entry| entry.alert.ends_at.is_none());
        alerts.any(|entry| {
            entry.alert.topic == topic.name && entry.alert.labels.get("severity").is_some_and(|s| s == "critical")
        })
    };
    if status.alerts.iter().filter(of_topic).any(|alert| alert.state == "firing") {
        return if board.incidents.iter().any(is_critical) { CardState::Critical } else { CardState::Firing };
    }
    let is_down = |source: &SourceStatus| source.report.fault(&source.name, source.started_at, status.now).is_some();
    if !status.sources.is_empty() && status.sources.iter().all(is_down) {
        return CardState::SourceDown;
    }
    if status.alerts.iter().any(|alert| of_topic(&alert)) {
        return CardState::Pending;
    }
    if topic.normal.is_none() && topic.learned_hours < LEARNING_HOURS {
        return if topic.total == 0 && topic.learned_hours == 0 { CardState::NoData } else { CardState::Learning };
    }
    CardState::Quiet
}

/// The incidents of a topic, as spans: from the board, which knows their names, and older alerts from the store.
fn spans(
    topic: &str,
    range: &TimeRange,
    board: &IncidentBoard,
    query: &Query,
    visitor: &Visitor,
) -> Result<Vec<MarkedSpan>, StoreError> {
    let of_topic = |view: &&IncidentView| view.alerts.iter().any(|entry| entry.alert.topic == topic);
    let mut spans = Vec::new();
    let mut earliest = range.until;
    for view in board.incidents.iter().filter(of_topic) {
        let (since, until) = (view.incident.started_at.as_second(), view.incident.ended_at.map(Timestamp::as_second));
        earliest = earliest.min(since);
        let summary = IncidentSummary::new(view, board, visitor.is_french());
        let title = format!("{}: {}", view.incident.id, summary.summary);
        spans.extend(MarkedSpan::new(range, since, until, Some(view.incident.id.clone()), title));
    }
    for alert in query.alerts(topic, range.since, earliest.max(range.since))? {
        let (since, until) = (alert.starts_at.as_second(), alert.ends_at.map(Timestamp::as_second));
        let text = if visitor.is_french() { "summary_fr" } else { "summary" };
        let summary = alert.annotations.get(text).or_else(|| alert.annotations.get("summary"));
        let title = summary.cloned().unwrap_or_else(|| alert.rule.clone());
        spans.extend(MarkedSpan::new(range, since, until, None, title));
    }
    Ok(spans)
}

#[cfg(test)]
pub(super) mod tests;
