//! What the behaviour tests share: running the real binary and reading what it prints.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The binary, to be run in `dir` with nothing of the caller's settings.
pub(crate) fn vigie(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.current_dir(dir).env_remove("RUST_LOG").stdin(Stdio::null());
    let ours = |name: &std::ffi::OsString| name.to_string_lossy().starts_with("VIGIE_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command
}

/// A path in the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Standard output of a run that must succeed.
pub(crate) fn success(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error of a run that must fail, by its own fault or its configuration's: what a user would read.
pub(crate) fn failure(output: &Output) -> String {
    assert!(!output.status.success(), "it succeeded: {}", String::from_utf8_lossy(&output.stdout));
    assert!(matches!(output.status.code(), Some(1 | 78)), "neither a panic nor a signal");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The lines of `--format json`.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The last line, without what differs from run to run.
pub(crate) fn summary(text: &str) -> Value {
    let mut summary = json_lines(text).pop().unwrap();
    assert_eq!(summary["type"], "summary");
    assert!(summary.as_object_mut().unwrap().remove("timing").is_some());
    summary
}

/// The alert lines.
pub(crate) fn alerts(text: &str) -> Vec<Value> {
    json_lines(text).into_iter().filter(|line| line["type"] == "alert").collect()
}
