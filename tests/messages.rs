//! The messages that people read, rendered from the real storm in the airline dump. With `VIGIE_MESSAGES_DIR` set, all
//! of them are written to that directory.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

#[path = "messages/storm.rs"]
mod storm;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use vigie::alert::Alert;
use vigie::language::Language;
use vigie::notify::render::{CARD_BYTES, CHART_CID, Message, Style, Templates, render, sample};
use vigie::notify::{Acknowledged, Incident, Kind, Notification};

use storm::{AT, Storm, notification, operational};

/// Every kind of message, by name.
fn cases() -> Vec<(&'static str, Notification)> {
    let at: Timestamp = AT.parse().unwrap();
    let later = at + SignedDuration::from_mins(59);
    let storm = Storm::read();
    let (volume, rate) = (storm.volume(at), storm.rate(at));
    let over = |alert: &Alert| Alert { ends_at: Some(later), ..alert.clone() };
    let opened = notification(Kind::Opened, at, vec![volume.clone(), rate.clone()]);
    let stalled = operational(
        "SourceBlocked",
        "x-search",
        "401: X does not accept the token; put a new one into x.token_file",
        at,
    );
    let incident = Incident { ended_at: Some(later), ..opened.incident.clone() };
    let mut long = opened.clone();
    for sample in &mut long.alerts[0].samples {
        sample.text = "\"Ünbelievable\" <b>*wait*</b> & [link](javascript:alert(1)) 😡 ".repeat(40);
        sample.author = Some("_*A very long handle*_<script>".repeat(5));
    }
    long.alerts = (0..40).map(|_| long.alerts[0].clone()).collect();
    vec![
        ("opened", opened.clone()),
        ("rate", notification(Kind::Opened, at, vec![rate.clone()])),
        (
            "changed",
            Notification { sequence: 1, ..notification(Kind::Changed, later, vec![volume.clone(), over(&rate)]) },
        ),
        ("repeated", Notification { sequence: 2, kind: Kind::Repeated, at: later, ..opened.clone() }),
        (
            "acknowledged",
            Notification {
                acknowledged: Some(Acknowledged { by: "Claire".into(), at, comment: String::new() }),
                ..notification(Kind::Changed, later, vec![volume.clone()])
            },
        ),
        ("escalated", Notification { kind: Kind::Escalated, ..opened.clone() }),
        (
            "resolved",
            Notification {
                incident,
                sequence: 3,
                repeats_at: None,
                ..notification(Kind::Resolved, later, vec![over(&volume)])
            },
        ),
        (
            "operational",
            Notification {
                group: [("component".into(), "x-search".into())].into(),
                ..notification(Kind::Opened, at, vec![stalled])
            },
        ),
        ("test", sample("crisis-team", Some("https://vigie.example.com".into()), at)),
        ("long", long),
    ]
}

/// With `VIGIE_TEMPLATES_DIR` set, the templates of that directory, to try changes without compiling.
fn templates() -> Templates {
    let style = Style { zone: TimeZone::get("Europe/Paris").unwrap() };
    match std::env::var_os("VIGIE_TEMPLATES_DIR") {
        Some(directory) => Templates::with_overrides(style, Path::new(&directory)).unwrap(),
        None => Templates::embedded(style),
    }
}

fn messages() -> impl Iterator<Item = (String, Notification, Message)> {
    let templates = templates();
    cases().into_iter().flat_map(move |(name, notification)| {
        let message = |language: Language, code: &str| {
            let message = render(&notification, language, &templates);
            (format!("{name}.{code}"), notification.clone(), message)
        };
        [message(Language::English, "en"), message(Language::French, "fr")]
    })
}

#[test]
fn every_message_is_complete_and_small() {
    for (name, notification, message) in messages() {
        assert_eq!(message.template_errors, Vec::<String>::new(), "{name}");
        assert!(message.html.len() < 60_000, "{name}: {} bytes of HTML", message.html.len());
        assert!(message.card.to_string().len() <= CARD_BYTES, "{name}");
        assert!(message.slack["blocks"].as_array().unwrap().len() <= 50, "{name}");
        assert!(message.chart_png.as_ref().is_none_or(|png| png.len() < 20_000), "{name}");
        let first = message.text.lines().next().unwrap();
        assert!(first.len() > 10 && !message.subject.contains('\n'), "{name}: {first}");
        assert!(message.subject.contains(&notification.incident.id), "{name}");
        let has_chart = name.starts_with("operational").then_some(()).is_none();
        assert_eq!(message.chart_png.is_some(), has_chart, "{name}");
        assert_eq!(message.html.contains(CHART_CID), has_chart, "{name}");
        assert!(!message.html.contains("http://") || name.starts_with("long"), "{name}: no remote pictures");
        if let Some(directory) = std::env::var_os("VIGIE_MESSAGES_DIR") {
            write(Path::new(&directory), &name, &message);
        }
    }
}

fn write(directory: &Path, name: &str, message: &Message) {
    fs::create_dir_all(directory).unwrap();
    let write = |ending: &str, bytes: &[u8]| fs::write(directory.join(format!("{name}.{ending}")), bytes).unwrap();
    // A browser does not support `cid:`.
    write("html", message.html.replace(&format!("cid:{CHART_CID}"), &format!("{name}.png")).as_bytes());
    write("txt", format!("Subject: {}\nSummary: {}\n\n{}", message.subject, message.summary, message.text).as_bytes());
    write("card.json", serde_json::to_string_pretty(&message.card).unwrap().as_bytes());
    write("slack.json", serde_json::to_string_pretty(&message.slack).unwrap().as_bytes());
    if let Some(png) = &message.chart_png {
        write("png", png);
    }
}

#[test]
fn the_subject_stays_the_same_through_an_incident() {
    let subjects: Vec<String> = messages()
        .filter(|(name, ..)| name.ends_with(".fr") && !name.starts_with("operational") && !name.starts_with("test"))
        .map(|(_, _, message)| message.subject)
        .collect();
    assert!(subjects.iter().all(|subject| subject == "[US Airways] Bad buzz (USAI-7F3K)"), "{subjects:?}");
}

/// The texts of messages as they were last reviewed. `VIGIE_BLESS=1` rewrites them: review them again.
#[test]
fn the_texts_are_as_reviewed() {
    let at: Timestamp = "2026-11-24T15:35:00Z".parse().unwrap();
    let test = sample("crisis-team", Some("https://vigie.example.com".into()), at);
    let alert = test.alerts[0].clone();
    let started_at = alert.starts_at;
    let ended_at = Some(at);
    let incident = Incident { id: "AIRP-7F3K".into(), started_at, ended_at: None };
    let repeats_at = Some(at + SignedDuration::from_hours(18));
    let opened = Notification { kind: Kind::Opened, incident: incident.clone(), repeats_at, ..test };
    let over = vec![Alert { ends_at: ended_at, ..alert }];
    let resolved = Notification {
        kind: Kind::Resolved,
        incident: Incident { ended_at, ..incident },
        alerts: over,
        sequence: 2,
        repeats_at: None,
        ..opened.clone()
    };
    let blocked = operational("SourceBlocked", "x-search", "401: X does not accept the token", at);
    let blocked = Notification { alerts: vec![blocked], group: BTreeMap::new(), console: None, ..opened.clone() };
    for (name, notification) in [("opened", opened), ("resolved", resolved), ("blocked", blocked)] {
        for (language, code) in [(Language::English, "en"), (Language::French, "fr")] {
            let message = render(&notification, language, &templates());
            if let Some(directory) = std::env::var_os("VIGIE_MESSAGES_DIR") {
                write(Path::new(&directory), &format!("made-up-{name}.{code}"), &message);
            }
            let text = format!("Subject: {}\nSummary: {}\n\n{}", message.subject, message.summary, message.text);
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/messages/{name}.{code}.txt"));
            if std::env::var_os("VIGIE_BLESS").is_some() {
                fs::write(&path, &text).unwrap();
            }
            let read = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(text, read, "{}", path.display());
        }
    }
}
