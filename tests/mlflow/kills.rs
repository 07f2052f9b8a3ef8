//! `vigie lab sync`: killed at any request, and its output.

use std::path::Path;
use std::process::{Command, Stdio};

use vigie::lab::mlflow::LogOutcome;

use crate::common::{failure, success, vigie};
use crate::kit::{model, run_with_model, spooled, tracker};
use crate::stub::{Fail, Stub};

fn sync(dir: &Path, url: &str) -> Command {
    let mut command = vigie(dir);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MLFLOW_")) {
        command.env_remove(name);
    }
    command.args(["lab", "sync", "--mlflow", url]);
    command
}

#[test]
fn killed_at_any_request_it_sends_the_rest_next_time() {
    let dir = tempfile::tempdir().unwrap();
    let spool = dir.path().join("mlruns-spool");
    model(&dir.path().join("model"));
    let record = run_with_model("a", &dir.path().join("model"));
    let spooled_for = |stub: &Stub| {
        stub.fail_always(Fail::Before);
        assert_eq!(tracker(&stub.url, &spool, "lab").log(&record), LogOutcome::Spooled);
        stub.heal();
    };
    let undisturbed = Stub::start();
    spooled_for(&undisturbed);
    let before = undisturbed.requests().len();
    success(&sync(dir.path(), &undisturbed.url).output().unwrap());
    let (expected, requests) = (undisturbed.state(), undisturbed.requests().len() - before);
    assert!(requests > 10, "{requests}");
    for (n, hold) in (0..requests).flat_map(|n| [(n, Fail::Hold), (n, Fail::HoldAfter)]) {
        let stub = Stub::start();
        spooled_for(&stub);
        stub.fail_at(n, hold);
        let mut process = sync(dir.path(), &stub.url).stdout(Stdio::null()).spawn().unwrap();
        stub.wait_until_held();
        process.kill().unwrap();
        process.wait().unwrap();
        stub.heal();
        let output_text = success(&sync(dir.path(), &stub.url).output().unwrap());
        assert!(output_text.contains("1 sent, none left"), "{output_text}");
        assert_eq!(stub.state(), expected, "{hold:?} {n}");
        assert_eq!(spooled(&spool).len(), 0);
    }
}

#[test]
fn remaining_runs_are_listed_and_the_command_fails() {
    let (dir, stub) = (tempfile::tempdir().unwrap(), Stub::start());
    let nothing = success(&sync(dir.path(), &stub.url).output().unwrap());
    assert_eq!(nothing, "no runs waiting in mlruns-spool\n");
    stub.fail_always(Fail::Status(503));
    let record = crate::kit::run("TFIDF_é");
    assert_eq!(tracker(&stub.url, &dir.path().join("mlruns-spool"), "lab").log(&record), LogOutcome::Spooled);
    let output = sync(dir.path(), &stub.url).output().unwrap();
    let output_text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output_text.starts_with("left      TFIDF_é (mlruns-spool/000001-") && output_text.contains("HTTP status 503"),
        "{output_text}"
    );
    assert_eq!(failure(&output), "vigie: 0 sent, 1 left in mlruns-spool\n");
}

#[test]
fn an_address_with_a_password_is_refused_and_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let output_text = failure(&sync(dir.path(), "http://me:hunter2@127.0.0.1:1").output().unwrap());
    assert!(output_text.contains("MLFLOW_TRACKING_PASSWORD") && !output_text.contains("hunter2"), "{output_text}");
}
