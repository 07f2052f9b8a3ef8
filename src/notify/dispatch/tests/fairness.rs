//! Many incidents and a rate limit: what is new goes first, nothing waits for ever, and one slow receiver delays no other.

use std::collections::BTreeMap;

use super::kit::{Kit, about, routing};

/// Seconds until `count` requests are made: a burst of a minute's worth, then one at a time.
fn seconds_for(count: i64, rate: i64) -> i64 {
    (count - rate).max(0) * 60 / rate
}

#[test]
fn a_new_warning_is_sent_while_critical_alerts_repeat() {
    let mut kit = Kit::new(routing(
        "[notify]\ngroup_wait = '0s'\ngroup_interval = '1s'\nrepeat_interval = '1m'\n[[receiver]]\nname = 'r'\nrate_limit = 30",
    ));
    for topic in 0..45 {
        kit.fire(0, about("Rate", "critical", &format!("topic {topic:02}")));
    }
    kit.fire(600, about("Rate", "warning", "Air Paradis"));
    kit.play(900);
    let first = kit.delivered.iter().find(|(_, sent)| sent.group.values().any(|topic| topic == "Air Paradis"));
    let at = first.expect("it is sent").0;
    assert!(at <= 600 + 2 * 60 / 30 * 2, "sent at {at}");
}

/// New severe incidents never stop coming, at the rate limit: a warning is sent all the same.
#[test]
fn nothing_waits_for_ever() {
    let mut kit = Kit::new(routing("[notify]\ngroup_wait = '0s'\n[[receiver]]\nname = 'r'\nrate_limit = 60"));
    kit.fire(0, about("Rate", "warning", "Air Paradis"));
    for second in 0..300 {
        kit.fire(second, about("Rate", "critical", &format!("topic {second}")));
        kit.fire(second, about("Rate", "critical", &format!("another {second}")));
    }
    kit.play(300);
    let first = kit.delivered.iter().find(|(_, sent)| sent.group.values().any(|topic| topic == "Air Paradis"));
    assert!(first.is_some_and(|(at, _)| *at <= 12), "{:?}", first.map(|(at, _)| at));
}

/// With the defaults and more incidents than the rate limit allows, no alert expires at an Alertmanager.
#[test]
fn an_alertmanager_keeps_every_alert() {
    for incidents in [1, 155, 1_000] {
        let text = "[[receiver]]\nname = 'am'\ntype = 'alertmanager'\nurl = 'http://127.0.0.1:9093'";
        let mut kit = Kit::new(routing(text));
        for topic in 0..incidents {
            kit.fire(0, about("Rate", "critical", &format!("topic {topic}")));
        }
        kit.play(480);
        let mut alive_until: BTreeMap<String, i64> = BTreeMap::new();
        for (at, sent) in &kit.delivered {
            let lapses = sent.resent_within.expect("it must be sent again").as_secs() * 4;
            let previous = alive_until.insert(sent.incident.id.clone(), at + lapses);
            assert!(previous.is_none_or(|previous| previous >= *at), "{incidents}: lapsed before {at}");
        }
        assert_eq!(alive_until.len(), incidents);
        assert!(alive_until.values().all(|until| *until >= 480), "{incidents}");
    }
}

#[test]
fn a_thousand_incidents_reach_every_receiver_as_fast_as_its_rate_limit_allows() {
    let names = ["a", "b", "c", "hangs", "refuses"];
    let receivers: String =
        names.iter().map(|name| format!("[[receiver]]\nname = '{name}'\nrate_limit = 300\n")).collect();
    let mut kit = Kit::new(routing(&format!("[notify]\ngroup_wait = '0s'\n{receivers}")));
    kit.hangs("hangs");
    kit.objects = |sent| {
        let topic = sent.group.get("topic").map(String::as_str).unwrap_or_default();
        sent.receiver == "refuses" && topic.ends_with('7')
    };
    let incidents = 1_000;
    for topic in 0..incidents {
        kit.fire(0, about("Rate", "critical", &format!("topic {topic}")));
    }
    let until = seconds_for(incidents + 2 * incidents / 10, 300) + 5;
    kit.play(until);
    for name in names {
        let mut at: BTreeMap<&str, i64> = BTreeMap::new();
        for (second, sent) in kit.delivered.iter().filter(|(_, sent)| sent.receiver == name) {
            at.entry(&sent.incident.id).or_insert(*second);
        }
        let (expected, requests) = match name {
            "hangs" => (0, 0),
            // Every tenth message is refused in three forms, and given up.
            "refuses" => (incidents * 9 / 10, incidents * 9 / 10 + 3 * incidents / 10),
            _ => (incidents, incidents),
        };
        let last = at.values().max().copied().unwrap_or_default();
        assert_eq!(at.len() as i64, expected, "{name}");
        assert!(last <= seconds_for(requests, 300) + 2, "{name}: the last at {last} s");
    }
}
