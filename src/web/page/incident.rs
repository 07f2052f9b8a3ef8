//! The page of an incident, where the links in messages lead, with buttons to acknowledge and to silence it.
//!
//! The buttons send forms: mail scanners follow links, so a link must change nothing. Forms of other sites are rejected by
//! [`origin_check`](super::super::origin_check). Like all pages it asks for no password: put an authenticating proxy in front of
//! any address that is not loopback.

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use minijinja::Value;
use minijinja::value::Serde;
use serde::Deserialize;

use super::super::Console;
use super::super::error::Problem;
use crate::notify::Matcher;
use crate::notify::dispatch::IncidentView;
use crate::pipeline::{AlertQuery, AlertReply};

/// How long the page's button silences, in seconds.
const SILENCE_SECONDS: u64 = 2 * 3_600;
/// Who acted, where nobody gave a name.
const ANONYMOUS: &str = "console";
/// Remembers the name that a person gave, so that it is asked for once.
const NAME_COOKIE: &str = "vigie_name";
/// Longest name, in characters.
const MAX_NAME: usize = 60;

/// The page of one incident.
pub(in crate::web) async fn page(
    State(console): State<Console>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    match find_incident(&console, id).await {
        Ok(incident) => {
            let name = name_of(&headers).unwrap_or_default();
            console.pages.respond("incident.html", context(&incident, &name, Timestamp::now()))
        }
        Err(problem) => problem.into_response(),
    }
}

async fn find_incident(console: &Console, id: String) -> Result<IncidentView, Problem> {
    match console.daemon.alerts(AlertQuery::Show { id }).await {
        Ok(Ok(AlertReply::Incident(incident))) => Ok(*incident),
        Ok(Ok(_)) => {
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the daemon gave another reply than an incident"))
        }
        Ok(Err(error)) => Err(Problem::from(&error)),
        Err(error) => Err(Problem::unavailable(&error)),
    }
}

/// A button of the page, with the name of who pressed it.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Button {
    action: Action,
    #[serde(default)]
    by: String,
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
    headers: HeaderMap,
    Form(button): Form<Button>,
) -> Response {
    let given = trim_name(&button.by);
    let by = given.clone().or_else(|| name_of(&headers)).unwrap_or_else(|| ANONYMOUS.to_owned());
    let query = match button.action {
        Action::Acknowledge => AlertQuery::Acknowledge { id: id.clone(), by },
        Action::Unacknowledge => AlertQuery::Unacknowledge { id: id.clone() },
        Action::Silence => {
            let incident = match find_incident(&console, id.clone()).await {
                Ok(incident) => incident,
                Err(problem) => return problem.into_response(),
            };
            let matchers = incident.group.iter().filter_map(|(name, value)| Matcher::equals(name, value)).collect();
            let comment = format!("incident {}", incident.incident.id);
            AlertQuery::Silence { matchers, seconds: SILENCE_SECONDS, by, comment }
        }
    };
    match console.daemon.alerts(query).await {
        Ok(Ok(_)) => {
            // GET again: reloading the page must not press the button again.
            let mut response = Redirect::to(&format!("/alerts/{id}")).into_response();
            if let Some(cookie) = given.as_deref().and_then(name_cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(Err(error)) => Problem::from(&error).into_response(),
        Err(error) => Problem::unavailable(&error).into_response(),
    }
}

fn context(incident: &IncidentView, name: &str, now: Timestamp) -> Value {
    minijinja::context! { i => Serde(incident), name => name, now => now.to_string() }
}

/// A name without control characters, cut to its longest; none where nothing is left.
fn trim_name(name: &str) -> Option<String> {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    (!name.is_empty()).then_some(name)
}

fn name_cookie(name: &str) -> Option<header::HeaderValue> {
    let value = URL_SAFE_NO_PAD.encode(name);
    let cookie = format!("{NAME_COOKIE}={value}; Path=/alerts; Max-Age=31536000; SameSite=Strict; HttpOnly");
    cookie.parse().ok()
}

fn name_of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let value = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(NAME_COOKIE)?.strip_prefix('='))?;
    trim_name(&String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?)
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
        Pages::new(language, "UTC").unwrap().render("incident.html", context(incident, "Claire", now)).unwrap()
    }

    #[test]
    fn a_name_is_remembered_by_its_cookie() {
        let cookie = name_cookie("Zoé L.").unwrap();
        let sent = cookie.to_str().unwrap().split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("a=b; {sent}").parse().unwrap());
        assert_eq!(name_of(&headers).as_deref(), Some("Zoé L."));
        headers.insert(header::COOKIE, "vigie_name=%%".parse().unwrap());
        assert_eq!(name_of(&headers), None);
        assert_eq!(trim_name(" \n "), None);
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
        assert!(!render(&incident, Language::French).contains("<form"));
    }
}
