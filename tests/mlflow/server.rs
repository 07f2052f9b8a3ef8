//! The real `mlflow server`, one for all tests, as `tests/run` installs it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::common::repository;

/// It imports large Python data libraries first.
const START_TIMEOUT: Duration = Duration::from_secs(240);

/// A running server.
pub(crate) struct Mlflow {
    pub(crate) url: String,
    /// The server stops when its standard input closes, which happens when the test process exits.
    _process: Child,
}

/// `None` without such a server; the test is then skipped.
pub(crate) fn mlflow() -> Option<&'static Mlflow> {
    static SERVER: OnceLock<Option<Mlflow>> = OnceLock::new();
    let server = SERVER.get_or_init(Mlflow::start).as_ref();
    if server.is_none() {
        assert!(std::env::var_os("VIGIE_TEST_MLFLOW").is_none(), "tests/run installed mlflow, but it is not found");
        println!("skipped: no mlflow server (tests/run installs it)");
    }
    server
}

/// With the packages that `tests/run` installed, even by an earlier run.
fn python() -> Command {
    let mut command = Command::new("python3");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository("target"), PathBuf::from);
    command.env("PYTHONPATH", target.join("tools/mlflow")).env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false");
    command
}

impl Mlflow {
    fn start() -> Option<Self> {
        let find = "import importlib.util as u, sys; sys.exit(not (u.find_spec('mlflow') and u.find_spec('flask')))";
        let found = python().args(["-c", find]).stderr(Stdio::null()).status();
        found.is_ok_and(|status| status.success()).then(|| {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut process = python()
                .arg(repository("tests/mlflow/server.py"))
                .arg(port.to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut folder = String::new();
            BufReader::new(process.stdout.take().unwrap()).read_line(&mut folder).unwrap();
            let url = format!("http://127.0.0.1:{port}");
            let started = Instant::now();
            while !ask(Method::GET, &format!("{url}/health"), None).is_ok_and(|(status, _)| status.is_success()) {
                let log = || std::fs::read_to_string(Path::new(folder.trim()).join("log")).unwrap_or_default();
                assert!(started.elapsed() < START_TIMEOUT, "no mlflow server: {}", log());
                std::thread::sleep(Duration::from_millis(100));
            }
            Self { url, _process: process }
        })
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = ask(Method::GET, &format!("{}/api/2.0/{path}", self.url), None).unwrap();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = ask(Method::POST, &format!("{}/api/2.0/{path}", self.url), Some(body)).unwrap();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).unwrap()
    }

    /// The bytes of an artifact behind the proxy.
    pub(crate) fn artifact(&self, run: &Value, name: &str) -> Vec<u8> {
        let root = run["info"]["artifact_uri"].as_str().unwrap().strip_prefix("mlflow-artifacts:/").unwrap();
        let url = format!("{}/api/2.0/mlflow-artifacts/artifacts/{root}/{name}", self.url);
        let (status, body) = ask(Method::GET, &url, None).unwrap();
        assert_eq!(status, StatusCode::OK, "{name}");
        body
    }

    /// The runs of an experiment, by its name.
    pub(crate) fn runs(&self, experiment: &str) -> Vec<Value> {
        let found = self.get(&format!("mlflow/experiments/get-by-name?experiment_name={experiment}"));
        let id = found["experiment"]["experiment_id"].clone();
        let runs = self.post("mlflow/runs/search", serde_json::json!({ "experiment_ids": [id] }));
        runs["runs"].as_array().cloned().unwrap_or_default()
    }
}

fn ask(method: Method, url: &str, body: Option<Value>) -> reqwest::Result<(StatusCode, Vec<u8>)> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
    let request = client.request(method, url);
    let request = if let Some(body) = body { request.json(&body) } else { request };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = request.send().await?;
        Ok((answer.status(), answer.bytes().await?.to_vec()))
    })
}
