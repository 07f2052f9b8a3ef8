//! Speed and memory of reading a backlog: `cargo test --release --lib tail::tests::speed -- --ignored --nocapture`

use std::fmt::Write;
use std::time::Instant;

use super::super::TailLayout;
use super::super::rotation::RotationTracker;
use super::kit::{Kit, json};

const LINES: u64 = 10_000_000;

#[test]
#[ignore = "measures, in release"]
fn a_backlog_of_ten_million_lines() {
    let kit = Kit::new(TailLayout::Jsonl);
    let mut part = String::new();
    for id in 1..=LINES {
        write!(part, "{}", json(id)).unwrap();
        if part.len() > 1 << 20 || id == LINES {
            kit.append(&part);
            part.clear();
        }
    }
    let mut tracker = RotationTracker::new(kit.config.clone(), None);
    let (start, mut posts) = (Instant::now(), 0);
    while posts < LINES {
        posts += tracker.step(jiff::Timestamp::UNIX_EPOCH).batch.posts.len() as u64;
    }
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    println!("{LINES} lines in {seconds:.1} s, {:.0} a second; {peak}", LINES as f64 / seconds);
}
