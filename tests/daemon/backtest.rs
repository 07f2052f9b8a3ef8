//! The backtest page of a running daemon: a form, its errors, a result on stored posts, one at a time, and who may.

use std::path::Path;
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::process::{Vigie, client, command, configure, repository};

/// Posts of the last two days.
const POSTS: i64 = 720;

fn write_posts(dir: &Path) {
    let now = Timestamp::now();
    let line = |number: i64| {
        let at = now - SignedDuration::from_secs((POSTS - number) * 240);
        let airline = if number % 9 == 0 { "Blue Air" } else { "Air Paradis" };
        let text = format!("{airline}: vol {number} en retard, porte {}", number * 37 % 101);
        json!({"id": format!("p{number}"), "created_at": at, "text": text, "author": format!("user{}", number % 90)})
    };
    let lines: Vec<String> = (0..POSTS).map(|number| line(number).to_string() + "\n").collect();
    std::fs::write(dir.join("posts.jsonl"), lines.concat()).unwrap();
}

fn start(dir: &Path, listen: &str) -> Vigie {
    // Buckets of a second: a backtest takes long enough for a second one to come meanwhile.
    let source = "[[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\n";
    configure(dir, &format!("[window]\nbucket = \"1s\"\n{source}"));
    write_posts(dir);
    let mut vigie = Vigie::spawn(command(dir).env("VIGIE__WEB__LISTEN", listen));
    vigie.url = vigie.url.replace("0.0.0.0", "127.0.0.1");
    vigie.wait_received(POSTS.unsigned_abs());
    vigie
}

#[test]
fn a_rule_is_tried_on_stored_posts() {
    let dir = tempfile::tempdir().unwrap();
    let vigie = start(dir.path(), "127.0.0.1:0");
    let get = |path: &str| vigie.get(path).unwrap();

    let (status, form) = get("/backtest");
    assert_eq!(status, 200);
    assert!(form.contains("name=\"condition.any[0].false_alarm_every\"") && form.contains("value=\"60d\""), "{form}");
    assert!(form.contains("<option value=\"Air Paradis\"") && !form.contains("PipelineErrors"), "{form}");

    for (address, expected) in [
        ("?rule=Unheard", "unknown rule"),
        ("?rule=PipelineErrors&run=1", "about vigie itself"),
        ("?keep_firing_for=abc&run=1", "expected a duration"),
        ("?condition.any%5B0%5D.min_posts=-3&run=1", "expected a whole number"),
        ("?since=2001-01-01&run=1", "longer than 92 days"),
        ("?since=%00&until=%FF&run=1", "expected a time"),
        ("?topic=Elsewhere&run=1", "no posts of this topic"),
    ] {
        let (status, page) = get(&format!("/backtest{address}"));
        assert!(status == 422 && page.contains(expected), "{address}: {status}\n{page}");
        assert!(!page.contains("<pre"), "{address}: no result");
    }

    let (status, page) = get("/backtest?topic=Air+Paradis&keep_firing_for=2h&condition.any%5B1%5D.min_votes=3&run=1");
    assert!(status == 200 && page.contains("640 posts of the range"), "{status}\n{page}");
    let toml = page.split("<code>[[rule]]").nth(1).unwrap().split("</code>").next().unwrap();
    let escaped = [("&quot;", "\""), ("&#x27;", "'"), ("&#x2f;", "/"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    let toml = escaped.iter().fold(format!("[[rule]]{toml}"), |toml, (from, to)| toml.replace(from, to));
    std::fs::write(dir.path().join("pasted.toml"), &toml).unwrap();
    let checked = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .current_dir(dir.path())
        .args(["check-config", "--config", "vigie.toml", "--set", "rules=pasted.toml", "--model"])
        .arg(repository("tests/fixtures/tiny-distilbert/classifier"))
        .output()
        .unwrap();
    let said = [checked.stdout, checked.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(checked.status.success(), "{said}\n{toml}");
    assert!(toml.contains("keep_firing_for = \"2h\"") && toml.contains("min_votes = 3.0"), "{toml}");
    assert!(vigie.stop().0.success());
}

#[test]
fn one_backtest_runs_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let vigie = start(dir.path(), "127.0.0.1:0");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let answers = runtime.block_on(async {
        let _provider = client();
        let ask = |_| {
            let url = format!("{}/backtest?run=1", vigie.url);
            tokio::spawn(async move {
                let answer = client().get(url).send().await.unwrap();
                let retry = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
                (answer.status().as_u16(), retry, answer.text().await.unwrap())
            })
        };
        futures_util::future::join_all((0..6).map(ask)).await
    });
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let with = |status| answers.iter().filter(move |answer| answer.0 == status);
    assert!(with(200).count() >= 1, "{answers:?}");
    assert!(with(503).count() >= 1 && with(200).count() + with(503).count() == 6, "{answers:?}");
    for (_, retry, page) in with(503) {
        assert!(retry.as_deref() == Some("10") && page.contains("Another backtest is running"), "{page}");
    }
    // The daemon went on meanwhile.
    assert_eq!(vigie.status().unwrap()["totals"]["received"], POSTS);
    assert!(vigie.stop().0.success());
}

#[test]
fn a_viewer_sees_the_form_and_runs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let vigie = start(dir.path(), "0.0.0.0:0");
    let user = |name: &str, role: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vigie"))
            .current_dir(dir.path())
            .args(["user", "add", name, "--role", role, "--state", "state", "--config", "vigie.toml"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"correct-horse\n").unwrap();
        assert!(child.wait().unwrap().success());
    };
    user("vera", "viewer");
    user("anna", "analyst");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let _provider = client();
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        for (name, expected) in [("vera", 403), ("anna", 200)] {
            let form = format!("name={name}&password=correct-horse");
            let sign_in = client.post(format!("{}/sign-in", vigie.url)).body(form);
            let answer = sign_in.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
            let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
            let ask = |path: &str| client.get(format!("{}{path}", vigie.url)).header("cookie", &cookie).send();
            assert_eq!(ask("/backtest").await.unwrap().status().as_u16(), 200, "{name}");
            let answer = ask("/backtest?run=1").await.unwrap();
            assert_eq!(answer.status().as_u16(), expected, "{name}");
        }
    });
    assert!(vigie.stop().0.success());
}
