//! Invariants for any sequence of alerts, errors and restarts.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::kit::{Kit, about, alert, at, routing};
use crate::notify::{Kind, Notification};

const RULES: [&str; 3] = ["Rate", "Volume", "Rising"];

/// Each step: seconds that pass, and the rule whose alert begins or ends then.
fn steps() -> impl Strategy<Value = Vec<(i64, usize)>> {
    proptest::collection::vec((1_i64..2_000, 0_usize..3), 1..25)
}

fn run(kit: &mut Kit, steps: &[(i64, usize)], restarts: &BTreeSet<usize>) -> i64 {
    let (mut second, mut firing) = (0, BTreeSet::new());
    for (number, (passed, rule)) in steps.iter().enumerate() {
        second += passed;
        let name = RULES[*rule];
        if firing.remove(name) {
            kit.resolve(second, name);
        } else {
            firing.insert(name);
            kit.fire(second, alert(name, "warning"));
        }
        kit.play(second);
        if restarts.contains(&number) {
            kit.restart();
        }
    }
    second
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn threads_make_sense(steps in steps(), down in 0_i64..20_000) {
        let mut kit = Kit::new(routing(""));
        kit.fails_until(down);
        let end = run(&mut kit, &steps, &BTreeSet::new());
        kit.play(end.max(down) + 10_000);

        let mut threads: BTreeMap<&str, Vec<(i64, &Notification)>> = BTreeMap::new();
        for (second, notification) in &kit.delivered {
            threads.entry(&notification.incident.id).or_default().push((*second, notification));
        }
        for thread in threads.values() {
            for (number, (_, sent)) in thread.iter().enumerate() {
                prop_assert_eq!(sent.sequence as usize, number);
                prop_assert_eq!(sent.kind == Kind::Resolved, sent.alerts.iter().all(|alert| alert.ends_at.is_some()));
            }
            for pair in thread.windows(2) {
                prop_assert!(pair[1].0 - pair[0].0 >= 300, "two within a group_interval");
            }
        }
        let last = |incident: &str| kit.delivered.iter().rev().map(|(_, it)| it).find(|it| it.incident.id == incident);
        // Everything that fires at the end, for long enough, was delivered as firing.
        let views = kit.dispatcher.incidents(false, kit.now());
        for view in &views {
            let shown = last(&view.incident.id).into_iter().flat_map(|it| &it.alerts).filter(|it| it.ends_at.is_none());
            let firing = view.alerts.iter().map(|it| &it.alert).filter(|it| it.ends_at.is_none());
            let [shown, firing] = [
                shown.map(|it| it.fingerprint).collect::<BTreeSet<_>>(),
                firing.map(|it| it.fingerprint).collect::<BTreeSet<_>>(),
            ];
            prop_assert_eq!(shown, firing);
        }
        // The last notification of every other incident says that it is resolved.
        for (_, sent) in &kit.delivered {
            if views.iter().all(|view| view.incident.id != sent.incident.id) {
                prop_assert_eq!(last(&sent.incident.id).map(|it| it.kind), Some(Kind::Resolved));
            }
        }
    }

    #[test]
    fn restarts_leave_no_trace(
        steps in steps(),
        restarts in proptest::collection::btree_set(0_usize..25, 0..6),
        down in 0_i64..20_000,
    ) {
        let play = |restarts: &BTreeSet<usize>| {
            let mut kit = Kit::stored(routing(""));
            kit.fails_until(down);
            let end = run(&mut kit, &steps, restarts);
            kit.play(end + 30_000);
            kit.delivered
        };
        prop_assert_eq!(play(&restarts), play(&BTreeSet::new()));
    }
}

#[test]
fn what_was_sent_when_the_process_died_is_sent_again_under_the_same_key() {
    let mut kit = Kit::stored(routing(""));
    kit.fire(0, alert("Rate", "warning"));
    kit.play(29);
    kit.restart();
    kit.play_silently(30);
    let sent = kit.die_while_sending();
    assert_eq!(sent.len(), 1);
    assert_eq!(kit.play(100), ["30 log Opened Rate"]);
    assert_eq!(kit.last().key, sent[0].key);
    kit.resolve(500, "Rate");
    kit.restart();
    assert_eq!(kit.play(600), ["500 log Resolved -Rate"]);
}

#[test]
fn everything_survives_a_restart() {
    let mut kit = Kit::stored(routing("[notify]\nrepeat_interval = '1h'"));
    kit.fire(0, alert("Rate", "warning"));
    kit.fire(0, about("Rate", "warning", "other"));
    kit.play(60);
    kit.silence(60, "topic=other", 50_000);
    let mine = kit
        .delivered
        .iter()
        .find(|(_, notification)| notification.group["topic"] == "t")
        .unwrap()
        .1
        .incident
        .id
        .clone();
    kit.dispatcher.acknowledge(&mine, "ann", "", at(60)).unwrap();
    kit.play(61);
    let before = (kit.dispatcher.incidents(true, at(61)), kit.dispatcher.silences(true, at(61)));
    kit.restart();
    assert_eq!((kit.dispatcher.incidents(true, at(61)), kit.dispatcher.silences(true, at(61))), before);
    assert_eq!(kit.play(40_000), [""; 0]);
}
