//! The source as the daemon runs it: it sends batches, reports its health and stops.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::TailLayout;
use super::kit::{Kit, json};
use crate::metrics::Metrics;
use crate::source::health::SourceState;
use crate::source::{Envelope, Source, SourceFailure, SourceSender};

/// The time that the source's clock shows.
fn at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// A source in its task, and both ends of its channel.
struct Running {
    arrived: mpsc::Receiver<Envelope>,
    out: SourceSender,
    stop: CancellationToken,
    run: JoinHandle<Result<(), SourceFailure>>,
}

impl Running {
    fn start(kit: &Kit) -> Self {
        let mut source = kit.source(None).unwrap();
        let (sender, arrived) = mpsc::channel(1);
        let out = SourceSender::new("desk", sender, Arc::new(at), Metrics::new().source("desk"));
        let stop = CancellationToken::new();
        let (to, until) = (out.clone(), stop.clone());
        let run = tokio::spawn(async move { source.run(&to, until).await });
        Self { arrived, out, stop, run }
    }
}

#[tokio::test]
async fn it_sends_reports_and_stops() {
    let mut kit = Kit::new(TailLayout::Jsonl);
    kit.config.poll = SignedDuration::from_millis(10);
    kit.config.stalled_after = Some(SignedDuration::from_hours(1));
    let Running { mut arrived, out, stop, run } = Running::start(&kit);
    while !matches!(out.health.report().state, SourceState::Waiting { .. }) {
        tokio::task::yield_now().await;
    }
    assert_eq!(out.health.report().last_success, None);
    kit.append(&json(1));
    kit.append(&json(2));
    let first = arrived.recv().await.unwrap();
    assert!(first.batch.cursor.is_some());
    let mut received = first.batch.received();
    while received < 2 {
        received += arrived.recv().await.unwrap().batch.received();
    }
    let report = out.health.report();
    assert_eq!((report.state, report.last_success), (SourceState::Working, Some(at())));
    assert_eq!(report.stalled_after, Some(SignedDuration::from_hours(1)));
    assert!(report.what.ends_with("/posts, every 10ms"), "{}", report.what);
    stop.cancel();
    assert!(run.await.unwrap().is_ok());
    assert_eq!(out.health.report().state, SourceState::Stopped);
}

/// A file with another format than configured must not look as if nothing were posted.
#[tokio::test]
async fn rows_that_are_all_rejected_block_the_source_until_a_post_comes() {
    let mut kit = Kit::new(TailLayout::Jsonl);
    kit.config.poll = SignedDuration::from_millis(10);
    kit.append(&"time;text\n".repeat(30));
    let Running { mut arrived, out, stop, run } = Running::start(&kit);
    assert_eq!(arrived.recv().await.unwrap().batch.rejected.len(), 30);
    let SourceState::Blocked { why } = out.health.report().state else { panic!("{:?}", out.health.report()) };
    assert!(why.contains("30 rows were all rejected") && why.contains("line 30"), "{why}");
    kit.append(&json(1));
    assert_eq!(arrived.recv().await.unwrap().batch.posts.len(), 1);
    assert_eq!(out.health.report().state, SourceState::Working);
    stop.cancel();
    assert!(run.await.unwrap().is_ok());
}

#[tokio::test]
async fn it_ends_when_the_pipeline_is_closed() {
    let kit = Kit::new(TailLayout::Jsonl);
    kit.append(&json(1));
    let mut source = kit.source(None).unwrap();
    let (sender, arrived) = mpsc::channel(1);
    drop(arrived);
    let clock = Arc::new(|| Timestamp::UNIX_EPOCH);
    let out = SourceSender::new("desk", sender, clock, Metrics::new().source("desk"));
    assert!(source.run(&out, CancellationToken::new()).await.is_err());
}
