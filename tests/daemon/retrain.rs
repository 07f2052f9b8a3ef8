//! What people corrected is learned: `vigie lab retrain` beside a running daemon, promotion, a kill, and the way back.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::process::{Vigie, command_with, configure, repository};

const FILE: &str = "[retrain]\nheld_out = [\"held-out.csv\"]\n\
                    [[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\n";

/// `vigie` with these arguments in `dir`.
fn vigie(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.current_dir(dir).args(args).env_remove("MLFLOW_TRACKING_URI").output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

/// A model with a manifest, as retraining needs: the small encoder with a head that is fitted here. Also writes held-out posts.
fn fitted_model(dir: &Path) -> PathBuf {
    let row = |number: usize| {
        let (label, text) =
            [("negative", "late again"), ("neutral", "gate nine"), ("positive", "kind crew")][number % 3];
        format!("{label},{text} {number}\n")
    };
    let rows = |numbers: std::ops::Range<usize>| "label,text\n".to_owned() + &numbers.map(row).collect::<String>();
    std::fs::write(dir.join("train.csv"), rows(0..90)).unwrap();
    std::fs::write(dir.join("held-out.csv"), rows(90..150)).unwrap();
    let encoder = repository("tests/fixtures/tiny-distilbert/classifier");
    let encoder = encoder.to_str().unwrap();
    let fitted = vigie(dir, &["lab", "fit", "train.csv", "--encoder", encoder, "--out", "fitted", "--l2", "0.001"]);
    assert!(fitted.status.success(), "{}", said(&fitted));
    dir.join("fitted")
}

fn model(vigie: &Vigie) -> String {
    vigie.status().unwrap()["model"].as_str().unwrap().to_owned()
}

#[test]
fn a_challenger_is_made_beside_the_daemon_promoted_and_rolled_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    configure(path, FILE);
    let fitted = fitted_model(path);
    // Nine are corrected, three are only recent.
    let post = |number: i64| {
        let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(30 - number);
        let text = format!("late again number {number}");
        json!({"id": format!("p{number}"), "created_at": at, "text": text, "author": format!("a{number}")}).to_string()
            + "\n"
    };
    std::fs::write(path.join("posts.jsonl"), (0..12).map(post).collect::<String>()).unwrap();
    let mut daemon = Vigie::spawn(&mut command_with(path, &fitted));
    daemon.wait_received(12);
    let first = model(&daemon);
    let flags = ["--state", "state", "--config", "vigie.toml"];
    let shell = |args: &[&str]| vigie(path, &[args, &flags[..]].concat());
    for number in 0..9 {
        let given = shell(&["feedback", &format!("p{number}"), "--label", "positive", "--by", "dora"]);
        assert!(given.status.success(), "{}", said(&given));
    }

    let retrain = ["lab", "retrain", "--model", "fitted", "--format", "json"];
    let made = shell(&retrain);
    assert!(made.status.success(), "{}", said(&made));
    let result: Value = serde_json::from_slice(&made.stdout).unwrap();
    let (name, report) = (result["model"].as_str().unwrap().to_owned(), &result["report"]);
    assert_eq!((&report["counts"]["learned"], &report["counts"]["withheld"]), (&9.into(), &0.into()), "{result}");
    assert_eq!((&report["held_out"][0]["posts"], &report["corrections"]["posts"]), (&60.into(), &9.into()));
    assert_eq!(report["recent"]["posts"], 3, "corrected posts do not count as recent");
    assert_eq!(model(&daemon), first, "nothing changes by itself");
    let manifest = std::fs::read_to_string(path.join("state/models").join(&name).join("manifest.json")).unwrap();
    assert!(!manifest.contains("late again"), "a model names no post");

    let config = std::fs::read_to_string(path.join("vigie.toml")).unwrap() + "[classify]\nmodel = \"fitted\"\n";
    std::fs::write(path.join("vigie.toml"), config).unwrap();
    let promote = |more: &[&str]| shell(&[&["lab", "promote", &name], more].concat());
    if report["verdict"] != "better" {
        let refused = promote(&[]);
        assert!(!refused.status.success() && said(&refused).contains("is not promoted"), "{}", said(&refused));
    }
    let promoted = promote(&["--force"]);
    assert!(promoted.status.success(), "{}", said(&promoted));
    daemon.signal("-HUP");
    daemon.wait("the challenger", |daemon| model(daemon).starts_with(&name).then_some(()));

    // A kill forgets nothing, and the next start says which model it uses.
    daemon.kill();
    let mut daemon = Vigie::spawn(&mut command_with(path, &fitted));
    assert!(model(&daemon).starts_with(&name));
    assert!(daemon.log().contains("the model in use was retrained"), "{}", daemon.log());
    let back = shell(&["lab", "rollback"]);
    assert!(said(&back).contains("the configured model is used again"), "{}", said(&back));
    daemon.signal("-HUP");
    daemon.wait("the configured model", |daemon| (model(daemon) == first).then_some(()));
    let none = shell(&["lab", "rollback"]);
    assert!(!none.status.success() && said(&none).contains("no previous champion"), "{}", said(&none));

    // Without a daemon the store itself is read.
    let (ended, _) = daemon.stop();
    assert!(ended.success());
    let made = shell(&["lab", "retrain"]);
    assert!(said(&made).contains("and 9 corrections"), "{}", said(&made));
    // Who is forgotten is not learned from.
    let forgotten = shell(&["forget", "--author", "a1"]);
    assert!(forgotten.status.success(), "{}", said(&forgotten));
    let made = shell(&["lab", "retrain"]);
    assert!(said(&made).contains("and 8 corrections"), "{}", said(&made));
}

#[test]
fn a_retraining_without_corrections_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    configure(path, FILE);
    let fitted = fitted_model(path);
    std::fs::write(path.join("posts.jsonl"), "").unwrap();
    let daemon = Vigie::spawn(&mut command_with(path, &fitted));
    let args = ["lab", "retrain", "--model", "fitted", "--state", "state", "--config", "vigie.toml"];
    let failed = said(&vigie(path, &args));
    assert!(failed.contains("no correction to learn from: 0 usable") && failed.contains("vigie feedback"), "{failed}");
    // The same for a model that nothing is known of.
    let tiny = repository("tests/fixtures/tiny-distilbert/classifier");
    let args = ["lab", "retrain", "--model", tiny.to_str().unwrap(), "--state", "state", "--config", "vigie.toml"];
    let failed = said(&vigie(path, &args));
    assert!(failed.contains("has no manifest.json: only a fitted model can be retrained"), "{failed}");
    drop(daemon);
}
