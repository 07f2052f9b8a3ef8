//! A disk that fills up, or turns read-only, under the running daemon: it says so, waits, and loses nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{assert_accounted, configure, start};

/// A small file system of the test's own.
struct Tmpfs(PathBuf);

impl Tmpfs {
    /// None where mounting is not allowed.
    fn mount(path: &Path) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(path).output().ok()?;
        mounted.status.success().then(|| Self(path.to_owned()))
    }

    fn remount(&self, how: &str) {
        let remounted = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0).status().unwrap();
        assert!(remounted.success(), "{how}");
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn push(path: &Path, ids: std::ops::Range<u32>) {
    use std::io::Write;
    let now = jiff::Timestamp::now();
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    for id in ids {
        // Each with different wording and either clearly negative or not: samples are stored too.
        writeln!(
            file,
            "{{\"id\":\"{id}\",\"created_at\":\"{now}\",\"text\":\"Air Paradis {id} {}\"}}",
            "late ".repeat(20)
        )
        .unwrap();
    }
}

const FILE: &str =
    "[[source]]\nname = \"desk\"\ntype = \"file\"\npath = \"posts.jsonl\"\nlayout = \"jsonl\"\npoll = \"50ms\"\n";

#[test]
fn a_full_disk_is_waited_out() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = Tmpfs::mount(&dir.path().join("state")) else {
        println!("skipped: a tmpfs cannot be mounted here");
        return;
    };
    configure(dir.path(), FILE);
    let posts = dir.path().join("posts.jsonl");
    push(&posts, 0..200);
    let mut vigie = start(dir.path());
    vigie.wait_received(200);

    // Whatever is left goes, to the last byte.
    let filler = disk.0.join("filler");
    let zeros = std::fs::File::open("/dev/zero").unwrap();
    let full = std::io::copy(&mut std::io::Read::take(zeros, 64 << 20), &mut std::fs::File::create(&filler).unwrap());
    assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    let mut pushed = 200;
    let why = loop {
        push(&posts, pushed..pushed + 20);
        pushed += 20;
        if let Some((503, why)) = vigie.get("/-/ready") {
            break why;
        }
        assert!(pushed < 10_000, "the disk never was full:\n{}", vigie.log());
    };
    assert!(why.contains("store"), "{why}");
    assert_eq!(vigie.get("/-/healthy").unwrap().0, 200, "it lives");
    vigie.wait("an alert", |vigie| vigie.log().contains("rule=\"StoreFailed\"").then_some(()));

    std::fs::remove_file(&filler).unwrap();
    vigie.wait("ready again", |vigie| vigie.get("/-/ready").filter(|(code, _)| *code == 200));
    let status = vigie.wait_received(u64::from(pushed));
    assert_accounted(&status);
    assert_eq!(status["totals"]["classified"], pushed, "each once");
    vigie.wait("the end of the alert", |vigie| {
        vigie.log().contains("operational alert resolved rule=\"StoreFailed\"").then_some(())
    });
    assert!(vigie.stop().0.success());
}

#[test]
fn a_disk_that_turns_read_only_is_said_and_waited_out() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = Tmpfs::mount(&dir.path().join("state")) else {
        println!("skipped: a tmpfs cannot be mounted here");
        return;
    };
    configure(dir.path(), FILE);
    disk.remount("ro");
    let refused = crate::process::command(dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("state"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    disk.remount("rw");
    let vigie = start(dir.path());
    assert!(vigie.stop().0.success());
}
