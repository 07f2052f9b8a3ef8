//! Tests of what an alert says of people and of other topics, and of topics that are only watched.

use super::*;

/// The same posts in several topics, each by another author or, with `one`, all by one.
fn play_in(monitor: &mut Monitor, topics: &[&str], minutes: &[&str], one: bool) -> Vec<String> {
    let mut seen = Vec::new();
    for (minute, posts) in (0..).zip(minutes) {
        monitor.advance(at(minute));
        for (i, letter) in posts.chars().enumerate() {
            let label = if letter == 'n' { Label::Negative } else { Label::Positive };
            let mut classified = post(&format!("{minute}-{i}"), minute, label);
            classified.post.author = Some(if one && letter == 'n' { "ann".into() } else { format!("{minute}-{i}") });
            monitor.observe("x", topics, &classified).unwrap();
        }
        monitor.commit().unwrap();
        seen.extend(monitor.outbox().map(|it| format!("{:?} {} {}", it.status, it.alert.rule, it.alert.topic)));
        monitor.ack_outbox(Batch::default()).unwrap();
    }
    seen
}

#[test]
fn an_alert_says_how_many_people_wrote_and_how_many_other_topics_rise() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = monitor(dir.path());
    play_in(&mut monitor, &["a", "b", "c"], &trouble()[..100], false);
    let alert = monitor.firing().find(|alert| alert.topic == "a" && alert.rule == "Volume").unwrap().clone();
    let now = monitor.current_alert(&alert).unwrap();
    assert_eq!(now.explanation.number("other_topics_rising"), Some(2.0));
    assert_eq!(now.annotations.get("also_rising").map(String::as_str), Some("b, c"));
    assert_eq!(now.explanation.number("negative_authors"), Some(41.0), "forty of the trouble, and one before");
}

#[test]
fn one_angry_customer_is_no_incident() {
    let dir = tempfile::tempdir().unwrap();
    let seen = play_in(&mut monitor(dir.path()), &["a"], &trouble(), true);
    assert_eq!(seen, [""; 0], "the crowd of the other tests, by one author");
}

#[test]
fn a_topic_that_is_only_watched_raises_no_alert() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = monitor(dir.path());
    let settings = TopicSettings::default().with("a", None).with("rival", None).watching_only("rival");
    monitor.configure_topics(settings);
    let seen = play_in(&mut monitor, &["a", "rival"], &trouble()[..100], false);
    assert_eq!(seen, ["Firing Volume a", "Firing Rate a"]);
    assert!(monitor.alerts().iter().all(|alert| alert.topic == "a"));
    let alert = monitor.firing().next().unwrap().clone();
    assert_eq!(
        monitor.current_alert(&alert).unwrap().explanation.number("other_topics_rising"),
        Some(1.0),
        "it is compared"
    );
}

#[test]
fn an_alert_that_was_kept_back_ends_unheard_and_one_that_was_announced_does_not() {
    for (before, after) in [(true, true), (true, false), (false, true)] {
        let dir = tempfile::tempdir().unwrap();
        let settings = |only: bool| {
            let settings = TopicSettings::default().with("t", None);
            if only { settings.watching_only("t") } else { settings }
        };
        let mut watched = monitor(dir.path());
        watched.configure_topics(settings(before));
        let minutes = trouble();
        let began = play(&mut watched, 0, &minutes[..100]);
        drop(watched);
        let mut watched = monitor(dir.path());
        watched.configure_topics(settings(after));
        let ended = play(&mut watched, 100, &minutes[100..]);
        let expected = if before { (0, 0) } else { (2, 2) };
        assert_eq!((began.len(), ended.len()), expected, "{before} {after}: {began:?} {ended:?}");
        assert_eq!(watched.report().unwrap().topics[0].alerts.len(), expected.1, "nor is it in the history");
    }
}
