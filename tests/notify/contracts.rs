//! What each service accepts, as strictly as its documentation says: every kind of alert that ships, in every form, in both
//! languages, with texts that are as long and as odd as posts are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use vigie::alert::{Alert, OperationalAlert};
use vigie::language::Language;
use vigie::monitor::begin_operational_alert;
use vigie::notify::{Acknowledged, Kind, MessageForm, Notification};

use crate::kit::{environment, now, opened, resolved, try_build_in};
use crate::stub::{Play, Stub};

const FORMS: [MessageForm; 3] = [MessageForm::Full, MessageForm::Short, MessageForm::Plain];

/// Every notification: of each kind, about each operational alert, without a topic, with long and odd texts.
fn notifications() -> Vec<Notification> {
    let acknowledged = Some(Acknowledged { by: "Élise".into(), at: now(), comment: "Je m’en occupe".into() });
    let mut all = vec![
        opened(),
        resolved(),
        Notification { kind: Kind::Repeated, sequence: 3, ..opened() },
        Notification { kind: Kind::Escalated, console: None, ..opened() },
        Notification { kind: Kind::Changed, acknowledged, ..opened() },
        Notification { kind: Kind::Test, ..opened() },
    ];
    for alert in OperationalAlert::ALL {
        let alert = begin_operational_alert(alert, "x-search", "401 Unauthorized: the token is refused", now()).alert;
        all.push(about(alert, ("component", "x-search")));
    }
    // A rule about vigie itself: it has no topic, and no label to group by.
    let mut event = opened().alerts.remove(0);
    (event.rule, event.topic, event.samples) = ("PipelineErrors".into(), String::new(), Vec::new());
    event.labels = BTreeMap::from([("alertname".into(), event.rule.clone())]);
    all.push(Notification { group: BTreeMap::new(), ..about(event, ("", "")) });
    let mut odd = opened();
    odd.group = BTreeMap::from([("topic".into(), "✈️".repeat(400))]);
    for alert in &mut odd.alerts {
        alert.topic = "✈️".repeat(400);
        alert.annotations.insert("summary".into(), "😡 <!channel> *gras* & \"guillemets\" ".repeat(200));
        for sample in &mut alert.samples {
            sample.text = "😡 <@U123> {{DATE(x)}} \u{202e}retard ".repeat(500);
        }
    }
    odd.alerts = odd.alerts.iter().cycle().take(40).cloned().collect();
    all.push(odd);
    let forms = |notification: &Notification| FORMS.map(|form| Notification { form, ..notification.clone() });
    all.iter().flat_map(forms).collect()
}

fn about(alert: Alert, (label, value): (&str, &str)) -> Notification {
    Notification { group: BTreeMap::from([(label.into(), value.into())]), alerts: vec![alert], ..opened() }
}

/// What the integration `config` sends for each notification.
fn sent(config: &str, answer: &str) -> Vec<(Notification, Value)> {
    let mut all = Vec::new();
    for language in [Language::English, Language::French] {
        let stub = Stub::start(Play::status(200, answer));
        let text = config.replace("URL", &stub.url(""));
        let mut notifier = try_build_in(language, &text, &environment(&stub.url(""))).unwrap();
        for notification in notifications() {
            notifier.notify(&notification).unwrap();
            all.push((notification, stub.got().pop().unwrap().json()));
        }
    }
    all
}

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Checks a text that is not looked at further.
#[track_caller]
fn check_text(value: &Value, most: usize) {
    text(value, most);
}

#[track_caller]
fn text(value: &Value, most: usize) -> &str {
    let text = value.as_str().unwrap_or_else(|| panic!("no text: {value}"));
    assert!(!text.trim().is_empty(), "blank");
    assert!(utf16(text) <= most, "{} units of {most}: {text}", utf16(text));
    text
}

#[track_caller]
fn list(value: &Value, most: usize) -> &Vec<Value> {
    let list = value.as_array().unwrap_or_else(|| panic!("no list: {value}"));
    assert!((1..=most).contains(&list.len()), "{} items of {most}", list.len());
    list
}

fn time(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no time: {value}"))
}

/// <https://developer.pagerduty.com/api-reference/368ae3d938c9e-send-an-event-to-pager-duty>
#[test]
fn pagerduty_accepts_every_event() {
    for (notification, event) in sent("type = 'pagerduty'\nurl = 'URL'", "{}") {
        text(&event["routing_key"], 100);
        text(&event["dedup_key"], 255);
        let action = text(&event["event_action"], 20);
        assert!(["trigger", "acknowledge", "resolve"].contains(&action), "{action}");
        if action == "trigger" {
            let payload = &event["payload"];
            text(&payload["summary"], 1_024);
            text(&payload["source"], 255);
            assert!(["critical", "error", "warning", "info"].contains(&text(&payload["severity"], 20)));
            time(&payload["timestamp"]);
        }
        for link in event["links"].as_array().into_iter().flatten() {
            text(&link["href"], 2_048);
        }
        assert!(event.to_string().len() <= 512 << 10, "{:?}", notification.kind);
    }
}

/// <https://docs.slack.dev/reference/block-kit/blocks>
#[test]
fn slack_accepts_every_message() {
    for (notification, message) in sent("type = 'slack'", "ok") {
        text(&message["text"], 4_000);
        if notification.form == MessageForm::Plain {
            assert!(message.get("blocks").is_none());
            continue;
        }
        for block in list(&message["blocks"], 50) {
            match block["type"].as_str() {
                Some("header") => check_text(&block["text"]["text"], 150),
                Some("section") => {
                    match block.get("text") {
                        Some(of) => check_text(&of["text"], 3_000),
                        None => assert!(block.get("fields").is_some(), "{block}"),
                    }
                    for field in block["fields"].as_array().into_iter().flatten() {
                        text(&field["text"], 2_000);
                    }
                    assert!(block["fields"].as_array().is_none_or(|fields| fields.len() <= 10));
                }
                Some("actions") => {
                    for element in list(&block["elements"], 25) {
                        text(&element["text"]["text"], 75);
                        text(&element["url"], 3_000);
                        text(&element["action_id"], 255);
                    }
                }
                Some("context") => list(&block["elements"], 10).iter().for_each(|it| check_text(&it["text"], 3_000)),
                Some("rich_text") => {
                    for quote in list(&block["elements"], 10) {
                        let elements = list(&quote["elements"], 50);
                        let parts = elements.iter().filter(|part| part["type"] == "text");
                        parts.for_each(|part| assert!(part["text"].as_str().is_some_and(|text| !text.is_empty())));
                    }
                }
                other => panic!("no block of Slack: {other:?}"),
            }
        }
    }
}

/// <https://adaptivecards.io/explorer/> and the limits of Teams' webhooks.
#[test]
fn teams_accepts_every_card() {
    fn check(element: &Value) {
        match element["type"].as_str() {
            Some("TextBlock") => check_text(&element["text"], 20_000),
            Some("Container") => list(&element["items"], 100).iter().for_each(check),
            Some("ColumnSet") => list(&element["columns"], 20).iter().for_each(check),
            Some("Column") => list(&element["items"], 100).iter().for_each(check),
            Some("FactSet") => {
                for fact in list(&element["facts"], 50) {
                    text(&fact["title"], 1_000);
                    text(&fact["value"], 10_000);
                }
            }
            Some("RichTextBlock") => {
                list(&element["inlines"], 20).iter().for_each(|run| assert!(run["text"].is_string(), "{run}"));
            }
            Some("ActionSet") => {
                for action in list(&element["actions"], 6) {
                    text(&action["title"], 100);
                    assert!(text(&action["url"], 2_048).starts_with("http"));
                }
            }
            other => panic!("no element of a card: {other:?}"),
        }
    }
    for (_, message) in sent("type = 'teams'", "1") {
        assert!(message.to_string().len() <= 20_000, "{} bytes", message.to_string().len());
        assert_eq!(message["type"], "message");
        let attachment = &list(&message["attachments"], 1)[0];
        assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
        assert!(attachment["content"]["version"].is_string());
        list(&attachment["content"]["body"], 100).iter().for_each(check);
    }
}

/// `postableAlerts` of <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>
#[test]
fn alertmanager_accepts_every_alert() {
    for (_, alerts) in sent("type = 'alertmanager'\nurl = 'URL'", "") {
        for alert in list(&alerts, 1_000) {
            let labels = alert["labels"].as_object().unwrap();
            assert!(!labels.is_empty());
            let pairs = labels.iter().chain(alert["annotations"].as_object().unwrap());
            for (name, value) in pairs {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                assert!(name.chars().all(is_name) && !name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
                assert!(value.as_str().is_some_and(|value| !value.is_empty()), "{name}: {value}");
            }
            assert!(time(&alert["startsAt"]) <= time(&alert["endsAt"]), "{alert}");
        }
    }
}

/// `docs/receivers.md`: version 1 of the webhook's payload.
#[test]
fn a_webhook_has_every_field_in_every_form() {
    for (notification, payload) in sent("type = 'webhook'\nurl = 'URL'\nsign = false", "") {
        assert_eq!(payload["version"], 1);
        for field in ["key", "kind", "status", "receiver", "at", "sequence", "incident", "group", "alerts", "message"] {
            assert!(!payload[field].is_null(), "{field}");
        }
        text(&payload["message"]["subject"], 1_000);
        text(&payload["message"]["summary"], 10_000);
        let samples =
            payload["alerts"].as_array().unwrap().iter().map(|alert| alert["samples"].as_array().unwrap().len());
        assert!(notification.form == MessageForm::Full || samples.sum::<usize>() == 0, "a smaller form has no posts");
    }
}
