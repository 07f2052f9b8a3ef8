//! Telemetry: a real OpenTelemetry collector (rotel) gets corrections, incidents, warnings, metrics and traces; and a collector
//! that does not answer makes nobody wait.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{PATIENCE, Vigie, client, configure, repository, start};

const FILE: &str = "[window]\nbucket = \"1s\"\n[[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\npoll = \"50ms\"\n";

/// A running collector that prints what it gets.
struct Collector {
    child: Child,
    url: String,
    output: PathBuf,
}

impl Collector {
    fn start(program: &str, dir: &Path) -> Self {
        Self::start_at(program, dir, &free_address())
    }

    fn start_at(program: &str, dir: &Path, http: &str) -> Self {
        let grpc = free_address();
        let output = dir.join("collector.log");
        let mut command = Command::new(program);
        command.args(["start", "--exporter", "blackhole", "--debug-log-verbosity", "detailed"]);
        command.args(["--debug-log", "logs", "--debug-log", "traces", "--debug-log", "metrics"]);
        command.args(["--otlp-http-endpoint", http, "--otlp-grpc-endpoint", &grpc]);
        let log = File::create(&output).unwrap();
        let child = command.stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log).spawn().unwrap();
        let collector = Self { child, url: format!("http://{http}"), output };
        wait("the collector", || TcpStream::connect(http).ok());
        collector
    }

    fn received(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap()
    }

    /// The records whose text contains all of `parts`.
    #[track_caller]
    fn wait_record(&self, parts: &[&str]) -> String {
        wait(&format!("record with {parts:?}"), || {
            let received = self.received();
            let mut records = received.split("LogRecord #").map(|record| record.split("ResourceLog #").next().unwrap());
            records.find(|record| parts.iter().all(|part| record.contains(part))).map(str::to_owned)
        })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[track_caller]
fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn post(vigie: &Vigie, path: &str, form: Option<&str>, body: &Value) -> (u16, String) {
    let token = std::fs::read_to_string(vigie_dir(vigie).join("state/api-token")).unwrap();
    let request = client().post(format!("{}{path}", vigie.url));
    let request = match form {
        Some(form) => request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()),
        None => request.bearer_auth(token.trim()).json(body),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

/// The working directory of the daemon.
fn vigie_dir(vigie: &Vigie) -> PathBuf {
    std::fs::read_link(format!("/proc/{}/cwd", vigie.child.id())).unwrap()
}

/// Gives `text` a label that the model did not give; returns what was recorded.
fn correct(vigie: &Vigie, text: &str) -> Value {
    let labels = ["positive", "negative"].into_iter();
    let mut given = labels.map(|label| {
        let body = json!({"what": text, "label": label, "by": "dora"});
        let (status, said) = post(vigie, "/api/v1/feedback", None, &body);
        assert_eq!(status, 200, "{said}");
        serde_json::from_str::<Value>(&said).unwrap()["feedback"].clone()
    });
    given.find(|feedback| feedback["predicted"] != feedback["label"]).unwrap()
}

fn telemetry(endpoint: &str, more: &str) -> String {
    format!("{FILE}[telemetry]\nendpoint = \"{endpoint}\"\n{more}")
}

#[test]
fn a_real_collector_gets_logs_metrics_and_traces() {
    let Ok(program) = std::env::var("VIGIE_TEST_ROTEL") else {
        println!("skipped: no collector (VIGIE_TEST_ROTEL); tests/run installs one");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let collector = Collector::start(&program, dir.path());
    let more = "include_texts = true\ninterval = \"50ms\"\nmetrics_interval = \"100ms\"\n";
    configure(dir.path(), &telemetry(&collector.url, more));
    let now = jiff::Timestamp::now();
    let line = json!({"id": "p1", "created_at": now, "text": "Air Paradis is late", "author": "secret-author"});
    std::fs::write(dir.path().join("posts.jsonl"), format!("{line}\nnot json\n")).unwrap();
    let mut vigie = start(dir.path());
    vigie.wait_received(2);

    // Three corrections, and the incident that they are.
    let given = correct(&vigie, "my bag is lost");
    let predicted = format!("predicted_sentiment: Str({})", given["predicted"].as_str().unwrap());
    let record = collector.wait_record(&["EventName: FeedbackReceived", "feedback: Str(dislike)", "my bag is lost"]);
    for expected in [
        "microsoft.custom_event.name: Str(FeedbackReceived)",
        "text: Str(my bag is lost)",
        "probability_negative: Double(",
        "origin: Str(typed)",
        "SeverityText: INFO",
        &predicted,
    ] {
        assert!(record.contains(expected), "{expected} is not in\n{record}");
    }
    correct(&vigie, "a fine flight");
    correct(&vigie, "late once more");
    collector.wait_record(&["EventName: IncidentFired", "rules: Str(IncorrectPredictions)"]);
    let (status, page) = post(&vigie, "/analyse", Some("text=a+fine+flight&undo=1"), &Value::Null);
    assert_eq!(status, 200, "{page}");
    collector.wait_record(&["EventName: FeedbackUndone", "feedback_id: Int("]);
    // The rejected row is a warning of the daemon.
    collector.wait_record(&["SeverityText: WARN", "row rejected", "target: Str(vigie::source::tail)"]);

    for expected in ["vigie_source_received_total", "vigie_classify_duration_seconds", "vigie_ready"] {
        wait(expected, || collector.received().contains(expected).then_some(()));
    }
    for expected in ["POST /api/v1/feedback", "classify", "poll"] {
        wait(expected, || {
            collector.received().lines().any(|it| it.contains("Name") && it.ends_with(expected)).then_some(())
        });
    }
    let sent = "vigie_telemetry_sent_total{signal=\"logs\"}";
    vigie.wait("sent logs", |vigie| vigie.series(sent).filter(|sent| *sent >= 4.0));

    // What waits at the end is sent too.
    let (status, log) = vigie.stop();
    assert!(status.success(), "{log}");
    let received = collector.received();
    for personal in ["dora", "secret-author", "Air Paradis is late"] {
        assert!(!received.contains(personal), "{personal} was sent");
    }
}

#[test]
fn a_correction_without_a_daemon_is_sent_without_its_text() {
    let Ok(program) = std::env::var("VIGIE_TEST_ROTEL") else {
        println!("skipped: no collector (VIGIE_TEST_ROTEL); tests/run installs one");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let collector = Collector::start(&program, dir.path());
    configure(dir.path(), FILE);
    std::fs::write(dir.path().join("posts.jsonl"), "").unwrap();
    assert!(start(dir.path()).stop().0.success());

    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.current_dir(dir.path()).args(["feedback", "my bag is lost", "--label", "neutral", "--state", "state"]);
    command.args(["--config", "vigie.toml", "--model"]).arg(repository("tests/fixtures/tiny-distilbert/classifier"));
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url).env("OTEL_SERVICE_NAME", "vigie-test");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let record = collector.wait_record(&["EventName: FeedbackReceived", "corrected_sentiment: Str(neutral)"]);
    assert!(!record.contains("bag"), "{record}");
    assert!(collector.received().contains("service.name: Str(vigie-test)"), "{}", collector.received());
}

#[test]
fn what_waited_is_sent_once_the_collector_is_there() {
    let Ok(program) = std::env::var("VIGIE_TEST_ROTEL") else {
        println!("skipped: no collector (VIGIE_TEST_ROTEL); tests/run installs one");
        return;
    };
    let (dir, http) = (tempfile::tempdir().unwrap(), free_address());
    configure(dir.path(), &telemetry(&format!("http://{http}"), "interval = \"10ms\"\n"));
    std::fs::write(dir.path().join("posts.jsonl"), "").unwrap();
    let mut vigie = start(dir.path());
    correct(&vigie, "before the collector");
    let failures = "vigie_telemetry_failures_total{signal=\"logs\"}";
    vigie.wait("a failure", |vigie| vigie.series(failures).filter(|failures| *failures > 0.0));
    let collector = Collector::start_at(&program, dir.path(), &http);
    collector.wait_record(&["EventName: FeedbackReceived", "feedback: Str(dislike)"]);
    vigie.wait("its end", |vigie| vigie.log().contains("telemetry is sent again").then_some(()));
}

/// It accepts connections and never answers: each request lasts until its timeout.
#[test]
fn a_collector_that_does_not_answer_makes_nobody_wait() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    configure(dir.path(), &telemetry(&endpoint, "interval = \"10ms\"\ntimeout = \"1m\"\nqueue = 4\n"));
    std::fs::write(dir.path().join("posts.jsonl"), "").unwrap();
    let started = Instant::now();
    let mut vigie = start(dir.path());
    for number in 0..8 {
        correct(&vigie, &format!("text number {number}"));
    }
    vigie.wait("dropped records", |vigie| {
        vigie.series("vigie_telemetry_dropped_total{signal=\"logs\"}").filter(|it| *it > 0.0)
    });
    let stopping = Instant::now();
    let (status, log) = vigie.stop();
    assert!(status.success() && log.contains("telemetry that could not be sent in time is lost"), "{log}");
    assert!(stopping.elapsed() < Duration::from_secs(30), "the end waited {:?}", stopping.elapsed());
    assert!(started.elapsed() < Duration::from_secs(59), "something waited for a timeout: {:?}", started.elapsed());
}
