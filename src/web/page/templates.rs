//! [`Pages`]: the templates of all pages, parsed once, with the language and time zone that they are written in.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Environment, State, Value};

use super::super::error::Problem;
use crate::language::Language;
use crate::notify::render;

/// Pages run no script, load nothing, and cannot be framed; forms go to this server only.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

/// Renders pages. Clones share the parsed templates.
#[derive(Debug, Clone)]
pub struct Pages {
    environment: Arc<Environment<'static>>,
}

impl Pages {
    /// `time_zone` is an IANA name; an unknown one means UTC, as in messages.
    ///
    /// # Errors
    /// When a template has a syntax error.
    pub fn new(language: Language, time_zone: &str) -> Result<Self, minijinja::Error> {
        let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
        let french = language == Language::French;
        let mut environment = Environment::new();
        environment.add_global("fr", french);
        // Both languages stand side by side in the template, so that neither is forgotten.
        environment
            .add_function("t", move |english: String, in_french: String| if french { in_french } else { english });
        environment.add_filter("ago", move |state: &State<'_, '_>, time: String| ago(state, &time, language));
        environment.add_filter("percent", move |rate: Option<f64>| percent(rate, language));
        environment.add_filter("clock", move |state: &State<'_, '_>, time: String| match time.parse() {
            Ok(time) => render::clock(time, now(state), &zone, language),
            Err(_) => "–".into(),
        });
        environment.add_template("overview.html", include_str!("overview.html"))?;
        environment.add_template("incident.html", include_str!("incident.html"))?;
        Ok(Self { environment: Arc::new(environment) })
    }

    /// `context` has the time as `now`, which "ago" and the days of clocks refer to.
    pub(super) fn render(&self, name: &str, context: Value) -> Result<String, minijinja::Error> {
        self.environment.get_template(name)?.render(context)
    }

    pub(super) fn respond(&self, name: &str, context: Value) -> Response {
        match self.render(name, context) {
            Ok(page) => {
                let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-store")];
                (headers, Html(page)).into_response()
            }
            Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}

fn now(state: &State<'_, '_>) -> Timestamp {
    let now = state.lookup("now").and_then(|now| now.as_str().and_then(|now| now.parse().ok()));
    now.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `0.25` as `25%`, in French as `25 %` with a no-break space; a dash if unknown.
fn percent(rate: Option<f64>, language: Language) -> String {
    let space = if language == Language::French { "\u{a0}" } else { "" };
    rate.map_or_else(|| "–".into(), |rate| format!("{:.0}{space}%", rate * 100.0))
}

/// How long before now the time was, in the largest unit.
fn ago(state: &State<'_, '_>, time: &str, language: Language) -> String {
    let Ok(time) = time.parse::<Timestamp>() else { return "–".into() };
    let seconds = now(state).duration_since(time).as_secs().max(0);
    let (number, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, if language == Language::French { "j" } else { "d" }),
    };
    match language {
        Language::French => format!("il y a {number}\u{a0}{unit}"),
        Language::English => format!("{number} {unit} ago"),
    }
}
