//! Supervision of sources that fail, panic or do not stop.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use vigie::config::LoadedConfig;
use vigie::metrics::Metrics;
use vigie::monitor::Monitor;
use vigie::pipeline::assembly::LabelSource;
use vigie::pipeline::{Daemon, MakeSource, RunningDaemon, SourceInput, SourceSpec, monotonic};
use vigie::post::Post;
use vigie::rule::{EventKind, Rules};
use vigie::source::{Cursor, Source, SourceBatch, SourceFailure, SourceSender};
use vigie::store::Store;
use vigie::window;

/// What a run of the source does after it has sent its post.
#[derive(Clone, Copy)]
enum Then {
    Fail,
    Panic,
    WaitForStop,
    /// Ignores the stop signal.
    WaitForEver,
}

/// Sends one post: the one after its cursor.
struct Once {
    number: u64,
    then: Then,
}

impl Source for Once {
    fn run<'a>(
        &'a mut self,
        out: &'a SourceSender,
        stop: CancellationToken,
    ) -> BoxFuture<'a, Result<(), SourceFailure>> {
        async move {
            let post = Post {
                id: self.number.to_string(),
                created_at: out.now(),
                text: "Air Paradis".into(),
                label: Some("neutral".into()),
                ..Post::default()
            };
            let cursor = Some(Cursor::new(&self.number).unwrap());
            let (ack, committed) = tokio::sync::oneshot::channel();
            let batch = SourceBatch { posts: vec![post], cursor, ack: Some(ack), ..SourceBatch::default() };
            out.send(batch).await?;
            committed.await.unwrap();
            match self.then {
                Then::Fail => return Err(SourceFailure::Failed("as asked".into())),
                Then::Panic => panic!("as asked"),
                Then::WaitForStop => stop.cancelled().await,
                Then::WaitForEver => std::future::pending().await,
            }
            Ok(())
        }
        .boxed()
    }
}

/// A daemon whose source performs these runs in sequence and repeats the last one.
fn start(state: &Path, lives: &'static [Then]) -> (RunningDaemon, Metrics) {
    let lived = AtomicU64::new(0);
    let make: MakeSource = Box::new(move |cursor| {
        let before = cursor.map_or(0, |cursor| cursor.read::<u64>().unwrap());
        let life = usize::try_from(lived.fetch_add(1, Ordering::SeqCst)).unwrap();
        let then = lives.get(life).or(lives.last()).copied().unwrap();
        Ok(Box::new(Once { number: before + 1, then }) as _)
    });
    let metrics = Metrics::new();
    let daemon = Daemon {
        loaded: LoadedConfig::find(Some(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/vigie.toml")), None)
            .unwrap(),
        state: state.to_owned(),
        make_classifier: LabelSource::Given.classifier(0, Default::default()),
        sources: vec![SourceSpec { name: "test".into(), kind: "test".into(), by: SourceInput::Task(make) }],
        receivers: Vec::new(),
        clock: Arc::new(Timestamp::now),
        monotonic: monotonic(),
        metrics: metrics.clone(),
        telemetry: vigie::telemetry::Telemetry::default(),
    };
    (daemon.start().unwrap(), metrics)
}

async fn wait_posts(running: &RunningDaemon, posts: u64) {
    let started = Instant::now();
    while running.handle.status().totals.classified < posts {
        assert!(started.elapsed() < Duration::from_secs(30), "{:#?}", running.handle.status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Failures of the daemon become events at the end of the minute, which rules can query.
#[tokio::test(flavor = "multi_thread")]
async fn failures_are_events() {
    let state = tempfile::tempdir().unwrap();
    let (running, metrics) = start(state.path(), &[Then::Panic, Then::Fail, Then::WaitForStop]);
    wait_posts(&running, 3).await;
    metrics.classify.failures.inc();
    // The next tick records them; an immediate stop could come before it.
    let last_tick = metrics.monitor.last_evaluation.get();
    let started = Instant::now();
    while metrics.monitor.last_evaluation.get() < last_tick + 2.0 {
        assert!(started.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.stop(Duration::from_secs(10)).await.unwrap();
    let store = Store::open(state.path()).unwrap();
    let monitor = Monitor::open(store, window::Config::default(), Rules::default()).unwrap();
    assert_eq!(monitor.events(EventKind::PipelineError).len(), 3);
    assert_eq!(monitor.events(EventKind::IncorrectPrediction), [0_i64; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_source_resumes_at_the_committed_cursor() {
    let state = tempfile::tempdir().unwrap();
    let (running, metrics) = start(state.path(), &[Then::Panic, Then::Fail, Then::WaitForStop]);
    wait_posts(&running, 3).await;
    assert_eq!(metrics.source("test").restarts.get(), 2);
    running.stop(Duration::from_secs(10)).await.unwrap();

    let (running, _) = start(state.path(), &[Then::WaitForStop]);
    wait_posts(&running, 4).await;
    let totals = running.handle.status().totals;
    assert_eq!((totals.received, totals.duplicates), (4, 0), "the fourth post, and no duplicates");
    running.stop(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn three_failures_in_five_minutes_end_the_daemon_with_the_reason() {
    let state = tempfile::tempdir().unwrap();
    let (mut running, _) = start(state.path(), &[Then::Fail]);
    let failure = tokio::time::timeout(Duration::from_secs(30), running.failure()).await.unwrap();
    assert_eq!(format!("{failure:#}"), "source test failed three times in five minutes: as asked");
    running.stop(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_does_not_stop_is_named_and_the_rest_is_committed() {
    let state = tempfile::tempdir().unwrap();
    let (running, _) = start(state.path(), &[Then::WaitForEver]);
    wait_posts(&running, 1).await;
    let late = running.stop(Duration::from_millis(200)).await.unwrap_err().to_string();
    assert!(late.contains("source test") && !late.contains("monitor"), "{late}");
    let (running, _) = start(state.path(), &[Then::WaitForStop]);
    wait_posts(&running, 2).await;
    running.stop(Duration::from_secs(10)).await.unwrap();
}
