//! The list of incidents, and the silences: who made each, why, until when, and what a new one would mute.

use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::Value;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};

use super::super::Console;
use super::super::error::{Problem, UrlParameters};
use super::incident_summary::IncidentSummary;
use super::templates::Frame;
use super::visitor::{Visitor, name_cookie, trim_name};
use crate::notify::{Matcher, Silence};
use crate::pipeline::{AlertQuery, IncidentBoard};

/// Characters of a comment.
const MAX_COMMENT: usize = 500;

/// A silence in the making: matchers as Alertmanager writes them, separated by commas or lines.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub(in crate::web) struct SilenceForm {
    matchers: String,
    hours: Option<f64>,
    comment: String,
    by: String,
}

/// What a silence would mute now.
#[derive(Debug, Serialize)]
struct Preview {
    problem: Option<String>,
    incidents: Vec<IncidentSummary>,
}

/// A silence of the list.
#[derive(Debug, Serialize)]
struct SilenceView {
    id: String,
    matchers: Vec<String>,
    by: String,
    comment: String,
    starts_at: String,
    ends_at: String,
    active: bool,
    /// The incidents that it mutes now.
    mutes: Vec<String>,
}

pub(in crate::web) async fn page(
    State(console): State<Console>,
    visitor: Visitor,
    UrlParameters(form): UrlParameters<SilenceForm>,
) -> Response {
    let (board, now) = (console.daemon.board(), console.daemon.status().now);
    let frame = Frame { place: "incidents", open: board.open() };
    console.pages.respond(&visitor, ("incidents.html", &frame), context(&board, &form, &visitor, now))
}

fn context(board: &IncidentBoard, form: &SilenceForm, visitor: &Visitor, now: jiff::Timestamp) -> Value {
    let summary = |view| IncidentSummary::new(view, board, visitor.is_french());
    let (firing, over): (Vec<_>, Vec<_>) = board.incidents.iter().partition(|view| view.is_firing());
    let silence = |silence: &Silence| SilenceView {
        id: silence.id.clone(),
        matchers: silence.matchers.iter().map(ToString::to_string).collect(),
        by: silence.by.clone(),
        comment: silence.comment.clone(),
        starts_at: silence.starts_at.to_string(),
        ends_at: silence.ends_at.to_string(),
        active: silence.is_active(now),
        mutes: board
            .incidents
            .iter()
            .filter(|view| view.alerts.iter().any(|entry| entry.silenced_by.as_ref() == Some(&silence.id)))
            .map(|view| view.incident.id.clone())
            .collect(),
    };
    let preview = (!form.matchers.trim().is_empty()).then(|| preview(board, form, visitor));
    minijinja::context! {
        firing => Serde(firing.into_iter().map(summary).collect::<Vec<_>>()),
        over => Serde(over.into_iter().map(summary).collect::<Vec<_>>()),
        silences => Serde(board.silences.iter().map(silence).collect::<Vec<_>>()),
        form => Serde(form),
        hours => form.hours.map_or_else(|| "2".to_owned(), |hours| hours.to_string()),
        preview => Serde(preview),
        now => now.to_string(),
        live => form.matchers.is_empty(),
    }
}

/// The matchers of a form.
fn matchers(text: &str) -> Result<Vec<Matcher>, String> {
    // A comma within quotes belongs to a value: `topic="Paris, Texas"`.
    let (mut quoted, mut escaped) = (false, false);
    let separates = move |c: char| {
        let separates = !quoted && matches!(c, '\n' | ',');
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        separates
    };
    let parts = text.split(separates).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().map_err(|error: crate::notify::MatcherError| error.to_string())).collect()
}

fn preview(board: &IncidentBoard, form: &SilenceForm, visitor: &Visitor) -> Preview {
    let matchers = match matchers(&form.matchers) {
        Ok(matchers) => matchers,
        Err(problem) => return Preview { problem: Some(problem), incidents: Vec::new() },
    };
    let is_muted = |view: &&crate::notify::dispatch::IncidentView| {
        let mut firing = view.alerts.iter().filter(|entry| entry.alert.ends_at.is_none());
        firing.any(|entry| Matcher::all(&matchers, &entry.alert.labels))
    };
    let muted = board.incidents.iter().filter(|view| view.is_firing()).filter(is_muted);
    let incidents = muted.map(|view| IncidentSummary::new(view, board, visitor.is_french())).collect();
    Preview { problem: None, incidents }
}

/// Makes a silence.
pub(in crate::web) async fn silence(
    State(console): State<Console>,
    visitor: Visitor,
    Form(form): Form<SilenceForm>,
) -> Response {
    let refused = |problem: String| Problem::new(StatusCode::BAD_REQUEST, problem).into_response();
    let matchers = match matchers(&form.matchers) {
        Ok(matchers) => matchers,
        Err(problem) => return refused(problem),
    };
    let Some(hours) = form.hours.filter(|hours| hours.is_finite() && *hours > 0.0) else {
        return refused("hours: expected a number above 0".into());
    };
    let given = trim_name(&form.by);
    let by = visitor.signer_or_anonymous(given.clone());
    let comment = form.comment.trim().chars().filter(|c| !c.is_control()).take(MAX_COMMENT).collect();
    let query = AlertQuery::Silence { matchers, seconds: (hours * 3_600.0) as u64, by, comment };
    respond(&console, query, given.as_deref()).await
}

/// Ends a silence.
pub(in crate::web) async fn unsilence(State(console): State<Console>, Path(id): Path<String>) -> Response {
    respond(&console, AlertQuery::Unsilence { id }, None).await
}

async fn respond(console: &Console, query: AlertQuery, name: Option<&str>) -> Response {
    match console.daemon.alerts(query).await {
        Ok(Ok(_)) => {
            let mut response = Redirect::to("/incidents#silences").into_response();
            response.headers_mut().extend(name.and_then(name_cookie).map(|cookie| (header::SET_COOKIE, cookie)));
            response
        }
        Ok(Err(error)) => Problem::from(&error).into_response(),
        Err(error) => Problem::unavailable(&error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_separated_by_commas_or_lines() {
        let found = matchers("topic=\"Air Paradis\", severity=~\"warning|critical\"\nalertname!=\"NoPosts\"").unwrap();
        assert_eq!(found.len(), 3);
        for topic in ["Paris, Texas", "a \"b, c\" d", "back\\slash, d"] {
            let matcher = Matcher::equals("topic", topic).unwrap();
            assert_eq!(matchers(&format!("{matcher}, severity=warning")).unwrap()[0], matcher, "{topic}");
        }
        assert!(matchers("nonsense").is_err());
        assert!(matchers("topic=~\"(\"").unwrap_err().contains("not a regular expression"));
    }
}
