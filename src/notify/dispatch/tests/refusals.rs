//! A message that is refused for its content: it shrinks, is held, and delays nothing else.

use super::kit::{Kit, about, alert, routing};
use crate::alert::OperationalAlert;
use crate::notify::{MessageForm, Notification};

fn is_about_poison(notification: &Notification) -> bool {
    notification.group.get("topic").is_some_and(|topic| topic == "Poison")
}

fn forms(kit: &Kit, topic: &str) -> Vec<MessageForm> {
    let of = |notification: &&Notification| notification.group.get("topic").is_some_and(|name| name == topic);
    kit.attempts.iter().filter(of).map(|notification| notification.form).collect()
}

fn rejected(kit: &Kit, receiver: &str) -> Option<String> {
    let alerts = kit.dispatcher.operational_alerts(kit.now());
    let found = alerts
        .into_iter()
        .find(|(alert, component, _)| *alert == OperationalAlert::NotificationRejected && component == receiver);
    found.and_then(|(_, _, summary)| summary)
}

#[test]
fn a_refused_message_gets_smaller_and_nothing_waits_for_it() {
    let mut kit = Kit::stored(routing("[notify]\ngroup_wait = '0s'"));
    kit.objects = is_about_poison;
    kit.fire(0, about("Rate", "critical", "Poison"));
    kit.fire(10, about("Rate", "critical", "Air Paradis"));
    assert_eq!(kit.play(60), ["10 log Opened Rate"], "the other incident is sent at its time");
    assert_eq!(forms(&kit, "Poison"), [MessageForm::Full, MessageForm::Short, MessageForm::Plain]);
    let keys: std::collections::BTreeSet<&str> = kit.attempts.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys.len(), kit.attempts.len(), "another form is another message");

    let summary = rejected(&kit, "log").expect("it is given up, with an alert");
    assert!(summary.contains("POIS-") && summary.contains("400"), "{summary}");
    let views = kit.dispatcher.incidents(false, kit.now());
    for view in &views {
        let error = view.deliveries.get("log").and_then(|delivery| delivery.error.as_deref());
        assert_eq!(error.is_some(), view.incident.id.starts_with("POIS"), "{}: {error:?}", view.incident.id);
    }

    // A restart does not ask again, and an hour later the other side may have changed.
    kit.restart();
    kit.play(3_000);
    assert_eq!(forms(&kit, "Poison").len(), 3);
    kit.objects = |_| false;
    assert_eq!(kit.play(3_700), ["3600 log Opened Rate"]);
    assert_eq!(rejected(&kit, "log"), None);
}

#[test]
fn other_content_is_another_message() {
    let mut kit = Kit::new(routing("[notify]\ngroup_wait = '0s'"));
    kit.objects = |notification| notification.alerts.len() == 1 && notification.form == MessageForm::Full;
    kit.fire(0, alert("Rate", "warning"));
    assert_eq!(kit.play(10), ["0 log Opened Rate"]);
    assert_eq!(forms(&kit, "t"), [MessageForm::Full, MessageForm::Short]);
    kit.fire(400, alert("Volume", "warning"));
    assert_eq!(kit.play(500), ["400 log Changed Rate Volume"]);
    assert_eq!(kit.last().form, MessageForm::Full);
}

#[test]
fn a_receiver_that_refuses_everything_is_at_fault_itself_and_no_message_is_lost() {
    let mut kit = Kit::stored(routing("[notify]\ngroup_wait = '0s'"));
    kit.objects = |_| true;
    for (second, topic) in [(0, "A"), (10, "B"), (20, "C"), (30, "D")] {
        kit.fire(second, about("Rate", "warning", topic));
    }
    assert_eq!(kit.play(100), [""; 0]);
    let alerts = kit.dispatcher.operational_alerts(kit.now());
    let failed = alerts.iter().any(|(alert, _, text)| *alert == OperationalAlert::ReceiverFailed && text.is_some());
    assert!(failed, "{alerts:?}");
    let asked = kit.attempts.len();
    kit.play(3_000);
    assert_eq!(kit.attempts.len(), asked, "it is asked once per hour");
    kit.objects = |_| false;
    assert_eq!(kit.play(3_700).len(), 4);
}

#[test]
fn the_message_at_fault_is_found_in_a_list_and_the_others_arrive() {
    let text = "[[receiver]]\nname = 'am'\ntype = 'alertmanager'\nurl = 'http://127.0.0.1:9093'\nrate_limit = 60";
    let mut kit = Kit::new(routing(text));
    kit.objects = is_about_poison;
    for topic in 0..99 {
        kit.fire(0, about("Rate", "warning", &format!("topic {topic:02}")));
    }
    kit.fire(0, about("Rate", "warning", "Poison"));
    kit.play(59);
    let delivered: std::collections::BTreeSet<&str> =
        kit.delivered.iter().map(|(_, sent)| sent.incident.id.as_str()).collect();
    assert_eq!(delivered.len(), 99);
    assert!(kit.requests < 40, "{} requests", kit.requests);
}
