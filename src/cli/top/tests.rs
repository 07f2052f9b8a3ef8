//! Tests of `vigie top`: frames of a sample status, and responses of test servers.

use std::io::{Read, Write};
use std::net::TcpListener;

use jiff::{SignedDuration, Timestamp};

use super::fetch::{FetchError, Fetcher, PollEvent, StatusPoller, block_on};
use super::phrases::Phrases;
use super::screen::{ScreenState, draw};
use super::{interval, view, with_scheme};
use crate::cli::reachable;
use crate::cli::terminal::Key;
use crate::language::Language;
use crate::pipeline::status::{AlertStatus, Counted, Queue, SourceStatus, Status, TopicStatus};
use crate::source::{BudgetUsage, HealthReport, SourceState};

const ENGLISH: Phrases = Phrases(Language::English);
const FRENCH: Phrases = Phrases(Language::French);

fn at(seconds: i64) -> Timestamp {
    "2026-11-23T14:05:12Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn source(name: &str, kind: &str, state: SourceState, last: Option<i64>) -> SourceStatus {
    let report = HealthReport { state, last_success: last.map(at), ..HealthReport::default() };
    SourceStatus { name: name.into(), kind: kind.into(), received: 1_204, started_at: at(-11_100), report }
}

fn status() -> Status {
    let topic = |name: &str, rate, normal, recent: Vec<(u64, u64)>| TopicStatus {
        name: name.into(),
        posts: 1_234,
        negative: 1_012,
        copies: 0,
        reach: 0,
        rate,
        normal,
        learned_hours: 11,
        recent,
        total: 90_000,
    };
    let why = "X allows 450 requests in 15 min".to_owned();
    let mut search = source("x-search", "twitter", SourceState::Waiting { until: at(88), why }, Some(-12));
    search.report.spent = vec![BudgetUsage {
        period: "day".into(),
        posts: 1_620,
        dollars: 8.1,
        max_posts: None,
        max_dollars: Some(10.0),
    }];
    search.report.problems.insert("BudgetNearlySpent".into(), "81% of the daily dollar budget".into());
    let blocked = SourceState::Blocked { why: "X refuses the token: set VIGIE_X_TOKEN".into() };
    let mut desk = source("desk", "file", SourceState::Working, Some(-7_500));
    desk.report.stalled_after = Some(SignedDuration::from_hours(1));
    let growing = (0..60).map(|minute| (minute, minute / 2)).collect();
    Status {
        version: "0.1.0".into(),
        model: "minilm@3f2a".into(),
        started_at: at(-11_100),
        now: at(0),
        ready: false,
        not_ready: vec!["source x-stream is blocked".into()],
        totals: Counted {
            received: 12_345,
            classified: 12_000,
            unmatched: 0,
            rejected: 45,
            duplicates: 300,
            future: 0,
        },
        topics: vec![
            topic("Air Paradis", Some(0.82), Some(0.63), growing),
            topic("Élysée\u{1b}[2J Air, a name too long to be shown whole", None, None, vec![(0, 0); 60]),
        ],
        sources: vec![search, source("x-stream", "twitter", blocked, None), desk],
        queues: vec![
            Queue { name: "classifier".into(), waiting: 3, capacity: 8 },
            Queue { name: "classified".into(), waiting: 0, capacity: 2 },
        ],
        alerts: vec![AlertStatus {
            rule: "NegativeRate".into(),
            topic: "Air Paradis".into(),
            since: at(-725),
            state: "firing".into(),
            summary: "82% of 1,234 posts are negative; normal is 63%".into(),
            summary_fr: Some("82\u{a0}% de 1\u{202f}234 messages sont négatifs".into()),
            learned_hours: None,
            incident: None,
            acknowledged_by: None,
        }],
        outbox: 1,
    }
}

#[test]
fn a_frame_of_text_says_it_all() {
    // The last 43 minutes of posts that grow from 0 to 59 a minute.
    let bars = "▃▃▃▃▃▃▄▄▄▄▄▄▄▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇████████";
    let expected = format!(
        "vigie 0.1.0   model minilm@3f2a   up 3 h 05 min   NOT READY
received 12,345   classified 12,000   rejected 45   duplicates 300   undelivered 1
! source x-stream is blocked

Alerts
▲ firing  NegativeRate  Air Paradis  12 min ago
  82% of 1,234 posts are negative; normal is 63%

Topics, last hour
                             posts   negative   normal   posts per minute
Air Paradis                  1,234      82% ▲      63%   {bars}
Élysée [2J Air, a name t     1,234        –    11/24 h

Sources
                                              received   last success
x-search                twitter  waiting         1,204   12 s ago
  until 14:06:40 UTC: X allows 450 requests in 15 min
  ! BudgetNearlySpent: 81% of the daily dollar budget
  spent today: 1,620 posts, $8.10 of $10.00
x-stream                twitter  BLOCKED         1,204   never
  ! X refuses the token: set VIGIE_X_TOKEN
desk                    file     STALLED         1,204   2 h 05 min ago

Queues
classifier              ████████░░░░░░░░░░░░  3 of 8
classified              ░░░░░░░░░░░░░░░░░░░░  0 of 2
"
    );
    assert_eq!(view::text(&status(), ENGLISH, 100), expected);
}

#[test]
fn an_alert_says_what_is_not_known_yet_and_who_takes_care() {
    let mut status = status();
    (status.alerts[0].learned_hours, status.alerts[0].acknowledged_by) = (Some(11), Some("Claire".into()));
    let text = view::text(&status, ENGLISH, 100);
    let expected = "\n  day 1 of 2 of learning: judged by fixed limits only\n  acknowledged by Claire\n";
    assert!(text.contains(expected), "{text}");
    assert!(view::text(&status, FRENCH, 100).contains("prise en charge par Claire"));
}

#[test]
fn it_speaks_french() {
    let text = view::text(&status(), FRENCH, 100);
    for expected in [
        "modèle minilm@3f2a   en marche depuis 3 h 05 min   PAS PRÊT",
        "reçus 12\u{202f}345   classés 12\u{202f}000   rejetés 45   doublons 300",
        "▲ active  NegativeRate  Air Paradis  il y a 12 min",
        "  82 % de 1 234 messages sont négatifs",
        "  jusqu’à 14:06:40 UTC\u{a0}: X allows",
        "  dépensé aujourd’hui\u{a0}: 1\u{202f}620 messages, 8,10\u{a0}$ sur 10,00\u{a0}$",
        "twitter  BLOQUÉE",
        "jamais",
        "file     MUETTE",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
}

fn frame(width: u16, height: u16, state: &mut ScreenState) -> Vec<String> {
    let lines = draw(width, height, state, ENGLISH);
    assert_eq!(lines.len(), usize::from(height));
    lines.iter().map(|line| line.text().trim_end().to_owned()).collect()
}

fn state() -> ScreenState {
    ScreenState { status: status(), lost: None, scrolled: 0 }
}

#[test]
fn eighty_by_twenty_four_holds_everything_that_matters() {
    let rows = frame(80, 24, &mut state());
    assert_eq!(rows[0], "vigie 0.1.0   model minilm@3f2a   up 3 h 05 min   NOT READY");
    assert_eq!(rows[2], "! source x-stream is blocked");
    assert!(rows[3].starts_with("── Alerts ────"), "{rows:#?}");
    assert!(rows[4].starts_with("▲ firing  NegativeRate  Air Paradis  12 min ago"), "{rows:#?}");
    assert!(rows[6].starts_with("── Topics, last hour ──"), "{rows:#?}");
    assert!(rows[8].starts_with("Air Paradis             1,234      82% ▲      63%   ▅"), "{rows:#?}");
    assert!(rows[8].ends_with('█') && rows[8].chars().count() == 80, "{rows:#?}");
    for expected in ["BLOCKED", "STALLED", "! BudgetNearlySpent", "── Queues ──", "████████░░░░░░░░░░░░  3 of 8"]
    {
        assert!(rows.iter().any(|row| row.contains(expected)), "{expected} is not in {rows:#?}");
    }
    assert_eq!(rows[23], "q quit   ↑↓ PgUp PgDn topics");
}

#[test]
fn a_wider_screen_shows_the_whole_hour() {
    let rows = frame(120, 40, &mut state());
    let expected = format!("{:<28}{:>9}{:>9} ▲{:>9}    ▁▁▁▁▁▁▁▂", "Air Paradis", "1,234", "82%", "63%");
    assert!(rows[8].starts_with(&expected), "{rows:#?}");
    assert_eq!(rows[8].chars().count(), 120, "name 28, numbers 32, bars 60");
    assert_eq!(rows[39], "q quit   ↑↓ PgUp PgDn topics");
    assert!(rows[30].is_empty(), "{rows:#?}");
}

#[test]
fn no_size_is_too_small() {
    let rows = frame(40, 10, &mut state());
    assert!(rows[0].starts_with("vigie 0.1.0"), "{rows:#?}");
    assert!(rows.iter().any(|row| row.starts_with("▲ firing")), "{rows:#?}");
    for (width, height) in [(1, 1), (3, 2), (8, 5), (20, 4), (300, 3)] {
        frame(width, height, &mut state());
    }
    let mut empty = state();
    (empty.status.topics, empty.status.sources) = (Vec::new(), Vec::new());
    (empty.status.queues, empty.status.alerts) = (Vec::new(), Vec::new());
    assert!(frame(80, 24, &mut empty).iter().any(|row| row == "none"));
}

#[test]
fn topics_scroll_and_stop_at_their_ends() {
    let mut state = state();
    let one = state.status.topics[0].clone();
    state.status.topics = (1..=40).map(|n| TopicStatus { name: format!("topic {n}"), ..one.clone() }).collect();
    let first = |state: &mut ScreenState| {
        let rows = frame(80, 24, state);
        let title = rows.iter().position(|row| row.contains("Topics")).unwrap();
        (rows[title].clone(), rows[title + 2].split("  ").next().unwrap().to_owned())
    };
    let (title, topic) = first(&mut state);
    assert!(title.starts_with("── Topics, last hour 1-") && title.contains("/40 "), "{title}");
    assert_eq!(topic, "topic 1");
    let press = |state: &mut ScreenState, key| {
        state.scroll(key);
        first(state).1
    };
    assert_eq!(press(&mut state, Key::Up), "topic 1");
    assert_eq!(press(&mut state, Key::Down), "topic 2");
    assert_eq!(press(&mut state, Key::PageDown), "topic 12");
    let last = press(&mut state, Key::End);
    assert_eq!(press(&mut state, Key::PageDown), last, "the last topics stay");
    assert_eq!(press(&mut state, Key::Home), "topic 1");
}

#[test]
fn a_lost_contact_stands_there_until_the_next_answer() {
    let mut state = state();
    state.update(Err("no answer".into()), at(3));
    state.update(Err("none within 5 s".into()), at(9));
    let expected = "! lost contact since 14:05:15 UTC, still trying: none within 5 s";
    assert_eq!(frame(80, 24, &mut state)[3], expected);
    state.update(Ok(status()), at(11));
    assert!(state.lost.is_none());
}

/// A server that answers this many requests.
fn server(answer: &'static str, requests: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(requests) {
            let mut stream = stream.unwrap();
            let read = stream.read(&mut [0; 4_096]).unwrap();
            assert!(read > 0);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}/")
}

fn ask(url: &str) -> Result<Status, FetchError> {
    let fetcher = Fetcher::new(url)?;
    block_on(async { fetcher.read(&fetcher.answer().await?) }).unwrap()
}

fn good_answer() -> &'static str {
    let body = serde_json::to_string(&status()).unwrap();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    Box::leak((head + &body).into_boxed_str())
}

#[test]
fn the_status_is_read_from_the_local_api() {
    assert_eq!(ask(&server(good_answer(), 1)).unwrap(), status());
}

#[test]
fn what_is_wrong_with_an_answer_is_one_line_with_the_way_out() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = ask(&format!("http://127.0.0.1:{port}")).unwrap_err().to_string();
    let expected = format!("no answer from http://127.0.0.1:{port}/api/v1/status: Connection refused");
    assert!(closed.starts_with(&expected) && closed.contains("`vigie run`") && closed.contains("--url"), "{closed}");
    let absent = ask(&server("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 1));
    let absent = absent.unwrap_err().to_string();
    assert!(absent.contains("/api/v1/status answered 404; is that vigie?"), "{absent}");
    let other = ask(&server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}", 1));
    let other = other.unwrap_err().to_string();
    assert!(other.contains("missing field `version`") && other.contains("another version"), "{other}");
    for url in ["http://", "ftp://x", "a b"] {
        let refused = ask(url).unwrap_err().to_string();
        assert!(refused.contains("expected e.g. --url http://127.0.0.1:9469"), "{refused}");
    }
}

#[test]
fn it_asks_again_and_again_until_it_is_dropped() {
    let poller = StatusPoller::start(Fetcher::new(&server(good_answer(), 2)).unwrap(), SignedDuration::from_millis(1));
    let answer = |poller: &StatusPoller| match poller.events.recv().unwrap() {
        PollEvent::Answer(answer) => answer.is_ok(),
        PollEvent::Terminated => panic!("not terminated"),
    };
    assert!(answer(&poller) && answer(&poller));
    assert!(!answer(&poller), "the server has gone");
    drop(poller);
}

#[test]
fn flags_are_checked() {
    assert_eq!(interval("2s").unwrap(), SignedDuration::from_secs(2));
    for text in ["0s", "2", "-1s", "2h", "often"] {
        assert!(interval(text).unwrap_err().contains("between 200ms and 1h"), "{text}");
    }
    assert_eq!(with_scheme("localhost:9469"), "http://localhost:9469");
    assert_eq!(with_scheme("https://vigie.example"), "https://vigie.example");
    for (listen, expected) in
        [("0.0.0.0:9469", "127.0.0.1:9469"), ("[::]:1", "[::1]:1"), ("10.0.0.1:80", "10.0.0.1:80")]
    {
        assert_eq!(reachable(listen.parse().unwrap()).to_string(), expected);
    }
}
