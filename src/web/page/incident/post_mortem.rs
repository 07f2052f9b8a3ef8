//! `/alerts/ID/post-mortem`: an incident on one page to print, or to send as a link: how it began, how fast people were notified
//! and took it, how bad it was, what people wrote and noted.

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;

use super::super::super::Console;
use super::super::super::error::Problem;
use super::super::templates::Frame;
use super::super::visitor::Visitor;
use super::{document, not_found};
use crate::notify::dispatch::{HistoryEvent, IncidentView};
use crate::query::LabelCounts;

pub(super) const TEMPLATE: &str = "post_mortem.html";

/// A moment of the incident, and how long after its beginning it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Moment {
    at: Timestamp,
    /// Seconds since the first alert's condition began to hold.
    after: i64,
    who: String,
}

/// How the incident went, in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Course {
    began_at: Timestamp,
    fired: Option<Moment>,
    notified: Option<Moment>,
    acknowledged: Option<Moment>,
    ended: Option<Moment>,
    /// Messages that receivers took.
    messages: u32,
    /// Posts of the topic from the beginning to the end, or to now.
    posts: Option<u64>,
    negative: Option<u64>,
    share: Option<f64>,
}

impl Course {
    pub(super) fn new(view: &IncidentView, counts: Option<LabelCounts>) -> Self {
        let began_at = view.incident.started_at;
        let moment = |at: Timestamp, who: &str| Moment {
            at,
            after: at.duration_since(began_at).as_secs().max(0),
            who: who.to_owned(),
        };
        let first_alert = view.alerts.iter().map(|entry| &entry.alert).min_by_key(|alert| alert.fired_at);
        let notified = view.history.iter().find_map(|entry| match &entry.event {
            HistoryEvent::Notified { receiver, .. } => Some(moment(entry.at, receiver)),
            _ => None,
        });
        // The first, also where it was withdrawn or the incident began again.
        let acknowledged = view.history.iter().find_map(|entry| match &entry.event {
            HistoryEvent::Acknowledged { by, .. } => Some(moment(entry.at, by)),
            _ => None,
        });
        let posts = counts.map(|counts| counts.total());
        let negative = counts.map(|counts| counts.negative);
        Self {
            began_at,
            fired: first_alert.map(|alert| moment(alert.fired_at, &alert.rule)),
            notified,
            acknowledged,
            ended: view.incident.ended_at.map(|at| moment(at, "")),
            messages: view.deliveries.values().map(|delivery| delivery.notifications).sum(),
            posts,
            negative,
            share: negative.zip(posts).filter(|(_, posts)| *posts > 0).map(|(part, all)| part as f64 / all as f64),
        }
    }
}

/// The page.
pub(in crate::web) async fn page(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let incident = console.daemon.board().incident(&id).cloned().ok_or_else(|| not_found(&id))?;
    let values = document(&console, &visitor, incident).await?;
    let frame = Frame { place: "incidents", open: console.daemon.board().open() };
    Ok(console.pages.respond(&visitor, (TEMPLATE, &frame), values))
}
