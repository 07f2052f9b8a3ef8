//! `vigie store`, `vigie posts` and `vigie forget` as a user runs them.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use common::{failure, json_lines, repository, success, vigie};
use serde_json::Value;
use vigie::store::SCHEMA;

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
    assert!(receipt["removed"]["posts"].as_u64().unwrap() > 0, "{receipt}");
    assert!(!receipt.to_string().to_lowercase().contains(&author.to_lowercase()));
    assert!(!holds(&dir.path().join("state"), author) && !holds(&dir.path().join("state"), text));
    success(&run(dir.path(), &["store", "check"]));

    let text = success(&run(dir.path(), &["forget", "--post", "1"]));
    assert!(text.contains("a post") && text.contains("no trace is left in them"), "{text}");
    let error = failure(&run(dir.path(), &["forget", "--author", "@"]));
    assert!(error.contains("empty"), "{error}");
}

#[test]
fn a_store_is_checked_exported_and_restored() {
    let dir = tempfile::tempdir().unwrap();
    replayed(dir.path());
    let check: Value = serde_json::from_str(&success(&run(dir.path(), &["store", "check", "--json"]))).unwrap();
    assert_eq!((&check["schema"], check["problems"].as_array().unwrap().len()), (&SCHEMA.into(), 0));
    let text = success(&run(dir.path(), &["store", "check"]));
    assert!(
        text.contains(&format!("layout version {SCHEMA}")) && text.contains("Alert") && text.contains("PostTerm"),
        "{text}"
    );

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
    // A replay continues from the restored state: it is finished, and notifies nobody again.
    replayed(dir.path());

    fs::write(dir.path().join("bad.jsonl"), format!("{{\"vigie_store\": {SCHEMA}}}\n{{}}\n")).unwrap();
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
    for expected in ["backup-", "db.damaged-", "can be used"] {
        assert!(text.contains(expected), "{text}");
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
    assert!(error.contains("api-token"), "it asks the running vigie: {error}");
}

fn vigie_lock(dir: &Path) -> fs::File {
    let lock = fs::OpenOptions::new().write(true).open(dir.join("state/lock")).unwrap();
    lock.try_lock().unwrap();
    lock
}

#[test]
fn without_a_store_none_is_created() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["store", "check"][..], &["store", "repair"], &["store", "export"], &["forget", "--post", "1"]] {
        let error = failure(&run(dir.path(), args));
        assert!(error.contains("no store found in state"), "{error}");
    }
    assert!(!dir.path().join("state").exists());
}

/// `vigie posts` reads the store, and shows neither more nor less than was kept.
#[test]
fn stored_posts_are_listed_and_filtered() {
    let dir = tempfile::tempdir().unwrap();
    replayed(dir.path());
    let posts = |args: &[&str]| {
        let all = [&["posts", "--json", "--limit", "0"], args].concat();
        json_lines(&success(&run(dir.path(), &all)))
    };
    let all = posts(&[]);
    assert!(all.len() > 2_000, "{}", all.len());
    assert!(all.is_sorted_by_key(|post| std::cmp::Reverse(post["created_at"].as_str().unwrap().to_owned())));
    let negative = posts(&["--label", "negative", "--topic", "Southwest"]);
    let expected = all.iter().filter(|post| post["label"] == "negative" && post["topics"][0] == "Southwest");
    assert!(!negative.is_empty() && negative.len() == expected.count());
    let (text, since) = ("LUGGAGE", all[all.len() / 2]["created_at"].as_str().unwrap());
    let found = posts(&["--text", text, "--since", since]);
    let contains = |post: &&Value| post["text"].as_str().unwrap().to_uppercase().contains(text);
    let later = |post: &&Value| post["created_at"].as_str().unwrap() >= since;
    assert!(!found.is_empty() && found.len() == all.iter().filter(contains).filter(later).count());

    let text = success(&run(dir.path(), &["posts", "--limit", "3", "--label", "positive"]));
    assert!(text.lines().count() == 3 && text.lines().all(|line| line.contains("positive")), "{text}");
    let error = failure(&run(dir.path(), &["posts", "--since", "yesterday"]));
    assert!(error.contains("--since") && error.lines().count() == 1, "{error}");

    let author = all[0]["author"].as_str().unwrap();
    success(&run(dir.path(), &["forget", "--author", author]));
    assert_eq!(posts(&["--author", author]).len(), 0);
    assert!(posts(&[]).len() < all.len());
}

#[test]
fn a_store_of_an_unknown_layout_is_refused_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    replayed(dir.path());
    {
        let store = vigie::store::Store::open(&dir.path().join("state")).unwrap();
        let mut batch = vigie::store::Batch::default();
        batch.put(&vigie::store::Key::new(vigie::store::Table::Meta).text("schema"), &(SCHEMA + 1)).unwrap();
        store.commit(batch).unwrap();
        store.flush().unwrap();
    }
    let expected = format!("unknown layout version {}", SCHEMA + 1);
    for args in [&["store", "check"][..], &["store", "export"], &["posts"]] {
        let error = failure(&run(dir.path(), args));
        assert!(error.contains(&expected) && error.lines().count() == 1, "{error}");
    }
}
