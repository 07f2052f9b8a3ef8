//! `vigie simulate` as a user runs it: streams that are what was asked for, and that replay.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use common::{failure, repository, success, summary, vigie};

/// A row of a simulated stream.
struct Row {
    id: String,
    hour: i64,
    text: String,
    label: String,
    incident: bool,
}

fn simulate(dir: &Path, args: &[&str]) -> std::process::Output {
    vigie(dir).args(["simulate", repository("tests/data/airline.csv").to_str().unwrap()]).args(args).output().unwrap()
}

fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header, ["id", "created_at", "author", "text", "label", "airline", "incident"]);
    let row = |record: csv::StringRecord| Row {
        id: record[0].to_owned(),
        hour: record[1].parse::<jiff::Timestamp>().unwrap().as_second().div_euclid(3_600),
        text: record[3].to_owned(),
        label: record[4].to_owned(),
        incident: &record[6] == "1",
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn share(rows: &[&Row]) -> f64 {
    rows.iter().filter(|row| row.label == "negative").count() as f64 / rows.len() as f64
}

#[test]
fn the_seed_decides_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let draw = |out: &str, seed: &str| {
        success(&simulate(dir.path(), &["--out", out, "--hours", "12", "--seed", seed, "--incident-at", "3h"]));
        fs::read(dir.path().join(out)).unwrap()
    };
    let first = draw("a.csv", "7");
    assert_eq!(first, draw("b.csv", "7"));
    assert_ne!(first, draw("c.csv", "8"));
    let piped = simulate(dir.path(), &["--out", "-", "--hours", "12", "--seed", "7", "--incident-at", "3h"]);
    assert_eq!(piped.stdout, first, "what goes to standard output is the stream alone");
}

#[test]
fn a_stream_has_the_rhythm_and_the_words_of_the_dump() {
    let dir = tempfile::tempdir().unwrap();
    let flags = ["--out", "a.csv", "--days", "40", "--rate", "60", "--day-swing", "0"];
    success(&simulate(dir.path(), &flags));
    let drawn = rows(&dir.path().join("a.csv"));
    assert!((drawn.len() as f64 / (40.0 * 24.0 * 60.0) - 1.0).abs() < 0.05, "{} posts", drawn.len());

    let mut reader = csv::Reader::from_path(repository("tests/data/airline.csv")).unwrap();
    let dump: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let mut of_dump = BTreeMap::<i64, f64>::new();
    let mut of_stream = BTreeMap::<i64, f64>::new();
    for row in &dump {
        let hour = row[1].parse::<jiff::Timestamp>().unwrap().as_second().div_euclid(3_600).rem_euclid(24);
        *of_dump.entry(hour).or_default() += 1.0 / dump.len() as f64;
    }
    drawn.iter().for_each(|row| *of_stream.entry(row.hour.rem_euclid(24)).or_default() += 1.0 / drawn.len() as f64);
    let together: f64 = of_dump.iter().map(|(hour, share)| share.min(of_stream[hour])).sum();
    assert!(together > 0.9, "the days overlap by {together:.2}");

    let texts: HashSet<(&str, &str)> = dump.iter().map(|row| (&row[4], &row[5])).collect();
    assert!(drawn.iter().all(|row| texts.contains(&(row.text.as_str(), row.label.as_str()))));
    let negative = dump.iter().filter(|row| &row[5] == "negative").count() as f64 / dump.len() as f64;
    let found = share(&drawn.iter().collect::<Vec<_>>());
    assert!((found - negative).abs() < 0.02, "{found:.3} for {negative:.3}");
    assert!(drawn.iter().all(|row| !row.incident), "none was asked for");
}

#[test]
fn an_incident_has_the_requested_size_and_is_marked() {
    for (kind, grows) in [("added", true), ("replaced", false)] {
        let dir = tempfile::tempdir().unwrap();
        let monotonic = ["--burstiness", "0", "--day-swing", "0", "--share-swing", "0"];
        let incident =
            ["--incident-at", "2d", "--incident-length", "24h", "--rate-increase", "15", "--incident-posts", kind];
        let flags = [&["--out", "a.csv", "--days", "4", "--rate", "300"][..], &monotonic, &incident].concat();
        let output = simulate(dir.path(), &flags);
        success(&output);
        let output = String::from_utf8(output.stderr).unwrap();
        assert!(output.contains("incident from 2026-01-07T00:00:00Z to 2026-01-08T00:00:00Z"), "{output}");
        let drawn = rows(&dir.path().join("a.csv"));
        let (during, usual): (Vec<&Row>, Vec<&Row>) = drawn.iter().partition(|row| row.incident);
        let first_day = drawn[0].hour;
        assert!(during.iter().all(|row| (48..72).contains(&(row.hour - first_day))));
        assert!(usual.iter().all(|row| !(48..72).contains(&(row.hour - first_day))));
        let increase = share(&during) - share(&usual);
        assert!((increase - 0.15).abs() < 0.03, "{kind}: {increase:.3}");
        let volume = during.len() as f64 * 3.0 / usual.len() as f64;
        assert_eq!(volume > 1.3, grows, "{kind}: {volume:.2} times as many posts");
    }
}

#[test]
fn what_is_drawn_replays_without_a_reject_and_every_post_counts() {
    let dir = tempfile::tempdir().unwrap();
    success(&simulate(
        dir.path(),
        &["--out", "a.csv", "--topic", "US Airways", "--hours", "30", "--incident-at", "20h", "--rate-increase", "10"],
    ));
    let drawn = rows(&dir.path().join("a.csv"));
    // Texts repeat, and a repeated text would be counted once.
    let flags = ["--labels", "column", "--format", "json", "--set", "window.cascade=0s"];
    let replay = vigie(dir.path()).args(["replay", "a.csv"]).args(flags).output().unwrap();
    let summary = summary(&success(&replay));
    assert_eq!((&summary["posts"], &summary["rejected"]), (&drawn.len().into(), &0.into()));
    assert_eq!(summary["duplicates"], 0);
    assert_eq!(drawn.iter().map(|row| row.id.as_str()).collect::<HashSet<_>>().len(), drawn.len());
    assert_eq!(summary["topics"]["US Airways"]["posts"], drawn.len());
}

#[test]
fn what_cannot_be_drawn_is_one_clear_line() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &[&str]); 9] = [
        (&["--topic", "Delta"], &["Delta", "US Airways"]),
        (&["--rate", "0"], &["--rate is 0"]),
        (&["--rate=-5"], &["--rate is -5"]),
        (&["--incident-at", "9d"], &["--incident-at", "end"]),
        (&["--incident-at", "1d", "--rate-increase", "60"], &["--rate-increase is 60", "at most"]),
        (&["--incident-at", "1d", "--rate-increase", "0"], &["--rate-increase is 0"]),
        (&["--incident-at", "1d", "--shape", "slow", "--ramp", "9h"], &["--ramp", "--incident-length"]),
        (&["--share-swing", "1"], &["--share-swing is 1"]),
        (&["--columns", "label=mood"], &["label", "mood"]),
    ];
    for (flags, expected) in cases {
        let flags = [&["--out", "a.csv"], flags].concat();
        let output = simulate(dir.path(), &flags);
        let error = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(!output.status.success(), "{flags:?}");
        for word in expected {
            assert!(error.contains(word), "{flags:?}: {error} does not say `{word}`");
        }
        assert!(!dir.path().join("a.csv").exists(), "{flags:?}");
    }
    let error = failure(&simulate(dir.path(), &["--out", "no/such/folder.csv"]));
    assert!(error.contains("no/such/folder.csv"), "{error}");
}

#[test]
fn one_post_of_another_century_changes_nothing_but_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let labels = ["negative", "neutral", "positive"];
    let row = |post: usize| {
        let (day, hour, minute) = (4 + post / 48, post / 2 % 24, post % 2 * 30);
        format!("{post},2021-05-{day:02}T{hour:02}:{minute:02}:00Z,a{post},post number {post},{}\n", labels[post % 3])
    };
    let dump = "id,created_at,author,text,label\n".to_owned() + &(0..240).map(row).collect::<String>();
    let simulate = |name: &str, more: &str, flags: &[&str]| {
        fs::write(dir.path().join(name), dump.clone() + more).unwrap();
        let flags = [&["simulate", name, "--out", "-", "--days", "3"], flags].concat();
        let output = vigie(dir.path()).args(flags).output().unwrap();
        (success(&output), String::from_utf8(output.stderr).unwrap())
    };
    let (clean, _) = simulate("clean.csv", "", &[]);
    for (name, time) in [("future.csv", "2099-01-01T00:00:00Z"), ("past.csv", "1990-06-01T00:00:00Z")] {
        let more = format!("999,{time},x,wrong clock,negative\n");
        let (stream, warning) = simulate(name, &more, &[]);
        assert_eq!(stream, clean, "{name}");
        assert!(warning.contains(&format!("at line 242: {time}; left out (--keep-outliers uses them)")), "{warning}");
        let (stretched, warning) = simulate(name, &more, &["--keep-outliers"]);
        assert_ne!(stretched, clean, "{name}");
        assert!(!warning.contains("dated far outside"), "{warning}");
    }
}

#[test]
fn mostly_rejected_rows_are_an_error_after_the_output() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "2021-05-04T10:00:00Z,late,negative\n2021-05-04T10:30:00Z,fine,positive\n".to_owned()
        + &"soon,late,negative\n".repeat(3);
    fs::write(dir.path().join("dump.csv"), "created_at,text,label\n".to_owned() + &rows).unwrap();
    let simulate = |flags: &[&str]| {
        let flags = [&["simulate", "dump.csv", "--out", "a.csv", "--hours", "2"], flags].concat();
        vigie(dir.path()).args(flags).output().unwrap()
    };
    let error = failure(&simulate(&[]));
    assert!(
        error.contains("3 of 5 rows of dump.csv were rejected: 3 time; the first at line 4: created_at is not a date"),
        "{error}"
    );
    assert!(dir.path().join("a.csv").exists());
    success(&simulate(&["--max-rejects", "60%"]));
}
