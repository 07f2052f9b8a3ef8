//! The overview: what fires, the topics' last hour, the sources. Plain HTML that reloads itself, without scripts.

use axum::extract::State;
use axum::response::Response;
use minijinja::Value;
use minijinja::value::Serde;

use super::super::Console;
use crate::pipeline::status::Status;

pub(in crate::web) async fn page(State(console): State<Console>) -> Response {
    console.pages.respond("overview.html", context(&console.daemon.status()))
}

fn context(status: &Status) -> Value {
    minijinja::context! { s => Serde(status), now => status.now.to_string() }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::Pages;
    use super::*;
    use crate::language::Language;
    use crate::pipeline::status::{AlertStatus, Counted, Queue, SourceStatus, TopicStatus};
    use crate::source::{BudgetUsage, HealthReport, SourceState};

    fn status() -> Status {
        let at = |second| Timestamp::from_second(second).unwrap();
        let state = SourceState::Blocked { why: "the token was <refused>".into() };
        let spent =
            BudgetUsage { period: "day".into(), posts: 3, dollars: 0.015, max_posts: None, max_dollars: Some(10.0) };
        let report = HealthReport { what: "search".into(), state, spent: vec![spent], ..HealthReport::default() };
        let topic = TopicStatus {
            name: "Air Paradis".into(),
            posts: 4,
            negative: 1,
            copies: 0,
            reach: 0,
            rate: Some(0.25),
            normal: None,
            learned_hours: 7,
            recent: vec![(0, 0), (4, 1)],
            total: 4,
        };
        let alert = AlertStatus {
            rule: "Rate".into(),
            topic: "Air Paradis".into(),
            since: at(0),
            state: "firing".into(),
            summary: "25% negative".into(),
            summary_fr: Some("25 % de messages négatifs".into()),
            learned_hours: Some(7),
            incident: Some("AIR-4F2K".into()),
            acknowledged_by: Some("demo".into()),
        };
        Status {
            version: "1".into(),
            model: "m".into(),
            started_at: at(0),
            now: at(7_300),
            ready: false,
            not_ready: vec!["source x cannot go on".into()],
            totals: Counted { received: 9, classified: 5, unmatched: 1, rejected: 1, duplicates: 2, future: 0 },
            topics: vec![topic],
            sources: vec![SourceStatus {
                name: "x".into(),
                kind: "twitter".into(),
                received: 9,
                started_at: at(0),
                report,
            }],
            queues: vec![Queue { name: "classifier".into(), waiting: 1, capacity: 16 }],
            alerts: vec![alert],
            outbox: 0,
        }
    }

    fn render(language: Language) -> String {
        let status = status();
        Pages::new(language, "UTC").unwrap().render("overview.html", context(&status)).unwrap()
    }

    #[test]
    fn everything_is_on_the_page_in_both_languages() {
        let english = render(Language::English);
        for expected in [
            "learning: hour 7 of 24",
            "Day 1 of 2 of learning",
            "Acknowledged by demo",
            "href=\"/alerts/AIR-4F2K\"",
            "not ready",
            "25%",
            "2 h ago",
            "the token was &lt;refused&gt;",
            "$0.01 / $10.00",
            "9 received",
        ] {
            assert!(english.contains(expected), "{expected} is not in\n{english}");
        }
        let french = render(Language::French);
        for expected in ["pas prête", "il y a 2\u{a0}h", "bloquée", "aujourd’hui", "9 reçus", "Messages"] {
            assert!(french.contains(expected), "{expected} is not in\n{french}");
        }
    }
}
