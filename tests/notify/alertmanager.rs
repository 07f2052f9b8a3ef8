//! The real Alertmanager accepts our alerts, shows them, and resolves them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use vigie::language::Language;
use vigie::notify::render::{Style, Templates};
use vigie::notify::{Context, IntegrationConfig, Kind, Notification, SampleKind, sample};

use crate::common::repository;
use crate::kit::{environment, now, opened, resolved, try_build};
use crate::stub::{Play, Stub};

struct Alertmanager(Child);

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The binary that `tests/run` unpacked, or the installed one.
fn program() -> Option<(PathBuf, Command)> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository("target"), PathBuf::from);
    let root = target.join("tools/prometheus-alertmanager");
    let brought = (root.join("usr/bin/prometheus-alertmanager"), root);
    let places = [brought, ("prometheus-alertmanager".into(), "/".into())];
    let (program, root) = places.into_iter().find(|(program, _)| {
        let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    })?;
    Some((root, Command::new(program)))
}

fn get(address: SocketAddr, path: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

/// The active alerts, once `enough` holds.
fn alerts(address: SocketAddr, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let alerts = get(address, "/api/v2/alerts").and_then(|alerts| alerts.as_array().cloned());
        if let Some(alerts) = alerts.filter(|alerts| enough(alerts)) {
            return alerts;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "no such answer of Alertmanager");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_real_alertmanager_shows_an_alert_until_it_resolves() {
    let Some((root, mut program)) = program() else {
        println!("skipped: prometheus-alertmanager not found (tests/run brings Debian's)");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.yml"), "route: { receiver: none }\nreceivers: [{ name: none }]\n").unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let started = program
        .args([format!("--config.file={}", path("config.yml")), format!("--storage.path={}", path("data"))])
        .args(["--cluster.listen-address=", "--log.level=error"])
        .arg(format!("--web.listen-address={address}"))
        .current_dir(root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _alertmanager = Alertmanager(started.unwrap());
    alerts(address, <[Value]>::is_empty);

    // Alertmanager uses its own clock.
    let config: IntegrationConfig =
        toml::from_str(&format!("type = 'alertmanager'\nurl = 'http://{address}'")).unwrap();
    let mut notifier = config
        .build(&Context {
            receiver: "desk",
            language: Language::English,
            templates: Arc::new(Templates::embedded(Style::default())),
            clock: Arc::new(Timestamp::now),
            environment: &|_| None,
        })
        .unwrap();
    let mut tell = |kind| {
        let kind_sent = if kind == SampleKind::Opened { Kind::Opened } else { Kind::Resolved };
        let notification = sample("desk", kind, Timestamp::now(), Some("https://vigie.example".into()));
        notifier.notify(&Notification { kind: kind_sent, ..notification }).unwrap();
    };
    tell(SampleKind::Opened);
    let shown = alerts(address, |alerts| !alerts.is_empty());
    let about = opened();
    assert_eq!(shown.len(), about.alerts.len());
    assert_eq!(shown[0]["labels"]["alertname"], about.alerts[0].labels["alertname"].as_str());
    assert_eq!(shown[0]["annotations"]["incident"].as_str().map(|id| id.starts_with("TEST-")), Some(true));
    assert!(shown[0]["generatorURL"].as_str().unwrap().starts_with("https://vigie.example/"), "{}", shown[0]);
    let ends_at: Timestamp = shown[0]["endsAt"].as_str().unwrap().parse().unwrap();
    assert!(ends_at > Timestamp::now() + SignedDuration::from_mins(3), "it stays active until it is resent");
    tell(SampleKind::Resolved);
    alerts(address, <[Value]>::is_empty);
}

#[test]
fn an_alert_is_resent_before_it_expires() {
    let stub = Stub::start(Play::status(200, ""));
    let text = format!("type = 'alertmanager'\nurl = '{}/under/a/path/'\nresend = '90s'", stub.url(""));
    let config: IntegrationConfig = toml::from_str(&text).unwrap();
    assert_eq!(config.resend_interval(), Some(Duration::from_secs(90)));
    let mut notifier = try_build(&text, &environment("")).unwrap();
    let mut odd = opened();
    odd.alerts[0].labels.extend([
        ("équipe-1".into(), "x".into()),
        ("1st".into(), "y".into()),
        ("empty".into(), String::new()),
    ]);
    for notification in [odd, resolved()] {
        notifier.notify(&notification).unwrap();
    }
    let got = stub.got();
    assert!(got.iter().all(|got| got.path() == "/under/a/path/api/v2/alerts"), "{}", got[0].line);
    let (firing, over) = (got[0].json()[0].clone(), got[1].json()[0].clone());
    assert_eq!(firing["endsAt"].as_str(), Some((now() + SignedDuration::from_mins(6)).to_string().as_str()));
    assert_eq!(over["endsAt"].as_str(), Some(now().to_string().as_str()));
    let labels: BTreeMap<String, String> = serde_json::from_value(firing["labels"].clone()).unwrap();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for (name, value) in &labels {
        assert!(name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
        assert!(!value.is_empty(), "{name}");
    }
    assert!(
        labels.contains_key("_quipe_1") && labels.contains_key("_1st") && !labels.contains_key("empty"),
        "{labels:?}"
    );
}
