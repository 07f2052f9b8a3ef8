//! Replays of two streams that are hard for what runs per topic and per minute: one brand in four years, and 990 brands in four
//! days. Posts/s and peak memory with and without a kept state, and the size of that state relative to its records. Names of other `vigie`
//! programs after `--` are measured in the same rounds, and the first one is what the others are compared with.
//!
//!     cargo bench --bench topics -- [OTHER_VIGIE]...
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

#[path = "replay/mod.rs"]
mod replay;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use replay::replay;

/// Interleaved, so that other load of the machine affects all programs equally.
const ROUNDS: usize = 3;
const STREAMS: [Stream; 2] = [
    Stream { name: "one brand, 1,460 days", topics: 1, days: 1_460, posts_per_hour: 11 },
    Stream { name: "990 brands, 4 days", topics: 990, days: 4, posts_per_hour: 2 },
];

struct Stream {
    name: &'static str,
    topics: u64,
    days: u64,
    /// Of each topic.
    posts_per_hour: u64,
}

fn main() {
    // Cargo adds `--bench`.
    let others = std::env::args().skip(1).filter(|argument| argument != "--bench").map(PathBuf::from);
    let programs: Vec<PathBuf> = others.chain([PathBuf::from(env!("CARGO_BIN_EXE_vigie"))]).collect();
    let dir = tempfile::tempdir().unwrap();
    for stream in &STREAMS {
        let dump = dir.path().join("stream.csv");
        let posts = stream.write(&dump);
        for keeps_state in [false, true] {
            let mut best = vec![0.0_f64; programs.len()];
            let mut peak = vec![0.0_f64; programs.len()];
            let mut size = vec![(0, 0.0); programs.len()];
            for _ in 0..ROUNDS {
                for (number, program) in programs.iter().enumerate() {
                    let state = dir.path().join("state");
                    let run = replay(program, &dump, keeps_state.then_some(state.as_path()), posts);
                    best[number] = best[number].max(run.posts_per_second);
                    peak[number] = peak[number].max(run.peak_mb);
                    if keeps_state {
                        size[number] = size_of(program, &state);
                        std::fs::remove_dir_all(&state).unwrap();
                    }
                }
            }
            for (number, program) in programs.iter().enumerate() {
                let (name, kept) = (stream.name, if keeps_state { "state kept" } else { "no state" });
                let (speed, ratio) = (best[number], best[number] / best[0]);
                print!("{name}, {kept}: {speed:>7.0} posts/s, {ratio:.2} times the first, peak {:.0} MB", peak[number]);
                if keeps_state {
                    print!(", state {} MB, {:.1} times its records", size[number].0 >> 20, size[number].1);
                }
                println!("  {}", program.display());
            }
        }
    }
}

/// Bytes on disk, and how many times those of the records.
fn size_of(program: &Path, state: &Path) -> (u64, f64) {
    // Elsewhere than in the repository, whose configuration an older program may refuse.
    let directory = state.parent().unwrap();
    let mut command = Command::new(program);
    let output =
        command.args(["store", "check", "--json", "--state"]).arg(state).current_dir(directory).output().unwrap();
    let check: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let bytes = check["bytes_on_disk"].as_u64().unwrap();
    let records: u64 =
        check["tables"].as_object().unwrap().values().map(|table| table["bytes"].as_u64().unwrap()).sum();
    (bytes, bytes as f64 / records as f64)
}

impl Stream {
    /// Writes the posts, ordered by time, two of five negative; returns their number.
    fn write(&self, path: &Path) -> u64 {
        let words: Vec<&str> =
            "lost my bag again awful delay cancelled thanks great crew lovely flight never coming back rude \
                                gate refund seat snack pilot smooth"
                .split_whitespace()
                .collect();
        let mut out = BufWriter::new(File::create(path).unwrap());
        writeln!(out, "tweet_id,created_at,text,name,airline,airline_sentiment").unwrap();
        let start = 1_795_888_800 - self.days * 86_400;
        let mut number = 0;
        for hour in 0..self.days * 24 {
            let posts =
                (0..self.topics * self.posts_per_hour).map(|post| (mixed(hour << 32 | post), post % self.topics));
            let mut posts: Vec<(u64, u64, u64)> =
                posts.map(|(random, topic)| (random % 3_600, random, topic)).collect();
            posts.sort_unstable();
            for (second, random, topic) in posts {
                number += 1;
                let time = jiff::Timestamp::from_second((start + hour * 3_600 + second).cast_signed()).unwrap();
                let label = if random % 5 < 2 { "negative" } else { "positive" };
                let text: Vec<&str> =
                    (0..9).map(|place| words[(mixed(random + place) % words.len() as u64) as usize]).collect();
                let (text, author) = (text.join(" "), number % 9_999);
                writeln!(out, "{number},{time},{text} {number},u{author},Brand {topic:04},{label}").unwrap();
            }
        }
        out.flush().unwrap();
        number
    }
}

/// A random number from `seed`: SplitMix64.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
