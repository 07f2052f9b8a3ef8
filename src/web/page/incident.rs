//! Incidents: `POST /api/v1/alerts` for `vigie alerts`, which asks with the token of the state directory, and a page for
//! each incident, where the links in messages lead.
//!
//! A page's buttons send forms: mail scanners follow links, and a link changes nothing. Forms of pages from elsewhere are
//! refused by [`super::super::origin_check`]. As all pages, they ask for no password: put a proxy that does before any address that
//! is not loopback.

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Json, Redirect, Response};
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Deserialize;
use serde_json::json;

use super::super::Console;
use super::super::auth::bearer;
use crate::language::Language;
use crate::notify::Matcher;
use crate::notify::dispatch::{AskError, IncidentView};
use crate::pipeline::{Answer, Ask};

const TEMPLATE: &str = include_str!("incident.html");
/// How long the page's button silences, in seconds.
const SILENCE: u64 = 2 * 3_600;
/// Who acted, where no login tells.
const SOMEBODY: &str = "console";

pub(in crate::web) async fn ask(State(console): State<Console>, headers: HeaderMap, Json(ask): Json<Ask>) -> Response {
    if !bearer(&headers).is_some_and(|token| console.token.is(token)) {
        let why = "wanted: Authorization: Bearer TOKEN, with the token in the state directory's file api-token\n";
        return (StatusCode::UNAUTHORIZED, why).into_response();
    }
    match console.daemon.alerts(ask).await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(error)) => (status_of(&error), Json(json!({ "error": error.to_string() }))).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}\n")).into_response(),
    }
}

fn status_of(error: &AskError) -> StatusCode {
    match error {
        AskError::NoIncident(_) | AskError::NoSilence(_) => StatusCode::NOT_FOUND,
        AskError::Over(_) => StatusCode::CONFLICT,
        AskError::NoMatcher | AskError::Length => StatusCode::BAD_REQUEST,
    }
}

/// The page of one incident.
pub(in crate::web) async fn page(State(console): State<Console>, Path(id): Path<String>) -> Response {
    match found(&console, id).await {
        Ok(incident) => match render(&incident, console.language) {
            Ok(page) => {
                let policy =
                    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
                let headers = [(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")];
                (headers, Html(page)).into_response()
            }
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
        },
        Err(refused) => refused,
    }
}

async fn found(console: &Console, id: String) -> Result<IncidentView, Response> {
    match console.daemon.alerts(Ask::Show { id }).await {
        Ok(Ok(Answer::Incident(incident))) => Ok(*incident),
        Ok(Ok(_)) => Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        Ok(Err(error)) => Err((status_of(&error), format!("{error}\n")).into_response()),
        Err(error) => Err((StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}\n")).into_response()),
    }
}

/// A button of the page.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Button {
    action: Action,
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
    Form(button): Form<Button>,
) -> Response {
    let ask = match button.action {
        Action::Acknowledge => Ask::Acknowledge { id: id.clone(), by: SOMEBODY.into() },
        Action::Unacknowledge => Ask::Unacknowledge { id: id.clone() },
        Action::Silence => {
            let incident = match found(&console, id.clone()).await {
                Ok(incident) => incident,
                Err(refused) => return refused,
            };
            let matchers = incident.group.iter().filter_map(|(name, value)| Matcher::is(name, value)).collect();
            Ask::Silence {
                matchers,
                seconds: SILENCE,
                by: SOMEBODY.into(),
                comment: format!("of {}", incident.incident.id),
            }
        }
    };
    match console.daemon.alerts(ask).await {
        // GET again: reloading the page is not to press the button again.
        Ok(Ok(_)) => Redirect::to(&format!("/alerts/{id}")).into_response(),
        Ok(Err(error)) => (status_of(&error), format!("{error}\n")).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}\n")).into_response(),
    }
}

fn render(incident: &IncidentView, language: Language) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    let french = language == Language::French;
    environment.add_function("t", move |english: String, in_french: String| if french { in_french } else { english });
    environment.add_filter("minute", |time: String| time.get(..16).unwrap_or(&time).replace('T', " "));
    environment.add_template("incident.html", TEMPLATE)?;
    environment.get_template("incident.html")?.render(context! { i => Serde(incident), fr => french })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::notify::dispatch::Telling;
    use crate::notify::{SampleKind, sample};

    #[test]
    fn the_page_shows_the_incident_and_its_buttons_in_both_languages() {
        let told = sample("desk", SampleKind::Opened, "2026-11-24T12:00:00Z".parse().unwrap(), None);
        let entry = |alert| crate::notify::dispatch::AlertEntry { alert, silenced_by: None, inhibited_by: None };
        let telling = Telling { notifications: 1, last: Some(told.at), fault: Some("<401>".into()), escalated: false };
        let mut incident = IncidentView {
            incident: told.incident.clone(),
            group: told.group.clone(),
            acknowledged: None,
            alerts: told.alerts.into_iter().map(entry).collect(),
            told: BTreeMap::from([("desk".to_owned(), telling)]),
        };
        let english = render(&incident, Language::English).unwrap();
        for wanted in [told.incident.id.as_str(), "Acknowledge", "Silence for 2 h", "&lt;401&gt;", "method=\"post\""] {
            assert!(english.contains(wanted), "{wanted} is not in\n{english}");
        }
        let french = render(&incident, Language::French).unwrap();
        assert!(french.contains("Prendre en charge") && french.contains("Silence de 2 h"), "{french}");
        incident.incident.ended_at = Some(told.at);
        assert!(!render(&incident, Language::French).unwrap().contains("<form"));
    }
}
