//! `vigie check-config` as an operator runs it, and how a faulty configuration ends other commands.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Output;

use common::{repository, success, vigie};
use serde_json::Value;

const EX_CONFIG: Option<i32> = Some(78);

fn check(dir: &Path, args: &[&str]) -> Output {
    vigie(dir).arg("check-config").args(args).output().unwrap()
}

fn shipped() -> String {
    repository("config/vigie.toml").display().to_string()
}

#[test]
fn the_shipped_configuration_is_sound_and_says_what_would_run() {
    let dir = tempfile::tempdir().unwrap();
    let text = success(&check(dir.path(), &["--config", &shipped(), "--set", "x.budget.dollars_per_day=5"]));
    for wanted in [
        "topics     Air Paradis: \"Air Paradis\", \"AirParadis\", @AirParadis",
        "x-search: X's recent search for a query made from the topics, every 30s to 5m, 100 posts a page",
        "cost       at most 5.00 $ a day, 150.00 $ a month",
        "NegativeRising, for 0s",
        "over it    --set x.budget.dollars_per_day",
        "http://127.0.0.1:9469",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is made");
}

#[test]
fn every_fault_is_a_line_and_the_code_is_ex_config() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("vigie.toml");
    let rules = repository("config/rules.toml").display().to_string();
    let model = repository("models/default").display().to_string();
    fs::write(&file, "[window]\nbuket = '1m'\nlateness = 5\n[[source]]\nname = 'a'\n").unwrap();
    let name = file.display().to_string();
    let args = ["--config", &name, "--rules", &rules, "--model", &model];
    let output = vigie(dir.path()).arg("check-config").args(args).env("VIGIE__WBE__LISTEN", "x").output().unwrap();
    assert_eq!(output.status.code(), EX_CONFIG);
    let told = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 4, "{told}");
    assert_eq!(lines[0], format!("{name}:2: window.buket: no such key; did you mean `bucket`?"));
    assert!(lines[1].starts_with(&format!("{name}:3: window.lateness: found integer `5`")), "{told}");
    assert!(lines[2].starts_with(&format!("{name}:4: source[0].type: missing")), "{told}");
    assert!(lines[3].starts_with("environment VIGIE__WBE__LISTEN: wbe: no such key; did you mean `web`?"), "{told}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "vigie: 4 faults in the configuration\n");

    let output = check(dir.path(), &[&args[..], &["--json"]].concat());
    assert_eq!(output.status.code(), EX_CONFIG);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["sound"], false);
    let first = &told["faults"][0];
    assert_eq!((&first["file"], &first["line"], &first["column"]), (&name.into(), &2.into(), &1.into()));
    assert_eq!(first["key"], "window.buket");
}

#[test]
fn json_says_what_would_run() {
    let dir = tempfile::tempdir().unwrap();
    let told: Value = serde_json::from_str(&success(&check(dir.path(), &["--config", &shipped(), "--json"]))).unwrap();
    assert_eq!(told["sound"], true);
    assert_eq!(told["would_run"]["sources"][0]["name"], "x-search");
    assert_eq!(told["would_run"]["topics"][0], "Air Paradis");
}

#[test]
fn a_model_that_is_not_there_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    let output = check(dir.path(), &["--config", &shipped(), "--model", "none"]);
    assert_eq!(output.status.code(), EX_CONFIG);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.lines().count(), 1);
    assert!(told.starts_with("--model: classify.model: there is no directory none"), "{told}");
}

#[test]
fn other_commands_end_with_ex_config_too() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["replay", "x.csv"][..], &["classify", "text"]] {
        let output = vigie(dir.path()).args(args).args(["--set", "langage=fr"]).output().unwrap();
        assert_eq!(output.status.code(), EX_CONFIG, "{args:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("--set langage: langage: no such key; did you mean `language`?"), "{told}");
    }
    let output = check(dir.path(), &["--config", "none.toml"]);
    assert_eq!(output.status.code(), EX_CONFIG);
    let output = vigie(dir.path()).args(["replay", "none.csv", "--labels", "column"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "a dump that is not there is no fault of the configuration");
}
