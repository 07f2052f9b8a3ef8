//! The overview as people see it.

use jiff::Timestamp;

use super::super::Pages;
use super::*;
use crate::language::Language;
use crate::pipeline::status::{AlertStatus, Counted, Queue, SourceStatus, TopicStatus};
use crate::source::{BudgetUsage, HealthReport, SourceState};
use crate::store::{Batch, Key, Store, Table};
use crate::window::Counts;

pub(in crate::web::page) fn status() -> Status {
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

fn render(language: Language, status: &Status) -> String {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    // A post within the range of the chart.
    let bucket = vec![(3_600_i64, Counts { neutral: 1, ..Counts::default() })];
    let mut batch = Batch::default();
    batch.put(&Key::new(Table::Bucket).text("Air Paradis").time(3_600), &bucket).unwrap();
    store.commit(batch).unwrap();
    let query = Query::new(&store);
    let (visitor, pages) = (Visitor::speaking(language), Pages::new(language, "UTC").unwrap());
    let board = IncidentBoard::default();
    let parameters = OverviewParameters::default();
    let values = values(status, &board, &parameters, &query, (pages.zone(), &visitor)).unwrap();
    pages.render(&visitor, ("overview.html", &Frame::default()), values).unwrap()
}

#[test]
fn everything_is_on_the_page_in_both_languages() {
    let english = render(Language::English, &status());
    for expected in ["vigie cannot see everything", "source x cannot go on", "firing", "25%", "1 of 4", "Air Paradis"] {
        assert!(english.contains(expected), "{expected} is not in\n{english}");
    }
    let french = render(Language::French, &status());
    for expected in ["vigie ne voit pas tout", "alerte en cours", "25\u{a0}%", "1 sur 4"] {
        assert!(french.contains(expected), "{expected} is not in\n{french}");
    }
}

#[test]
fn quiet_learning_no_data_and_a_source_that_is_down_look_different() {
    let with = |change: &dyn Fn(&mut Status)| {
        let mut status = Status { ready: true, alerts: Vec::new(), ..status() };
        status.sources[0].report.state = SourceState::Working;
        change(&mut status);
        render(Language::English, &status)
    };
    let states = [
        with(&|status| status.topics[0].normal = Some(0.5)),
        with(&|status| (status.topics[0].normal, status.topics[0].name) = (Some(0.5), "Without posts".into())),
        with(&|_| {}),
        with(&|status| (status.topics[0].learned_hours, status.topics[0].total) = (0, 0)),
        with(&|status| status.sources[0].report.state = SourceState::Blocked { why: "x".into() }),
        // Nothing was heard for too long.
        with(&|status| status.sources[0].report.stalled_after = Some(jiff::SignedDuration::from_secs(60))),
    ];
    let expected = ["quiet", "no_data", "learning", "no_data", "source_down", "source_down"];
    for (page, expected) in states.iter().zip(expected) {
        assert!(page.contains(&format!("<span class=\"tag {expected}\">")), "{expected} is not in\n{page}");
    }
}
