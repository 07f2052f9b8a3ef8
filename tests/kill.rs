//! Promise 1: after `kill -9` at any moment the state equals that of an uninterrupted run.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{alerts, repository, success, summary, vigie};

const KILLS: u32 = 50;
/// Copies of the slice, each some days after the last: long enough that a kill lands everywhere.
const COPIES: i64 = 12;

/// The slice again and again, with ids and times of their own.
fn long_dump(path: &Path) {
    let mut reader = csv::Reader::from_path(repository("tests/data/airline.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let mut writer = csv::Writer::from_path(path).unwrap();
    writer.write_record(reader.headers().unwrap()).unwrap();
    for copy in 0..COPIES {
        for row in &rows {
            let time: jiff::Timestamp = row[1].parse().unwrap();
            let time = time + jiff::SignedDuration::from_hours(3 * 24 * copy);
            let (id, time) = (format!("{}{copy:02}", &row[0]), time.to_string());
            let fields = row.iter().enumerate().map(|(i, field)| match i {
                0 => id.as_str(),
                1 => time.as_str(),
                _ => field,
            });
            writer.write_record(fields).unwrap();
        }
    }
    writer.flush().unwrap();
}

fn replay(dir: &Path, state: &str) -> Command {
    let mut command = vigie(dir);
    command.args(["replay", "long.csv", "--labels", "column", "--format", "json", "--state", state]);
    command
}

/// The posts that a replay keeps.
fn posts(dir: &Path, state: &str) -> String {
    let mut command = vigie(dir);
    success(&command.args(["posts", "--json", "--limit", "0", "--state", state]).output().unwrap())
}

/// A reproducible number in `0..below` (SplitMix64).
fn random(seed: u64, below: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % below
}

#[test]
fn a_killed_replay_continues_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    long_dump(&dir.path().join("long.csv"));
    let started = Instant::now();
    let whole = success(&replay(dir.path(), "whole").output().unwrap());
    let whole_micros = u64::try_from(started.elapsed().as_micros()).unwrap();
    let (expected, transitions) = (summary(&whole), alerts(&whole));
    let kept = posts(dir.path(), "whole");
    assert_eq!(
        kept.lines().count() as u64,
        expected["posts"].as_u64().unwrap() + expected["too_late"].as_u64().unwrap_or(0)
    );
    assert!(transitions.len() > 10, "{} transitions", transitions.len());

    let mut in_the_middle = 0;
    for kill in 0..KILLS {
        let state = format!("state-{kill}");
        let out = dir.path().join(format!("{state}.out"));
        let mut child = replay(dir.path(), &state)
            .stdout(Stdio::from(fs::File::create(&out).unwrap()))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The one wait of the suite: a random moment is what is tested.
        thread::sleep(Duration::from_micros(random(u64::from(kill), whole_micros)));
        child.kill().unwrap();
        child.wait().unwrap();

        // A line cut off by the kill was not delivered, and is delivered again.
        let before = fs::read_to_string(&out).unwrap();
        let before = before.rsplit_once('\n').map_or("", |(complete, _)| complete);
        let after = success(&replay(dir.path(), &state).output().unwrap());
        assert_eq!(summary(&after), expected, "kill {kill}");
        assert!(posts(dir.path(), &state) == kept, "kill {kill}: the stored posts differ");

        let mut heard = alerts(before);
        in_the_middle += usize::from(!heard.is_empty() && !before.contains("\"type\":\"summary\""));
        heard.extend(alerts(&after));
        for transition in &transitions {
            assert!(heard.contains(transition), "kill {kill}: {} was never delivered", transition["key"]);
        }
        assert!(
            heard.iter().all(|transition| transitions.contains(transition)),
            "kill {kill}: something else was delivered"
        );
        fs::remove_dir_all(dir.path().join(&state)).unwrap();
    }
    assert!(in_the_middle > 0, "no kill landed between the first alert and the end");
}
