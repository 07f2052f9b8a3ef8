//! The API against its own OpenAPI document: schemathesis sends valid and invalid requests to every operation, and compares each
//! answer with what the document says.

use std::process::Command;

use crate::process::{configure, repository, start};

const PUSH: &str = "[[source]]\nname = \"push\"\ntype = \"http\"\n";

#[test]
fn the_api_is_what_its_document_says() {
    let Ok(modules) = std::env::var("VIGIE_TEST_SCHEMATHESIS") else {
        println!("skipped: no schemathesis (VIGIE_TEST_SCHEMATHESIS); tests/run installs it");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), PUSH);
    let vigie = start(dir.path());
    let token = std::fs::read_to_string(dir.path().join("state/api-token")).unwrap();
    let mut run = Command::new("python3");
    run.current_dir(dir.path()).env("PYTHONPATH", modules).args(["-m", "schemathesis.cli", "--config-file"]);
    run.arg(repository("tests/daemon/schemathesis.toml"));
    run.args(["run", &format!("{}/api/v1/openapi.json", vigie.url), "--header"]);
    run.arg(format!("Authorization: Bearer {}", token.trim()));
    let output = run.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", vigie.log());
    let (status, log) = vigie.stop();
    assert!(status.success() && !log.contains("panicked"), "{log}");
}
