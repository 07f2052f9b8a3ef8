//! Wrong predictions are reported to a running daemon, by the API and by `vigie feedback`: three of them are an alert.

use std::path::Path;

use serde_json::{Value, json};

use crate::process::{Vigie, client, configure, start};

const FILE: &str = "[window]\nbucket = \"1s\"\n[[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\n";

/// Asks with a token, or without; returns the status and what was said.
fn ask(vigie: &Vigie, token: Option<&str>, body: Option<&Value>) -> (u16, String) {
    let url = format!("{}/api/v1/feedback", vigie.url);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let request = match body {
            Some(body) => client().post(url).json(body),
            None => client().get(url),
        };
        let request = token.iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

/// `vigie feedback` beside the daemon, or without one.
fn shell(dir: &Path, vigie: Option<&Vigie>, args: &[&str]) -> (bool, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.current_dir(dir).args(["feedback"]).args(args).args(["--config", "vigie.toml", "--state", "state"]);
    if let Some(vigie) = vigie {
        command.env("VIGIE__WEB__LISTEN", vigie.url.trim_start_matches("http://"));
    } else {
        command.arg("--model").arg(crate::process::repository("tests/fixtures/tiny-distilbert/classifier"));
    }
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn three_wrong_predictions_are_an_alert_and_rows_to_train_on() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), FILE);
    std::fs::write(dir.path().join("posts.jsonl"), "").unwrap();
    let mut vigie = start(dir.path());
    let token = std::fs::read_to_string(dir.path().join("state/api-token")).unwrap();
    let body = json!({"what": "my bag is lost", "label": "positive"});
    assert_eq!(ask(&vigie, None, Some(&body)).0, 401);
    assert_eq!(ask(&vigie, Some("wrong"), None).0, 401);
    assert_eq!(ask(&vigie, Some(&token), Some(&json!({"what": "12345", "label": "positive"}))).0, 404);
    assert_eq!(ask(&vigie, Some(&token), Some(&json!({"what": " ", "label": "positive"}))).0, 400);
    assert_eq!(ask(&vigie, Some(&token), Some(&json!({"what": "a b", "label": "angry"}))).0, 422);

    // Two by the API, each with a label that the model did not give.
    for text in ["my bag is lost", "a fine flight"] {
        let wrong = ["positive", "negative"].into_iter().any(|label| {
            let body = json!({"what": text, "label": label, "by": "dora"});
            let (status, said) = ask(&vigie, Some(&token), Some(&body));
            assert_eq!(status, 200, "{said}");
            let given: Value = serde_json::from_str(&said).unwrap();
            assert_eq!(given["feedback"]["post"]["text"], text);
            given["feedback"]["predicted"] != given["feedback"]["label"]
        });
        assert!(wrong);
    }
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(vigie.status().unwrap()["alerts"], json!([]), "two are not enough");
    // One from the shell.
    let wrong = ["positive", "negative"].into_iter().any(|label| {
        let (good, said) = shell(dir.path(), Some(&vigie), &["late once more", "--label", label]);
        assert!(good, "{said}");
        said.contains("Incorrect prediction")
    });
    assert!(wrong);
    let alert = vigie.wait("the alert", |vigie| vigie.status()?["alerts"].get(0).cloned());
    assert_eq!(
        (&alert["rule"], &alert["topic"], &alert["state"]),
        (&"IncorrectPredictions".into(), &"".into(), &"firing".into())
    );
    let listed = shell(dir.path(), Some(&vigie), &["--json"]).1;
    let page: Value = serde_json::from_str(&ask(&vigie, Some(&token), None).1).unwrap();
    assert_eq!(page["next"], Value::Null);
    let listed_over_http = page["feedback"].as_array().unwrap().clone();
    assert_eq!(serde_json::from_str::<Vec<Value>>(&listed).unwrap(), listed_over_http);
    let log = vigie.stop().1;
    assert!(!log.contains("bag is lost") && !log.contains("dora"), "no text and no name is logged");

    // Without a daemon, on the state itself.
    let (good, said) = shell(dir.path(), None, &["my bag is lost", "--label", "neutral"]);
    assert!(good && !said.contains("Known already"), "{said}");
    let (good, said) = shell(dir.path(), None, &["my bag is lost", "--label", "neutral"]);
    assert!(good && said.contains("Known already"), "{said}");
    let (good, said) = shell(dir.path(), None, &["99", "--label", "neutral"]);
    assert!(!good && said.contains("give its text"), "{said}");
    let (good, said) = shell(dir.path(), None, &["--export", "rows.csv"]);
    // One row for each text, with its last label.
    let texts: std::collections::BTreeSet<&str> =
        listed_over_http.iter().filter_map(|given| given["feedback"]["post"]["text"].as_str()).collect();
    let rows = format!("{} rows in rows.csv", texts.len());
    assert!(good && said.contains(&rows), "{said}");
    let mut reader = csv::Reader::from_path(dir.path().join("rows.csv")).unwrap();
    assert_eq!(reader.headers().unwrap().iter().take(4).collect::<Vec<_>>(), ["id", "created_at", "text", "label"]);
    assert!(reader.records().any(|row| &row.as_ref().unwrap()[2] == "my bag is lost" && &row.unwrap()[3] == "neutral"));
    let (good, said) = shell(dir.path(), None, &["--export", "rows.csv"]);
    assert!(!good && said.contains("rows.csv"), "nothing is overwritten: {said}");
}

#[test]
fn without_a_state_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), FILE);
    let (good, said) = shell(dir.path(), None, &["a text", "--label", "neutral"]);
    assert!(!good && said.contains("no store found in state"), "{said}");
}
