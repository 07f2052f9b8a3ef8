//! A store is exported, read without vigie, and restored; damaged records are found and set aside; damaged files end in
//! an error or in a store that works.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::*;
use crate::classify::{ClassifiedPost, Label, Prediction};
use crate::monitor::state::{check, repair};
use crate::monitor::{Monitor, window};
use crate::post::{Post, RejectedRecord};

const RULES: &str = r#"
    [[rule]]
    name = "Volume"
    condition = { type = "negative_volume", window = "10m", min_posts = 5, above = 10 }
"#;

fn open(dir: &Path) -> Monitor {
    let config = window::Config::default();
    let rules = toml::from_str(RULES).unwrap();
    let mut monitor = Monitor::open(Store::open(dir).unwrap(), config, rules).unwrap();
    monitor.keep_posts(true);
    monitor
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60 + 30).unwrap()
}

/// A store with records in every table that the monitor writes.
fn fill(dir: &Path) {
    let mut monitor = open(dir);
    monitor.forget(&crate::monitor::Selector::Post("1".into()), at(0)).unwrap();
    let correction = crate::monitor::Correction {
        what: "a very personal correction".into(),
        label: Label::Neutral,
        by: Some("ann_smith".into()),
        is_text: false,
    };
    let subject = monitor.find_subject(&correction.what, false, at(0)).unwrap().unwrap();
    let prediction = Prediction { label: Label::Negative, probabilities: [0.7, 0.2, 0.1], reason: None };
    monitor.record_feedback(&correction, subject, ("model", &prediction), at(0)).unwrap();
    for minute in (0..20).chain(60..65) {
        monitor.advance(at(minute));
        for i in 0..4 {
            // The last came late.
            let post = Post {
                id: format!("{minute}-{i}"),
                created_at: at(if i == 3 { minute - 1 } else { minute }),
                author: Some(if i == 0 { "ann_smith".into() } else { format!("one_of_many_{minute}_{i}") }),
                text: format!("a very personal text {minute} {i}"),
                ..Post::default()
            };
            let prediction = Prediction { label: Label::Negative, probabilities: [0.7, 0.2, 0.1], reason: None };
            monitor.observe("x", &["t"], &ClassifiedPost { post, prediction }).unwrap();
        }
        monitor.add_dead_letter("x", at(minute), &RejectedRecord { reason: "json".into(), ..unusable() });
        let cursor = crate::source::Cursor::new(&minute).unwrap();
        monitor.set_cursor("x-search", &cursor).unwrap();
        monitor.commit().unwrap();
        monitor.flush().unwrap();
    }
    // What the dispatcher keeps.
    let mut batch = Batch::default();
    batch.put(&Key::new(Table::Dispatch).text("incident/T-1"), &"{}".to_owned()).unwrap();
    let alert = monitor.outbox().next().unwrap().alert.clone();
    batch.put(&Key::new(Table::IncidentAlert).text("T-1").text("a-1"), &alert).unwrap();
    monitor.store().commit(batch).unwrap();
}

fn unusable() -> RejectedRecord {
    RejectedRecord { reason: "time".into(), detail: "none".into(), raw: "a very personal row".into() }
}

fn exported(store: &Store, posts: bool) -> String {
    let mut out = Vec::new();
    export(store, &mut out, posts).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_is_exported_is_restored() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(dir.path());
    let store = Store::open(dir.path()).unwrap();
    let text = exported(&store, true);
    for table in Table::ALL.iter().filter(|table| **table != Table::OperationalAlert) {
        assert!(text.contains(&format!("\"table\":\"{}\"", table.name())), "{table:?}");
    }
    let restored = Store::open(other.path()).unwrap();
    assert_eq!(import(&restored, text.as_bytes()).unwrap(), store.records().count() as u64);
    assert_eq!(exported(&restored, true), text);
    assert!(matches!(import(&restored, text.as_bytes()), Err(ExportError::NotEmpty)));
    drop((store, restored));
    assert_eq!(open(other.path()).report().unwrap(), open(dir.path()).report().unwrap());
}

#[test]
fn without_posts_there_is_no_text_and_no_author() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(dir.path());
    let text = exported(&Store::open(dir.path()).unwrap(), false);
    assert!(!text.contains("personal") && !text.contains("ann_smith"));
    let restored = Store::open(other.path()).unwrap();
    import(&restored, text.as_bytes()).unwrap();
    assert!(check::check(&restored).unwrap().is_sound());
}

#[test]
fn anything_but_an_export_is_refused_by_line() {
    let first = json!({"vigie_store": SCHEMA}).to_string();
    let unknown = format!("layout version 999, expected {SCHEMA}");
    for (lines, expected) in [
        (vec!["{\"a\": 1}"], "line 1: no layout version"),
        (vec!["{\"vigie_store\": 999}"], unknown.as_str()),
        (vec![first.as_str(), "nonsense"], "line 2"),
        (vec![&first, r#"{"table": "Alarm", "key": [], "value": 1}"#], "unknown table \"Alarm\""),
        (vec![&first, r#"{"table": "Totals", "key": [{"number": 1}], "value": 1}"#], "line 2: its key"),
        (vec![&first, r#"{"table": "Totals", "key": [], "value": 1}"#], "line 2: invalid type"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let error = import(&Store::open(dir.path()).unwrap(), lines.join("\n").as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn damaged_records_are_named_and_moved_to_a_file() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let store = Store::open(dir.path()).unwrap();
    let whole = check::check(&store).unwrap();
    assert!(whole.is_sound() && whole.schema == Some(SCHEMA), "{whole:?}");
    let mut batch = Batch::default();
    batch.put_raw(&Key::new(Table::RuleState).text("t").text("Volume"), vec![0xff; 3]);
    batch.put_raw(&Key::new(Table::Outbox).text("not a number"), vec![0]);
    batch.put(&Key::new(Table::History).text("gone").time(0), &HourRecord::default()).unwrap();
    batch.put(&Key::new(Table::Topic).text("t2"), &(1_i64, None::<i64>, 7_u8)).unwrap();
    store.commit(batch).unwrap();
    store.flush().unwrap();
    let found = check::check(&store).unwrap().problems;
    let problems: Vec<String> = found.iter().map(|found| format!("{}: {}", found.key, found.problem)).collect();
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("\"gone\" 0: its topic is unknown")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("1 bytes too many")), "{problems:?}");
    drop(store);
    let config = window::Config::default();
    let rules = toml::from_str(RULES).unwrap();
    let error = Monitor::open(Store::open(dir.path()).unwrap(), config, rules).unwrap_err().to_string();
    assert!(error.contains("`vigie store check`") && error.contains("`vigie store repair`"), "{error}");

    let repaired = repair::repair(dir.path(), false, at(70)).unwrap();
    assert_eq!((repaired.removed, repaired.backup), (4, None));
    let damaged = repaired.damaged.unwrap();
    assert_eq!(fs::read_to_string(&damaged).unwrap().lines().count(), 4);
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&damaged).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(check::check(&Store::open(dir.path()).unwrap()).unwrap().is_sound());
    open(dir.path());
}

/// A block of posts that is damaged, and an index that lost a record: the other posts are found again after a repair.
#[test]
fn a_repair_makes_the_indexes_of_the_posts_again() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let store = Store::open(dir.path()).unwrap();
    let posts = |store: &Store| -> usize {
        let table = Key::new(Table::Post);
        store.records().map(Result::unwrap).filter(|(key, _)| key.as_bytes().starts_with(table.as_bytes())).count()
    };
    let before = posts(&store);
    let first = |table| store.keys(&Key::new(table)).next().unwrap().unwrap();
    let mut batch = Batch::default();
    batch.put_raw(&first(Table::Post), vec![0xff; 9]);
    batch.remove(&first(Table::PostLabel));
    batch.remove(&first(Table::PostTerm));
    store.commit(batch).unwrap();
    store.flush().unwrap();
    let problems = check::check(&store).unwrap().problems;
    assert!(problems.iter().any(|problem| problem.problem.contains("missing in an index")), "{problems:?}");
    drop(store);

    let repaired = repair::repair(dir.path(), false, at(70)).unwrap();
    assert_eq!((repaired.removed, repaired.reindexed), (1, true));
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(posts(&store), before - 1);
    assert!(check::check(&store).unwrap().is_sound());
    let last = crate::monitor::post_of_id(&store.reader().view(), "64-0").unwrap();
    assert_eq!(last.unwrap().author.as_deref(), Some("ann_smith"));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Opens, checks, repairs and opens again; returns how it went.
fn survive(dir: &Path, how: &str, whole: usize) -> &'static str {
    let sound = match Store::open_as_is(dir) {
        Ok(store) => {
            let sound = check::check(&store).map(|check| check.is_sound());
            println!("{how}: read {} of {whole}", store.records().count());
            sound
        }
        Err(error) => Err(error),
    };
    match sound {
        Ok(true) => return "sound",
        Ok(false) => {}
        Err(error) => {
            let error = error.to_string();
            assert!(error.contains("vigie store") || error.contains("cannot be opened"), "{how}: {error}");
        }
    }
    repair::repair(dir, true, at(70)).unwrap_or_else(|error| panic!("{how}: {error}"));
    let store = Store::open(dir).unwrap_or_else(|error| panic!("{how}, repaired: {error}"));
    let check = check::check(&store).unwrap();
    assert!(check.is_sound(), "{how}: {check:?}");
    let kept = store.records().count();
    drop(store);
    open(dir);
    println!("{how}: kept {kept} of {whole}");
    if kept > 1 { "saved" } else { "lost" }
}

#[test]
fn damaged_files_end_in_an_error_or_a_store_that_works() {
    let whole = tempfile::tempdir().unwrap();
    fill(whole.path());
    let records = Store::open(whole.path()).unwrap().records().count();
    let mut outcomes = std::collections::BTreeMap::<&str, u32>::new();
    for file in files(whole.path()).iter().filter(|file| file.file_name().is_some_and(|name| name != "lock")) {
        let bytes = fs::read(file).unwrap();
        let name = file.strip_prefix(whole.path()).unwrap();
        // What is behind the last byte that was written is only room.
        let size = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        // sled's log is what matters; of the small files beside it the head and the middle will do.
        let spots = if name.ends_with("db") { 12 } else { 2 };
        let spots = (0..spots).map(|i| i * size / spots).filter(|at| *at < size);
        for spot in spots {
            for (kind, damage) in [
                ("flipped", Box::new(|bytes: &mut Vec<u8>| bytes[spot] ^= 0xff) as Box<dyn Fn(&mut Vec<u8>)>),
                ("cut", Box::new(|bytes: &mut Vec<u8>| bytes.truncate(spot))),
                (
                    "zeroed",
                    Box::new(|bytes: &mut Vec<u8>| {
                        let end = (spot + 512).min(bytes.len());
                        bytes[spot..end].fill(0);
                    }),
                ),
            ] {
                let dir = tempfile::tempdir().unwrap();
                copy(whole.path(), dir.path());
                let mut bytes = bytes.clone();
                damage(&mut bytes);
                fs::write(dir.path().join(name), bytes).unwrap();
                let how = format!("{} {kind} at {spot} of {size}", name.display());
                let outcome = survive(dir.path(), &how, records);
                *outcomes.entry(outcome).or_default() += 1;
            }
        }
    }
    println!("{outcomes:?}");
    assert!(outcomes.values().sum::<u32>() > 30 && outcomes["saved"] > 5 * outcomes["lost"], "{outcomes:?}");
}
