//! The command integration: the program's input, the meaning of its exit code, and its timeout.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use vigie::notify::{Notifier, NotifyError};

use crate::kit::{discreet, opened, resolved, try_build};

fn script(dir: &Path, text: &str) -> PathBuf {
    let path = dir.join("tell");
    std::fs::write(&path, format!("#!/bin/sh\ncd '{}'\n{text}\n", dir.display())).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn build(program: &Path, more: &str) -> Box<dyn Notifier> {
    let text = format!("type = 'command'\nprogram = '{}'\n{more}", program.display());
    try_build(&text, &BTreeMap::new()).unwrap()
}

#[test]
fn the_program_gets_everything_on_its_input_and_the_main_fields_in_its_environment() {
    let dir = tempfile::tempdir().unwrap();
    let program = script(dir.path(), "cat >input; env >environment; printf '%s|' \"$@\" >args");
    let mut command = build(&program, "args = ['--to', 'two words; $HOME']");
    for (notification, status) in [(opened(), "firing"), (resolved(), "resolved")] {
        command.notify(&notification).unwrap();
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        let input: Value = serde_json::from_str(&read("input")).unwrap();
        assert_eq!([&input["version"], &input["key"]], [&Value::from(1), &Value::from(notification.key.as_str())]);
        assert_eq!(read("args"), "--to|two words; $HOME|", "no shell has read them");
        let environment = read("environment");
        let expected = [
            ("KEY", notification.key.as_str()),
            ("STATUS", status),
            ("INCIDENT", &notification.incident.id),
            ("RECEIVER", "desk"),
        ];
        for (name, value) in expected {
            assert!(environment.lines().any(|line| line == format!("VIGIE_{name}={value}")), "{name}: {environment}");
        }
        assert!(environment.contains("VIGIE_SUMMARY="));
    }
}

#[test]
fn the_exit_code_decides_whether_to_retry() {
    let dir = tempfile::tempdir().unwrap();
    let run = |text: &str| {
        let result = build(&script(dir.path(), text), "").notify(&opened());
        discreet("command", &result);
        result
    };
    assert_eq!(run("exit 0"), Ok(()));
    // The program need not read its input.
    assert_eq!(run("exec <&-; exit 0"), Ok(()));
    let refused = run("echo 'not this one'; exit 65");
    assert!(matches!(refused, Err(NotifyError::Rejected { .. })), "{refused:?}");
    for code in [64, 77, 78, 126, 127] {
        let result = run(&format!("echo 'it is set up wrong' >&2; exit {code}"));
        let result = result.unwrap_err();
        assert!(
            matches!(&result, NotifyError::Permanent { reason } if reason.contains("it is set up wrong")),
            "{result}"
        );
        assert!(result.to_string().contains(&code.to_string()), "{result}");
    }
    for code in [1, 2, 69, 75, 255] {
        let result = run(&format!("echo 'try later'; exit {code}"));
        assert!(
            matches!(&result, Err(NotifyError::Transient { reason, .. }) if reason.contains("try later")),
            "{result:?}"
        );
    }
    let signalled = run("kill -9 $$").unwrap_err();
    assert!(matches!(&signalled, NotifyError::Transient { reason, .. } if reason.contains("signal 9")), "{signalled}");
    // The output is cut, and does not repeat the input.
    let echo = run("cat >&2; exit 1").unwrap_err().to_string();
    assert!(echo.len() < 700, "{echo}");
    let long = run("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1").unwrap_err().to_string();
    assert!(long.len() < 700, "{} bytes", long.len());
}

#[test]
fn a_program_and_its_children_are_killed_after_the_timeout() {
    let dir = tempfile::tempdir().unwrap();
    let program = script(dir.path(), "sleep 1000 & echo $! >part; mv part child; wait");
    let started = Instant::now();
    let result = build(&program, "timeout = '500ms'").notify(&opened());
    assert!(matches!(&result, Err(NotifyError::Transient { reason, .. }) if reason.contains("timeout")), "{result:?}");
    assert!(started.elapsed() < Duration::from_secs(20));
    let child = std::fs::read_to_string(dir.path().join("child")).unwrap();
    let gone = || {
        // A zombie is dead, too.
        let status = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        status.map_or(true, |status| status.contains(") Z "))
    };
    while !gone() {
        assert!(started.elapsed() < Duration::from_secs(20), "it is still there");
        std::thread::yield_now();
    }
}

#[test]
fn a_child_that_keeps_the_output_open_does_not_block() {
    let dir = tempfile::tempdir().unwrap();
    let program = script(dir.path(), "sleep 30 & exit 0");
    let started = Instant::now();
    build(&program, "").notify(&opened()).unwrap();
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_program_that_may_not_be_run_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let program = script(dir.path(), "exit 0");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o644)).unwrap();
    let result = build(&program, "").notify(&opened()).unwrap_err();
    assert!(
        matches!(&result, NotifyError::Permanent { reason } if reason.contains("cannot start the program")),
        "{result}"
    );
}
