//! The life of one source: run, and run again from the last committed cursor when it dies.

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::MakeSource;
use super::restart_policy::{Deaths, Verdict};
use super::status_publisher::Committed;
use crate::metrics::Metrics;
use crate::source::{Outlet, Source, SourceFailure, SourceState};

/// A source with what it takes to start it again.
pub(super) struct Supervised {
    pub(super) outlet: Outlet,
    pub(super) make: MakeSource,
    pub(super) committed: Committed,
    pub(super) deaths: Deaths,
    pub(super) metrics: Metrics,
}

impl Supervised {
    /// Runs until `stop`, the source's own end, or too many deaths, which go to `fatal`.
    pub(super) async fn run(
        mut self,
        first: Box<dyn Source>,
        stop: CancellationToken,
        fatal: mpsc::Sender<anyhow::Error>,
    ) {
        let mut source = Some(first);
        while !stop.is_cancelled() {
            let Err(error) = self.live(&mut source, &stop).await else { break };
            let name = self.outlet.source().to_owned();
            self.outlet.metrics.restarts.inc();
            self.metrics.daemon.deaths.with_label_values(&["source"]).inc();
            match self.deaths.note(self.outlet.now()) {
                Verdict::GiveUp => {
                    let error = error.context(format!("source {name} died three times in five minutes"));
                    // Nobody listens any more only when the daemon is ending already.
                    let _ = fatal.send(error).await;
                    break;
                }
                Verdict::RestartAfter(wait) => {
                    tracing::error!(source = name, error = format!("{error:#}"), "a source died and is started again");
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = stop.cancelled() => {}
                    }
                }
            }
        }
        self.outlet.health.update(|report| report.state = SourceState::Stopped);
    }

    /// One life. The source runs in a task of its own, so that its panic is an error here.
    async fn live(&mut self, source: &mut Option<Box<dyn Source>>, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut source = match source.take() {
            Some(first) => first,
            None => (self.make)(self.committed.get(self.outlet.source()))?,
        };
        let (outlet, stop) = (self.outlet.clone(), stop.clone());
        // A set of one, because it ends its task when it goes: a source that hears no stop must let go of its outlet.
        let mut life = JoinSet::new();
        life.spawn(async move { source.run(&outlet, stop).await });
        match life.join_next().await {
            None | Some(Ok(Ok(()) | Err(SourceFailure::Closed))) => Ok(()),
            Some(Ok(Err(error))) => Err(error.into()),
            Some(Err(_)) => {
                Err(anyhow::anyhow!("it panicked: a fault of this program, please report it")).context("the source")
            }
        }
    }
}
