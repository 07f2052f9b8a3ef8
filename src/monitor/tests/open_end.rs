//! Alerts that stay open for too long, and alerts of a topic's first day.

use super::*;
use crate::alert::TransitionKind;
use crate::rule::{CLOSED_AFTER_HOURS, LEARNED_HOURS};

const RULE: &str = r#"
    [[rule]]
    name = "Many"
    keep_firing_for = "20m"
    max_open = "2h"
    condition = { type = "negative_volume", window = "10m", above = 5, confidence = 0.5, min_posts = 1 }
"#;

/// The alerts' transitions: minute, status, and the numbers named above.
fn play(rule: &str, minutes: i64, posts: impl Fn(i64) -> bool) -> Vec<(i64, TransitionKind, Option<f64>, Option<f64>)> {
    let dir = tempfile::tempdir().unwrap();
    let rules = toml::from_str(rule).unwrap();
    let mut monitor = Monitor::open(Store::open(dir.path()).unwrap(), window::Config::default(), rules).unwrap();
    for minute in 0..minutes {
        monitor.advance(at(minute));
        for number in 0..if posts(minute) { 4 } else { 0 } {
            let id = format!("{minute}-{number}");
            monitor.observe("x", &["t"], &post(&id, minute, Label::Negative)).unwrap();
        }
    }
    monitor.commit().unwrap();
    let start = at(0);
    let seen = |transition: &Transition| {
        let number = |name| transition.alert.explanation.number(name);
        let minute = transition.at.duration_since(start).as_mins();
        (minute, transition.status, number(CLOSED_AFTER_HOURS), number(LEARNED_HOURS))
    };
    monitor.outbox().map(seen).collect()
}

#[test]
fn an_alert_that_stays_open_is_closed_once_and_fires_again_after_a_pause() {
    let seen = play(RULE, 900, |minute| !(500..560).contains(&minute));
    let [fired, closed, again, ..] = seen[..] else { panic!("{seen:?}") };
    assert_eq!((fired.1, fired.2), (TransitionKind::Firing, None));
    assert_eq!((closed.0 - fired.0, closed.1, closed.2), (120, TransitionKind::Resolved, Some(2.0)), "it says so");
    assert!(again.1 == TransitionKind::Firing && again.0 > 560, "not before the pause: {again:?}");
    let open = RULE.replace("\"2h\"", "\"0s\"");
    let seen = play(&open, 900, |minute| minute < 600);
    assert!(matches!(&seen[..], [_, (600.., TransitionKind::Resolved, None, _)]), "without a bound: {seen:?}");
}

#[test]
fn an_alert_of_the_first_day_says_how_much_is_learned() {
    let seen = play(RULE, 600, |minute| minute >= 300);
    assert!(matches!(seen[0], (300.., TransitionKind::Firing, _, Some(hours)) if hours < 5.0), "{seen:?}");
    let seen = play(RULE, 40 * 60, |minute| minute % 60 == 0 || minute >= 39 * 60);
    assert!(matches!(seen.last(), Some((2340.., TransitionKind::Firing, _, None))), "the second day: {seen:?}");
}
