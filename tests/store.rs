//! `vigie store` and `vigie forget` as a user runs them, and a store that an older vigie left.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use common::{failure, json_lines, repository, success, vigie};
use serde_json::Value;

fn run(dir: &Path, args: &[&str]) -> Output {
    vigie(dir).env_remove("STATE_DIRECTORY").args(args).args(["--state", "state"]).output().unwrap()
}

/// The state of a replay of real posts.
fn replayed(dir: &Path) {
    let dump = repository("tests/data/airline.csv").display().to_string();
    success(&run(dir, &["replay", &dump, "--labels", "column"]));
}

fn holds(path: &Path, text: &str) -> bool {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().any(|entry| holds(&entry.unwrap().path(), text));
    }
    fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn an_author_is_forgotten_with_a_receipt() {
    let dir = tempfile::tempdir().unwrap();
    replayed(dir.path());
    let export = success(&run(dir.path(), &["store", "export"]));
    let mut alerts = json_lines(&export).into_iter().filter(|line| line["table"] == "Alert");
    // One of silence shows no post.
    let alert = alerts.find(|line| line["value"]["samples"][0]["author"].is_string()).unwrap();
    let sample = &alert["value"]["samples"][0];
    let (author, text) = (sample["author"].as_str().unwrap(), sample["text"].as_str().unwrap());
    assert!(holds(&dir.path().join("state"), author) && holds(&dir.path().join("state"), text));

    let name = format!("@{}", author.to_uppercase());
    let receipt = success(&run(dir.path(), &["forget", "--author", &name, "--json"]));
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!((&receipt["what"], &receipt["rewritten"]), (&"author".into(), &true.into()));
    assert!(receipt["removed"]["alert_samples"].as_u64().unwrap() > 0, "{receipt}");
    assert!(!receipt.to_string().to_lowercase().contains(&author.to_lowercase()));
    assert!(!holds(&dir.path().join("state"), author) && !holds(&dir.path().join("state"), text));
    success(&run(dir.path(), &["store", "check"]));

    let text = success(&run(dir.path(), &["forget", "--post", "1"]));
    assert!(text.contains("a post") && text.contains("nothing is left in them"), "{text}");
    let error = failure(&run(dir.path(), &["forget", "--author", "@"]));
    assert!(error.contains("empty"), "{error}");
}

#[test]
fn a_store_is_checked_exported_and_restored() {
    let dir = tempfile::tempdir().unwrap();
    replayed(dir.path());
    let check: Value = serde_json::from_str(&success(&run(dir.path(), &["store", "check", "--json"]))).unwrap();
    assert_eq!((&check["schema"], check["faults"].as_array().unwrap().len()), (&3.into(), 0));
    let text = success(&run(dir.path(), &["store", "check"]));
    assert!(text.contains("layout version 3") && text.contains("Alert"), "{text}");

    success(&run(dir.path(), &["store", "export", "--output", "all.jsonl"]));
    success(&run(dir.path(), &["store", "export", "--output", "counts.jsonl", "--no-posts"]));
    assert!(holds(&dir.path().join("all.jsonl"), "USAirways") && !holds(&dir.path().join("counts.jsonl"), "USAirways"));
    let error = failure(&run(dir.path(), &["store", "export", "--output", "all.jsonl"]));
    assert!(error.contains("all.jsonl") && error.contains("exists"), "{error}");
    let error = failure(&run(dir.path(), &["store", "import", "all.jsonl"]));
    assert!(error.contains("already"), "{error}");

    fs::rename(dir.path().join("state"), dir.path().join("before")).unwrap();
    success(&run(dir.path(), &["store", "import", "all.jsonl"]));
    success(&run(dir.path(), &["store", "export", "--output", "again.jsonl"]));
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("again.jsonl"), read("all.jsonl"));
    // A replay goes on from the restored state: it is finished, and tells nobody again.
    replayed(dir.path());

    fs::write(dir.path().join("bad.jsonl"), "{\"vigie_store\": 3}\n{}\n").unwrap();
    fs::rename(dir.path().join("state"), dir.path().join("restored")).unwrap();
    let error = failure(&run(dir.path(), &["store", "import", "bad.jsonl"]));
    assert!(error.contains("bad.jsonl") && error.contains("line 2"), "{error}");
    success(&run(dir.path(), &["store", "import", "all.jsonl"]));
}

#[test]
fn a_damaged_store_is_refused_with_the_way_out_and_repaired() {
    let dir = tempfile::tempdir().unwrap();
    replayed(dir.path());
    let db = dir.path().join("state/db/db");
    let mut bytes = fs::read(&db).unwrap();
    bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(&db, bytes).unwrap();
    for args in [&["store", "check"][..], &["forget", "--post", "1"], &["store", "export"]] {
        let error = failure(&run(dir.path(), args));
        assert!(error.contains("`vigie store repair`") && error.lines().count() == 1, "{error}");
    }
    let text = success(&run(dir.path(), &["store", "repair"]));
    for wanted in ["backup-", "db.damaged-", "can be used"] {
        assert!(text.contains(wanted), "{text}");
    }
    success(&run(dir.path(), &["store", "check"]));
    let text = success(&run(dir.path(), &["store", "repair", "--no-backup"]));
    assert!(text.contains("Nothing was damaged"), "{text}");
}

#[test]
fn a_store_in_use_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    replayed(dir.path());
    let _held = vigie_lock(dir.path());
    for args in [&["store", "check"][..], &["store", "repair"], &["store", "export"]] {
        let started = Instant::now();
        let error = failure(&run(dir.path(), args));
        assert!(error.contains("in use by another vigie") && error.contains("state"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
    let error = failure(&run(dir.path(), &["forget", "--post", "1"]));
    assert!(error.contains("api-token"), "a running vigie would be asked: {error}");
}

fn vigie_lock(dir: &Path) -> fs::File {
    let lock = fs::OpenOptions::new().write(true).open(dir.join("state/lock")).unwrap();
    lock.try_lock().unwrap();
    lock
}

#[test]
fn where_no_store_is_none_is_made() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["store", "check"][..], &["store", "repair"], &["store", "export"], &["forget", "--post", "1"]] {
        let error = failure(&run(dir.path(), args));
        assert!(error.contains("no store in state"), "{error}");
    }
    assert!(!dir.path().join("state").exists());
}

#[test]
fn a_store_of_the_first_layout_is_taken_over() {
    taken_over(1);
}

#[test]
fn a_store_of_the_second_layout_is_taken_over() {
    taken_over(2);
}

/// The fixtures are what vigie at commits 0027d3d and 16791d0 left of a replay when it could not tell of its third alert,
/// packed by tar; beside them are the lines it had printed or would have.
fn taken_over(layout: u32) {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::create_dir(&state).unwrap();
    let fixture = repository(&format!("tests/fixtures/store-v{layout}.tar.gz"));
    assert!(Command::new("tar").arg("-xzf").arg(fixture).arg("-C").arg(&state).status().unwrap().success());
    let told = json_lines(&fs::read_to_string(repository(&format!("tests/fixtures/store-v{layout}.jsonl"))).unwrap());

    let text = success(&run(dir.path(), &["store", "check"]));
    assert!(text.contains(&format!("layout version {layout}")), "{text}");
    let records = json_lines(&success(&run(dir.path(), &["store", "export"])));
    let text = success(&run(dir.path(), &["store", "check"]));
    assert!(text.contains("layout version 3"), "{text}");

    let of = |table: &str| -> Vec<&Value> {
        records.iter().filter(|line| line["table"] == table).map(|line| &line["value"]).collect()
    };
    // The alerts it printed as resolved, and the one that fires and was told to nobody, with their posts.
    let same = |stored: &Value, told: &Value| {
        let mut stored = stored.clone();
        for sample in stored["samples"].as_array_mut().unwrap() {
            let sample = sample.as_object_mut().unwrap();
            if layout == 1 {
                assert_eq!((sample.remove("author_id"), sample.remove("url")), (Some(Value::Null), Some(Value::Null)));
            }
        }
        // What later layouts tell beside.
        for later in ["explanation", "story"] {
            assert!(stored.as_object_mut().unwrap().remove(later).is_some());
        }
        for measured in ["fired_on", "peak", "latest"] {
            assert_eq!(stored[measured].as_object_mut().unwrap().remove("corrected"), Some(Value::Null));
        }
        assert!(!stored["samples"].as_array().unwrap().is_empty());
        for (key, value) in stored.as_object().unwrap() {
            assert_eq!(value, &told[key], "{key}");
        }
    };
    let resolved: Vec<&Value> = told.iter().filter(|line| line["status"] == "resolved").collect();
    assert_eq!((of("Alert").len(), resolved.len()), (2, 2));
    of("Alert").into_iter().zip(resolved).for_each(|(stored, told)| same(stored, told));
    let waiting = of("Outbox");
    assert_eq!((waiting.len(), told.len()), (1, 5));
    same(&waiting[0]["alert"], &told[4]);
    let firing: Vec<&Value> = of("Tracker").into_iter().filter(|tracked| !tracked["alert"].is_null()).collect();
    assert_eq!(firing.len(), 1);
    assert_eq!(firing[0]["alert"]["fingerprint"], told[4]["fingerprint"]);
    assert!(!of("Sample").is_empty());

    // What was counted is what the dump holds up to there, in the order of time.
    let done = of("Cursor")[0][0].as_u64().unwrap();
    let mut reader = csv::Reader::from_path(repository("tests/data/airline.csv")).unwrap();
    let mut rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    rows.sort_by_key(|row| row[1].to_owned());
    let negative = rows.iter().take(usize::try_from(done).unwrap()).filter(|row| &row[5] == "negative").count();
    let totals = of("Totals")[0];
    assert_eq!(totals["posts"], done);
    assert_eq!(totals["labels"]["negative"], negative);
    assert_eq!((&totals["alerts"], &totals["received"], &totals["rejected"]), (&3.into(), &0.into(), &0.into()));
}
