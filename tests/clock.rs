//! The daemon under a clock that jumps, with both clocks in the test's hand.
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
use vigie::config::Loaded;
use vigie::metrics::Metrics;
use vigie::pipeline::assembly::Labels;
use vigie::pipeline::status::Status;
use vigie::pipeline::{Daemon, Feeder, Feeding, Running};
use vigie::post::Post;
use vigie::source::{Delivery, Outlet, Source, SourceFailure};

const START: i64 = 1_790_000_040;

/// The wall clock and the steady one, in seconds since [`START`].
#[derive(Clone, Default)]
struct Clocks {
    wall: Arc<AtomicI64>,
    steady: Arc<AtomicI64>,
}

impl Clocks {
    /// Time passes on both.
    fn pass(&self, seconds: i64) {
        self.wall.fetch_add(seconds, Ordering::SeqCst);
        self.steady.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock.
    fn jump(&self, seconds: i64) {
        self.wall.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// Gives what the test sends it.
struct Fed(mpsc::UnboundedReceiver<Post>);

impl Source for Fed {
    fn run<'a>(&'a mut self, outlet: &'a Outlet, stop: CancellationToken) -> BoxFuture<'a, Result<(), SourceFailure>> {
        async move {
            loop {
                tokio::select! {
                    Some(post) = self.0.recv() => outlet.deliver(Delivery { posts: vec![post], ..Delivery::default() }).await?,
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
    running: Running,
    sent: u64,
    _state: tempfile::TempDir,
}

impl Test {
    fn start() -> Self {
        let (state, clocks) = (tempfile::tempdir().unwrap(), Clocks::default());
        let (posts, fed) = mpsc::unbounded_channel();
        let (wall, steady) = (clocks.wall.clone(), clocks.steady.clone());
        let mut fed = Some(fed);
        let make = Box::new(move |_| Ok(Box::new(Fed(fed.take().unwrap())) as _));
        let now = move || Timestamp::from_second(START + wall.load(Ordering::SeqCst)).unwrap();
        let daemon = Daemon {
            loaded: Loaded::find(Some(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/vigie.toml")), None).unwrap(),
            state: state.path().join("state"),
            make_classifier: Labels::Given.classifier(),
            sources: vec![Feeding { name: "test".into(), kind: "test".into(), by: Feeder::Task(make) }],
            receivers: Vec::new(),
            clock: Arc::new(now),
            steady: Arc::new(move || Duration::from_secs(steady.load(Ordering::SeqCst).unsigned_abs())),
            metrics: Metrics::new(),
        };
        Self { clocks, posts, running: daemon.start().unwrap(), sent: 0, _state: state }
    }

    /// A post of the true time, which the wall clock may not tell.
    fn post(&mut self) {
        let true_time = START + self.clocks.steady.load(Ordering::SeqCst);
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

    /// Waits for the status to be as wanted: the daemon looks at its clocks once a second.
    async fn wait(&self, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        let started = Instant::now();
        loop {
            let status = self.running.handle.status();
            if wanted(&status) {
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
async fn a_jump_that_is_mended_is_told_and_changes_nothing() {
    let mut test = Test::start();
    for jump in [SignedDuration::from_hours(24 * 365), SignedDuration::from_hours(-24 * 365)] {
        test.post();
        test.wait_counted().await;
        test.clocks.jump(jump.as_secs());
        test.post();
        test.wait("alert", jumped).await;
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
async fn a_clock_that_ran_ahead_and_is_set_right_counts_on() {
    let mut test = Test::start();
    test.post();
    test.wait_counted().await;
    // A month ahead for so long that it is believed, then set right for as long.
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
