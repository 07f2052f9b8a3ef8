//! The buttons of an incident's page: acknowledge, silence, note.

use axum::extract::{Form, Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::super::Console;
use super::super::super::error::Problem;
use super::super::visitor::{Visitor, local_path, name_cookie, trim_name};
use super::{not_found, silence};
use crate::pipeline::AlertQuery;

/// How long the page's button silences, in seconds.
const SILENCE_SECONDS: u64 = 2 * 3_600;

/// A button of the page, with the name of who pressed it.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Button {
    action: Action,
    #[serde(default)]
    by: String,
    #[serde(default)]
    comment: String,
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

/// A note, with the name of who wrote it.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct NoteForm {
    text: String,
    #[serde(default)]
    by: String,
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
        Action::Acknowledge => AlertQuery::Acknowledge { id: id.clone(), by, comment: button.comment },
        Action::Unacknowledge => AlertQuery::Unacknowledge { id: id.clone(), by: Some(by) },
        Action::Silence => {
            let board = console.daemon.board();
            let Some(incident) = board.incident(&id) else { return not_found(&id).into_response() };
            let (matchers, comment) = silence(incident);
            AlertQuery::Silence { matchers, seconds: SILENCE_SECONDS, by, comment }
        }
    };
    let own = format!("/alerts/{id}");
    change(&console, query, local_path(&button.back).unwrap_or(&own), given.as_deref()).await
}

pub(in crate::web) async fn note(
    State(console): State<Console>,
    Path(id): Path<String>,
    visitor: Visitor,
    Form(form): Form<NoteForm>,
) -> Response {
    let given = trim_name(&form.by);
    let by = visitor.signer_or_anonymous(given.clone());
    let back = format!("/alerts/{id}#notes");
    change(&console, AlertQuery::Note { id, by, text: form.text }, &back, given.as_deref()).await
}

/// Has the monitor change something, then shows the page `back`, and remembers the name that was `given`.
async fn change(console: &Console, query: AlertQuery, back: &str, given: Option<&str>) -> Response {
    match console.daemon.alerts(query).await {
        Ok(Ok(_)) => {
            // GET again: reloading the page must not press the button again.
            let mut response = Redirect::to(back).into_response();
            response.headers_mut().extend(given.and_then(name_cookie).map(|cookie| (header::SET_COOKIE, cookie)));
            response
        }
        Ok(Err(error)) => Problem::from(&error).into_response(),
        Err(error) => Problem::unavailable(&error).into_response(),
    }
}
