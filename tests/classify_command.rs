//! `vigie classify` as a user runs it, on the shipped model; and a replay with that model.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{alerts, failure, json_lines, repository, success, summary, vigie};
use serde_json::Value;

fn classify(dir: &Path) -> Command {
    let mut command = vigie(dir);
    command.args(["classify", "--format", "json", "--model"]).arg(repository("models/default"));
    command
}

#[test]
fn texts_are_read_as_a_person_would() {
    let dir = tempfile::tempdir().unwrap();
    let texts = [
        "@AirParadis you lost my bag, worst airline ever",
        "I love flying with you, thank you!",
        "Je suis content d'être ici !",
        "Vol annulé, aucune info, trois heures d'attente au guichet. Merci @AirParadis...",
        "L'embarquement commence à 14 h, porte 12.",
    ];
    let lines = json_lines(&success(&classify(dir.path()).args(texts).output().unwrap()));
    let labels: Vec<&str> = lines.iter().map(|line| line["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["negative", "positive", "positive", "negative", "neutral"]);
    for (line, text) in lines.iter().zip(texts) {
        assert_eq!(line["text"], text, "as given, not as cleaned");
        assert!(line["model"].as_str().unwrap().starts_with("default-"));
        let probabilities = line["probabilities"].as_object().unwrap();
        let sum: f64 = probabilities.values().map(|p| p.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5);
        let most = probabilities.iter().max_by(|a, b| a.1.as_f64().unwrap().total_cmp(&b.1.as_f64().unwrap()));
        assert_eq!(most.unwrap().0, line["label"].as_str().unwrap());
    }
}

#[test]
fn a_file_is_classified_in_order_and_a_bad_row_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let long = "so late ".repeat(300);
    fs::write(dir.path().join("posts.csv"), format!("id,text\n9,fine\n7,{long}\n8, \n1,ok\n")).unwrap();
    let output = classify(dir.path()).args(["--file", "posts.csv"]).output().unwrap();
    let ids: Vec<Value> = json_lines(&success(&output)).into_iter().map(|line| line["id"].clone()).collect();
    assert_eq!(ids, ["9", "7", "1"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 row rejected: 1 empty_text"));

    let lines = "{\"id\":\"5\",\"text\":\"hello\"}\n{\"data\":[{\"id\":\"6\",\"text\":\"there\"}]}\n";
    fs::write(dir.path().join("posts.jsonl"), lines).unwrap();
    let output = classify(dir.path()).args(["--file", "posts.jsonl"]).output().unwrap();
    let ids: Vec<Value> = json_lines(&success(&output)).into_iter().map(|line| line["id"].clone()).collect();
    assert_eq!(ids, ["5", "6"]);
}

#[test]
fn a_pipe_gets_an_answer_per_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = classify(dir.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    // Wait for each result before writing the next text: a buffered result would block this test forever.
    for text in ["late again", "merci"] {
        writeln!(input, "{text}").unwrap();
        let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["text"], text);
    }
    drop(input);
    assert!(answers.next().is_none() && child.wait().unwrap().success());
}

#[test]
fn a_damaged_model_is_an_error_that_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("model");
    fs::create_dir(&model).unwrap();
    for file in fs::read_dir(repository("models/default")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), model.join(file.file_name())).unwrap();
    }
    let head = model.join("head.safetensors");
    let mut bytes = fs::read(&head).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&head, bytes).unwrap();
    let error = failure(&vigie(dir.path()).args(["classify", "hello", "--model", "model"]).output().unwrap());
    assert!(error.contains("head.safetensors") && error.contains("sha256") && error.contains("--model"), "{error}");
}

/// Promise 3, with the model: the same probabilities and samples, not only the same counts.
#[test]
fn two_replays_agree_to_the_last_byte() {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = csv::Reader::from_path(repository("tests/data/airline.csv")).unwrap();
    let mut writer = csv::Writer::from_path(dir.path().join("part.csv")).unwrap();
    writer.write_record(reader.headers().unwrap()).unwrap();
    for row in reader.records().skip(900).step_by(2).take(300) {
        writer.write_record(&row.unwrap()).unwrap();
    }
    writer.flush().unwrap();
    // Fires early, so that probabilities and samples are in the output.
    let rules = "[[rule]]\nname = \"Any\"\ncondition = { type = \"negative_rate\", window = \"1h\", above = 0.1, min_posts = 3 }\n";
    fs::write(dir.path().join("rules.toml"), rules).unwrap();
    let run = || {
        let mut command = vigie(dir.path());
        command.args(["replay", "part.csv", "--format", "json", "--rules", "rules.toml", "--model"]);
        success(&command.arg(repository("models/default")).output().unwrap())
    };
    let (first, second) = (run(), run());
    assert_eq!(summary(&first), summary(&second));
    let lines =
        |text: &str| text.lines().filter(|line| !line.contains("\"timing\"")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&first), lines(&second));
    assert!(!alerts(&first).is_empty());
    let labels = &summary(&first)["labels"];
    assert!(["negative", "neutral", "positive"].iter().all(|label| labels[*label].as_u64().unwrap() > 0), "{labels}");
}
