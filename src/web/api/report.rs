//! `GET /api/v1/report`: a report of stored posts as one HTML page, read past the monitor's thread.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use jiff::Timestamp;
use serde_json::json;

use super::super::auth::refusal;
use super::super::error::{Problem, UrlParameters};
use super::super::{Console, blocking};
use crate::language::Language;
use crate::notify::ReportSpan;

/// What a request asks for.
#[derive(Debug, PartialEq)]
struct Asked {
    span: ReportSpan,
    language: Option<Language>,
}

/// Answers `{"html": ...}`. The parameters are `since`, `until` and, if wanted, `lang`.
pub(in crate::web) async fn page(
    State(console): State<Console>,
    headers: HeaderMap,
    UrlParameters(parameters): UrlParameters<Vec<(String, String)>>,
) -> Response {
    if let Some(refusal) = refusal(&console, &headers) {
        return refusal.into_response();
    }
    let Asked { span, language } = match read(&parameters) {
        Ok(asked) => asked,
        Err(problem) => return Problem::new(StatusCode::BAD_REQUEST, problem).into_response(),
    };
    let daemon = console.daemon.clone();
    match blocking::run(move || daemon.report(span, language)).await {
        Ok(html) => Json(json!({ "html": html })).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// # Errors
/// A line that names the parameter and what was expected.
fn read(parameters: &[(String, String)]) -> Result<Asked, String> {
    let (mut since, mut until, mut language) = (None, None, None);
    let time = |name: &str, value: &str| {
        value.parse::<Timestamp>().map_err(|_| format!("{name}: expected a time such as 2026-11-28T09:00:00Z"))
    };
    for (name, value) in parameters {
        match name.as_str() {
            "since" => since = Some(time(name, value)?),
            "until" => until = Some(time(name, value)?),
            "lang" if value == "en" => language = Some(Language::English),
            "lang" if value == "fr" => language = Some(Language::French),
            "lang" => return Err("lang: expected en or fr".into()),
            unknown => return Err(format!("unknown parameter `{unknown}`; expected one of: since, until, lang")),
        }
    }
    let (Some(since), Some(until)) = (since, until) else { return Err("since and until: both are needed".into()) };
    let span = ReportSpan { since, until }.in_hours().filter(|span| span.since < span.until);
    Ok(Asked { span: span.ok_or("until: expected a time after since")?, language })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_its_time_or_is_told_what_is_missing() {
        let asked = |text: &str| read(&form_urlencoded::parse(text.as_bytes()).into_owned().collect::<Vec<_>>());
        let day = asked("since=2026-11-28T09:10:00Z&until=2026-11-29T09:00:00Z&lang=fr").unwrap();
        assert_eq!((day.span.since.to_string(), day.language), ("2026-11-28T09:00:00Z".into(), Some(Language::French)));
        for (text, expected) in [
            ("since=2026-11-28T09:10:00Z", "since and until: both are needed"),
            ("since=monday", "since: expected a time such as"),
            ("lang=de", "lang: expected en or fr"),
            ("colour=red", "unknown parameter `colour`"),
            ("since=2026-11-28T09:00:00Z&until=2026-11-27T09:00:00Z", "until: expected a time after since"),
        ] {
            let error = asked(text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
