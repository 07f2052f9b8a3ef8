//! The source as the daemon runs it: it delivers, says how it is, and stops.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::Layout;
use super::kit::{Kit, json};
use crate::metrics::Metrics;
use crate::source::health::SourceState;
use crate::source::sender::{Outlet, Source};

#[tokio::test]
async fn it_delivers_reports_and_stops() {
    let mut kit = Kit::new(Layout::Jsonl);
    kit.config.poll = SignedDuration::from_millis(10);
    kit.config.stalled_after = Some(SignedDuration::from_hours(1));
    let mut source = kit.source(None).unwrap();
    let (sender, mut arrived) = mpsc::channel(1);
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let outlet = Outlet::new("desk", sender, Arc::new(move || at), Metrics::new().source("desk"));
    let stop = CancellationToken::new();
    let run = {
        let (outlet, stop) = (outlet.clone(), stop.clone());
        tokio::spawn(async move { source.run(&outlet, stop).await })
    };
    while !matches!(outlet.health.report().state, SourceState::Waiting { .. }) {
        tokio::task::yield_now().await;
    }
    assert_eq!(outlet.health.report().last_success, None);
    kit.append(&json(1));
    kit.append(&json(2));
    let first = arrived.recv().await.unwrap();
    assert!(first.delivery.cursor.is_some());
    let mut received = first.delivery.received();
    while received < 2 {
        received += arrived.recv().await.unwrap().delivery.received();
    }
    let report = outlet.health.report();
    assert_eq!((report.state, report.last_success), (SourceState::Working, Some(at)));
    assert_eq!(report.stalled_after, Some(SignedDuration::from_hours(1)));
    assert!(report.what.ends_with("/posts, every 10ms"), "{}", report.what);
    stop.cancel();
    assert!(run.await.unwrap().is_ok());
    assert_eq!(outlet.health.report().state, SourceState::Stopped);
}

#[tokio::test]
async fn it_ends_when_nobody_takes_posts() {
    let kit = Kit::new(Layout::Jsonl);
    kit.append(&json(1));
    let mut source = kit.source(None).unwrap();
    let (sender, arrived) = mpsc::channel(1);
    drop(arrived);
    let clock = Arc::new(|| Timestamp::UNIX_EPOCH);
    let outlet = Outlet::new("desk", sender, clock, Metrics::new().source("desk"));
    assert!(source.run(&outlet, CancellationToken::new()).await.is_err());
}
