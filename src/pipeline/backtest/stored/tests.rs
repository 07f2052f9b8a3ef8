//! A backtest on stored posts gives the alerts of a backtest on the dump that they came from.

use std::path::Path;

use jiff::SignedDuration;

use super::*;
use crate::classify::DatasetLabelClassifier;
use crate::dump::Inputs;
use crate::pipeline::backtest::{Backtest, BacktestResult};
use crate::pipeline::replay::Replay;
use crate::store::Store;

const RULES: &str = r#"
    [[rule]]
    name = "Share"
    for = "5m"
    keep_firing_for = "30m"
    labels = { severity = "warning" }
    condition = { type = "negative_rate", window = "1h", above = 0.7, confidence = 0.8, min_posts = 8 }
    [[rule]]
    name = "Angry"
    condition = { type = "negative_volume", window = "2h", above = 20, min_posts = 5 }
"#;

fn replay(state: Option<&Path>) -> Replay {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut loaded = LoadedConfig::find(Some(&repository.join("config/vigie.toml")), None).unwrap();
    loaded.rules = toml::from_str(RULES).unwrap();
    Replay {
        loaded,
        input: Inputs::expand(&[repository.join("tests/data/airline.csv")]).unwrap(),
        given_labels: true,
        topic_required: true,
        state: state.map(Into::into),
        rejects: std::env::temp_dir().join("vigie-stored-backtest.rejects.csv"),
    }
}

/// The dump's own backtest.
fn of_dump() -> BacktestResult {
    let replay = replay(None);
    let variants = vec![replay.loaded.rules.clone()];
    Backtest { replay, variants, block: None }.run(Box::new(DatasetLabelClassifier), &mut |_| ()).unwrap()
}

/// The posts of the dump in a store, which is read as long as it is open.
fn stored(dir: &Path) -> (Store, Query) {
    replay(Some(dir)).run(Box::new(DatasetLabelClassifier), &mut [], &mut |_| ()).unwrap();
    let store = Store::open(dir).unwrap();
    let query = Query::new(&store);
    (store, query)
}

fn asked(dump: &BacktestResult, change: impl Fn(&mut AlertingRule)) -> StoredBacktest {
    let loaded = replay(None).loaded;
    let mut changed = loaded.rules.rules[0].clone();
    change(&mut changed);
    // The dump's last bucket is closed, and no later one.
    let last = dump.span.1.as_second();
    let until = Timestamp::from_second(last - last.rem_euclid(60) + 60).unwrap();
    let model = ModelInfo { id: dump.model.clone(), ..ModelInfo::default() };
    StoredBacktest { loaded, changed, topic: None, since: dump.span.0 - SignedDuration::from_secs(1), until, model }
}

fn spans<'a>(alerts: impl IntoIterator<Item = &'a Alert>) -> Vec<(String, Timestamp, Option<Timestamp>, u64)> {
    let span = |alert: &Alert| (alert.topic.clone(), alert.fired_at, alert.ends_at, alert.fired_on.posts);
    alerts.into_iter().map(span).collect()
}

#[test]
fn stored_posts_fire_the_alerts_of_their_dump() {
    let dir = tempfile::tempdir().unwrap();
    let ((_store, query), dump) = (stored(dir.path()), of_dump());
    let asked = asked(&dump, |rule| rule.hold = SignedDuration::from_mins(40));
    let found = asked.run(&query, &|| false).unwrap();
    let expected = spans(dump.fired[0].iter().filter(|alert| alert.rule == "Share"));
    assert!(expected.len() > 2, "{expected:?}");
    assert_eq!(spans(&found.present.alerts), expected);
    assert_eq!((found.posts, found.stopped_at, found.models), (dump.posts, None, 1));
    // A longer `for`: fewer alerts, and each of them began in one of the present rule.
    assert!(found.changed.alerts.len() < expected.len(), "{:?}", spans(&found.changed.alerts));
    for alert in &found.changed.alerts {
        let same = |present: &&Alert| present.topic == alert.topic && present.starts_at <= alert.starts_at;
        assert!(found.present.alerts.iter().any(|present| same(&present)), "{alert:?}");
    }
    // One receiver, the log: a message when each incident begins, or fewer where alerts share one.
    let messages = found.present.messages;
    assert!(messages.first > 0 && messages.first <= expected.len() as u64, "{messages:?}");
    assert!(messages.ends > 0 && messages.total() >= messages.first + messages.ends);
    let alarms = found.false_alarms.unwrap();
    assert!(alarms.topics > 1 && alarms.days >= 1.0 && alarms.changed <= alarms.present, "{alarms:?}");
}

#[test]
fn one_topic_and_a_part_of_the_time_are_read_alone() {
    let dir = tempfile::tempdir().unwrap();
    let ((_store, query), dump) = (stored(dir.path()), of_dump());
    let whole = asked(&dump, |_| ());
    let alerts = whole.run(&query, &|| false).unwrap().present.alerts;
    let topic = alerts[0].topic.clone();
    let one = StoredBacktest { topic: Some(topic.clone()), ..whole.clone() }.run(&query, &|| false).unwrap();
    let expected = spans(alerts.iter().filter(|alert| alert.topic == topic));
    assert_eq!(spans(&one.present.alerts), expected);
    assert!(one.posts < dump.posts && one.false_alarms.unwrap().topics == 1);
    // Posts before the range are learned from, and their alerts do not count.
    let since = alerts[0].fired_at + SignedDuration::from_mins(1);
    let later = StoredBacktest { since, ..whole.clone() }.run(&query, &|| false).unwrap();
    assert!(later.posts < whole.run(&query, &|| false).unwrap().posts);
    assert!(later.learned_posts > 0 && later.present.alerts.iter().all(|alert| alert.fired_at > since));
    assert!(whole.run(&query, &|| true).unwrap_err().to_string().contains("stopping"));
}
