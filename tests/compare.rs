//! `vigie lab compare` from an analyst's view: twelve rows from one dump, reproducible, and complete.
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

/// Made-up posts in the layout of Sentiment140: no header, polarity 0 or 4. Some words indicate a label, most do not.
fn posts(rows: u64) -> String {
    const SIDES: [[&str; 6]; 2] = [
        ["late", "lost", "cancelled", "angry", "worst", "sad"],
        ["great", "thanks", "love", "smooth", "friendly", "happy"],
    ];
    const NONE: [&str; 10] =
        ["flight", "gate", "crew", "seat", "luggage", "plane", "airport", "boarding", "ticket", "trip"];
    let mut csv = String::new();
    for row in 0..rows {
        // Knuth's generator, the same on every machine.
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
        // LightGBM's threads spin while waiting for each other, which takes minutes on a busy machine.
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

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn names(report: &Value) -> Vec<&str> {
    report["runs"].as_array().unwrap().iter().map(|run| run["name"].as_str().unwrap()).collect()
}

/// Without times and durations.
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
fn one_dump_gives_the_same_twelve_rows_in_every_format_each_time() {
    let lab = Lab::new(400);
    let first = lab.run("one", &["posts.csv"]);
    let (table, progress) = (text_of(&first.stdout), text_of(&first.stderr));
    assert!(first.status.success(), "{progress}{table}");
    let read = |name: &str| std::fs::read_to_string(lab.path("one").join(name)).unwrap();
    let (page, markdown, report) = (read("report.html").replace("<wbr>", ""), read("report.md"), lab.json("one"));
    for run in RUNS {
        for text in [&table, &progress, &page, &markdown] {
            assert!(text.contains(run), "{run} is not in:\n{text}");
        }
    }
    assert!(!page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "").contains("http"), "the page is self-contained");

    let schema = std::fs::read(root().join("crates/lab/src/compare/report/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 12);
    let accuracies: Vec<f64> = runs.iter().filter_map(|run| run["scores"]["accuracy"].as_f64()).collect();
    assert!(accuracies.is_sorted_by(|a, b| a >= b), "{accuracies:?}");
    for run in runs {
        let status = run["status"].as_str().unwrap();
        assert!(status == "finished" || (status == "not_available" && run["estimator"] == "LightGBM"), "{run}");
    }
    assert_eq!((&report["data"]["split"], &report["data"]["test"]["rows"]), (&"time".into(), &80.into()));
    // Four in five are labelled by their words; the rest is random.
    assert!(accuracies[0] > 0.7, "{accuracies:?}");

    let again = lab.run("two", &["posts.csv"]);
    assert!(again.status.success(), "{}", text_of(&again.stderr));
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
    assert!(output.status.success(), "{}", text_of(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut names = names(&report);
    names.sort_unstable();
    assert_eq!(names, ["DistilBERT_RandomForest", "TFIDF_LogisticRegression"]);
    let data = &report["data"];
    assert_eq!((&data["split"], &data["test"]["rows"], &data["corpus_texts"]), (&Value::Null, &70.into(), &1.into()));
    assert_eq!((&data["dropped_as_test_text"], &data["train"]["rows"]), (&10.into(), &190.into()), "ten are in both");
    assert_eq!(
        report["command"],
        "vigie lab compare --out out --model ".to_owned()
            + &root().join("tests/fixtures/tiny-distilbert/f16").to_string_lossy()
            + " --train posts.csv --test test.csv --only 'tfidf_l*n' --only '*BERT_RandomForest' --corpus more.csv --format json --cache cache"
    );
}

#[test]
fn invalid_arguments_are_one_line_errors() {
    let lab = Lab::new(20);
    std::fs::write(lab.path("bare.csv"), "text\nlate\n").unwrap();
    for (args, expected) in [
        (&["posts.csv", "--only", "TFIDF"][..], "--only TFIDF matches no run; the runs are TFIDF_LogisticRegression, "),
        (&["bare.csv"], "bare.csv has no column for label"),
        (&["posts.csv", "--test-share", "1.5"], "--test-share is 1.5; expected a share between 0 and 1"),
        (&["gone.csv"], "gone.csv"),
        (&["--train", "posts.csv", "--test", "posts.csv"], "also in the test set"),
    ] {
        let output = lab.run("out", args);
        let message = text_of(&output.stderr);
        assert_eq!((output.status.code(), message.lines().count()), (Some(1), 1), "{args:?}: {message}");
        assert!(message.contains(expected), "{args:?}: {message}");
    }
}

#[test]
fn a_failed_run_is_a_row_and_the_others_continue() {
    let lab = Lab::new(100);
    let output =
        lab.run("out", &["posts.csv", "--only", "*_LogisticRegression", "--only", "GloVe_R*", "--glove", "gone.txt"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text_of(&output.stderr).contains("2 of 5 runs failed; the table says why"), "{}", text_of(&output.stderr));
    let report = lab.json("out");
    for run in report["runs"].as_array().unwrap() {
        let failed = run["embedding"] == "GloVe";
        assert_eq!(run["status"], if failed { "failed" } else { "finished" }, "{run}");
        assert_eq!(failed, run["reason"].as_str().is_some_and(|reason| reason.contains("gone.txt")), "{run}");
    }
    assert!(text_of(&output.stdout).contains("3 of 5 runs finished, 2 failed"), "{}", text_of(&output.stdout));
}

#[test]
fn an_interrupt_keeps_finished_runs() {
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
    assert!(text_of(&output.stdout).contains(&format!("{interrupted} interrupted")), "{}", text_of(&output.stdout));
    assert_eq!(names(&report).len(), 12);
}
