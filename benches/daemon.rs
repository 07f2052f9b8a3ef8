//! The daemon without the model: ten million posts of eleven simulated hours through its queues and threads into a real
//! store. Prints posts per second, memory and disk: memory must stay constant, and disk grow by the stored posts only.
//!
//! `cargo bench --bench daemon`; `-- 500000` for fewer posts, `-- without-posts` for none in the posts table.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench: it prints to its user, and stops on an error")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use vigie::config::LoadedConfig;
use vigie::metrics::Metrics;
use vigie::pipeline::assembly::LabelSource;
use vigie::pipeline::{Daemon, SourceInput, SourceSpec};
use vigie::post::Post;
use vigie::source::{Source, SourceBatch, SourceFailure, SourceSender};
use vigie::store::Store;

/// Posts per second of simulated time: the limit of the filtered stream.
const RATE: i64 = 250;
const CHUNK: i64 = 250;
const START: i64 = 1_790_000_000;

struct Synthetic {
    posts: i64,
    /// Milliseconds of simulated time since [`START`].
    time: Arc<AtomicI64>,
}

fn post(number: i64, created_at: Timestamp) -> Post {
    let label = ["negative", "neutral", "positive"][usize::try_from(number % 3).unwrap()];
    Post {
        id: number.to_string(),
        created_at,
        author: Some(format!("author{}", number % 10_000)),
        text: wording(number),
        label: Some(label.into()),
        ..Post::default()
    }
}

/// Ten words out of a thousand, so that texts differ.
fn wording(number: i64) -> String {
    let mut state = number as u64 + 1;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!(" word{}", (state >> 33) % 1_000)
    };
    format!("Air Paradis{}", (0..10).map(|_| word()).collect::<String>())
}

impl Source for Synthetic {
    fn run<'a>(&'a mut self, out: &'a SourceSender, _: CancellationToken) -> BoxFuture<'a, Result<(), SourceFailure>> {
        async move {
            for first in (0..self.posts).step_by(usize::try_from(CHUNK).unwrap()) {
                self.time.store(first * 1_000 / RATE, Ordering::Relaxed);
                let now = out.now();
                let posts = (first..(first + CHUNK).min(self.posts)).map(|number| post(number, now)).collect();
                out.send(SourceBatch { posts, ..SourceBatch::default() }).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

fn memory_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1e3
}

fn bytes_in(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).unwrap().flatten();
    entries
        .map(
            |entry| {
                if entry.path().is_dir() { bytes_in(&entry.path()) } else { entry.metadata().map_or(0, |m| m.len()) }
            },
        )
        .sum()
}

/// Bytes of all keys and values.
fn stored_bytes(state: &Path) -> u64 {
    let store = Store::open(state).unwrap();
    store.records().map(|record| record.map(|(key, value)| key.as_bytes().len() + value.len()).unwrap() as u64).sum()
}

fn main() {
    let posts = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(10_000_000);
    let keeps_posts = !std::env::args().any(|argument| argument == "without-posts");
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let time = Arc::new(AtomicI64::new(0));
    let (wall, monotonic) = (time.clone(), time.clone());
    let clock_time =
        move || Timestamp::from_second(START).unwrap() + SignedDuration::from_millis(wall.load(Ordering::Relaxed));
    let source = Box::new(move |_| Ok(Box::new(Synthetic { posts, time: time.clone() }) as _));
    let metrics = Metrics::new();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/vigie.toml");
    let mut loaded = LoadedConfig::find(Some(&config), None).unwrap();
    if !keeps_posts {
        loaded.config.retention.posts_days = 0;
    }
    let daemon = Daemon {
        loaded,
        state: state.clone(),
        make_classifier: LabelSource::Given.classifier(0, Default::default()),
        sources: vec![SourceSpec { name: "synthetic".into(), kind: "bench".into(), by: SourceInput::Task(source) }],
        receivers: Vec::new(),
        clock: Arc::new(clock_time),
        monotonic: Arc::new(move || Duration::from_millis(monotonic.load(Ordering::Relaxed).unsigned_abs())),
        metrics: metrics.clone(),
        telemetry: vigie::telemetry::Telemetry::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let running = daemon.start().unwrap();
        let started = Instant::now();
        let counted = metrics.monitor.posts.with_label_values(&["counted"]);
        let mut reported = 0;
        while counted.get() < posts.unsigned_abs() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if counted.get() >= reported + posts.unsigned_abs() / 10 {
                reported = counted.get();
                println!("{reported:>9} posts  {:6.0} MB  store {:4} MB", memory_megabytes(), bytes_in(&state) >> 20);
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        let commits = &metrics.monitor.commit;
        println!(
            "{:.0} posts/s; {} commits of {:.2} ms",
            posts as f64 / seconds,
            commits.get_sample_count(),
            1e3 * commits.get_sample_sum() / commits.get_sample_count() as f64
        );
        running.stop(Duration::from_secs(30)).await.unwrap();
    });
    // What sled has freed and not reused counts too: it is on disk.
    let (disk, logical) = (bytes_in(&state), stored_bytes(&state));
    println!(
        "store: {disk} bytes on disk, {logical} in records; {:.0} and {:.0} per post",
        disk as f64 / posts as f64,
        logical as f64 / posts as f64
    );
}
