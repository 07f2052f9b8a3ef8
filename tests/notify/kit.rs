//! One kit for all HTTP integrations: whatever the server does, it is reported correctly, nothing secret is shown,
//! and every message has a key.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use vigie::language::Language;
use vigie::notify::render::{Style, Templates};
use vigie::notify::{
    Context, IntegrationConfig, Kind, Notification, Notifier, NotifyError, ReceiverError, SampleKind, sample,
};

use crate::common::repository;
use crate::log;
use crate::stub::{Play, Stub};

/// The secrets of the HTTP integrations.
const SECRETS: [&str; 3] = ["path-s3cr3t-part", "query-s3cr3t-part", "t0ken-s3cr3t"];
/// The password of mail, and its encoded forms.
pub(crate) const PASSWORD: &str = "correct horse-battery";
const PASSWORD_SENT: [&str; 2] = ["Y29ycmVjdCBob3JzZS1iYXR0ZXJ5", "AHZpZ2llAGNvcnJlY3QgaG9yc2UtYmF0dGVyeQ=="];
const TIMEOUT: &str = "300ms";

/// An HTTP integration under test.
struct Channel {
    name: &'static str,
    /// Its configuration, for a server at this address.
    config: fn(&str) -> String,
    /// The body of its server's success.
    well: &'static str,
    /// Whether success is in the body, not in the status.
    reads_body: bool,
}

const CHANNELS: [Channel; 6] = [
    Channel { name: "teams", config: |_| "type = 'teams'".into(), well: "", reads_body: true },
    Channel { name: "slack", config: |_| "type = 'slack'".into(), well: "ok", reads_body: false },
    Channel {
        name: "slack bot",
        config: |url| format!("type = 'slack'\nchannel = '#crisis'\napi = '{url}/api'"),
        well: r#"{"ok":true,"channel":"C1","ts":"1.2"}"#,
        reads_body: true,
    },
    Channel { name: "webhook", config: |_| "type = 'webhook'".into(), well: "", reads_body: false },
    Channel {
        name: "alertmanager",
        config: |url| format!("type = 'alertmanager'\nurl = '{url}'"),
        well: "",
        reads_body: false,
    },
    Channel {
        name: "pagerduty",
        config: |url| format!("type = 'pagerduty'\nurl = '{url}'"),
        well: r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#,
        reads_body: false,
    },
];

pub(crate) fn now() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

/// A real notification, not a test.
pub(crate) fn opened() -> Notification {
    notification(SampleKind::Opened, Kind::Opened)
}

pub(crate) fn resolved() -> Notification {
    notification(SampleKind::Resolved, Kind::Resolved)
}

/// Without a trend: drawing the chart would take most of the time.
fn notification(sample_kind: SampleKind, kind: Kind) -> Notification {
    let mut notification = sample("desk", sample_kind, now(), Some("https://vigie.example".into()));
    notification.alerts.iter_mut().for_each(|alert| alert.context.trend.clear());
    Notification { kind, ..notification }
}

/// The environment's secrets, for a server at `url`.
pub(crate) fn environment(url: &str) -> BTreeMap<String, String> {
    let [path, query, token] = SECRETS;
    let pairs = [
        ("URL", format!("{url}/hooks/{path}?sig={query}")),
        ("TOKEN", token.to_owned()),
        ("SECRET", token.to_owned()),
        ("KEY", token.to_owned()),
    ];
    pairs.map(|(name, value)| (format!("VIGIE_RECEIVER_DESK_{name}"), value)).into()
}

/// Builds the notifier of the configuration `text`.
pub(crate) fn try_build(
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<Box<dyn Notifier>, ReceiverError> {
    try_build_in(Language::English, text, environment)
}

pub(crate) fn try_build_in(
    language: Language,
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<Box<dyn Notifier>, ReceiverError> {
    let config: IntegrationConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    assert_eq!(config.validate(), Vec::<String>::new(), "{text}");
    with_context(environment, |context| {
        config.build(&Context {
            language,
            templates: context.templates.clone(),
            clock: context.clock.clone(),
            ..*context
        })
    })
}

pub(crate) fn with_context<T>(environment: &BTreeMap<String, String>, run: impl FnOnce(&Context<'_>) -> T) -> T {
    static TEMPLATES: OnceLock<Arc<Templates>> = OnceLock::new();
    let templates = TEMPLATES.get_or_init(|| Arc::new(Templates::embedded(Style::default()))).clone();
    let environment = |name: &str| environment.get(name).cloned();
    let clock: vigie::clock::Clock = Arc::new(now);
    run(&Context { receiver: "desk", language: Language::English, templates, clock, environment: &environment })
}

impl Channel {
    fn build(&self, url: &str, more: &str) -> Box<dyn Notifier> {
        log::capture();
        let text = format!("{}\ntimeout = '{TIMEOUT}'\n{more}", (self.config)(url));
        try_build(&text, &environment(url)).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn play(&self, play: Play) -> (Stub, Result<(), NotifyError>) {
        let stub = Stub::start(play);
        let result = self.build(&stub.url(""), "").notify(&opened());
        discreet(self.name, &result);
        (stub, result)
    }
}

/// Nothing secret, and nothing of the posts, is in errors or logs.
#[track_caller]
pub(crate) fn discreet(name: &str, result: &Result<(), NotifyError>) {
    let text = result.as_ref().err().map(|error| format!("{error} {error:?}")).unwrap_or_default();
    discreet_text(name, &text);
    discreet_text(name, &log::take());
}

#[track_caller]
pub(crate) fn discreet_text(name: &str, text: &str) {
    let about = opened();
    let posts = about.alerts.iter().flat_map(|alert| &alert.samples);
    let texts = posts.clone().map(|post| post.text.as_str()).chain(posts.filter_map(|post| post.author.as_deref()));
    for secret in SECRETS.into_iter().chain(PASSWORD_SENT).chain([PASSWORD]).chain(texts) {
        let at = text.find(secret);
        let near = at.map(|at| text.get(at.saturating_sub(300)..at).unwrap_or_default());
        assert!(at.is_none(), "{name}: {secret:?} is said after: {near:?}");
    }
}

fn passes(result: &Result<(), NotifyError>) -> bool {
    matches!(result, Err(NotifyError::Transient { .. }))
}

fn stays(result: &Result<(), NotifyError>) -> bool {
    matches!(result, Err(NotifyError::Permanent { .. }))
}

#[test]
fn every_status_is_handled() {
    for channel in &CHANNELS {
        for status in [200, 201, 202] {
            let (stub, result) = channel.play(Play::status(status, channel.well));
            assert_eq!(result, Ok(()), "{} {status}", channel.name);
            assert_eq!(stub.got().len(), 1, "{} {status}", channel.name);
        }
        for status in [408, 425, 429, 500, 501, 502, 503, 504, 529, 599] {
            let (_, result) = channel.play(Play::with(status, ("Retry-After", "17"), "come back"));
            let Err(NotifyError::Transient { reason, retry_after }) = &result else {
                panic!("{} {status}: {result:?}", channel.name)
            };
            assert!(reason.contains(&status.to_string()) && reason.contains("come back"), "{reason}");
            assert_eq!(retry_after.map(|wait| wait.as_secs()), Some(17), "{} {status}", channel.name);
        }
        for status in [300, 401, 402, 403, 404, 405, 407, 410, 421, 451] {
            let (_, result) = channel.play(Play::status(status, "no_service"));
            assert!(stays(&result), "{} {status}: {result:?}", channel.name);
            let reason = result.unwrap_err().to_string();
            assert!(reason.contains(&status.to_string()) && reason.contains("no_service"), "{reason}");
        }
        for status in [400, 406, 409, 411, 413, 414, 415, 418, 422, 423, 428, 431] {
            let (_, result) = channel.play(Play::status(status, "invalid_blocks"));
            let Err(NotifyError::Rejected { reason }) = &result else {
                panic!("{} {status}: {result:?}", channel.name)
            };
            assert!(reason.contains(&status.to_string()) && reason.contains("invalid_blocks"), "{reason}");
        }
        for page in ["<!DOCTYPE html><html><title>Sign in</title></html>", "\n<html><body>ok</body></html>"] {
            let (_, result) = channel.play(Play::status(200, page));
            assert!(stays(&result), "{} took a page for success: {result:?}", channel.name);
        }
    }
}

#[test]
fn a_redirect_is_not_followed() {
    for channel in &CHANNELS {
        for status in [301, 302, 303, 307, 308] {
            let elsewhere = Stub::start(Play::status(200, channel.well));
            let (_, result) = channel.play(Play::with(status, ("Location", &elsewhere.url("/path-s3cr3t-part")), ""));
            assert!(stays(&result), "{} {status}: {result:?}", channel.name);
            let reason = result.unwrap_err().to_string();
            assert!(reason.contains("use the final URL"), "{reason}");
            assert!(elsewhere.got().is_empty(), "{}: followed", channel.name);
        }
    }
}

#[test]
fn a_broken_server_is_a_transient_error() {
    for channel in &CHANNELS {
        for play in [Play::Silence, Play::Close, Play::Reset, Play::Garbage] {
            let (_, result) = channel.play(play.clone());
            assert!(passes(&result), "{} {play:?}: {result:?}", channel.name);
        }
        for play in [Play::Unfinished { status: 503 }, Play::Huge { status: 500 }] {
            let (_, result) = channel.play(play.clone());
            assert!(passes(&result), "{} {play:?}: {result:?}", channel.name);
        }
        let (_, result) = channel.play(Play::Unfinished { status: 404 });
        assert!(stays(&result), "{}: {result:?}", channel.name);
        // If the status alone means success, the body need not be read.
        for play in [Play::Unfinished { status: 200 }, Play::Huge { status: 200 }] {
            let (_, result) = channel.play(play.clone());
            assert_eq!(result.is_ok(), !channel.reads_body, "{} {play:?}: {result:?}", channel.name);
            assert_eq!(passes(&result), channel.reads_body, "{} {play:?}: {result:?}", channel.name);
        }
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let result = channel.build(&format!("http://{nobody}"), "").notify(&opened());
        discreet(channel.name, &result);
        assert!(passes(&result), "{}: {result:?}", channel.name);
        let result = channel.build("https://vigie-no-such-host.invalid", "").notify(&opened());
        discreet(channel.name, &result);
        assert!(passes(&result), "{}: {result:?}", channel.name);
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_reported_and_nothing_is_sent() {
    let ca = repository("tests/fixtures/tls/ca.pem");
    let trusting = format!("ca_file = '{}'", ca.display());
    for channel in &CHANNELS {
        let cases = [
            ("good", "", false),
            ("good", &trusting, true),
            ("other", &trusting, false),
            ("expired", &trusting, false),
        ];
        for (certificate, more, trusted) in cases {
            let stub = Stub::with_tls(certificate, Play::status(200, channel.well));
            let result = channel.build(&format!("https://localhost:{}", stub.address.port()), more).notify(&opened());
            discreet(channel.name, &result);
            assert_eq!(stub.got().len(), usize::from(trusted), "{} {certificate} {more}", channel.name);
            match result {
                Ok(()) => assert!(trusted, "{} {certificate}", channel.name),
                Err(NotifyError::Permanent { reason }) => {
                    assert!(!trusted && reason.contains("certificate"), "{} {certificate}: {reason}", channel.name);
                }
                passing => panic!("{} {certificate}: {passing:?}", channel.name),
            }
        }
    }
}

#[test]
fn an_answer_that_repeats_everything_is_not_quoted() {
    for channel in &CHANNELS {
        let (stub, result) = channel.play(Play::Echo);
        let got = stub.got().pop().unwrap();
        // The server knows the secret, so its answer may contain it.
        let all = format!("{} {:?} {}", got.line, got.headers, String::from_utf8_lossy(&got.body));
        let says = SECRETS.iter().any(|secret| all.contains(secret));
        assert!(says || channel.name == "webhook", "{}: {all}", channel.name);
        assert!(result.unwrap_err().to_string().contains("400"), "{}", channel.name);
    }
}

#[test]
fn every_message_is_json_with_a_key() {
    for channel in &CHANNELS {
        let stub = Stub::start(Play::status(200, channel.well));
        let mut notifier = channel.build(&stub.url(""), "");
        for notification in [opened(), opened(), resolved()] {
            notifier.notify(&notification).unwrap();
            let got = stub.got().pop().unwrap();
            assert!(got.line.starts_with("POST "), "{}", got.line);
            assert_eq!(got.headers["content-type"], "application/json");
            assert!(got.headers["user-agent"].starts_with("vigie/"));
            let key = got.headers.get("idempotency-key").or_else(|| got.headers.get("webhook-id"));
            assert_eq!(key, Some(&notification.key), "{}", channel.name);
            assert!(got.json().is_object() || got.json().is_array(), "{}", channel.name);
        }
    }
}

#[test]
fn a_missing_secret_lists_its_places_and_an_invalid_one_is_not_shown() {
    for channel in CHANNELS.iter().filter(|channel| channel.name != "alertmanager") {
        let config = (channel.config)("https://localhost");
        let missing = try_build(&config, &BTreeMap::new()).err().unwrap().to_string();
        for place in ["receiver \"desk\"", "VIGIE_RECEIVER_DESK_", "LoadCredential=receiver-desk-", "_file"] {
            assert!(missing.contains(place), "{}: {missing}", channel.name);
        }
        let wrong: BTreeMap<_, _> =
            environment("x").into_keys().map(|name| (name, "t0ken-s3cr3t path-s3cr3t-part".to_owned())).collect();
        discreet_text(channel.name, &try_build(&config, &wrong).err().unwrap().to_string());
    }
}
