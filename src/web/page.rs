//! The status page: plain HTML that reloads itself, without scripts. Rates and states only; the console comes later.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use minijinja::value::Serde;
use minijinja::{Environment, context};

use super::Console;
use crate::notify::Language;
use crate::pipeline::status::Status;

const TEMPLATE: &str = include_str!("status.html");

pub(super) async fn status(State(console): State<Console>) -> Response {
    match render(&console.daemon.status(), console.language) {
        Ok(page) => {
            let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
            let headers = [(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")];
            (headers, Html(page)).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

fn render(status: &Status, language: Language) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    let now = status.now;
    environment.add_filter("ago", move |time: String| ago(&time, now, language));
    environment.add_filter("percent", percent);
    environment.add_template("status.html", TEMPLATE)?;
    let french = language == Language::French;
    environment.get_template("status.html")?.render(context! { s => Serde(status), fr => french })
}

/// `0.25` as `25 %`; nothing for nothing.
fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".into(), |rate| format!("{:.0} %", rate * 100.0))
}

/// How long before `now` the time `text` was, in the largest unit.
fn ago(text: &str, now: Timestamp, language: Language) -> String {
    let Ok(time) = text.parse::<Timestamp>() else { return "–".into() };
    let seconds = now.duration_since(time).as_secs().max(0);
    let (number, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, if language == Language::French { "j" } else { "d" }),
    };
    match language {
        Language::French => format!("il y a {number} {unit}"),
        Language::English => format!("{number} {unit} ago"),
    }
}
