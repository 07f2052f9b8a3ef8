//! Whole replays of a Sentiment140-shaped dump, labels taken from the file: posts/s and peak memory at 100,000 and at
//! 1,600,000 posts. Generates the dumps from `tests/data/airline.csv`, in a temporary directory (250 MB).
//!
//!     cargo bench --bench whole_run
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures, and stops where it cannot go on"
)]

#[path = "replay/mod.rs"]
mod replay;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use replay::replay;

const SIZES: [u64; 2] = [100_000, 1_600_000];
/// Interleaved, so that other load of the machine affects both sizes equally.
const ROUNDS: usize = 3;

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let texts = texts();
    let dumps = SIZES.map(|posts| {
        let path = dir.path().join(format!("{posts}.csv"));
        write_dump(&path, posts, &texts);
        path
    });
    let mut best = [0.0_f64; 2];
    for round in 0..ROUNDS {
        for (i, dump) in dumps.iter().enumerate() {
            let run = replay(Path::new(env!("CARGO_BIN_EXE_vigie")), dump, None, SIZES[i]);
            best[i] = best[i].max(run.posts_per_second);
            let (posts, speed, peak) = (SIZES[i], run.posts_per_second, run.peak_mb);
            println!("round {round}: {posts:>9} posts, {speed:>8.0} posts/s, peak {peak:.0} MB");
        }
    }
    println!("time per post, {} over {} posts, best of {ROUNDS}: {:.2}", SIZES[1], SIZES[0], best[0] / best[1]);
}

fn texts() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/airline.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.records().map(|row| row.unwrap()[4].to_owned()).collect()
}

/// Six columns without a header, over 80 days as in the original; in every tenth hour two of three posts are negative.
fn write_dump(path: &Path, posts: u64, texts: &[String]) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    let start = 1_239_000_000_000_u64;
    let step = 80 * 24 * 3_600_000 / posts;
    for post in 0..posts {
        // Almost ordered by time, as in the original.
        let millis = start + (post ^ 0x3f).min(posts) * step;
        let time = jiff::Timestamp::from_millisecond(i64::try_from(millis).unwrap()).unwrap();
        let hour = millis / 3_600_000;
        let polarity = if hour.is_multiple_of(10) { u64::from(post.is_multiple_of(3)) * 4 } else { (post % 2) * 4 };
        let text = texts[usize::try_from(post).unwrap() % texts.len()].replace('"', "\"\"");
        let date = jiff::fmt::strtime::format("%a %b %d %H:%M:%S UTC %Y", time).unwrap();
        writeln!(out, "\"{polarity}\",\"{post}\",\"{date}\",\"NO_QUERY\",\"user{}\",\"{text}\"", post % 9_973).unwrap();
    }
    out.flush().unwrap();
}
