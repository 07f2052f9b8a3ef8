//! Rows/s from bytes to sorted posts, and posts/s of topic matching. Not run by default:
//! `cargo test --release -p vigie-reading dump::tests::speed -- --ignored --nocapture --test-threads=1`

use std::time::Instant;

use super::*;
use crate::post::{Topic, Topics};

const ROWS: usize = 1_600_000;

fn measure(file: &str, options: &ReadOptions) {
    let path = format!("{}/../../../shared/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let Ok(dump) = std::fs::read(&path) else { return println!("skipped: {path} is absent") };
    let header = if file.starts_with("airline") { dump.iter().position(|byte| *byte == b'\n').unwrap() + 1 } else { 0 };
    let rows = read_with(&dump, options, REPLAY).0.len();
    let times = ROWS / rows;
    let bytes = (dump.len() - header) * times;
    let start = Instant::now();
    let stream = Box::new(Repeated { at: 0, again: header, left: times, dump });
    let mut reader = Reader::from_bytes(file.into(), stream, None, options, REPLAY).unwrap();
    let mut sort = ExternalSort::default();
    while let Some(read) = reader.next_row().unwrap() {
        if let Some(post) = read.ok().and_then(Row::into_post) {
            sort.push(&post).unwrap();
        }
    }
    let posts = sort.len();
    let read = start.elapsed().as_secs_f64();
    let mut topics = Topics::new(
        &[Topic {
            name: "t".into(),
            keywords: vec!["air paradis".into()],
            handles: vec!["united".into()],
            ..Topic::default()
        }],
        Some("other"),
    )
    .unwrap();
    let mut search = 0.0;
    for post in sort.finish().unwrap() {
        let post = Post { topic: None, ..post.unwrap() };
        let before = Instant::now();
        std::hint::black_box(topics.match_post(&post));
        search += before.elapsed().as_secs_f64();
    }
    let all = start.elapsed().as_secs_f64() - search;
    let per_second = |seconds: f64| posts as f64 / seconds;
    println!(
        "{file}: {posts} posts, {} MB; read and pushed {:.0} rows/s, with the merge {:.0} rows/s; topics {:.0} posts/s; peak {}",
        bytes >> 20,
        per_second(read),
        per_second(all),
        per_second(search),
        peak_memory()
    );
}

/// Repeats a dump, with its header only once.
struct Repeated {
    dump: Vec<u8>,
    at: usize,
    again: usize,
    left: usize,
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.dump.len() && self.left > 1 {
            (self.at, self.left) = (self.again, self.left - 1);
        }
        let read = (&self.dump[self.at..]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}

#[test]
#[ignore = "measures, in release"]
fn sentiment140() {
    measure("sentiment140/train.csv", &ReadOptions::default());
}

#[test]
#[ignore = "measures, in release"]
fn airline() {
    measure(
        "airline/tweets.csv",
        &ReadOptions { columns: Columns::parse("topic=airline").unwrap(), ..ReadOptions::default() },
    );
}
