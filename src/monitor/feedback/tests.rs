//! Labels that people give: kept, counted once, an alert after three wrong predictions, and erased.

use std::path::Path;

use jiff::SignedDuration;

use super::*;
use crate::alert::TransitionKind;
use crate::classify::ClassifiedPost;
use crate::monitor::{Retention, window};
use crate::post::{Details, Post};
use crate::store::Store;
use crate::window::{Counts, HourRecord};

const RULES: &str = r#"
    [[rule]]
    name = "Wrong"
    annotations = { summary = "{{ posts }} wrong predictions" }
    condition = { type = "events", kind = "incorrect_prediction", count = 3, within = "5m" }
"#;

fn open(dir: &Path) -> Monitor {
    let rules = toml::from_str(RULES).unwrap();
    Monitor::open(Store::open(dir).unwrap(), window::Config::default(), rules).unwrap()
}

/// Far from where an empty state begins.
const START: i64 = 1_790_000_040;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).unwrap()
}

const NEGATIVE: Prediction = Prediction { label: Label::Negative, probabilities: [0.9, 0.05, 0.05], reason: None };

fn correct(monitor: &mut Monitor, what: &str, label: Label, now: i64) -> FeedbackRecord {
    monitor.advance(at(now));
    let correction = Correction { what: what.into(), label, by: Some("dora".into()), is_text: false };
    let subject = monitor.find_subject(what, false, at(now)).unwrap().unwrap();
    monitor.record_feedback(&correction, subject, ("model-1", &NEGATIVE), at(now)).unwrap()
}

fn drain_outbox(monitor: &mut Monitor) -> Vec<(TransitionKind, i64)> {
    let mut seen = Vec::new();
    for transition in monitor.outbox() {
        assert_eq!((transition.alert.topic.as_str(), transition.alert.labels.get("topic")), ("", None));
        seen.push((transition.status, transition.at.as_second() - START));
    }
    monitor.ack_outbox(Batch::default()).unwrap();
    seen
}

#[test]
fn three_wrong_predictions_within_five_minutes_fire_once_across_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    correct(&mut monitor, "the first text", Label::Neutral, 70);
    correct(&mut monitor, "another text", Label::Negative, 80); // the model was right
    correct(&mut monitor, "a second text", Label::Positive, 130);
    assert!(correct(&mut monitor, "a second text", Label::Positive, 140).known, "said twice");
    monitor.advance(at(300));
    monitor.commit().unwrap();
    assert_eq!(drain_outbox(&mut monitor), []);
    drop(monitor);
    let mut monitor = open(dir.path());
    correct(&mut monitor, "a third text", Label::Positive, 350);
    monitor.advance(at(365));
    monitor.commit().unwrap();
    let alert = &monitor.outbox().next().unwrap().alert;
    assert_eq!(alert.annotations["summary"], "3 wrong predictions");
    assert_eq!((alert.explanation.condition.as_str(), alert.fired_on.posts), ("events", 3));
    assert_eq!(drain_outbox(&mut monitor), [(TransitionKind::Firing, 360)]);
    assert_eq!(monitor.alerts().len(), 1);
    drop(monitor);
    let mut monitor = open(dir.path());
    monitor.advance(at(2_000));
    monitor.commit().unwrap();
    assert_eq!(drain_outbox(&mut monitor), [(TransitionKind::Resolved, 660)], "five minutes after the third");
    assert!(crate::monitor::state::check::check(&monitor.store).unwrap().is_sound());
    // Its rule is removed while it fires again.
    for (i, text) in ["one more", "two more", "three more"].into_iter().enumerate() {
        correct(&mut monitor, text, Label::Positive, 2_001 + i as i64);
    }
    monitor.advance(at(2_100));
    monitor.commit().unwrap();
    assert_eq!(drain_outbox(&mut monitor), [(TransitionKind::Firing, 2_040)]);
    let mut monitor = monitor.reopen(Default::default()).unwrap();
    monitor.commit().unwrap();
    assert_eq!(drain_outbox(&mut monitor), [(TransitionKind::Resolved, 2_100)]);
}

fn with_post(monitor: &mut Monitor) {
    monitor.advance(at(60));
    let details = Details {
        url: Some("https://x.com/i/web/status/77".into()),
        author_id: Some("42".into()),
        ..Details::default()
    };
    let post = Post {
        id: "77".into(),
        created_at: at(60),
        author: Some("Ann".into()),
        text: "late again".into(),
        details,
        ..Post::default()
    };
    monitor.observe("x", &["t"], &ClassifiedPost { post, prediction: NEGATIVE }).unwrap();
    monitor.commit().unwrap();
}

#[test]
fn a_kept_post_is_found_by_its_identifier_with_where_it_comes_from() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    with_post(&mut monitor);
    assert_eq!(monitor.find_subject("78", false, at(60)).unwrap(), None);
    let given = correct(&mut monitor, "77", Label::Neutral, 60);
    assert_eq!((given.feedback.provenance, given.feedback.post.text.as_str()), (Provenance::X, "late again"));
    let given = correct(&mut monitor, " late  again ", Label::Neutral, 60);
    assert_eq!((given.number, given.feedback.provenance), (1, Provenance::Typed));
    let all = monitor.feedback().unwrap();
    assert_eq!(all.iter().map(|given| given.number).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((all[0].feedback.model.as_str(), all[0].feedback.predicted), ("model-1", Label::Negative));
}

#[test]
fn feedback_is_forgotten_and_expires() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    with_post(&mut monitor);
    correct(&mut monitor, "77", Label::Neutral, 60);
    correct(&mut monitor, "some typed text", Label::Neutral, 61);
    let receipt = monitor.forget(&Selector::Author("ann".into()), at(62)).unwrap();
    assert_eq!(receipt.removed.feedback, 1);
    assert_eq!(monitor.feedback().unwrap().len(), 1);
    let receipt = monitor.forget(&Selector::Author("dora".into()), at(62)).unwrap();
    assert_eq!(receipt.removed.feedback, 1, "who gave it is a person too");
    correct(&mut monitor, "some typed text", Label::Neutral, 63);
    let later = at(63) + SignedDuration::from_hours(24 * 31);
    assert_eq!(monitor.expire(later, &Retention::default()).unwrap().feedback, 1);
    assert_eq!(monitor.feedback().unwrap(), []);
}

#[test]
fn problems_are_named() {
    let correction = |what: &str, by: &str| Correction {
        what: what.into(),
        label: Label::Neutral,
        by: Some(by.into()),
        is_text: false,
    };
    assert_eq!(correction("ok", "me").validate(), None);
    assert!(correction(" ", "").validate().unwrap().contains("identifier"));
    assert!(correction(&"é".repeat(10_001), "").validate().unwrap().contains("10000"));
    assert!(correction("ok", &"n".repeat(101)).validate().unwrap().contains("100"));
}

fn stored_hour(monitor: &Monitor) -> Counts {
    let hour = at(0).as_second() - at(0).as_second().rem_euclid(3_600);
    let hour: HourRecord = monitor.store.get(&Key::new(Table::History).text("t").time(hour)).unwrap().unwrap();
    hour.counts
}

/// The topic's hour as stored, and as in the windows: negative posts of all.
fn counted(monitor: &Monitor) -> ((u64, u64), (u64, u64)) {
    let step = stored_hour(monitor);
    let now = monitor.topics().into_iter().find(|topic| topic.name == "t").unwrap().hour;
    ((step.negative, step.posts()), (now.negative, now.posts()))
}

#[test]
fn a_corrected_label_counts_backwards_and_undo_takes_all_of_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    monitor.keep_posts(true);
    with_post(&mut monitor);
    assert_eq!(counted(&monitor), ((1, 1), (1, 1)));
    let given = correct(&mut monitor, "77", Label::Neutral, 120);
    assert!(given.feedback.is_wrong() && !given.known);
    assert_eq!(counted(&monitor), ((0, 1), (0, 1)));
    assert!(correct(&mut monitor, "77", Label::Neutral, 121).known, "pressed twice");
    correct(&mut monitor, "77", Label::Positive, 122);
    assert_eq!(monitor.events(EventKind::IncorrectPrediction).len(), 1, "one post is one wrong prediction");
    drop(monitor);
    let mut monitor = open(dir.path());
    monitor.keep_posts(true);
    assert_eq!(counted(&monitor), ((0, 1), (0, 1)), "it outlives a restart");
    // Back through every label, to the model's.
    assert_eq!(monitor.undo_feedback("77", at(123)).unwrap().map(|undone| undone.label), Some(Label::Neutral));
    assert_eq!(monitor.undo_feedback("77", at(124)).unwrap().map(|undone| undone.label), Some(Label::Negative));
    assert_eq!(monitor.undo_feedback("77", at(125)).unwrap(), None);
    assert_eq!(counted(&monitor), ((1, 1), (1, 1)));
    assert_eq!((monitor.events(EventKind::IncorrectPrediction).len(), monitor.feedback().unwrap().len()), (0, 0));
    assert!(crate::monitor::state::check::check(&monitor.store).unwrap().is_sound());
}

#[test]
fn an_hour_that_is_only_in_the_store_is_corrected_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    monitor.keep_posts(true);
    with_post(&mut monitor);
    monitor.advance(at(5 * 86_400));
    monitor.commit().unwrap();
    correct(&mut monitor, "77", Label::Positive, 5 * 86_400 + 60);
    let counts = stored_hour(&monitor);
    assert_eq!((counts.negative, counts.positive), (0, 1));
}

#[test]
fn a_text_of_one_word_can_be_answered_and_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = open(dir.path());
    let subject = monitor.find_subject("Nul", true, at(60)).unwrap().unwrap();
    let correction = Correction { what: "Nul".into(), label: Label::Negative, by: None, is_text: true };
    monitor.record_feedback(&correction, subject, ("m", &NEGATIVE), at(60)).unwrap();
    assert_eq!(monitor.undo_feedback("Nul", at(61)).unwrap().map(|undone| undone.label), Some(Label::Negative));
    assert_eq!(monitor.feedback().unwrap(), []);
}
