//! The API: tokens with scopes, what each route needs, how it refuses, and a walk through its resources.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::process::{PATIENCE, Vigie, client, command, configure, start};

const PUSH: &str = "[window]\nbucket = \"1s\"\n[[source]]\nname = \"push\"\ntype = \"http\"\n";

/// What a daemon answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Answer {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The detail of a problem, which must be one with this status.
    #[track_caller]
    fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let body = self.json();
        assert_eq!((&body["type"], &body["status"]), (&json!("about:blank"), &json!(status)), "{body}");
        body["detail"].as_str().unwrap().to_owned()
    }
}

fn send(build: impl FnOnce(reqwest::Client) -> reqwest::RequestBuilder) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut answer = build(client()).timeout(PATIENCE).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        // A stream of events does not end.
        let is_stream = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream {
            answer.chunk().await.unwrap().unwrap().to_vec()
        } else {
            answer.bytes().await.unwrap().to_vec()
        };
        Answer { status, headers, body: String::from_utf8(body).unwrap() }
    })
}

fn ask(vigie: &Vigie, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let (method, url) = (method.to_uppercase().parse().unwrap(), format!("{}{path}", vigie.url));
    send(|client| {
        let request = client.request(method, url);
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    })
}

/// `vigie token`: whether it succeeded, and what it printed.
fn token_command(dir: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.current_dir(dir).arg("token").args(args).args(["--state", "state", "--config", "vigie.toml"]);
    let output = command.output().unwrap();
    let printed = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8(printed).unwrap())
}

fn create_token(dir: &Path, name: &str, scopes: &str) -> String {
    let (created, token) = token_command(dir, &["create", name, "--scope", scopes]);
    assert!(created, "{token}");
    token.trim().to_owned()
}

/// Every operation of the daemon's OpenAPI document: method, path with values, and the scope that it names.
fn operations(vigie: &Vigie) -> Vec<(String, String, Option<String>)> {
    let document = ask(vigie, "", "get", "/api/v1/openapi.json", None).json();
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        let path = path.replace("{id}", "NONE-1234");
        item.as_object().unwrap().iter().map(move |(method, operation)| {
            (method.clone(), path.clone(), operation["security"][0]["token"][0].as_str().map(str::to_owned))
        })
    });
    all.collect()
}

#[test]
fn each_operation_needs_the_scope_that_its_document_names() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), PUSH);
    let vigie = start(dir.path());
    let scopes = ["read", "feedback", "operate", "ingest"];
    let tokens = scopes.map(|scope| (scope, create_token(dir.path(), scope, scope)));
    let own = std::fs::read_to_string(dir.path().join("state/api-token")).unwrap();
    let operations = operations(&vigie);
    assert!(operations.len() > 20 && operations.iter().filter(|(.., scope)| scope.is_none()).count() == 3);
    for (method, path, needed) in &operations {
        let status = |token: &str| ask(&vigie, token, method, path, None).status;
        let Some(needed) = needed else {
            assert_eq!(status(""), 200, "{method} {path}");
            continue;
        };
        assert_eq!(status(""), 401, "{method} {path}");
        assert_eq!(status("vigie_wrong"), 401, "{method} {path}");
        for (scope, token) in &tokens {
            let refused = matches!(status(token), 401 | 403);
            assert_eq!(refused, scope != needed, "{method} {path} with {scope}");
        }
        assert!(!matches!(status(&own), 401 | 403), "{method} {path}");
        assert_eq!(status("push-token") == 403, needed != "ingest", "{method} {path} with the token of the source");
    }
    let refused = ask(&vigie, &tokens[0].1, "post", "/api/v1/silences", Some(&json!({})));
    assert_eq!(refused.problem(403), "this needs a token with the scope operate, and read has read");
}

#[test]
fn tokens_are_created_listed_and_revoked_while_the_daemon_runs() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), PUSH);
    let mut vigie = start(dir.path());
    let token = create_token(dir.path(), "dashboard", "read,feedback");
    let unused = create_token(dir.path(), "unused", "ingest");
    let (created, said) = token_command(dir.path(), &["create", "dashboard", "--scope", "read"]);
    assert!(!created && said.contains("already a token \"dashboard\""), "{said}");
    let (created, said) = token_command(dir.path(), &["create", "a b", "--scope", "read"]);
    assert!(!created && said.contains("\"a b\" is not valid"), "{said}");
    assert!(!token_command(dir.path(), &["create", "c", "--scope", "write"]).0);
    assert_eq!(ask(&vigie, &token, "get", "/api/v1/posts", None).status, 200);
    let listed = vigie.wait("the last use", |_| {
        Some(token_command(dir.path(), &["list"]).1).filter(|listed| listed.contains("used 2"))
    });
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("dashboard\tread, feedback\tcreated 2"), "{listed}");
    assert!(lines[1].starts_with("unused\tingest\t") && lines[1].ends_with("\tnever used"), "{listed}");
    assert_eq!(token_command(dir.path(), &["revoke", "dashboard"]), (true, "dashboard is revoked\n".into()));
    assert_eq!(ask(&vigie, &token, "get", "/api/v1/posts", None).status, 401);
    assert!(token_command(dir.path(), &["revoke", "dashboard"]).1.contains("unknown token \"dashboard\""));
    for name in ["tokens.json", "token-use.json"] {
        use std::os::unix::fs::PermissionsExt as _;
        let path = dir.path().join("state").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&token) && !text.contains(&unused), "{name}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    // A file that cannot be read lets nobody in, and says so.
    std::fs::write(dir.path().join("state/tokens.json"), "{").unwrap();
    assert!(ask(&vigie, &unused, "get", "/api/v1/posts", None).problem(503).contains("tokens"));
    let log = vigie.stop().1;
    assert!(log.contains("tokens.json") && !log.contains(&unused) && !log.contains(&token), "{log}");
}

#[test]
fn every_refusal_is_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), PUSH);
    let vigie = start(dir.path());
    let token = create_token(dir.path(), "all", "read,feedback,operate,ingest");
    let asked = |method: &str, path: &str, body: Option<Value>| ask(&vigie, &token, method, path, body.as_ref());
    asked("get", "/api/v1/nothing", None).problem(404);
    asked("get", "/api/", None).problem(404);
    let refused = asked("patch", "/api/v1/posts", None);
    refused.problem(405);
    let allowed = refused.headers["allow"].to_str().unwrap();
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    let raw = |kind: Option<&str>, body: &str| {
        let url = format!("{}/api/v1/classify", vigie.url);
        send(|client| {
            let request = client.post(url).bearer_auth(&token).body(body.to_owned());
            kind.into_iter().fold(request, |request, kind| request.header("content-type", kind))
        })
    };
    raw(Some("application/json"), "{").problem(400);
    raw(Some("text/plain"), "{}").problem(415);
    raw(None, "{}").problem(415);
    assert!(raw(Some("application/json"), "{\"texts\": 1}").problem(422).contains("texts"));
    asked("post", "/api/v1/classify", Some(json!({"texts": []}))).problem(400);
    for (path, expected) in [
        ("/api/v1/posts?limit=0", "limit: 0 is not valid; expected 1 to 1000"),
        ("/api/v1/posts?limit=x", "limit: expected a number"),
        ("/api/v1/posts?page=x", "page: expected the `next`"),
        ("/api/v1/posts?nonsense=1", "unknown parameter `nonsense`"),
        ("/api/v1/incidents?page=x", "expected the `next`"),
        ("/api/v1/incidents?sort=x", "unknown field `sort`"),
        ("/api/v1/feedback?limit=1001", "expected 1 to 1000"),
        ("/api/v1/windows", "missing field `topic`"),
        ("/api/v1/windows?topic=Air%20Paradis&since=yesterday", "since"),
        ("/api/v1/windows?topic=Air%20Paradis&step=7", "step: expected one of"),
        ("/api/v1/posts/%ff", "UTF-8"),
    ] {
        let detail = asked("get", path, None).problem(400);
        assert!(detail.contains(expected), "{path}: {detail}");
    }
    // The monitor would take it for a failure of the store, and stand still.
    for nobody in [json!({"author": ""}), json!({"author": " @ "}), json!({"post": " "})] {
        assert!(asked("post", "/api/v1/forget", Some(nobody)).problem(422).contains("empty"));
    }
    asked("get", "/api/v1/windows?topic=nobody", None).problem(404);
    asked("get", "/api/v1/posts/unknown", None).problem(404);
    asked("put", "/api/v1/incidents/NONE-1/acknowledgement", None).problem(404);
    asked("delete", "/api/v1/silences/S-NONE", None).problem(404);
    let silence = |body: Value| asked("post", "/api/v1/silences", Some(body));
    assert!(silence(json!({"matchers": [], "seconds": 60})).problem(400).contains("at least one matcher"));
    assert!(silence(json!({"matchers": ["a=\"b\""], "seconds": 1})).problem(400).contains("1 minute"));
    assert!(silence(json!({"matchers": ["nonsense"], "seconds": 60})).problem(422).contains("is not a matcher"));
    assert!(silence(json!({"matchers": ["a=b"], "seconds": 60, "by": " "})).problem(422).contains("by:"));
}

/// Three incorrect predictions are an incident.
fn make_incident(vigie: &mut Vigie, token: &str) -> Value {
    for text in ["my bag is lost", "a fine flight", "late once more"] {
        for label in ["positive", "negative"] {
            let answer = ask(vigie, token, "post", "/api/v1/feedback", Some(&json!({"what": text, "label": label})));
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.json()["feedback"]["by"], "all", "signed by the token");
        }
    }
    vigie.wait("the incident", |vigie| {
        ask(vigie, token, "get", "/api/v1/incidents?state=firing", None).json()["incidents"].get(0).cloned()
    })
}

#[test]
fn incidents_are_acknowledged_and_silenced() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), &format!("{PUSH}[notify]\ngroup_wait = \"0s\"\n"));
    let mut vigie = start(dir.path());
    let token = create_token(dir.path(), "all", "read,feedback,operate");
    let incident = make_incident(&mut vigie, &token);
    let id = incident["id"].as_str().unwrap();
    let asked = |method: &str, path: &str, body: Option<Value>| ask(&vigie, &token, method, path, body.as_ref());
    let one = asked("get", &format!("/api/v1/incidents/{}", id.to_lowercase()), None).json();
    assert_eq!((&one["id"], &one["acknowledged"]), (&json!(id), &Value::Null));
    assert_eq!(one["alerts"][0]["rule"], "IncorrectPredictions");
    let acknowledgement = format!("/api/v1/incidents/{id}/acknowledgement");
    assert_eq!(asked("put", &acknowledgement, None).json()["acknowledged"]["by"], "all");
    let again = asked("put", &acknowledgement, Some(json!({"by": "Claire"}))).json();
    assert_eq!(again["acknowledged"]["by"], "all", "the first stands");
    assert_eq!(asked("delete", &acknowledgement, None).json()["acknowledged"], Value::Null);
    let claire = asked("put", &acknowledgement, Some(json!({"by": "Claire", "comment": "on it"}))).json();
    assert_eq!(
        (&claire["acknowledged"]["by"], &claire["acknowledged"]["comment"]),
        (&json!("Claire"), &json!("on it"))
    );
    let notes = format!("/api/v1/incidents/{id}/notes");
    let noted = asked("post", &notes, Some(json!({"text": "the airport says noon", "by": "Bob"})));
    assert_eq!(noted.status, 201, "{noted:?}");
    let history = noted.json()["history"].as_array().unwrap().clone();
    // Without messages to receivers, which may come at any moment.
    let history: Vec<Value> = history.into_iter().filter(|entry| entry["event"] != "notified").collect();
    let events: Vec<&str> = history.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["acknowledged", "acknowledgement_withdrawn", "acknowledged", "noted"], "{history:?}");
    assert_eq!((&history[3]["by"], &history[3]["text"]), (&json!("Bob"), &json!("the airport says noon")));
    asked("post", &notes, Some(json!({"text": " "}))).problem(400);
    asked("post", "/api/v1/incidents/NONE-1/notes", Some(json!({"text": "hm"}))).problem(404);

    let mut made = Vec::new();
    for number in 0..3 {
        let body = json!({"matchers": [format!("topic=\"t{number}\"")], "seconds": 3_600, "comment": "strike"});
        let answer = asked("post", "/api/v1/silences", Some(body));
        assert_eq!(answer.status, 201, "{answer:?}");
        let silence = answer.json();
        assert_eq!(
            answer.headers["location"],
            format!("/api/v1/silences/{}", silence["id"].as_str().unwrap()).as_str()
        );
        assert_eq!(asked("get", answer.headers["location"].to_str().unwrap(), None).json(), silence);
        made.push(silence["id"].as_str().unwrap().to_owned());
    }
    let (mut path, mut found) = ("/api/v1/silences?limit=2".to_owned(), Vec::new());
    loop {
        let page = asked("get", &path, None).json();
        found.extend(
            page["silences"].as_array().unwrap().iter().map(|silence| silence["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/silences?limit=2&page={next}");
    }
    found.sort();
    made.sort();
    assert_eq!(found, made);
    let path = format!("/api/v1/silences/{}", made[0]);
    assert_eq!(asked("delete", &path, None).status, 204);
    asked("delete", &path, None).problem(404);
    assert_eq!(asked("get", "/api/v1/silences", None).json()["silences"].as_array().unwrap().len(), 2);
    assert_eq!(asked("get", "/api/v1/silences?all=true", None).json()["silences"].as_array().unwrap().len(), 3);
    let audit = std::fs::read_to_string(dir.path().join("state/audit.jsonl")).unwrap();
    assert!(audit.contains("\"token\":\"all\"") && audit.contains(&acknowledgement), "{audit}");
}

#[test]
fn posts_windows_model_and_sources_are_read() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), PUSH);
    let mut vigie = start(dir.path());
    let token = create_token(dir.path(), "all", "read,ingest");
    let now = jiff::Timestamp::now();
    let words = ["gate", "crew", "valise", "retard", "pilote", "queue"];
    let posts: String = words
        .iter()
        .enumerate()
        .map(|(id, word)| format!("{{\"id\":\"p{id}\",\"created_at\":\"{now}\",\"text\":\"Air Paradis {word} {id}\",\"author\":\"u{id}\"}}\n"))
        .collect();
    let url = format!("{}/api/v1/posts", vigie.url);
    let sent = send(|client| client.post(url).bearer_auth(&token).body(posts));
    assert_eq!((sent.status, sent.json()), (202, json!({"accepted": 6, "rejected": []})));
    let status = vigie.wait_received(6);
    let asked = |path: &str| ask(&vigie, &token, "get", path, None);
    let topic = status["topics"][0]["name"].as_str().unwrap().replace(' ', "%20");
    let answer = asked(&format!("/api/v1/windows?topic={topic}&step=600")).json();
    let windows = answer["windows"].as_array().unwrap();
    assert_eq!(answer["step"], 600);
    let sum = |name: &str| windows.iter().map(|window| window[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("posts"), sum("negative") + sum("neutral") + sum("positive")), (6, 6));
    let empty = windows.iter().filter(|window| window["posts"] == 0);
    assert!(empty.clone().count() > 100 && empty.into_iter().all(|window| window["rate"].is_null()));
    assert_eq!(asked("/api/v1/posts/p3").json()["text"], "Air Paradis retard 3");
    let model = asked("/api/v1/model").json();
    assert_eq!((&model["id"], &model["corrections"]["posts"]), (&status["model"], &json!(0)));
    let sources = asked("/api/v1/sources").json();
    assert_eq!(sources["sources"][0]["name"], "push");
    let live = ask(&vigie, "", "get", "/api/v1/live", None);
    assert!(live.body.starts_with("event: status\ndata: {"), "{live:?}");
}

#[test]
fn beyond_loopback_a_session_may_call_with_its_role() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    configure(path, PUSH);
    let mut vigie =
        Vigie::spawn(command(path).env("VIGIE__WEB__LISTEN", "0.0.0.0:0").env("VIGIE_HTTP_TOKEN", "push-token"));
    vigie.url = vigie.url.replace("0.0.0.0", "127.0.0.1");
    for (name, role) in [("vera", "viewer"), ("otto", "operator")] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vigie"))
            .current_dir(path)
            .args(["user", "add", name, "--role", role, "--state", "state", "--config", "vigie.toml"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"correct-horse\n").unwrap();
        assert!(child.wait().unwrap().success());
    }
    let sign_in = |name: &str| {
        let url = format!("{}/sign-in", vigie.url);
        let form = format!("name={name}&password=correct-horse");
        let _provider = client();
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = send(|_| client.post(url).header("content-type", "application/x-www-form-urlencoded").body(form));
        answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    };
    let form_token = |cookie: &str| {
        let url = format!("{}/posts", vigie.url);
        let page = send(|client| client.get(url).header("cookie", cookie)).body;
        page.split("name=\"form_token\" value=\"").nth(1).map(|rest| rest[..64].to_owned())
    };
    let asked_with = |token: Option<String>, cookie: &str, method: &str, path: &str, body: Option<Value>| {
        let (method, url) = (method.to_uppercase().parse().unwrap(), format!("{}{path}", vigie.url));
        send(|client| {
            let request = client.request(method, url).header("cookie", cookie);
            let request = token.iter().fold(request, |request, token| request.header("x-form-token", token));
            body.iter().fold(request, reqwest::RequestBuilder::json)
        })
    };
    let asked = |cookie: &str, method: &str, path: &str, body: Option<Value>| {
        asked_with(form_token(cookie), cookie, method, path, body)
    };
    let (viewer, operator) = (sign_in("vera"), sign_in("otto"));
    let silence = json!({"matchers": ["topic=\"t\""], "seconds": 60, "by": "Mallory"});
    assert_eq!(asked("", "get", "/api/v1/posts", None).status, 401);
    assert_eq!(asked("vigie_session=00", "get", "/api/v1/posts", None).status, 401);
    assert_eq!(asked(&viewer, "get", "/api/v1/posts", None).status, 200);
    let refused = asked(&viewer, "post", "/api/v1/silences", Some(silence.clone()));
    assert_eq!(refused.problem(403), "this needs the role operator, and yours is viewer");
    let forged = asked_with(None, &operator, "post", "/api/v1/silences", Some(silence.clone()));
    assert!(forged.problem(403).contains("X-Form-Token"));
    let made = asked(&operator, "post", "/api/v1/silences", Some(silence));
    assert_eq!((made.status, &made.json()["by"]), (201, &json!("otto")), "signed by who is signed in");
}
