//! The specifics of each integration: its URL, its body, and the answers of its server.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::json;
use vigie::notify::{Acknowledged, IntegrationConfig, Notification, NotifyError};

use crate::kit::{discreet, environment, now, opened, resolved, try_build};
use crate::stub::{Got, Play, Stub};

#[test]
fn teams_gets_a_card_in_a_valid_envelope() {
    let stub = Stub::start(Play::status(202, ""));
    let mut teams = try_build("type = 'teams'", &environment(&stub.url(""))).unwrap();
    let mut long = opened();
    for sample in long.alerts.iter_mut().flat_map(|alert| &mut alert.samples) {
        sample.text = "très \"long\" 😀 ".repeat(2_000);
    }
    for notification in [opened(), long] {
        teams.notify(&notification).unwrap();
        let got = stub.got().pop().unwrap();
        assert_eq!(got.path(), "/hooks/path-s3cr3t-part?sig=query-s3cr3t-part");
        assert!(got.body.len() <= 20_000, "{} bytes", got.body.len());
        let card = &got.json()["attachments"][0];
        assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
        assert_eq!(card["content"]["type"], "AdaptiveCard");
    }
}

#[test]
fn a_throttle_that_teams_hides_in_a_200_is_seen() {
    let stub = Stub::start(Play::Silence);
    let mut teams = try_build("type = 'teams'", &environment(&stub.url(""))).unwrap();
    let mut send = |answer: &str| {
        stub.play(Play::with(200, ("Retry-After", "30"), answer));
        let result = teams.notify(&opened());
        discreet("teams", &result);
        result
    };
    let hidden = |status| {
        format!(
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {status} with ContextId tcid=0"
        )
    };
    let result = send(&hidden(429));
    assert!(
        matches!(&result, Err(NotifyError::Transient { retry_after: Some(wait), .. }) if wait.as_secs() == 30),
        "{result:?}"
    );
    assert!(result.unwrap_err().to_string().contains("HTTP error 429"));
    assert!(matches!(send(&hidden(503)), Err(NotifyError::Transient { .. })));
    assert!(matches!(send(&hidden(413)), Err(NotifyError::Rejected { .. })));
    assert!(matches!(send(&hidden(404)), Err(NotifyError::Permanent { .. })));
    assert_eq!(send("1"), Ok(()));
}

#[test]
fn a_bot_keeps_an_incident_in_one_thread() {
    let stub = Stub::start(Play::status(200, r#"{"ok":true,"ts":"1700.42"}"#));
    let config = format!("type = 'slack'\nchannel = '#crisis'\napi = '{}'", stub.url("/api"));
    let mut slack = try_build(&config, &environment("")).unwrap();
    slack.notify(&opened()).unwrap();
    stub.play(Play::status(200, r#"{"ok":true,"ts":"1700.43"}"#));
    slack.notify(&resolved()).unwrap();
    let mut other = opened();
    other.incident.id = "OTHER-1".into();
    slack.notify(&other).unwrap();
    let got = stub.got();
    assert!(got.iter().all(|got| got.path() == "/api/chat.postMessage"));
    assert!(got.iter().all(|got| got.headers["authorization"] == "Bearer t0ken-s3cr3t"));
    let sent: Vec<_> = got.iter().map(Got::json).collect();
    assert!(
        sent.iter().all(|sent| sent["channel"] == "#crisis" && sent["blocks"].is_array() && sent["text"].is_string())
    );
    let threads: Vec<_> = sent.iter().map(|sent| sent["thread_ts"].clone()).collect();
    assert_eq!(threads, [json!(null), json!("1700.42"), json!(null)]);
    assert_eq!(sent[1]["reply_broadcast"], true);
}

#[test]
fn what_slack_says_in_a_200_counts() {
    let stub = Stub::start(Play::Silence);
    let config = format!("type = 'slack'\nchannel = '#crisis'\napi = '{}'", stub.url("/api"));
    let mut slack = try_build(&config, &environment("")).unwrap();
    let mut send = |error: &str| {
        stub.play(Play::status(200, &json!({ "ok": false, "error": error }).to_string()));
        slack.notify(&opened()).unwrap_err()
    };
    for error in ["ratelimited", "internal_error", "service_unavailable"] {
        assert!(matches!(send(error), NotifyError::Transient { .. }), "{error}");
    }
    for error in ["invalid_blocks", "msg_too_long"] {
        assert!(matches!(send(error), NotifyError::Rejected { .. }), "{error}");
    }
    for error in ["channel_not_found", "not_in_channel", "invalid_auth", "missing_scope", "odd"] {
        let result = send(error);
        assert!(matches!(&result, NotifyError::Permanent { reason } if reason.contains(error)), "{result}");
    }
}

#[test]
fn a_webhooks_signature_covers_time_and_body() {
    let stub = Stub::start(Play::status(204, ""));
    let mut webhook = try_build("type = 'webhook'", &environment(&stub.url(""))).unwrap();
    webhook.notify(&opened()).unwrap();
    let got = stub.got().pop().unwrap();
    assert_eq!(got.headers["webhook-timestamp"], now().as_second().to_string());
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"t0ken-s3cr3t").unwrap();
    mac.update(format!("{}.{}.", opened().key, now().as_second()).as_bytes());
    mac.update(&got.body);
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(got.headers["webhook-signature"], signature);

    let config = format!("type = 'webhook'\nsign = false\nurl = '{}'", stub.url("/open"));
    try_build(&config, &Default::default()).unwrap().notify(&opened()).unwrap();
    let got = stub.got().pop().unwrap();
    assert!(got.path() == "/open" && !got.headers.contains_key("webhook-signature"));
}

#[test]
fn a_webhook_gets_everything() {
    let stub = Stub::start(Play::status(200, ""));
    let mut webhook = try_build("type = 'webhook'", &environment(&stub.url(""))).unwrap();
    let mut send = |notification: &Notification| {
        webhook.notify(notification).unwrap();
        stub.got().pop().unwrap().json()
    };
    let (result, about) = (send(&opened()), opened());
    assert_eq!(result["version"], 1);
    assert_eq!([&result["kind"], &result["status"]], ["opened", "firing"]);
    assert_eq!(result["key"], about.key.as_str());
    assert_eq!(result["incident"]["id"], about.incident.id.as_str());
    assert_eq!(result["receiver"], "desk");
    let alert = &result["alerts"][0];
    assert_eq!(alert["labels"]["topic"], about.alerts[0].labels["topic"].as_str());
    assert_eq!(alert["latest"]["posts"], about.alerts[0].latest.posts);
    assert_eq!(alert["samples"][0]["text"], about.alerts[0].samples[0].text.as_str());
    assert!(result["message"]["text"].as_str().unwrap().len() > 40);
    let result = send(&resolved());
    assert_eq!(
        [&result["kind"], &result["status"], &result["alerts"][0]["status"]],
        ["resolved", "resolved", "resolved"]
    );
}

#[test]
fn pagerduty_follows_one_incident_to_its_end() {
    let stub = Stub::start(Play::status(202, "{}"));
    let config = format!("type = 'pagerduty'\nurl = '{}'", stub.url(""));
    let mut duty = try_build(&config, &environment("")).unwrap();
    let acknowledged = Some(Acknowledged { by: "Claire".into(), at: now(), comment: String::new() });
    for notification in [opened(), Notification { acknowledged, ..opened() }, resolved()] {
        duty.notify(&notification).unwrap();
    }
    let got = stub.got();
    assert!(got.iter().all(|got| got.path() == "/v2/enqueue"));
    let events: Vec<_> = got.iter().map(Got::json).collect();
    let actions: Vec<_> = events.iter().map(|event| event["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "acknowledge", "resolve"]);
    for event in &events {
        assert_eq!(event["dedup_key"], opened().incident.id.as_str());
        assert_eq!(event["routing_key"], "t0ken-s3cr3t");
    }
    let payload = &events[0]["payload"];
    assert_eq!(payload["severity"], opened().alerts[0].labels["severity"].as_str());
    assert_eq!(payload["custom_details"]["key"], opened().key.as_str());
    assert!(payload["summary"].as_str().unwrap().len() > 10 && payload["source"].is_string());
    assert!(events[0]["links"][0]["href"].as_str().unwrap().starts_with("https://vigie.example/"));
}

#[test]
fn problems_of_a_configuration_name_their_key() {
    let invalid = [
        ("type = 'webhook'\nurl = 'http://example.com/x'", "url uses plain http"),
        ("type = 'webhook'\nurl = 'https://me:hunter2@example.com/x'", "url contains a password"),
        ("type = 'webhook'\nurl = 'https://x'\nurl_file = '/y'", "url_file"),
        ("type = 'webhook'\nsign = false\nsecret_file = '/y'", "secret_file"),
        ("type = 'webhook'\ntimeout = '0s'", "timeout"),
        ("type = 'teams'\nca_file = '/no/such/file'", "ca_file"),
        ("type = 'slack'\nchannel = ' '", "channel"),
        ("type = 'slack'\nchannel = 'x'\nurl_file = '/y'", "url_file"),
        ("type = 'slack'\ntoken_file = '/y'", "token_file"),
        ("type = 'alertmanager'\nurl = 'localhost:9093'", "url"),
        ("type = 'alertmanager'\nurl = 'http://localhost:9093'\nresend = '1s'", "resend"),
        ("type = 'pagerduty'\nurl = 'ftp://x'", "url"),
        ("type = 'command'\nprogram = 'send'", "program"),
        ("type = 'command'\nprogram = '/no/such/program'", "program"),
        ("type = 'email'\nserver = 's'\nfrom = 'nobody'\nto = ['a@b.c']", "from"),
        ("type = 'email'\nserver = 's'\nfrom = 'a@b.c'\nto = ['a@']", "to: \"a@\""),
        ("type = 'email'\nserver = 's'\nfrom = 'a@b.c'\nto = []", "to: no recipients"),
        ("type = 'email'\nfrom = 'a@b.c'\nto = ['a@b.c']", "server: missing"),
        ("type = 'email'\nserver = 'smtp://s:25'\nfrom = 'a@b.c'\nto = ['a@b.c']", "server"),
        ("type = 'email'\nserver = 's'\ntls = 'none'\nfrom = 'a@b.c'\nto = ['a@b.c']", "tls is \"none\""),
        ("type = 'email'\nserver = 's'\npassword_file = '/y'\nfrom = 'a@b.c'\nto = ['a@b.c']", "password_file"),
        ("type = 'email'\ntransport = 'directory'\nfrom = 'a@b.c'\nto = ['a@b.c']", "directory: missing"),
    ];
    for (text, expected) in invalid {
        let config: IntegrationConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
        let problems = config.validate();
        assert!(problems.len() == 1 && problems[0].starts_with(expected), "{text}\n{problems:?}");
        assert!(!problems[0].contains("hunter2"), "{problems:?}");
    }
    for unknown in ["type = 'teams'\nurl = 'https://x'", "type = 'fax'", "type = 'log'\ncolour = 'red'"] {
        assert!(toml::from_str::<IntegrationConfig>(unknown).is_err(), "{unknown}");
    }
}
