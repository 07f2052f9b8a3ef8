//! Tests of the monitor: timelines of posts, restarts, and commits that are cut off.

mod compared;
mod future_posts;
mod open_end;
mod sleep;

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::classify::{ClassifiedPost, Label, Prediction};
use crate::post::Post;
use crate::window::Counts;

const RULES: &str = r#"
    [[rule]]
    name = "Rate"
    for = "2m"
    keep_firing_for = "3m"
    labels = { severity = "warning" }
    annotations = { summary = "{{ topic }}: {{ rate | percent }} negative, normal is {{ normal | percent }}" }
    condition = { type = "negative_rate", window = "10m", min_posts = 10, above = { baseline = "1h", margin = 0.1, min_posts = 20 } }

    [[rule]]
    name = "Volume"
    condition = { type = "negative_volume", window = "10m", min_posts = 5, above = 10 }
"#;

fn monitor(dir: &Path) -> Monitor {
    let config = window::Config { lateness: SignedDuration::from_mins(5), ..window::Config::default() };
    let rules = toml::from_str(RULES).unwrap();
    Monitor::open(Store::open(dir).unwrap(), config, rules).unwrap()
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60 + 30).unwrap()
}

fn post(id: &str, minute: i64, label: Label) -> ClassifiedPost {
    let mut probabilities = [0.0; 3];
    probabilities[label as usize] = 1.0;
    let (id, text) = (id.to_owned(), format!("post {id}"));
    let post = Post { id, created_at: at(minute), author: None, text, ..Post::default() };
    ClassifiedPost { post, prediction: Prediction { label, probabilities, reason: None } }
}

/// Posts minute by minute, `n` and `p`; returns the transitions, as `minute status rule`.
fn play(monitor: &mut Monitor, from: i64, minutes: &[&str]) -> Vec<String> {
    let mut seen = Vec::new();
    for (minute, posts) in (from..).zip(minutes) {
        monitor.advance(at(minute));
        for (i, letter) in posts.chars().enumerate() {
            let label = if letter == 'n' { Label::Negative } else { Label::Positive };
            monitor.observe("x", &["t"], &post(&format!("{minute}-{i}"), minute, label)).unwrap();
        }
        monitor.set_cursor("test", &minute).unwrap();
        monitor.commit().unwrap();
        for transition in monitor.outbox() {
            let minute = transition.at.as_second() / 60;
            seen.push(format!("{minute} {:?} {}", transition.status, transition.alert.rule));
        }
        monitor.ack_outbox(Batch::default()).unwrap();
    }
    seen
}

/// An hour and a half of calm (one in four is negative), a quarter of an hour of trouble, calm again.
fn trouble() -> Vec<&'static str> {
    let mut minutes = vec!["nppp"; 90];
    minutes.extend(vec!["nnnn"; 15]);
    minutes.extend(vec!["nppp"; 40]);
    minutes
}

#[test]
fn trouble_fires_once_and_is_over_once() {
    let dir = tempfile::tempdir().unwrap();
    let seen = play(&mut monitor(dir.path()), 0, &trouble());
    assert_eq!(seen, ["93 Firing Volume", "97 Firing Rate", "113 Resolved Volume", "114 Resolved Rate"]);
}

#[test]
fn the_alert_says_what_a_reader_needs() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = monitor(dir.path());
    play(&mut monitor, 0, &trouble());
    let report = monitor.report().unwrap();
    let alert = report.topics[0].alerts.iter().find(|alert| alert.rule == "Rate").unwrap();
    assert_eq!(alert.annotations["summary"], "t: 78% negative, normal is 25%");
    assert_eq!(alert.peak.rate, 1.0);
    assert!(alert.peak_at > alert.fired_at && alert.ends_at.unwrap() > alert.peak_at);
    assert_eq!(alert.samples.len(), 5);
    assert_eq!(report.totals.posts, 145 * 4);
    assert_eq!(report.totals.labels.negative, 130 + 15 * 4);
    assert_eq!(report.totals.alerts, 2);
}

#[test]
fn a_post_counts_once_and_a_late_one_only_within_the_lateness() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = monitor(dir.path());
    monitor.advance(at(10));
    monitor.observe("x", &["t"], &post("a", 10, Label::Negative)).unwrap();
    monitor.observe("x", &["t"], &post("a", 10, Label::Negative)).unwrap();
    monitor.observe("x", &["t"], &post("b", 6, Label::Negative)).unwrap();
    monitor.observe("x", &["t"], &post("c", 4, Label::Negative)).unwrap();
    let totals = monitor.totals();
    assert_eq!((totals.posts, totals.duplicates, totals.too_late), (2, 1, 1));
}

#[test]
fn what_was_not_delivered_is_still_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let keys = |monitor: &Monitor| monitor.outbox().map(Transition::key).collect::<Vec<_>>();
    let before = {
        let mut monitor = monitor(dir.path());
        for (minute, posts) in trouble().iter().enumerate() {
            let minute = minute as i64;
            monitor.advance(at(minute));
            for (i, letter) in posts.chars().enumerate() {
                let label = if letter == 'n' { Label::Negative } else { Label::Positive };
                monitor.observe("x", &["t"], &post(&format!("{minute}-{i}"), minute, label)).unwrap();
            }
        }
        monitor.set_cursor("test", &0).unwrap();
        monitor.commit().unwrap();
        keys(&monitor)
    };
    assert_eq!(before.len(), 4);
    assert_eq!(keys(&monitor(dir.path())), before);
}

#[test]
fn years_of_silence_pass_at_once_and_end_an_alert() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = monitor(dir.path());
    let mut seen = play(&mut monitor, 0, &trouble()[..100]);
    seen.extend(play(&mut monitor, 20_000_000, &["n"]));
    assert_eq!(seen, ["93 Firing Volume", "97 Firing Rate", "106 Resolved Volume", "111 Resolved Rate"]);
}

#[test]
fn a_topic_column_with_too_many_values_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = monitor(dir.path());
    let result: Result<(), MonitorError> = (0..=MAX_TOPICS)
        .try_for_each(|i| monitor.observe("x", &[&i.to_string()], &post("a", 0, Label::Neutral)).map(drop));
    assert!(matches!(result, Err(MonitorError::TooManyTopics)));
    monitor.configure_topics(TopicSettings::default().with("Air Paradis", None));
    let outcome = monitor.observe("x", &["Air Paradis"], &post("b", 0, Label::Neutral)).unwrap();
    assert_eq!(outcome, PostOutcome::Counted, "a configured topic always has room");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever was not committed when the process ended is played again; the state is that of a run without an end.
    #[test]
    fn restarts_leave_no_trace(cuts in proptest::collection::btree_set(1_usize..144, 0..6)) {
        let minutes = trouble();
        let whole = tempfile::tempdir().unwrap();
        let seen = play(&mut monitor(whole.path()), 0, &minutes);

        let cut = tempfile::tempdir().unwrap();
        let mut seen_in_parts = Vec::new();
        let ends: Vec<usize> = cuts.into_iter().chain([minutes.len()]).collect();
        for end in ends {
            let mut monitor = monitor(cut.path());
            let start = monitor.cursor::<i64>("test").unwrap().map_or(0, |minute| minute as usize + 1);
            seen_in_parts.extend(play(&mut monitor, start as i64, &minutes[start..end]));
            // Seen but not committed: lost with the process, and to be seen again.
            monitor.advance(at(end as i64));
            monitor.observe("x", &["t"], &post("lost", end as i64, Label::Negative)).unwrap();
        }
        prop_assert_eq!(seen_in_parts, seen);
        let report = |dir: &Path| monitor(dir).report().unwrap();
        prop_assert_eq!(report(cut.path()), report(whole.path()));
    }
}

#[test]
fn the_alert_of_a_removed_rule_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = monitor(dir.path());
    assert_eq!(play(&mut monitor, 0, &trouble()[..100]), ["93 Firing Volume", "97 Firing Rate"]);
    let rules: Rules = toml::from_str(RULES.rsplit_once("[[rule]]").unwrap().0).unwrap();
    assert_eq!(rules.rules.len(), 1);
    let mut monitor = monitor.reopen(rules).unwrap();
    assert_eq!(play(&mut monitor, 100, &["nnnn"]), ["99 Resolved Volume"]);
    let kept: Vec<AlertView> = monitor.alerts();
    assert_eq!((kept.len(), kept[0].rule.as_str(), kept[0].firing), (1, "Rate", true));
}

#[test]
fn a_monitor_that_was_ahead_goes_back_and_counts_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = monitor(dir.path());
    play(&mut monitor, 0, &trouble()[..98]);
    monitor.advance(at(140));
    monitor.commit().unwrap();
    let mut monitor = monitor.rewind(at(98)).unwrap();
    assert_eq!(monitor.edge(), Timestamp::from_second(98 * 60).ok());
    let views = monitor.topics();
    assert_eq!(views[0].recent.iter().rev().take(5).map(Counts::posts).collect::<Vec<_>>(), [0, 4, 4, 4, 4]);
    play(&mut monitor, 98, &["nnnn", "nnnn"]);
    assert_eq!(monitor.totals().posts, 400);
}

const RISING: &str = r#"
    [[rule]]
    name = "Rising"
    keep_firing_for = "30m"
    condition = { type = "or", any = [{ type = "rising", of = "negative_volume" }, { type = "rising" }] }

    [[rule]]
    name = "Silent"
    condition = { type = "no_data", at_least = "30m" }
"#;

fn rising(dir: &Path) -> Monitor {
    let config = window::Config { lateness: SignedDuration::from_mins(5), ..window::Config::default() };
    let mut monitor = Monitor::open(Store::open(dir).unwrap(), config, toml::from_str(RISING).unwrap()).unwrap();
    monitor.set_model(ModelInfo { id: "a".into(), error_rates: None });
    monitor
}

/// Two days of calm, an hour of trouble, calm.
fn two_days() -> Vec<&'static str> {
    let mut minutes = ["np", "pn", "pp", "n"].repeat(720);
    minutes.extend(["nnn", "nnp"].repeat(30));
    minutes.extend(["np", "pn", "pp", "n"].repeat(60));
    minutes
}

#[test]
fn a_rise_is_found_within_minutes_and_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = rising(dir.path());
    let seen = play(&mut monitor, 0, &two_days());
    let minutes: Vec<i64> = seen.iter().map(|seen| seen.split(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!((2_882..2_905).contains(&minutes[0]) && (2_970..3_040).contains(&minutes[1]), "{seen:?}");
    let report = monitor.report().unwrap();
    let alert = &report.topics[0].alerts[0];
    assert_eq!((alert.explanation.condition.as_str(), alert.explanation.parts.len()), ("or", 2));
    let names: Vec<&str> = alert.explanation.parts[1].numbers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(["sum", "h", "lift", "rising_since"].iter().all(|name| names.contains(name)), "{names:?}");
}

/// A daemon that is restarted at any time continues with its sums and its baseline.
#[test]
fn a_rise_is_found_at_the_same_minute_after_restarts() {
    let minutes = two_days();
    let whole = tempfile::tempdir().unwrap();
    let seen = play(&mut rising(whole.path()), 0, &minutes);
    let cut = tempfile::tempdir().unwrap();
    let (mut in_parts, mut start) = (Vec::new(), 0);
    for end in [1_000, 2_870, 2_884, 2_890, 2_950, minutes.len()] {
        in_parts.extend(play(&mut rising(cut.path()), start as i64, &minutes[start..end]));
        start = end;
    }
    assert_eq!(in_parts, seen);
    assert_eq!(rising(cut.path()).report().unwrap(), rising(whole.path()).report().unwrap());
}

#[test]
fn another_model_has_no_normal_yet() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = rising(dir.path());
    let minutes = two_days();
    assert!(play(&mut monitor, 0, &minutes[..2_880]).is_empty());
    monitor.set_model(ModelInfo { id: "b".into(), error_rates: None });
    assert!(play(&mut monitor, 2_880, &minutes[2_880..2_940]).is_empty());
}

#[test]
fn silence_is_reported_though_nothing_happens_and_ends_with_a_post() {
    let dir = tempfile::tempdir().unwrap();
    let mut monitor = rising(dir.path());
    assert!(play(&mut monitor, 0, &two_days()[..2_880]).is_empty());
    // All at once, as a replay does; beyond what any window holds.
    let seen = play(&mut monitor, 20_000, &["n", "n"]);
    let minutes: Vec<i64> = seen.iter().map(|seen| seen.split(' ').next().unwrap().parse().unwrap()).collect();
    assert!(seen.len() == 2 && seen[0].ends_with("Firing Silent") && seen[1].ends_with("Resolved Silent"), "{seen:?}");
    assert!((2_909..2_960).contains(&minutes[0]) && minutes[1] == 20_001, "{seen:?}");
}
