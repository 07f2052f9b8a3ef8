//! `vigie backtest` as a user runs it: correct counts, and clear errors.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Output;

use common::{failure, repository, success, vigie};
use serde_json::Value;

const RULES: &str = r#"
[[rule]]
name = "Share"
condition = { type = "negative_rate", window = "1h", above = 0.6, confidence = 0.95, min_posts = 10 }
"#;

fn backtest(dir: &Path, args: &[&str]) -> Output {
    vigie(dir)
        .args(["backtest", "dump.csv", "--rules", "rules.toml", "--labels", "column"])
        .args(args)
        .output()
        .unwrap()
}

fn json(dir: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&success(&backtest(dir, &[args, &["--json"]].concat()))).unwrap()
}

/// Three days of a post a minute, every fourth negative; from hour 20 to 22 and from hour 50 to 53 nine of ten, of which the
/// second is marked as an incident.
fn planted(with_marks: bool) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut dump = String::from("id,created_at,text,label");
    dump += if with_marks { ",incident\n" } else { "\n" };
    for minute in 0..72 * 60 {
        let hour = minute / 60;
        let (bad, marked) = ((20..22).contains(&hour) || (50..53).contains(&hour), (50..53).contains(&hour));
        let negative = if bad { minute % 10 != 0 } else { minute % 4 == 0 };
        let label = if negative { "negative" } else { "neutral" };
        let time = jiff::Timestamp::from_second(1_767_571_200 + minute * 60).unwrap();
        let mark = if with_marks { format!(",{}", u8::from(marked)) } else { String::new() };
        writeln!(dump, "{minute},{time},late again,{label}{mark}").unwrap();
    }
    fs::write(dir.path().join("dump.csv"), dump).unwrap();
    fs::write(dir.path().join("rules.toml"), RULES).unwrap();
    dir
}

#[test]
fn a_planted_incident_is_found_and_a_planted_false_alarm_counted() {
    let dir = planted(true);
    let found = json(dir.path(), &[]);
    let rule = &found["rules"][0];
    assert_eq!((&rule["rule"], &rule["fired"]), (&"Share".into(), &2.into()));
    assert_eq!((&rule["false_alarms"], &rule["found"], &rule["incidents"]), (&1.into(), &1.into(), &1.into()));
    assert_eq!(rule["precision"], 0.5);
    let weekly = rule["false_alarms_per_week"].as_f64().unwrap();
    assert!((weekly - 7.0 / 3.0).abs() < 0.01, "{weekly}");
    let alerts = rule["alerts"].as_array().unwrap();
    assert_eq!((&alerts[0]["false"], &alerts[1]["false"]), (&true.into(), &false.into()));
    // 60 posts in the window; the bound passes 0.6 when some 70 % of them are negative, 40 minutes or so after the start.
    let delay = rule["median_delay_seconds"].as_i64().unwrap();
    assert!((1_800..3_600).contains(&delay), "{delay} s");
    assert_eq!(alerts[1]["delay_seconds"], delay);
    assert_eq!(found["judged"]["incidents"][0]["start"], "2026-01-07T02:00:00Z");
}

#[test]
fn a_list_of_incidents_goes_before_the_column() {
    let dir = planted(true);
    fs::write(dir.path().join("list.csv"), "start,end\n2026-01-05T20:00:00Z,2026-01-05T22:00:00Z\n").unwrap();
    let rule = json(dir.path(), &["--incidents", "list.csv"])["rules"][0].clone();
    assert_eq!((&rule["alerts"][0]["false"], &rule["alerts"][1]["false"]), (&false.into(), &true.into()));
    fs::write(dir.path().join("other.csv"), "start,end,topic\n2026-01-05T20:00:00Z,2026-01-05T22:00:00Z,Delta\n")
        .unwrap();
    let rule = json(dir.path(), &["--incidents", "other.csv"])["rules"][0].clone();
    assert_eq!((&rule["false_alarms"], &rule["found"]), (&2.into(), &0.into()), "another topic's");
    assert_eq!(rule["median_delay_seconds"], Value::Null);
    let rule = json(dir.path(), &["--incidents", "none"])["rules"][0].clone();
    assert_eq!((&rule["fired"], &rule["false_alarms"], &rule["precision"]), (&2.into(), &Value::Null, &Value::Null));
}

/// What a model reads may differ from what the labels say: then they judge.
#[test]
fn labels_judge_where_no_incident_is_known() {
    let dir = planted(false);
    let found = json(dir.path(), &[]);
    assert_eq!(found["judged"]["by"], "labels");
    assert_eq!((&found["rules"][0]["false_alarms"], &found["rules"][0]["incidents"]), (&0.into(), &Value::Null));
    let strict = json(dir.path(), &["--margin", "80"]);
    assert_eq!(strict["rules"][0]["false_alarms"], 2);
}

#[test]
fn blocks_find_what_the_whole_finds() {
    let dir = planted(true);
    let (whole, blocks) = (json(dir.path(), &[]), json(dir.path(), &["--block", "1d"]));
    assert_eq!((&whole["blocks"], &blocks["blocks"]), (&1.into(), &3.into()));
    for key in ["fired", "false_alarms", "found"] {
        assert_eq!(whole["rules"][0][key], blocks["rules"][0][key], "{key}");
    }
    let day = |found: &Value| found["rules"][0]["alerts"][1]["fired_at"].as_str().unwrap()[..13].to_owned();
    assert_eq!(day(&whole), day(&blocks), "an incident of the last block");
}

#[test]
fn a_sweep_shows_what_is_traded() {
    let dir = planted(true);
    let args = ["--sweep", "above=0.3,0.6,0.85", "--out", "chart.svg"];
    let table = success(&backtest(dir.path(), &args));
    let lines: Vec<&str> = table.lines().skip_while(|line| !line.starts_with("above")).collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[1].starts_with("0.3") && lines[2].starts_with("0.6") && lines[3].starts_with("0.85"), "{table}");
    let chart = fs::read_to_string(dir.path().join("chart.svg")).unwrap();
    assert!(chart.starts_with("<svg") && chart.contains(">0.85") && chart.contains("false alarms per week"), "{chart}");
    let found = json(dir.path(), &["--sweep", "above=0.3,0.6,0.85"]);
    let values = found["sweep"]["values"].as_array().unwrap();
    let delay = |i: usize| values[i]["rules"][0]["median_delay_seconds"].as_i64();
    assert!(delay(0).unwrap() < delay(1).unwrap());
    assert_eq!(delay(2), None, "too high for nine of ten");
    success(&backtest(dir.path(), &["--sweep", "Share.above=0.6,0.7", "--out", "chart.html", "--language", "fr"]));
    let page = fs::read_to_string(dir.path().join("chart.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("fausses alertes par semaine"), "{page}");
}

#[test]
fn silence_rules_are_counted_but_not_evaluated() {
    let dir = planted(true);
    let quiet = "[[rule]]\nname = \"Quiet\"\ncondition = { type = \"no_data\", at_least = \"1h\", false_alarm_every = \"90d\" }\n";
    fs::write(dir.path().join("rules.toml"), format!("{RULES}{quiet}")).unwrap();
    let found = json(dir.path(), &[]);
    assert_eq!((&found["rules"][1]["rule"], &found["rules"][1]["false_alarms"]), (&"Quiet".into(), &Value::Null));
    assert_eq!(found["rules"][0]["false_alarms"], 1);
}

#[test]
fn it_speaks_both_languages() {
    let dir = planted(true);
    let english = success(&backtest(dir.path(), &["--language", "en"]));
    assert!(english.contains("would have fired 2 times; 1 false alarm (2.3 per week)"), "{english}");
    assert!(english.contains("detected 1 of 1 incident"), "{english}");
    let french = success(&backtest(dir.path(), &["--language", "fr"]));
    assert!(french.contains("se serait déclenchée 2 fois\u{a0}; 1 fausse alerte (2,3 par semaine)"), "{french}");
}

#[test]
fn a_simulated_stream_is_judged_by_its_own_marks() {
    let dir = tempfile::tempdir().unwrap();
    let airline = repository("tests/data/airline.csv").display().to_string();
    let flags = [
        "--out",
        "dump.csv",
        "--days",
        "5",
        "--rate",
        "120",
        "--topic",
        "US Airways",
        "--incident-at",
        "4d 12h",
        "--rate-increase",
        "15",
    ];
    success(&vigie(dir.path()).args(["simulate", &airline]).args(flags).output().unwrap());
    let rule = r#"
        [[rule]]
        name = "Crowd"
        condition = { type = "negative_volume", window = "1h", above = { baseline = "24h", times = 3.0 } }
    "#;
    fs::write(dir.path().join("rules.toml"), rule).unwrap();
    let found = json(dir.path(), &[]);
    assert_eq!(found["rules"][0]["found"], 1, "{found}");
    assert_eq!(found["judged"]["incidents"][0]["topic"], "US Airways");
}

#[test]
fn errors_are_one_clear_line() {
    let dir = planted(false);
    fs::write(dir.path().join("empty.toml"), "").unwrap();
    fs::write(dir.path().join("bad.csv"), "start,end\nnow,then\n").unwrap();
    let cases: [(&[&str], &[&str]); 7] = [
        (&["--sweep", "confidance=0.9"], &["confidance", "condition.confidence"]),
        (&["--sweep", "confidence=7"], &["confidence cannot be 7", "Share"]),
        (&["--incidents", "column"], &["no column `incident`", "--columns"]),
        (&["--incidents", "gone.csv"], &["gone.csv"]),
        (&["--incidents", "bad.csv"], &["bad.csv", "line 2", "\"now\""]),
        (&["--sweep", "confidence=0.9", "--out", "chart.png"], &["chart.png", ".svg"]),
        (&["--margin=-1"], &["--margin: -1"]),
    ];
    for (flags, expected) in cases {
        let output = backtest(dir.path(), flags);
        assert!(!output.status.success(), "{flags:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        for word in expected {
            assert!(error.contains(word), "{flags:?}: {error} does not say `{word}`");
        }
    }
    let run = |args: &[&str]| failure(&vigie(dir.path()).arg("backtest").args(args).output().unwrap());
    let error = run(&["dump.csv", "--rules", "gone.toml"]);
    assert!(error.contains("gone.toml"), "{error}");
    let error = run(&["dump.csv", "--rules", "empty.toml", "--labels", "column"]);
    assert!(error.contains("no rule") && error.lines().count() == 1, "{error}");
    fs::write(dir.path().join("unlabelled.csv"), "id,created_at,text\n1,2026-01-05T00:00:00Z,late\n").unwrap();
    let error = run(&["unlabelled.csv", "--rules", "rules.toml", "--labels", "column"]);
    assert!(error.contains("label") && error.lines().count() == 1, "{error}");
}

#[test]
fn one_post_of_another_century_does_not_stretch_the_history() {
    let dir = planted(true);
    let dump = fs::read_to_string(dir.path().join("dump.csv")).unwrap();
    let expected = json(dir.path(), &[]);
    fs::write(dir.path().join("dump.csv"), dump + "x,2099-01-01T00:00:00Z,wrong clock,positive,0\n").unwrap();
    let found = json(dir.path(), &["--block", "7d"]);
    assert_eq!(found["rules"][0]["alerts"], expected["rules"][0]["alerts"]);
    assert_eq!((&found["from"], &found["weeks"], &found["blocks"]), (&expected["from"], &expected["weeks"], &1.into()));
}
