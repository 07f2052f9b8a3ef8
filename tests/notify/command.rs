//! Programs of one's own: what they are given, what their end means, and that none outlives its time.

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
fn it_is_given_all_on_its_input_and_the_gist_in_its_environment() {
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
        let wanted = [
            ("KEY", notification.key.as_str()),
            ("STATUS", status),
            ("INCIDENT", &notification.incident.id),
            ("RECEIVER", "desk"),
        ];
        for (name, value) in wanted {
            assert!(environment.lines().any(|line| line == format!("VIGIE_{name}={value}")), "{name}: {environment}");
        }
        assert!(environment.contains("VIGIE_SUMMARY="));
    }
}

#[test]
fn what_it_ends_with_tells_whether_to_try_again() {
    let dir = tempfile::tempdir().unwrap();
    let told = |text: &str| {
        let told = build(&script(dir.path(), text), "").notify(&opened());
        discreet("command", &told);
        told
    };
    assert_eq!(told("exit 0"), Ok(()));
    // It need not read what it is given.
    assert_eq!(told("exec <&-; exit 0"), Ok(()));
    for code in [64, 65, 77, 78, 126, 127] {
        let told = told(&format!("echo 'it is set up wrong' >&2; exit {code}"));
        let told = told.unwrap_err();
        assert!(matches!(&told, NotifyError::Permanent { reason } if reason.contains("it is set up wrong")), "{told}");
        assert!(told.to_string().contains(&code.to_string()), "{told}");
    }
    for code in [1, 2, 69, 75, 255] {
        let told = told(&format!("echo 'try later'; exit {code}"));
        assert!(matches!(&told, Err(NotifyError::Passing { reason, .. }) if reason.contains("try later")), "{told:?}");
    }
    let signalled = told("kill -9 $$").unwrap_err();
    assert!(matches!(&signalled, NotifyError::Passing { reason, .. } if reason.contains("signal 9")), "{signalled}");
    // What it says is not all kept, and none of what it was given.
    let echo = told("cat >&2; exit 1").unwrap_err().to_string();
    assert!(echo.len() < 700, "{echo}");
    let long = told("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1").unwrap_err().to_string();
    assert!(long.len() < 700, "{} bytes", long.len());
}

#[test]
fn none_outlives_its_time_nor_does_what_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let program = script(dir.path(), "sleep 1000 & echo $! >part; mv part child; wait");
    let started = Instant::now();
    let told = build(&program, "timeout = '500ms'").notify(&opened());
    assert!(matches!(&told, Err(NotifyError::Passing { reason, .. }) if reason.contains("timeout")), "{told:?}");
    assert!(started.elapsed() < Duration::from_secs(20));
    let child = std::fs::read_to_string(dir.path().join("child")).unwrap();
    let gone = || {
        // One that nobody has waited for yet is dead, too.
        let status = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        status.map_or(true, |status| status.contains(") Z "))
    };
    while !gone() {
        assert!(started.elapsed() < Duration::from_secs(20), "it is still there");
        std::thread::yield_now();
    }
}

#[test]
fn what_holds_its_output_open_holds_up_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let program = script(dir.path(), "sleep 30 & exit 0");
    let started = Instant::now();
    build(&program, "").notify(&opened()).unwrap();
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_program_that_may_not_be_run_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let program = script(dir.path(), "exit 0");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = build(&program, "").notify(&opened()).unwrap_err();
    assert!(matches!(&told, NotifyError::Permanent { reason } if reason.contains("cannot be started")), "{told}");
}
