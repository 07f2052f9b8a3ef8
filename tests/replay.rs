//! `vigie replay` as a user runs it, on real posts and on bad input.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use common::{alerts, failure, json_lines, repository, success, summary, vigie};

fn replay(dir: &Path, args: &[&str]) -> Output {
    vigie(dir).arg("replay").args(args).output().unwrap()
}

fn airline() -> String {
    repository("tests/data/airline.csv").display().to_string()
}

/// Replays the labels of the dump, so that the expected numbers are known.
fn given_labels(dir: &Path, dump: &str, more: &[&str]) -> Output {
    let args = [&[dump, "--labels", "column", "--format", "json"], more].concat();
    replay(dir, &args)
}

#[test]
fn the_summary_agrees_with_the_dump() {
    let dir = tempfile::tempdir().unwrap();
    let text = success(&given_labels(dir.path(), &airline(), &[]));
    let summary = summary(&text);

    let mut reader = csv::Reader::from_path(airline()).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let count = |expected: &str| rows.iter().filter(|row| &row[5] == expected).count();
    assert_eq!(summary["posts"], rows.len());
    assert_eq!(summary["rejected"], 0);
    for label in ["negative", "neutral", "positive"] {
        assert_eq!(summary["labels"][label], count(label), "{label}");
    }
    let firing = alerts(&text).iter().filter(|alert| alert["status"] == "firing").count();
    assert_eq!(summary["alerts"], firing);
    assert!(firing > 0, "the storm of 22 February 2015 is in the slice");
    assert_eq!(summary["topics"].as_object().unwrap().len(), 2);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn an_alert_line_holds_what_a_reader_needs() {
    let dir = tempfile::tempdir().unwrap();
    let text = success(&given_labels(dir.path(), &airline(), &[]));
    let fired = alerts(&text).into_iter().find(|alert| alert["status"] == "firing").unwrap();
    for key in ["rule", "topic", "labels", "annotations", "starts_at", "fired_at", "fingerprint", "key"] {
        assert!(!fired[key].is_null(), "{key}");
    }
    let numbers = &fired["fired_on"];
    assert!(numbers["lower_bound"].as_f64().unwrap() > numbers["threshold"].as_f64().unwrap());
    assert!(!fired["samples"].as_array().unwrap().is_empty());
    assert!(fired["annotations"]["summary"].as_str().unwrap().contains(fired["topic"].as_str().unwrap()));
}

#[test]
fn order_packing_and_way_in_do_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let dump = fs::read_to_string(airline()).unwrap();
    let plain = success(&given_labels(dir.path(), &airline(), &[]));
    let lines = |text: &str| {
        let mut lines = json_lines(text);
        lines.last_mut().unwrap().as_object_mut().unwrap().remove("timing");
        lines
    };

    let mut reader = csv::Reader::from_path(airline()).unwrap();
    let mut rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    rows.reverse();
    let newest_first = dir.path().join("newest-first.csv");
    let mut writer = csv::Writer::from_path(&newest_first).unwrap();
    writer.write_record(reader.headers().unwrap()).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.flush().unwrap();
    let reversed = success(&given_labels(dir.path(), newest_first.to_str().unwrap(), &[]));
    assert_eq!(lines(&reversed), lines(&plain));

    let packed = dir.path().join("dump"); // gzip is detected by content
    let mut gz = flate2::write::GzEncoder::new(fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    gz.write_all(dump.as_bytes()).unwrap();
    gz.finish().unwrap();
    let unpacked = success(&given_labels(dir.path(), packed.to_str().unwrap(), &[]));
    assert_eq!(lines(&unpacked), lines(&plain));

    let mut child = vigie(dir.path())
        .args(["replay", "-", "--labels", "column", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(dump.as_bytes()).unwrap();
    let piped = success(&child.wait_with_output().unwrap());
    assert_eq!(lines(&piped), lines(&plain));
}

#[test]
fn the_last_minute_of_a_dump_is_judged_too() {
    let dir = tempfile::tempdir().unwrap();
    let rows: String = (0..30).map(|i| format!("{i},2015-02-20T10:00:{i:02}Z,A,late,negative\n")).collect();
    fs::write(dir.path().join("dump.csv"), format!("id,created_at,airline,text,label\n{rows}")).unwrap();
    let rule = "[[rule]]\nname = \"Many\"\ncondition = { type = \"negative_volume\", window = \"1h\", above = 10 }\n";
    fs::write(dir.path().join("rules.toml"), rule).unwrap();
    let flags = ["--rules", "rules.toml", "--state", "state"];
    let first = success(&given_labels(dir.path(), "dump.csv", &flags));
    assert_eq!(alerts(&first).len(), 1);
    let again = success(&given_labels(dir.path(), "dump.csv", &flags));
    assert_eq!((summary(&again), alerts(&again).len()), (summary(&first), 0), "a finished replay stays as it is");
}

#[test]
fn posts_without_a_topic_are_skipped_only_if_configured_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("dump.csv"), "id,created_at,text,label\n1,2015-02-20T10:00:00Z,hello,neutral\n").unwrap();
    fs::write(dir.path().join("vigie.toml"), "rules = \"rules.toml\"\nunmatched_topic = \"\"\n").unwrap();
    fs::write(dir.path().join("rules.toml"), "").unwrap();
    let summary = summary(&success(&given_labels(dir.path(), "dump.csv", &["--config", "vigie.toml"])));
    assert_eq!((&summary["posts"], &summary["unmatched"]), (&0.into(), &1.into()));
}

#[test]
fn bad_rows_are_counted_kept_and_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let dump = dir.path().join("bad.csv");
    let rows = [
        "id,created_at,airline,text,label",
        "1,2015-02-20T10:00:00Z,A,fine,negative",
        "2,not a time,A,fine,negative",
        "3,2015-02-20T10:00:00Z,A,fine",
        "4,2015-02-20T10:00:00Z,A,   ,negative",
        "1,2015-02-20T10:00:00Z,A,fine,negative",
    ];
    let mut bytes = rows.join("\n").into_bytes();
    bytes.extend_from_slice(b"\n5,2015-02-20T10:00:00Z,A,caf\xe9,negative\n");
    fs::write(&dump, bytes).unwrap();

    let summary = summary(&success(&given_labels(dir.path(), "bad.csv", &[])));
    assert_eq!((&summary["posts"], &summary["duplicates"], &summary["rejected"]), (&2.into(), &1.into(), &3.into()));
    let reasons = serde_json::json!({"time": 1, "field_count": 1, "empty_text": 1});
    assert_eq!(summary["rejected_by_reason"], reasons);

    let mut rejects = csv::Reader::from_path(dir.path().join("bad.csv.rejects.csv")).unwrap();
    let lines: Vec<String> = rejects.records().map(|record| record.unwrap()[0].to_owned()).collect();
    assert_eq!(lines, ["3", "4", "5"], "a row in windows-1252 is read");
}

#[test]
fn what_cannot_be_replayed_is_one_clear_line() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("no-text.csv"), "id,created_at,words\n1,2015-02-20T10:00:00Z,hello\n").unwrap();
    fs::write(dir.path().join("no-good.csv"), "id,created_at,text\nneutral,yesterday,hello\n").unwrap();
    fs::write(dir.path().join("empty.csv"), "").unwrap();
    let cases: [(&str, &[&str]); 5] = [
        ("gone.csv", &["gone.csv", "no such file"]),
        ("no-text.csv", &["no-text.csv", "text", "words", "--columns"]),
        ("no-good.csv", &["no-good.csv", "no usable rows", "line 2", "no-good.csv.rejects.csv"]),
        ("empty.csv", &["empty.csv", "empty"]),
        (".", &["./no-text.csv", "text", "words"]),
    ];
    for (dump, expected) in cases {
        let error = failure(&replay(dir.path(), &[dump, "--labels", "column", "--columns", "label=id"]));
        for word in expected {
            assert!(error.contains(word), "{dump}: {error} does not say `{word}`");
        }
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_missing_model_is_named_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let error = failure(&replay(dir.path(), &[&airline(), "--model", "no/model"]));
    assert!(error.contains("no/model") && error.contains("--model DIR"), "{error}");
}

#[test]
fn a_missing_configuration_or_rule_file_is_named_once() {
    let dir = tempfile::tempdir().unwrap();
    for flag in ["--config", "--rules"] {
        let error = failure(&replay(dir.path(), &[&airline(), flag, "gone.toml"]));
        assert_eq!(error.matches("gone.toml").count(), 1, "{error}");
        assert_eq!(error.matches("No such file").count(), 1, "{error}");
    }
}

#[test]
fn a_state_is_taken_up_and_never_mixed() {
    let dir = tempfile::tempdir().unwrap();
    let state = ["--state", "state"];
    let first = success(&given_labels(dir.path(), &airline(), &state));
    let second = success(&given_labels(dir.path(), &airline(), &state));
    assert_eq!(summary(&second), summary(&first));
    assert_eq!(alerts(&second).len(), 0, "all were sent already");

    fs::write(dir.path().join("other.csv"), "id,created_at,text,label\n1,2015-02-20T10:00:00Z,hello,neutral\n")
        .unwrap();
    let error = failure(&given_labels(dir.path(), "other.csv", &state));
    assert!(error.contains("other dump") && error.contains("--state"), "{error}");
    fs::write(dir.path().join("rules.toml"), "").unwrap();
    let error = failure(&given_labels(dir.path(), &airline(), &[&state[..], &["--rules", "rules.toml"]].concat()));
    assert!(error.contains("other rules"), "{error}");
}

#[test]
fn any_csv_replays_by_a_column_mapping() {
    let dir = tempfile::tempdir().unwrap();
    let dump = "posted;who;words;mood;brand\n20/02/2015 10:00;ann;late again;negative;A\n20/02/2015 10:01;bob;fine;positive;B\n";
    fs::write(dir.path().join("any.csv"), dump).unwrap();
    let flags = [
        "--columns",
        "created_at=posted,author=who,text=words,label=mood",
        "--topic-column",
        "brand",
        "--time-format",
        "%d/%m/%Y %H:%M",
    ];
    let summary = summary(&success(&given_labels(dir.path(), "any.csv", &flags)));
    assert_eq!(summary["posts"], 2);
    assert_eq!(summary["topics"]["A"]["negative"], 1);
    assert_eq!(summary["topics"]["B"]["positive"], 1);
}

#[test]
fn topics_come_from_the_configuration_too() {
    let dir = tempfile::tempdir().unwrap();
    let dump = "id,created_at,text,label\n\
        1,2015-02-20T10:00:00Z,Merci @AirParadis !,positive\n\
        2,2015-02-20T10:00:00Z,AIR PARADIS a perdu ma valise,negative\n\
        3,2015-02-20T10:00:00Z,rien à voir,neutral\n";
    fs::write(dir.path().join("dump.csv"), dump).unwrap();
    let topics = summary(&success(&given_labels(dir.path(), "dump.csv", &[])))["topics"].clone();
    assert_eq!((&topics["Air Paradis"]["posts"], &topics["other"]["posts"]), (&2.into(), &1.into()));
}

#[test]
fn the_timeline_speaks_both_languages() {
    let dir = tempfile::tempdir().unwrap();
    let in_language =
        |language| success(&replay(dir.path(), &[&airline(), "--labels", "column", "--language", language]));
    let english = in_language("en");
    assert!(english.contains("US Airways\n") && english.contains("alerts"), "{english}");
    assert!(english.contains("last hour: 21 of 28 posts negative (75%)"), "the annotation: {english}");
    let french = in_language("fr");
    assert!(french.contains("alertes") && french.contains("dernière heure"), "{french}");
    assert!(english.lines().all(|line| !line.contains('\u{1b}')));
}

/// The mails that a replay of the airline slice sends, by file name.
fn mails(language: &str) -> std::collections::BTreeMap<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let receiver = "[[receiver]]\nname = 'desk'\ntype = 'email'\ntransport = 'directory'\ndirectory = 'mails'\n\
                    from = 'vigie@example.com'\nto = ['desk@example.com']\n";
    let rules = repository("config/rules.toml");
    let config = format!("language = '{language}'\nrules = '{}'\n{receiver}", rules.display());
    fs::write(dir.path().join("vigie.toml"), config).unwrap();
    success(&given_labels(dir.path(), &airline(), &["--config", "vigie.toml", "--notify"]));
    let read = |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()));
    let files = fs::read_dir(dir.path().join("mails")).unwrap().map(|entry| read(entry.unwrap()));
    files.map(|(name, text)| (name, text.unwrap())).collect()
}

#[test]
fn receivers_are_notified_in_event_time_with_one_thread_per_incident() {
    let sent = mails("fr");
    assert_eq!(sent, mails("fr"), "two replays send the same mails, byte for byte");

    let header = |mail: &str, name: &str| {
        let line = mail.lines().find(|line| line.starts_with(&format!("{name}: ")));
        line.map(|line| line[name.len() + 2..].trim().to_owned())
    };
    let roots: Vec<String> = sent
        .values()
        .filter(|mail| header(mail, "References").is_none())
        .map(|mail| header(mail, "Message-ID").unwrap())
        .collect();
    assert_eq!(roots.len(), 2, "one incident of each airline");
    for mail in sent.values() {
        assert!(mail.contains("Auto-Submitted: auto-generated"));
        if let Some(root) = header(mail, "References") {
            assert!(roots.contains(&root), "{root} is the root of a thread");
        }
    }
    // Reminders have the numbers of their own time.
    let mut texts: Vec<&str> = sent.values().map(|mail| mail.split_once("\r\n\r\n").unwrap().1).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), sent.len());
}
