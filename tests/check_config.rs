//! `vigie check-config` as an operator runs it, and other commands with an invalid configuration.
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
    for expected in [
        "topics     Air Paradis: \"Air Paradis\", \"AirParadis\", @AirParadis",
        "x-search: X's recent search for a query built from the topics, every 30s to 5m, 100 posts per page",
        "cost       at most $5.00 per day, $150.00 per month",
        "NegativeRising, for 0s",
        "overrides  --set x.budget.dollars_per_day",
        "http://127.0.0.1:9469",
        "telemetry  off",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    let args = [
        "--config",
        &shipped(),
        "--set",
        "telemetry.endpoint=http://localhost:4318",
        "--set",
        "telemetry.traces=false",
    ];
    let text = success(&check(dir.path(), &args));
    assert!(text.contains("telemetry  http://localhost:4318: logs, metrics; corrections without texts"), "{text}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "no file is created");
}

#[test]
fn every_error_is_a_line_and_the_code_is_ex_config() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("vigie.toml");
    let rules = repository("config/rules.toml").display().to_string();
    let model = repository("models/default").display().to_string();
    fs::write(&file, "[window]\nbuket = '1m'\nlateness = 5\n[[source]]\nname = 'a'\n").unwrap();
    let name = file.display().to_string();
    let args = ["--config", &name, "--rules", &rules, "--model", &model];
    let output = vigie(dir.path()).arg("check-config").args(args).env("VIGIE__WBE__LISTEN", "x").output().unwrap();
    assert_eq!(output.status.code(), EX_CONFIG);
    let output_text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = output_text.lines().collect();
    assert_eq!(lines.len(), 4, "{output_text}");
    assert_eq!(lines[0], format!("{name}:2: window.buket: no such key; did you mean `bucket`?"));
    assert!(lines[1].starts_with(&format!("{name}:3: window.lateness: found integer `5`")), "{output_text}");
    assert!(lines[2].starts_with(&format!("{name}:4: source[0].type: missing")), "{output_text}");
    assert!(
        lines[3].starts_with("environment VIGIE__WBE__LISTEN: wbe: no such key; did you mean `web`?"),
        "{output_text}"
    );
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "vigie: 4 errors in the configuration\n");

    let output = check(dir.path(), &[&args[..], &["--json"]].concat());
    assert_eq!(output.status.code(), EX_CONFIG);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["valid"], false);
    let first = &report["errors"][0];
    assert_eq!((&first["file"], &first["line"], &first["column"]), (&name.into(), &2.into(), &1.into()));
    assert_eq!(first["key"], "window.buket");
}

#[test]
fn json_says_what_would_run() {
    let dir = tempfile::tempdir().unwrap();
    let report: Value =
        serde_json::from_str(&success(&check(dir.path(), &["--config", &shipped(), "--json"]))).unwrap();
    assert_eq!(report["valid"], true);
    assert_eq!(report["would_run"]["sources"][0]["name"], "x-search");
    assert_eq!(report["would_run"]["topics"][0], "Air Paradis");
}

#[test]
fn a_missing_model_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let output = check(dir.path(), &["--config", &shipped(), "--model", "none"]);
    assert_eq!(output.status.code(), EX_CONFIG);
    let output_text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output_text.lines().count(), 1);
    assert!(output_text.starts_with("--model: classify.model: directory none not found"), "{output_text}");
}

#[test]
fn other_commands_end_with_ex_config_too() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["replay", "x.csv"][..], &["classify", "text"]] {
        let output = vigie(dir.path()).args(args).args(["--set", "langage=fr"]).output().unwrap();
        assert_eq!(output.status.code(), EX_CONFIG, "{args:?}");
        let output_text = String::from_utf8(output.stderr).unwrap();
        assert!(output_text.contains("--set langage: langage: no such key; did you mean `language`?"), "{output_text}");
    }
    let output = check(dir.path(), &["--config", "none.toml"]);
    assert_eq!(output.status.code(), EX_CONFIG);
    let output = vigie(dir.path()).args(["replay", "none.csv", "--labels", "column"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "a missing dump is not an error of the configuration");
}
