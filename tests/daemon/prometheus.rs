//! The real Prometheus scrapes the daemon.

use std::process::{Child, Command, Stdio};

use crate::process::{configure, get, start};

struct Prometheus(Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn prometheus_scrapes_what_the_daemon_tells() {
    let found = Command::new("prometheus").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        println!("skipped: `prometheus` is not installed (tests/run brings Debian's)");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let source =
        "[[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\npoll = \"50ms\"\n";
    configure(dir.path(), source);
    let now = jiff::Timestamp::now();
    let line = |id| format!("{{\"id\":\"{id}\",\"created_at\":\"{now}\",\"text\":\"Air Paradis is late ({id})\"}}\n");
    std::fs::write(dir.path().join("posts.jsonl"), (0..30).map(line).collect::<String>()).unwrap();
    let mut vigie = start(dir.path());
    vigie.wait_received(30);

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = vigie.url.trim_start_matches("http://").to_owned();
    let config = format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs:\n- job_name: vigie\n  static_configs: [{{ targets: ['{target}'] }}]\n"
    );
    std::fs::write(dir.path().join("prometheus.yml"), config).unwrap();
    let prometheus = Command::new("prometheus")
        .args(["--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", "--log.level=error"])
        .arg(format!("--web.listen-address={free}"))
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _prometheus = Prometheus(prometheus);
    let query = |query: &str| {
        let (_, answer) = get(&format!("http://{free}/api/v1/query?query={query}"))?;
        let answer: serde_json::Value = serde_json::from_str(&answer).ok()?;
        answer["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
    };
    let received = vigie.wait("a scrape", |_| query("vigie_source_received_total{source=\"desk\"}"));
    assert_eq!(received, "30");
    assert_eq!(query("up{job=\"vigie\"}").as_deref(), Some("1"));
    assert_eq!(query("vigie_ready").as_deref(), Some("1"));
}
