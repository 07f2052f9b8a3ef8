//! The daemon under a clock that jumps. The test controls the wall clock and the monotonic clock.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use vigie::config::LoadedConfig;
use vigie::metrics::Metrics;
use vigie::pipeline::assembly::LabelSource;
use vigie::pipeline::status::Status;
use vigie::pipeline::{Daemon, RunningDaemon, SourceInput, SourceSpec};
use vigie::post::Post;
use vigie::source::{Source, SourceBatch, SourceFailure, SourceSender};

const START: i64 = 1_790_000_040;

/// The wall clock and the monotonic one, in seconds since [`START`].
#[derive(Clone, Default)]
struct Clocks {
    wall: Arc<AtomicI64>,
    monotonic: Arc<AtomicI64>,
}

impl Clocks {
    /// Lets time pass on both clocks.
    fn pass(&self, seconds: i64) {
        self.wall.fetch_add(seconds, Ordering::SeqCst);
        self.monotonic.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Sets the wall clock.
    fn jump(&self, seconds: i64) {
        self.wall.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// Sends the posts that it receives from the test.
struct ChannelSource(mpsc::UnboundedReceiver<Post>);

impl Source for ChannelSource {
    fn run<'a>(
        &'a mut self,
        out: &'a SourceSender,
        stop: CancellationToken,
    ) -> BoxFuture<'a, Result<(), SourceFailure>> {
        async move {
            loop {
                tokio::select! {
                    Some(post) = self.0.recv() => out.send(SourceBatch { posts: vec![post], ..SourceBatch::default() }).await?,
                    () = stop.cancelled() => return Ok(()),
                }
            }
        }
        .boxed()
    }
}

struct Test {
    clocks: Clocks,
    posts: mpsc::UnboundedSender<Post>,
    running: RunningDaemon,
    sent: u64,
    _state: tempfile::TempDir,
}

impl Test {
    fn start() -> Self {
        let (state, clocks) = (tempfile::tempdir().unwrap(), Clocks::default());
        let (posts, fed) = mpsc::unbounded_channel();
        let (wall, monotonic) = (clocks.wall.clone(), clocks.monotonic.clone());
        let mut fed = Some(fed);
        let make = Box::new(move |_| Ok(Box::new(ChannelSource(fed.take().unwrap())) as _));
        let now = move || Timestamp::from_second(START + wall.load(Ordering::SeqCst)).unwrap();
        let daemon = Daemon {
            loaded: LoadedConfig::find(Some(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/vigie.toml")), None)
                .unwrap(),
            state: state.path().join("state"),
            make_classifier: LabelSource::Given.classifier(0, Default::default()),
            sources: vec![SourceSpec { name: "test".into(), kind: "test".into(), by: SourceInput::Task(make) }],
            receivers: Vec::new(),
            clock: Arc::new(now),
            monotonic: Arc::new(move || Duration::from_secs(monotonic.load(Ordering::SeqCst).unsigned_abs())),
            metrics: Metrics::new(),
            telemetry: vigie::telemetry::Telemetry::default(),
        };
        Self { clocks, posts, running: daemon.start().unwrap(), sent: 0, _state: state }
    }

    /// Sends a post with the true time, from which the wall clock may differ.
    fn post(&mut self) {
        let true_time = START + self.clocks.monotonic.load(Ordering::SeqCst);
        self.sent += 1;
        let post = Post {
            id: self.sent.to_string(),
            created_at: Timestamp::from_second(true_time).unwrap(),
            text: "Air Paradis".into(),
            label: Some("negative".into()),
            ..Post::default()
        };
        self.posts.send(post).unwrap();
    }

    /// Waits for a status that meets the condition. The daemon checks its clocks once per second.
    async fn wait(&self, what: &str, expected: impl Fn(&Status) -> bool) -> Status {
        let started = Instant::now();
        loop {
            let status = self.running.handle.status();
            if expected(&status) {
                return status;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "no {what}: {status:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn wait_counted(&self) -> Status {
        self.wait("count", |status| status.topics.first().is_some_and(|topic| topic.posts == self.sent)).await
    }
}

fn jumped(status: &Status) -> bool {
    status.alerts.iter().any(|alert| alert.rule == "ClockJumped")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_jump_raises_an_alert_and_changes_nothing() {
    let mut test = Test::start();
    for jump in [SignedDuration::from_hours(24 * 365), SignedDuration::from_hours(-24 * 365)] {
        test.post();
        test.wait_counted().await;
        test.clocks.jump(jump.as_secs());
        test.post();
        test.wait("alert", jumped).await;
        assert_eq!(test.running.handle.stuck(), None, "a jump is not a delay: the watchdog must not end the daemon");
        test.clocks.pass(120);
        test.post();
        test.clocks.jump(-jump.as_secs());
        let status = test.wait("end of the alert", |status| !jumped(status)).await;
        assert!(status.ready, "{:?}", status.not_ready);
        test.wait_counted().await;
    }
    test.running.stop(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_continues_after_a_clock_that_ran_ahead_is_corrected() {
    let mut test = Test::start();
    test.post();
    test.wait_counted().await;
    // A month ahead for so long that the daemon trusts it, then corrected for as long.
    let month = SignedDuration::from_hours(24 * 30).as_secs();
    for jump in [month, -month] {
        test.clocks.jump(jump);
        test.wait("alert", jumped).await;
        test.clocks.pass(601);
        test.wait("belief", |status| !jumped(status)).await;
    }
    test.post();
    test.wait("a post of the last minute", |status| {
        status.topics.first().is_some_and(|topic| topic.recent.iter().rev().take(2).any(|(posts, _)| *posts == 1))
    })
    .await;
    test.running.stop(Duration::from_secs(10)).await.unwrap();
}
