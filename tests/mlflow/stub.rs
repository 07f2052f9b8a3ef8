//! A small MLflow for tests, as strict as its stores: it adds every run, value and version that it receives, even
//! twice. It fails at a chosen request, in a chosen way.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fail {
    /// The connection is closed, and nothing was done.
    Before,
    /// The request was executed, and the connection is closed instead of a response.
    After,
    /// Responds with this status; nothing was done.
    Status(u16),
    /// Responds 429 with `Retry-After` of this many seconds.
    Busy(u64),
    /// Responds with MLflow's error for an invalid request.
    Refused,
    /// Nothing is done and no response is sent; the connection stays open.
    Hold,
    /// The request was executed, and no response is sent; the connection stays open.
    HoldAfter,
}

/// The state of the server.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) experiments: Vec<String>,
    pub(crate) runs: Vec<Run>,
    pub(crate) registered: BTreeMap<String, Registered>,
    pub(crate) artifacts: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Run {
    pub(crate) experiment: usize,
    pub(crate) start: i64,
    pub(crate) end: Option<i64>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) params: BTreeMap<String, String>,
    /// Every value received.
    pub(crate) metrics: Vec<(String, i64, String)>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Registered {
    /// The bodies of the requests that created them.
    pub(crate) versions: Vec<Value>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) aliases: BTreeMap<String, String>,
}

#[derive(Default)]
struct Shared {
    state: State,
    requests: Vec<String>,
    authorization: Option<String>,
    /// Range of failing requests (end exclusive).
    failing: Option<(usize, usize, Fail)>,
}

/// See the module. Its thread ends with the test.
pub(crate) struct Stub {
    pub(crate) url: String,
    shared: Arc<Mutex<Shared>>,
    held: Receiver<()>,
}

impl Stub {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (sender, held) = channel();
        let theirs = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, sender) = (theirs.clone(), sender.clone());
                std::thread::spawn(move || {
                    serve(stream, &shared, || {
                        let _ = sender.send(());
                    });
                });
            }
        });
        Self { url, shared, held }
    }

    /// The request `n` from now, counted from 0, fails, and none after it.
    pub(crate) fn fail_at(&self, n: usize, fail: Fail) {
        self.fail(n, n.saturating_add(1), fail);
    }

    pub(crate) fn fail_always(&self, fail: Fail) {
        self.fail(0, usize::MAX, fail);
    }

    pub(crate) fn fail(&self, from: usize, until: usize, fail: Fail) {
        let mut shared = self.shared.lock().unwrap();
        let now = shared.requests.len();
        shared.failing = Some((now.saturating_add(from), now.saturating_add(until), fail));
    }

    pub(crate) fn heal(&self) {
        self.shared.lock().unwrap().failing = None;
    }

    /// Once a request is held.
    pub(crate) fn wait_until_held(&self) {
        self.held.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    }

    pub(crate) fn state(&self) -> State {
        self.shared.lock().unwrap().state.clone()
    }

    /// Method and path of each request received.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.lock().unwrap().requests.clone()
    }

    pub(crate) fn authorization(&self) -> Option<String> {
        self.shared.lock().unwrap().authorization.clone()
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>, held: impl Fn()) {
    let Some((line, authorization, body)) = read(&mut stream) else { return };
    let mut parts = line.split(' ');
    let (method, path) = (parts.next().unwrap(), parts.next().unwrap());
    let (fail, done) = {
        let mut shared = shared.lock().unwrap();
        let n = shared.requests.len();
        shared.requests.push(format!("{method} {}", path.split('?').next().unwrap()));
        shared.authorization = authorization;
        let fail = shared.failing.filter(|(from, until, _)| (*from..*until).contains(&n)).map(|(_, _, fail)| fail);
        let does = matches!(fail, None | Some(Fail::After | Fail::HoldAfter));
        (fail, does.then(|| answer(&mut shared.state, method, path, &body)))
    };
    let (status, more, body) = match (fail, done) {
        (None, Some(Ok(body))) => (200, String::new(), body),
        (None, Some(Err((status, code)))) => (status, String::new(), json!({ "error_code": code, "message": code })),
        (Some(Fail::Status(status)), _) => (status, String::new(), json!("an error")),
        (Some(Fail::Busy(wait)), _) => (429, format!("Retry-After: {wait}\r\n"), json!({})),
        (Some(Fail::Refused), _) => {
            (400, String::new(), json!({ "error_code": "INVALID_PARAMETER_VALUE", "message": "never" }))
        }
        (Some(Fail::Hold | Fail::HoldAfter), _) => {
            held();
            let _ = stream.read(&mut [0]); // until the other side is gone
            return;
        }
        _ => return,
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{more}\r\n", body.len());
    let _ = stream.write_all((head + &body).as_bytes());
    // Like a server that closes an idle connection just when the next request arrives on it.
    let _ = stream.read(&mut [0]);
}

fn read(stream: &mut TcpStream) -> Option<(String, Option<String>, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length, mut authorization) = (String::new(), 0, None);
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "authorization" => authorization = Some(value.trim().to_owned()),
            "transfer-encoding" => panic!("an upload has a Content-Length"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((line, authorization, body))
}

type ApiResult = Result<Value, (u16, &'static str)>;
const MISSING: (u16, &str) = (404, "RESOURCE_DOES_NOT_EXIST");
const EXISTS: (u16, &str) = (400, "RESOURCE_ALREADY_EXISTS");

fn answer(state: &mut State, method: &str, path: &str, body: &[u8]) -> ApiResult {
    let url = reqwest::Url::parse(&format!("http://x{path}")).unwrap();
    let query = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if let Some(path) = url.path().strip_prefix("/api/2.0/mlflow-artifacts/artifacts/") {
        assert_eq!(method, "PUT");
        state.artifacts.insert(path.to_owned(), body.to_vec());
        return Ok(json!({}));
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text_field = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    match url.path().strip_prefix("/api/2.0/mlflow/").unwrap() {
        "experiments/get-by-name" => {
            let id = state.experiments.iter().position(|name| Some(name) == query("experiment_name").as_ref());
            let id = id.ok_or(MISSING)?.to_string();
            Ok(json!({ "experiment": { "experiment_id": id, "lifecycle_stage": "active" } }))
        }
        "experiments/create" if state.experiments.contains(&text_field("name")) => Err(EXISTS),
        "experiments/create" => {
            state.experiments.push(text_field("name"));
            Ok(json!({ "experiment_id": (state.experiments.len() - 1).to_string() }))
        }
        "runs/search" => {
            let key = text_field("filter").split('\'').nth(1).unwrap().to_owned();
            let found = state.runs.iter().position(|run| run.tags.get("vigie.run_key") == Some(&key));
            Ok(found.map_or(json!({}), |id| json!({ "runs": [shown(state, id)] })))
        }
        "runs/create" => {
            let (experiment, start) =
                (text_field("experiment_id").parse().unwrap(), body["start_time"].as_i64().unwrap());
            state.runs.push(Run { experiment, start, tags: pairs(&body["tags"]), ..Run::default() });
            Ok(json!({ "run": shown(state, state.runs.len() - 1) }))
        }
        "runs/log-batch" => {
            let run = run(state, &text_field("run_id"));
            run.tags.extend(pairs(&body["tags"]));
            run.params.extend(pairs(&body["params"]));
            for metric in body["metrics"].as_array().unwrap() {
                let key = metric["key"].as_str().unwrap().to_owned();
                run.metrics.push((key, metric["step"].as_i64().unwrap(), metric["value"].to_string()));
            }
            Ok(json!({}))
        }
        "runs/update" => {
            assert_eq!(text_field("status"), "FINISHED");
            run(state, &text_field("run_id")).end = body["end_time"].as_i64();
            Ok(json!({}))
        }
        "metrics/get-history" => {
            // One value per page, to test pagination.
            let (id, key) = (query("run_id").unwrap(), query("metric_key"));
            let at: usize = query("page_token").map_or(0, |token| token.parse().unwrap());
            let all: Vec<_> = run(state, &id).metrics.iter().filter(|(name, ..)| Some(name) == key.as_ref()).collect();
            let page: Vec<Value> =
                all.iter().skip(at).take(1).map(|(_, step, _)| json!({ "step": step.to_string() })).collect();
            let next = if at + 1 < all.len() { (at + 1).to_string() } else { String::new() };
            Ok(json!({ "metrics": page, "next_page_token": next }))
        }
        "registered-models/create" if state.registered.contains_key(&text_field("name")) => Err(EXISTS),
        "registered-models/create" => {
            state.registered.insert(text_field("name"), Registered::default());
            Ok(json!({}))
        }
        "registered-models/get" => {
            let model = state.registered.get(&query("name").unwrap()).ok_or(MISSING)?;
            let tags: Vec<Value> =
                model.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
            Ok(json!({ "registered_model": { "tags": tags } }))
        }
        "registered-models/set-tag" => {
            state
                .registered
                .get_mut(&text_field("name"))
                .ok_or(MISSING)?
                .tags
                .insert(text_field("key"), text_field("value"));
            Ok(json!({}))
        }
        "registered-models/alias" => {
            state
                .registered
                .get_mut(&text_field("name"))
                .ok_or(MISSING)?
                .aliases
                .insert(text_field("alias"), text_field("version"));
            Ok(json!({}))
        }
        "model-versions/search" => {
            let filter = query("filter").unwrap();
            let mut quoted = filter.split('\'').skip(1).step_by(2);
            let (name, value) = (quoted.next().unwrap(), quoted.next().unwrap());
            let versions = state.registered.get(name).map(|model| model.versions.as_slice()).unwrap_or_default();
            let fits = |version: &&(usize, &Value)| {
                let id = pairs(&version.1["tags"]).get("vigie.model_id").cloned();
                if filter.contains("run_id") { version.1["run_id"] == value } else { id.as_deref() == Some(value) }
            };
            let found: Vec<(usize, &Value)> = versions.iter().enumerate().collect();
            let found: Vec<Value> = found.iter().filter(fits).map(|(n, version)| versioned(*n, version)).collect();
            Ok(json!({ "model_versions": found }))
        }
        "model-versions/create" => {
            let model = state.registered.get_mut(&text_field("name")).ok_or(MISSING)?;
            model.versions.push(body.clone());
            Ok(json!({ "model_version": versioned(model.versions.len() - 1, &body) }))
        }
        other => panic!("no such endpoint: {method} {other}"),
    }
}

fn run<'a>(state: &'a mut State, id: &str) -> &'a mut Run {
    &mut state.runs[id.parse::<usize>().unwrap()]
}

fn shown(state: &State, id: usize) -> Value {
    let run = &state.runs[id];
    let metrics: Vec<Value> = run.metrics.iter().map(|(key, ..)| json!({ "key": key })).collect();
    let status = if run.end.is_some() { "FINISHED" } else { "RUNNING" };
    let uri = format!("mlflow-artifacts:/0/{id}/artifacts");
    json!({ "info": { "run_id": id.to_string(), "artifact_uri": uri, "status": status }, "data": { "metrics": metrics } })
}

fn versioned(n: usize, body: &Value) -> Value {
    json!({ "version": (n + 1).to_string(), "run_id": body["run_id"] })
}

fn pairs(list: &Value) -> BTreeMap<String, String> {
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    list.as_array().into_iter().flatten().map(|item| (text(item, "key"), text(item, "value"))).collect()
}
