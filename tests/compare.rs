//! `vigie lab compare` as an analyst meets it: twelve rows from one dump, the same every time, and nothing hidden.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const RUNS: [&str; 12] = [
    "TFIDF_LogisticRegression",
    "TFIDF_RandomForest",
    "TFIDF_LightGBM",
    "Word2Vec_LogisticRegression",
    "Word2Vec_RandomForest",
    "Word2Vec_LightGBM",
    "GloVe_LogisticRegression",
    "GloVe_RandomForest",
    "GloVe_LightGBM",
    "DistilBERT_LogisticRegression",
    "DistilBERT_RandomForest",
    "DistilBERT_LightGBM",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Made-up posts in the layout of Sentiment140: no header, polarity 0 or 4. Some words lean to one side, most to none.
fn posts(rows: u64) -> String {
    const SIDES: [[&str; 6]; 2] = [
        ["late", "lost", "cancelled", "angry", "worst", "sad"],
        ["great", "thanks", "love", "smooth", "friendly", "happy"],
    ];
    const NONE: [&str; 10] =
        ["flight", "gate", "crew", "seat", "luggage", "plane", "airport", "boarding", "ticket", "trip"];
    let mut csv = String::new();
    for row in 0..rows {
        // A generator of Knuth's, to be the same everywhere.
        let mut state = row.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut draw = |sides: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % sides
        };
        let side = draw(2);
        // One post in five is labelled against its words.
        let polarity = if draw(5) == 0 { 1 - side } else { side } * 4;
        let mut words: Vec<&str> = (0..5).map(|_| NONE[draw(10) as usize]).collect();
        words.extend((0..2).map(|_| SIDES[side as usize][draw(6) as usize]));
        let (minute, second) = (row / 60 % 60, row % 60);
        let text = words.join(" ");
        writeln!(
            csv,
            "{polarity},{row},Mon Apr 06 {:02}:{minute:02}:{second:02} PDT 2009,NO_QUERY,u{row},\"{text} n{row}\"",
            row / 3600
        )
        .unwrap();
    }
    csv
}

struct Lab(tempfile::TempDir);

impl Lab {
    fn new(rows: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("posts.csv"), posts(rows)).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, out: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
        // LightGBM's threads spin while they wait for each other, which on a busy machine takes minutes.
        command.env("OMP_WAIT_POLICY", "passive").env("OMP_NUM_THREADS", "1");
        command.current_dir(self.0.path()).args(["lab", "compare", "--out", out, "--model"]);
        command.arg(root().join("tests/fixtures/tiny-distilbert/f16")).args(args);
        command
    }

    fn run(&self, out: &str, args: &[&str]) -> Output {
        self.command(out, args).output().unwrap()
    }

    fn json(&self, out: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(out).join("report.json")).unwrap()).unwrap()
    }
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn names(report: &Value) -> Vec<&str> {
    report["runs"].as_array().unwrap().iter().map(|run| run["name"].as_str().unwrap()).collect()
}

/// Without what no two runs share.
fn timeless(mut report: Value) -> Value {
    for name in ["begun", "seconds", "command"] {
        report.as_object_mut().unwrap().remove(name).unwrap();
    }
    for run in report["runs"].as_array_mut().unwrap() {
        for name in ["started", "seconds", "features_seconds"] {
            run.as_object_mut().unwrap().remove(name);
        }
        if let Some(metrics) = run.get_mut("metrics").and_then(Value::as_object_mut) {
            metrics.remove("duration_seconds").unwrap();
            metrics.remove("features_seconds").unwrap();
        }
    }
    report
}

#[test]
fn one_dump_gives_twelve_rows_in_every_form_and_the_same_ones_again() {
    let lab = Lab::new(400);
    let first = lab.run("one", &["posts.csv"]);
    let (table, told) = (said(&first.stdout), said(&first.stderr));
    assert!(first.status.success(), "{told}{table}");
    let read = |name: &str| std::fs::read_to_string(lab.path("one").join(name)).unwrap();
    let (page, markdown, report) = (read("report.html").replace("<wbr>", ""), read("report.md"), lab.json("one"));
    for run in RUNS {
        for text in [&table, &told, &page, &markdown] {
            assert!(text.contains(run), "{run} is not in:\n{text}");
        }
    }
    assert!(!page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "").contains("http"), "the page stands alone");

    let schema = std::fs::read(root().join("src/lab/compare/report/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    let faults: Vec<String> = validator.iter_errors(&report).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 12);
    let accuracies: Vec<f64> = runs.iter().filter_map(|run| run["scores"]["accuracy"].as_f64()).collect();
    assert!(accuracies.is_sorted_by(|a, b| a >= b), "{accuracies:?}");
    for run in runs {
        let status = run["status"].as_str().unwrap();
        assert!(status == "finished" || (status == "not_available" && run["estimator"] == "LightGBM"), "{run}");
    }
    assert_eq!((&report["data"]["split"], &report["data"]["test"]["rows"]), (&"time".into(), &80.into()));
    // Four in five are labelled as their words say; nobody can do better than by chance.
    assert!(accuracies[0] > 0.7, "{accuracies:?}");

    let again = lab.run("two", &["posts.csv"]);
    assert!(again.status.success(), "{}", said(&again.stderr));
    assert_eq!(timeless(report), timeless(lab.json("two")));
}

#[test]
fn two_dumps_and_chosen_runs() {
    let lab = Lab::new(200);
    let all = posts(260);
    let rows: Vec<&str> = all.lines().collect();
    std::fs::write(lab.path("test.csv"), rows[190..].join("\n")).unwrap();
    std::fs::write(lab.path("more.csv"), "text\nflight was late\n").unwrap();
    let args = ["--train", "posts.csv", "--test", "test.csv", "--only", "tfidf_l*n", "--only", "*BERT_RandomForest"];
    let output =
        lab.run("out", &[&args[..], &["--corpus", "more.csv", "--format", "json", "--cache", "cache"]].concat());
    assert!(output.status.success(), "{}", said(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut names = names(&report);
    names.sort_unstable();
    assert_eq!(names, ["DistilBERT_RandomForest", "TFIDF_LogisticRegression"]);
    let data = &report["data"];
    assert_eq!((&data["split"], &data["test"]["rows"], &data["corpus_texts"]), (&Value::Null, &70.into(), &1.into()));
    assert_eq!((&data["dropped_as_test_text"], &data["train"]["rows"]), (&10.into(), &190.into()), "ten stand in both");
    assert_eq!(
        report["command"],
        "vigie lab compare --out out --model ".to_owned()
            + &root().join("tests/fixtures/tiny-distilbert/f16").to_string_lossy()
            + " --train posts.csv --test test.csv --only 'tfidf_l*n' --only '*BERT_RandomForest' --corpus more.csv --format json --cache cache"
    );
}

#[test]
fn what_cannot_be_is_said_in_one_line() {
    let lab = Lab::new(20);
    std::fs::write(lab.path("bare.csv"), "text\nlate\n").unwrap();
    for (args, wanted) in [
        (&["posts.csv", "--only", "TFIDF"][..], "--only TFIDF names no run; the runs are TFIDF_LogisticRegression, "),
        (&["bare.csv"], "bare.csv has no column for label"),
        (&["posts.csv", "--test-share", "1.5"], "--test-share is 1.5; wanted a share between 0 and 1"),
        (&["gone.csv"], "gone.csv"),
        (&["--train", "posts.csv", "--test", "posts.csv"], "also judged by"),
    ] {
        let output = lab.run("out", args);
        let message = said(&output.stderr);
        assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{args:?}: {message}");
        assert!(message.contains(wanted), "{args:?}: {message}");
    }
}

#[test]
fn a_run_that_fails_is_a_row_and_the_others_go_on() {
    let lab = Lab::new(100);
    let output =
        lab.run("out", &["posts.csv", "--only", "*_LogisticRegression", "--only", "GloVe_R*", "--glove", "gone.txt"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output.stderr).contains("2 of 5 runs failed; the table says why"), "{}", said(&output.stderr));
    let report = lab.json("out");
    for run in report["runs"].as_array().unwrap() {
        let failed = run["embedding"] == "GloVe";
        assert_eq!(run["status"], if failed { "failed" } else { "finished" }, "{run}");
        assert_eq!(failed, run["reason"].as_str().is_some_and(|reason| reason.contains("gone.txt")), "{run}");
    }
    assert!(said(&output.stdout).contains("3 of 5 runs finished, 2 failed"), "{}", said(&output.stdout));
}

#[test]
fn an_interrupt_keeps_what_is_finished() {
    let lab = Lab::new(3_000);
    let mut child = lab.command("out", &["posts.csv"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("1/12 TFIDF_LogisticRegression"), "{first}");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let report = lab.json("out");
    let interrupted = report["runs"].as_array().unwrap().iter().filter(|run| run["status"] == "interrupted").count();
    assert!((1..12).contains(&interrupted), "{interrupted}");
    assert!(said(&output.stdout).contains(&format!("{interrupted} interrupted")), "{}", said(&output.stdout));
    assert_eq!(names(&report).len(), 12);
}
