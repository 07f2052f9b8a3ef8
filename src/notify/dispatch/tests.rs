//! Timelines: what happens at which second, and what must have been sent by then. Seconds count from noon, Tuesday 24
//! November 2026, UTC.

mod fairness;
mod invariants;
mod kit;
mod refusals;
mod reports;

use kit::{Kit, alert, at, routing};

use super::{AlertQueryError, HistoryEvent};
use crate::alert::OperationalAlert;
use crate::notify::Kind;

#[test]
fn an_incident_waits_for_others_and_has_one_name_and_thread_to_its_end() {
    let mut kit = Kit::new(routing(""));
    kit.fire(0, alert("Rate", "warning"));
    kit.fire(20, alert("Volume", "critical"));
    assert_eq!(kit.play(29), [""; 0]);
    assert_eq!(kit.play(60), ["30 log Opened Volume Rate"]);
    kit.resolve(100, "Volume");
    assert_eq!(kit.play(329), [""; 0]);
    assert_eq!(kit.play(400), ["330 log Changed Rate -Volume"]);
    kit.resolve(1_000, "Rate");
    assert_eq!(kit.play(1_000), ["1000 log Resolved -Volume -Rate"]);
    assert_eq!(kit.sequences(), [0, 1, 2]);
    assert_eq!(kit.incidents().len(), 1);
    assert!(kit.last().incident.ended_at.is_some());
}

#[test]
fn what_flares_up_again_within_hours_is_the_same_incident() {
    let mut kit = Kit::new(routing(""));
    kit.fire(0, alert("Rate", "warning"));
    kit.resolve(1_000, "Rate");
    assert_eq!(kit.play(2_000), ["30 log Opened Rate", "1000 log Resolved -Rate"]);
    kit.restart();
    let half_a_day = 12 * 3_600;
    kit.fire(999 + half_a_day, alert("Rate", "warning"));
    assert_eq!(kit.play(2_000 + half_a_day), [format!("{} log Reopened Rate", 1_029 + half_a_day)]);
    kit.resolve(3_000 + half_a_day, "Rate");
    kit.play(4_000 + half_a_day);
    assert_eq!((kit.incidents().len(), kit.sequences()), (1, vec![0, 1, 2, 3]), "one name, one thread");
    kit.fire(3_001 + 2 * half_a_day, alert("Rate", "warning"));
    kit.play(5_000 + 2 * half_a_day);
    assert_eq!(kit.incidents().len(), 2, "what comes later is another incident");
}

#[test]
fn a_blip_within_group_wait_is_not_sent() {
    let mut kit = Kit::new(routing(""));
    kit.fire(0, alert("Rate", "warning"));
    kit.resolve(29, "Rate");
    assert_eq!(kit.play(100_000), [""; 0]);
}

#[test]
fn a_firing_incident_is_repeated_until_somebody_acknowledges() {
    let mut kit = Kit::new(routing("[notify]\nrepeat_interval = '1h'"));
    kit.fire(0, alert("Rate", "warning"));
    assert_eq!(kit.play(7_300), ["30 log Opened Rate", "3630 log Repeated Rate", "7230 log Repeated Rate"]);
    assert!(kit.last().repeats_at.is_some());
    kit.acknowledge(7_400);
    assert_eq!(kit.play(20_000), [""; 0]);
    kit.fire(20_000, alert("Volume", "critical"));
    assert_eq!(kit.play(20_100), ["20030 log Changed Volume Rate"], "an alert that joins is still notified");
    assert_eq!((kit.last().acknowledged.is_some(), kit.last().repeats_at), (true, None));
    kit.resolve(21_000, "Volume");
    kit.resolve(21_000, "Rate");
    assert_eq!(kit.play(30_000), ["21000 log Resolved -Volume -Rate"]);
}

#[test]
fn routes_lead_by_label_and_a_critical_one_does_not_wait() {
    let mut kit = Kit::new(routing(
        r#"
        [[receiver]]
        name = "crisis"
        [[receiver]]
        name = "desk"
        [[route]]
        matchers = ["severity=critical"]
        receivers = ["crisis"]
        group_wait = "0s"
        continue = true
        [[route]]
        receivers = ["desk"]
    "#,
    ));
    kit.fire(0, alert("Rate", "warning"));
    kit.fire(10, alert("Volume", "critical"));
    assert_eq!(kit.play(100), ["10 crisis Opened Volume", "30 desk Opened Volume Rate"]);
    assert_eq!(kit.incidents().len(), 1, "one name for all receivers");
    kit.resolve(1_000, "Volume");
    assert_eq!(kit.play(2_000), ["1000 crisis Resolved -Volume", "1000 desk Changed Rate -Volume"]);
}

#[test]
fn off_hours_hold_a_notification_or_pass_it_on() {
    let text = |off_hours: &str| {
        format!(
            r#"
            [[receiver]]
            name = "desk"
            [[receiver]]
            name = "night"
            [[route]]
            receivers = ["desk"]
            active_times = ["mon-fri 13:00-14:00"]
            off_hours = "{off_hours}"
            [[route]]
            receivers = ["night"]
        "#
        )
    };
    let mut kit = Kit::new(routing(&text("hold")));
    kit.fire(0, alert("Rate", "warning"));
    assert_eq!(kit.play(3_599), [""; 0]);
    assert_eq!(kit.play(3_700), ["3600 desk Opened Rate"]);

    let mut kit = Kit::new(routing(&text("hold")));
    kit.fire(0, alert("Rate", "warning"));
    kit.resolve(600, "Rate");
    assert_eq!(kit.play(5_000), ["3600 desk Resolved -Rate"], "a missed alert is reported once");

    let mut kit = Kit::new(routing(&text("next")));
    kit.fire(0, alert("Rate", "warning"));
    assert_eq!(kit.play(5_000), ["30 night Opened Rate"]);
}

#[test]
fn a_silence_suppresses_and_what_fires_at_its_end_is_sent_then() {
    let mut kit = Kit::new(routing("[notify]\nrepeat_interval = '1h'"));
    let id = kit.silence(0, "topic=t", 600);
    kit.fire(0, alert("Rate", "warning"));
    assert_eq!(kit.play(599), [""; 0]);
    assert_eq!(kit.play(700), ["600 log Opened Rate"]);
    assert!(kit.dispatcher.unsilence(&id, kit.now()).is_err(), "it has ended");

    kit.silence(800, "topic=t", 100_000);
    assert_eq!(kit.play(50_000), [""; 0]);
    kit.resolve(50_000, "Rate");
    assert_eq!(kit.play(50_000), ["50000 log Resolved -Rate"], "the end of a notified alert is notified");
    kit.fire(60_000, alert("Volume", "critical"));
    kit.resolve(70_000, "Volume");
    assert_eq!(kit.play(200_000), [""; 0], "what was silenced all its life never was");
}

#[test]
fn a_silence_can_be_ended_by_hand() {
    let mut kit = Kit::new(routing(""));
    let id = kit.silence(0, "severity=~\"warn.*\"", 10_000);
    kit.fire(0, alert("Rate", "warning"));
    kit.play(500);
    kit.dispatcher.unsilence(&id.to_lowercase(), kit.now()).unwrap();
    assert_eq!(kit.play(600), ["500 log Opened Rate"]);
}

#[test]
fn an_incident_that_nobody_acknowledged_escalates() {
    let text = r#"
        [[receiver]]
        name = "desk"
        [[receiver]]
        name = "boss"
        [[route]]
        receivers = ["desk"]
        escalate_to = "boss"
        escalate_after = "30m"
    "#;
    let mut kit = Kit::new(routing(text));
    kit.fire(0, alert("Rate", "warning"));
    assert_eq!(kit.play(3_000), ["30 desk Opened Rate", "1830 boss Escalated Rate"]);
    kit.resolve(4_000, "Rate");
    assert_eq!(kit.play(4_000), ["4000 boss Resolved -Rate", "4000 desk Resolved -Rate"]);

    let mut kit = Kit::new(routing(text));
    kit.fire(0, alert("Rate", "warning"));
    kit.play(1_000);
    kit.acknowledge(1_000);
    assert_eq!(kit.play(10_000), [""; 0]);
}

#[test]
fn a_greater_alert_inhibits_a_lesser_one_of_the_same_topic() {
    let mut kit = Kit::new(routing(
        r#"
        [[inhibit]]
        source = ["severity=critical"]
        target = ["severity=warning"]
        equal = ["topic"]
    "#,
    ));
    kit.fire(0, alert("Volume", "critical"));
    kit.fire(0, alert("Rate", "warning"));
    assert_eq!(kit.play(100), ["30 log Opened Volume"]);
    kit.resolve(1_000, "Volume");
    assert_eq!(kit.play(2_000), ["1000 log Changed Rate -Volume"], "it still fires when the other is over");
}

#[test]
fn a_receiver_that_was_down_gets_the_current_state_only() {
    let mut kit = Kit::new(routing(""));
    kit.fails_until(90_000);
    for hour in 0..20 {
        kit.fire(hour * 3_600, alert("Rate", "warning"));
        kit.resolve(hour * 3_600 + 1_800, "Rate");
    }
    kit.fire(85_000, alert("Volume", "critical"));
    assert_eq!(kit.play(89_000), [""; 0]);
    let sent = kit.play(100_000);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].contains("Opened Volume -Rate"), "{sent:?}");
    assert_eq!(kit.last().alerts.len(), 11, "at most ten of those that were missed");
}

#[test]
fn a_retry_has_the_key_of_what_it_repeats_and_another_truth_another_key() {
    let mut kit = Kit::new(routing(""));
    kit.fails_until(100);
    kit.fire(0, alert("Rate", "warning"));
    kit.play(99);
    let keys: std::collections::BTreeSet<String> = kit.attempts.iter().map(|it| it.key.clone()).collect();
    assert!(kit.attempts.len() > 2 && keys.len() == 1, "{:?}", kit.attempts.len());
    kit.resolve(99, "Rate");
    assert!(kit.play(1_000).iter().all(|line| line.contains("Resolved -Rate")));
    assert!(!keys.contains(&kit.last().key));
}

#[test]
fn a_resolved_incident_is_given_up_after_a_while() {
    let mut kit = Kit::new(routing("[notify]\ngive_up_after = '1h'"));
    kit.fails_until(20_000);
    kit.fire(0, alert("Rate", "warning"));
    kit.resolve(60, "Rate");
    assert_eq!(kit.play(30_000), [""; 0]);
}

#[test]
fn a_failing_receiver_is_reported_to_the_others() {
    let text = r#"
        [notify]
        receivers = ["desk"]
        [[receiver]]
        name = "desk"
        [[receiver]]
        name = "mail"
    "#;
    let mut kit = Kit::new(routing(text));
    kit.fire(0, alert("Rate", "warning"));
    kit.refuses("desk");
    kit.play(100);
    let alerts = kit.dispatcher.operational_alerts(kit.now());
    let found = alerts.iter().find(|(alert, ..)| *alert == OperationalAlert::ReceiverFailed).unwrap();
    assert_eq!((found.1.as_str(), found.2.as_deref().map(|why| why.contains("401"))), ("desk", Some(true)));
    kit.fire(100, kit::operational(OperationalAlert::ReceiverFailed.name(), "desk"));
    assert_eq!(kit.play(200), ["130 mail Opened ReceiverFailed"], "not through the one it is about");
    assert_eq!(kit.attempts.iter().filter(|it| it.receiver == "desk").count(), 1, "it is not hammered");
    let routing = kit.dispatcher.routing().clone();
    kit.accepts();
    kit.dispatcher.reload(routing, kit.now());
    assert_eq!(kit.play(300), ["200 desk Opened Rate"], "a reload tries again");
    assert!(kit.dispatcher.operational_alerts(kit.now()).iter().all(|(.., why)| why.is_none()));
}

#[test]
fn a_partial_delivery_is_an_alert_until_it_is_solved_or_the_receiver_is_gone() {
    let mut kit = Kit::new(routing("[[receiver]]\nname = 'desk'"));
    let partial_failure = |kit: &Kit| {
        let mut alerts = kit.dispatcher.operational_alerts(kit.now()).into_iter();
        let partial = alerts.find(|(alert, ..)| *alert == OperationalAlert::ReceiverPartialDelivery);
        partial.and_then(|(.., why)| why)
    };
    kit.partial_failure = Some("550 no such user".into());
    kit.fire(0, alert("Rate", "warning"));
    kit.play(100);
    assert!(partial_failure(&kit).unwrap().contains("550"));
    kit.dispatcher.reload(routing("[[receiver]]\nname = 'other'"), kit.now());
    assert_eq!(partial_failure(&kit), None);
}

#[test]
fn a_storm_of_groups_keeps_within_the_rate_limit() {
    let mut kit = Kit::new(routing("[[receiver]]\nname = 'desk'\nrate_limit = 6"));
    for topic in 0..20 {
        kit.fire(0, kit::about("Rate", "warning", &format!("t{topic}")));
    }
    let sent = kit.play(30);
    assert_eq!(sent.len(), 6, "{sent:?}");
    assert_eq!(kit.play(40).len(), 1);
    assert_eq!(kit.play(1_000).len(), 13);
}

#[test]
fn what_cannot_be_stored_is_sent_at_once_and_its_end_too() {
    let mut kit = Kit::new(routing(""));
    let failed = kit::operational("StoreFailed", "store");
    kit.urgent(0, failed.clone());
    assert_eq!(kit.play(0), ["0 log Opened StoreFailed"]);
    kit.fire(100, failed); // by way of the outbox
    kit.resolve(100, "StoreFailed");
    assert_eq!(kit.play(1_000), ["300 log Resolved -StoreFailed"]);
    assert_eq!(kit.incidents().len(), 1);
}

#[test]
fn a_reload_routes_firing_alerts_again() {
    let mut kit = Kit::new(routing("[[receiver]]\nname = 'desk'"));
    kit.fire(0, alert("Rate", "warning"));
    kit.play(100);
    kit.dispatcher.reload(routing("[[receiver]]\nname = 'desk'\n[[receiver]]\nname = 'mail'"), kit.now());
    assert_eq!(kit.play(200), ["100 mail Opened Rate"]);
    kit.dispatcher.reload(routing("[[receiver]]\nname = 'mail'"), kit.now());
    kit.resolve(1_000, "Rate");
    assert_eq!(kit.play(2_000), ["1000 mail Resolved -Rate"]);
}

/// Noon is 0; the reading times below are 14:00 and, on the next day, 09:00.
#[test]
fn alerts_for_information_wait_for_the_digest() {
    let (two, night, morning) = (2 * 3_600, 15 * 3_600, 21 * 3_600);
    let text = r#"
        [notify.digest]
        active_times = ["09:00-09:30", "14:00-14:30"]
        group_interval = "3h"
        repeat_interval = "24h"
        [[receiver]]
        name = "team"
        [[receiver]]
        name = "director"
        [[route]]
        receivers = ["team"]
        escalate_to = "director"
        escalate_after = "30m"
    "#;
    let mut kit = Kit::new(routing(text));
    kit.fire(0, alert("Crowd", "info"));
    kit.resolve(600, "Crowd");
    assert_eq!(kit.play(two - 1), [""; 0], "a route for everything does not make it urgent");
    assert_eq!(kit.play(two + 600), [format!("{two} team Resolved -Crowd")], "what came and went is reported once");

    kit.fire(night, alert("Crowd", "info"));
    kit.fire(night + 60, alert("Rate", "warning"));
    let (rate, escalated) = (night + 90, night + 90 + 1_800);
    let expected = [format!("{rate} team Opened Rate"), format!("{escalated} director Escalated Rate")];
    assert_eq!(kit.play(morning - 1), expected, "a warning is another incident, and does not bring the crowd with it");
    let expected = [format!("{morning} team Opened Crowd")];
    assert_eq!(kit.play(morning + 4_000), expected, "nobody is called about it");
    assert_eq!(kit.incidents().len(), 3);
    kit.resolve(morning + 5_000, "Crowd");
    let afternoon = two + 24 * 3_600;
    assert_eq!(kit.play(afternoon + 600)[0], format!("{afternoon} team Resolved -Crowd"), "the end waits too");
}

#[test]
fn a_route_that_names_a_severity_decides_about_information_itself() {
    let route = |keys: &str| format!("[[receiver]]\nname = \"desk\"\n[[route]]\nreceivers = [\"desk\"]\n{keys}");
    for (keys, text) in [
        ("matchers = [\"severity=info\"]", "30 desk Opened Crowd"),
        ("mute_times = [\"13:00-14:00\"]", "30 desk Opened Crowd"),
    ] {
        let mut kit = Kit::new(routing(&route(keys)));
        kit.fire(0, alert("Crowd", "info"));
        assert_eq!(kit.play(60), [text], "{keys}");
    }
    let mut kit = Kit::new(routing("[notify.digest]\nactive_times = []"));
    kit.fire(0, alert("Crowd", "info"));
    assert_eq!(kit.play(60), ["30 log Opened Crowd"], "switched off");
}

#[test]
fn the_history_says_who_was_notified_who_took_it_and_what_people_noted() {
    let mut kit = Kit::new(routing(
        r#"
        [[receiver]]
        name = "desk"
        [[receiver]]
        name = "boss"
        [[route]]
        receivers = ["desk"]
        escalate_to = "boss"
        escalate_after = "30m"
        "#,
    ));
    kit.fire(0, alert("Rate", "warning"));
    kit.play(2_000);
    kit.acknowledge(2_000);
    let id = kit.last().incident.id.clone();
    let now = at(2_100);
    kit.dispatcher.note(&id, "bob", "  the airport\r\nsays noon \u{7}", now).unwrap();
    assert_eq!(kit.dispatcher.note(&id, "bob", " \n", now), Err(AlertQueryError::NoteLength(0)));
    assert!(matches!(
        kit.dispatcher.note(&id, "bob", &"x".repeat(4_001), now),
        Err(AlertQueryError::NoteLength(4_001))
    ));
    assert_eq!(kit.dispatcher.note("X-1", "bob", "hm", now), Err(AlertQueryError::NoIncident("X-1".into())));
    let long = kit.dispatcher.acknowledge(&id, "bob", &"x".repeat(301), now);
    assert_eq!(long, Err(AlertQueryError::CommentLength(301)));
    kit.dispatcher.unacknowledge(&id, Some("ann"), now).unwrap();
    kit.dispatcher.acknowledge(&id, "carl", "mine now", now).unwrap();
    kit.resolve(4_000, "Rate");
    kit.play(4_000);
    let history = kit.dispatcher.incident(&id, at(4_000)).unwrap().history;
    let notified = |receiver: &str, kind| HistoryEvent::Notified { receiver: receiver.into(), kind, problem: None };
    let acknowledged = |by: &str, comment: &str| HistoryEvent::Acknowledged { by: by.into(), comment: comment.into() };
    let expected = [
        (30, notified("desk", Kind::Opened)),
        (1_830, HistoryEvent::Escalated { receiver: "boss".into() }),
        (1_830, notified("boss", Kind::Escalated)),
        (2_000, acknowledged("ann", "")),
        (2_100, HistoryEvent::Noted { by: "bob".into(), text: "the airport\nsays noon".into() }),
        (2_100, HistoryEvent::AcknowledgementWithdrawn { by: Some("ann".into()) }),
        (2_100, acknowledged("carl", "mine now")),
        (4_000, HistoryEvent::Ended),
        (4_000, notified("boss", Kind::Resolved)),
        (4_000, notified("desk", Kind::Resolved)),
    ];
    let found: Vec<(i64, HistoryEvent)> =
        history.into_iter().map(|entry| (entry.at.as_second() - at(0).as_second(), entry.event)).collect();
    assert_eq!(found, expected);
    // What a person writes can be added after the end.
    kit.dispatcher.note(&id, "bob", "lesson: call the airport first", at(4_100)).unwrap();
}
