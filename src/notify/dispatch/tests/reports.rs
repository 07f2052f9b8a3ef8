//! Reports on a timeline: each is sent once, whatever happens to the receiver or to vigie.

use jiff::{SignedDuration, Timestamp};

use super::kit::routing;
use crate::notify::dispatch::Delivery;
use crate::notify::{Dispatcher, DueReport, NotifyError, ReportConfig};
use crate::store::{Batch, Store};

const DAILY: &str = "name = 'daily'\nevery = 'day'\nat = '08:00'\nreceivers = ['a', 'b']";
const WEEKLY: &str = "name = 'weekly'\nevery = 'week'\nat = '08:00'\nreceivers = ['a']";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn open(store: &Store, report: &str, now: Timestamp) -> Dispatcher {
    let report: ReportConfig = toml::from_str(report).unwrap();
    let receivers = "[notify]\ntime_zone = 'Europe/Paris'\n[[receiver]]\nname = 'a'\n[[receiver]]\nname = 'b'";
    Dispatcher::open(store, routing(receivers).with_reports(vec![report]), now).unwrap()
}

fn save(dispatcher: &mut Dispatcher, store: &Store) {
    let mut batch = Batch::default();
    dispatcher.save(&mut batch).unwrap();
    store.commit(batch).unwrap();
    dispatcher.mark_saved();
}

/// What is sent at `now`, each with the outcome that `answer` gives: receiver and report.
fn tick(dispatcher: &mut Dispatcher, now: Timestamp, answer: impl Fn(&str) -> Delivery) -> Vec<(String, DueReport)> {
    let batches = dispatcher.tick(now, &|_| None);
    for batch in &batches {
        dispatcher.record_attempt(&batch.receiver, &batch.key, &answer(&batch.receiver), now);
    }
    batches.into_iter().filter_map(|batch| Some((batch.receiver, batch.report?))).collect()
}

fn delivered(_: &str) -> Delivery {
    Delivery::Delivered
}

fn transient(_: &str) -> Delivery {
    Delivery::Failed(NotifyError::Transient { reason: "503".into(), retry_after: None })
}

#[test]
fn a_new_report_begins_with_its_next_time_and_comes_once_a_day_across_the_change_of_clocks() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut now = time("2026-10-23T10:00:00Z");
    let mut sent = Vec::new();
    while now < time("2026-10-28T12:00:00Z") {
        // Every step is a restart.
        let mut dispatcher = open(&store, DAILY, now);
        sent.extend(tick(&mut dispatcher, now, delivered).into_iter().map(|(to, due)| (to, due, now)));
        save(&mut dispatcher, &store);
        now += SignedDuration::from_mins(20);
    }
    let to_a: Vec<(String, String)> = sent
        .iter()
        .filter(|(to, ..)| to == "a")
        .map(|(_, due, now)| (due.span.since.to_string(), now.to_string()))
        .collect();
    // Summer time ends on 25 October: 8:00 in Paris is 6:00 UTC before, and 7:00 after.
    let expected = [
        ("2026-10-22T22:00:00Z", "2026-10-24T06:00:00Z"),
        ("2026-10-23T22:00:00Z", "2026-10-25T07:00:00Z"),
        ("2026-10-24T22:00:00Z", "2026-10-26T07:00:00Z"),
        ("2026-10-25T23:00:00Z", "2026-10-27T07:00:00Z"),
        ("2026-10-26T23:00:00Z", "2026-10-28T07:00:00Z"),
    ];
    assert_eq!(to_a, expected.map(|(since, now)| (since.to_owned(), now.to_owned())));
    assert_eq!(sent.len(), 10, "both receivers");
}

#[test]
fn a_report_that_was_missed_is_sent_within_a_day_and_not_later() {
    for (back_at, is_sent) in [("2026-11-24T06:59:00Z", true), ("2026-11-24T07:01:00Z", false)] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        // 23 November 2026 is a Monday; vigie is down at 8:00.
        let mut dispatcher = open(&store, WEEKLY, time("2026-11-22T12:00:00Z"));
        assert!(tick(&mut dispatcher, time("2026-11-22T12:00:00Z"), delivered).is_empty());
        save(&mut dispatcher, &store);
        let back_at = time(back_at);
        let mut dispatcher = open(&store, WEEKLY, back_at);
        assert_eq!(!tick(&mut dispatcher, back_at, delivered).is_empty(), is_sent, "{back_at}");
        assert!(tick(&mut dispatcher, back_at, delivered).is_empty(), "once");
        let next = tick(&mut dispatcher, time("2026-11-30T07:00:00Z"), delivered);
        assert_eq!(next[0].1.span.since, time("2026-11-22T23:00:00Z"), "and the next one comes");
    }
}

#[test]
fn a_failed_report_is_tried_again_with_backoff_under_the_same_key_and_one_receiver_delays_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut dispatcher = open(&store, DAILY, time("2026-11-23T10:00:00Z"));
    tick(&mut dispatcher, time("2026-11-23T10:00:00Z"), delivered);
    let due = time("2026-11-24T07:00:00Z");
    let only_b = |to: &str| if to == "a" { transient(to) } else { delivered(to) };
    assert_eq!(tick(&mut dispatcher, due, only_b).len(), 2);
    assert!(tick(&mut dispatcher, due + SignedDuration::from_secs(1), delivered).is_empty(), "a backs off");
    let again = dispatcher.tick(due + SignedDuration::from_secs(10), &|_| None);
    let [again] = again.as_slice() else { panic!("{again:?}") };
    assert_eq!((again.receiver.as_str(), again.key.as_str()), ("a", "report-daily-a-1795474800"));
    // In flight when vigie is killed: it is sent again.
    save(&mut dispatcher, &store);
    let mut dispatcher = open(&store, DAILY, due + SignedDuration::from_secs(60));
    let sent = tick(&mut dispatcher, due + SignedDuration::from_secs(60), delivered);
    assert_eq!(sent.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["a"]);
    assert!(tick(&mut dispatcher, due + SignedDuration::from_hours(3), delivered).is_empty());
}

#[test]
fn a_refused_report_is_given_up_and_named_until_the_next_one_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut dispatcher = open(&store, DAILY, time("2026-11-23T10:00:00Z"));
    tick(&mut dispatcher, time("2026-11-23T10:00:00Z"), delivered);
    let due = time("2026-11-24T07:00:00Z");
    let refuse = |_: &str| Delivery::Failed(NotifyError::Rejected { reason: "413 too large".into() });
    assert_eq!(tick(&mut dispatcher, due, refuse).len(), 2);
    let rejected = |dispatcher: &Dispatcher| {
        let alerts = dispatcher.operational_alerts(due);
        alerts.into_iter().filter_map(|(_, _, text)| text).collect::<Vec<_>>()
    };
    assert_eq!(rejected(&dispatcher)[0], "receiver a refuses the report daily: 413 too large");
    assert!(tick(&mut dispatcher, due + SignedDuration::from_hours(2), delivered).is_empty());
    assert_eq!(tick(&mut dispatcher, due + SignedDuration::from_hours(24), delivered).len(), 2);
    assert_eq!(rejected(&dispatcher), Vec::<String>::new());
}
