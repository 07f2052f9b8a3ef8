//! A running `vigie run` of a test's own: its directory, its log, its address.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take that is waited for: a bound for a test that would hang, not a measure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) struct Vigie {
    pub(crate) child: Child,
    pub(crate) url: String,
    log: Arc<Mutex<String>>,
}

/// `vigie run` on `dir/vigie.toml`, with a model of 60 kB: real inference, no waiting.
pub(crate) fn command(dir: &Path) -> Command {
    command_with(dir, &repository("tests/fixtures/tiny-distilbert/classifier"))
}

pub(crate) fn command_with(dir: &Path, model: &Path) -> Command {
    // A soak may measure another build than that of the tests.
    let binary = std::env::var("VIGIE_BINARY").unwrap_or(env!("CARGO_BIN_EXE_vigie").into());
    let mut command = Command::new(binary);
    command.current_dir(dir).env_remove("RUST_LOG").env_remove("VIGIE_X_TOKEN").stdin(Stdio::null());
    command.args(["run", "--config", "vigie.toml", "--model"]).arg(model);
    command
}

/// Writes `dir/vigie.toml`: what every test shares, then `more`.
pub(crate) fn configure(dir: &Path, more: &str) {
    let rules = repository("config/rules.toml");
    let rules = format!("rules = {rules:?}\nunmatched_topic = \"other\"\n");
    let shared = "[daemon]\nstate = \"state\"\n[web]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(dir.join("vigie.toml"), format!("{rules}{shared}{more}")).unwrap();
}

pub(crate) fn start(dir: &Path) -> Vigie {
    Vigie::spawn(command(dir).env("VIGIE_X_TOKEN", "fake-token").env("VIGIE_HTTP_TOKEN", "push-token"))
}

impl Vigie {
    /// Waits until it says where it listens.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (stderr, kept) = (child.stderr.take().unwrap(), log.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let mut vigie = Self { child, url: String::new(), log };
        vigie.url = vigie.wait("its address", |vigie| {
            let log = vigie.log();
            let address = log.split("console: ").nth(1)?.split('/').nth(2)?.to_owned();
            Some(format!("http://{address}"))
        });
        vigie
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Looks again and again until `look` finds something.
    #[track_caller]
    pub(crate) fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&mut Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("vigie ended ({status}) before {what}:\n{}", self.log());
            }
            assert!(started.elapsed() < PATIENCE, "no {what}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn get(&self, path: &str) -> Option<(u16, String)> {
        get(&format!("{}{path}", self.url))
    }

    pub(crate) fn status(&self) -> Option<Value> {
        serde_json::from_str(&self.get("/api/v1/status")?.1).ok()
    }

    /// Waits until so many posts and rows were received, and returns the status then.
    #[track_caller]
    pub(crate) fn wait_received(&mut self, count: u64) -> Value {
        self.wait(&format!("{count} received"), |vigie| {
            vigie.status().filter(|status| status["totals"]["received"].as_u64() >= Some(count))
        })
    }

    /// The value of a series without labels, or with these.
    pub(crate) fn series(&self, series: &str) -> Option<f64> {
        let text = self.get("/metrics")?.1;
        text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        (status, self.log())
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What `vigie posts` lists of the state in `dir/state`, whose daemon has ended.
pub(crate) fn stored_posts(dir: &Path) -> Vec<Value> {
    let mut command = Command::new(std::env::var("VIGIE_BINARY").unwrap_or(env!("CARGO_BIN_EXE_vigie").into()));
    command.current_dir(dir).args(["posts", "--json", "--limit", "0", "--state", "state", "--config", "vigie.toml"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// From a separate thread, so that tests with and without a runtime can ask.
pub(crate) fn get(url: &str) -> Option<(u16, String)> {
    let url = url.to_owned();
    let asking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let response = client().get(url).send().await.ok()?;
            Some((response.status().as_u16(), response.text().await.ok()?))
        })
    });
    asking.join().unwrap()
}

pub(crate) fn client() -> reqwest::Client {
    // The provider of the process: vigie installs its own, a test does not go there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

/// `received = classified + rejected + duplicates`.
#[track_caller]
pub(crate) fn assert_accounted(status: &Value) {
    let count = |name: &str| status["totals"][name].as_u64().unwrap();
    assert_eq!(
        count("received"),
        count("classified") + count("rejected") + count("duplicates"),
        "{}",
        status["totals"]
    );
}

impl Drop for Vigie {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
