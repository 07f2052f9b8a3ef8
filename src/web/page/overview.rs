//! The status page: plain HTML that reloads itself, without scripts. Rates and states only; the console comes later.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use minijinja::value::Serde;
use minijinja::{Environment, context};

use super::super::Console;
use crate::language::Language;
use crate::pipeline::status::Status;

const TEMPLATE: &str = include_str!("status.html");

pub(in crate::web) async fn status(State(console): State<Console>) -> Response {
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
    let french = language == Language::French;
    // Both languages stand side by side in the template, so that neither is forgotten.
    environment.add_function("t", move |english: String, in_french: String| if french { in_french } else { english });
    environment.add_template("status.html", TEMPLATE)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::status::{AlertStatus, Counted, Queue, SourceStatus, TopicStatus};
    use crate::source::{Report, SourceState, Spent};

    fn status() -> Status {
        let at = |second| Timestamp::from_second(second).unwrap();
        let state = SourceState::Blocked { why: "the token was <refused>".into() };
        let spent =
            Spent { period: "day".into(), posts: 3, dollars: 0.015, most_posts: None, most_dollars: Some(10.0) };
        let report = Report { what: "search".into(), state, spent: vec![spent], ..Report::default() };
        let topic = TopicStatus {
            name: "Air Paradis".into(),
            posts: 4,
            negative: 1,
            copies: 0,
            reach: 0,
            rate: Some(0.25),
            normal: None,
            recent: vec![(0, 0), (4, 1)],
            total: 4,
        };
        let alert = AlertStatus {
            rule: "Rate".into(),
            topic: "Air Paradis".into(),
            since: at(0),
            state: "firing".into(),
            summary: "25 % negative".into(),
        };
        Status {
            version: "1".into(),
            model: "m".into(),
            started_at: at(0),
            now: at(7_300),
            ready: false,
            not_ready: vec!["source x cannot go on".into()],
            totals: Counted { received: 9, classified: 6, rejected: 1, duplicates: 2 },
            topics: vec![topic],
            sources: vec![SourceStatus {
                name: "x".into(),
                kind: "twitter".into(),
                received: 9,
                started_at: at(0),
                report,
            }],
            queues: vec![Queue { name: "deliveries".into(), waiting: 1, capacity: 16 }],
            alerts: vec![alert],
            outbox: 0,
        }
    }

    #[test]
    fn everything_is_on_the_page_in_both_languages() {
        let english = render(&status(), Language::English).unwrap();
        for wanted in ["not ready", "25 %", "2 h ago", "the token was &lt;refused&gt;", "$0.01 / $10.00", "9 received"]
        {
            assert!(english.contains(wanted), "{wanted} is not in\n{english}");
        }
        let french = render(&status(), Language::French).unwrap();
        for wanted in ["pas prête", "il y a 2 h", "bloquée", "aujourd’hui", "9 reçus", "Messages"] {
            assert!(french.contains(wanted), "{wanted} is not in\n{french}");
        }
    }
}
