//! Runs one source, and restarts it from the last committed cursor when it fails.

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::MakeSource;
use super::restart_policy::{RestartDecision, RestartPolicy};
use super::status_publisher::Committed;
use crate::metrics::Metrics;
use crate::source::{Source, SourceFailure, SourceSender, SourceState};

/// A source, with what is needed to restart it.
pub(super) struct SourceTask {
    pub(super) out: SourceSender,
    pub(super) make: MakeSource,
    pub(super) committed: Committed,
    pub(super) restart_policy: RestartPolicy,
    pub(super) metrics: Metrics,
}

impl SourceTask {
    /// Runs until `stop`, the source's end, or too many failures, which go to `fatal`.
    pub(super) async fn run(
        mut self,
        first: Box<dyn Source>,
        stop: CancellationToken,
        fatal: mpsc::Sender<anyhow::Error>,
    ) {
        let mut source = Some(first);
        while !stop.is_cancelled() {
            let Err(error) = self.live(&mut source, &stop).await else { break };
            let name = self.out.source().to_owned();
            self.out.metrics.restarts.inc();
            self.metrics.daemon.deaths.with_label_values(&["source"]).inc();
            match self.restart_policy.record_failure(self.out.now()) {
                RestartDecision::GiveUp => {
                    let error = error.context(format!("source {name} failed three times in five minutes"));
                    // Without a receiver the daemon is already ending.
                    let _ = fatal.send(error).await;
                    break;
                }
                RestartDecision::RestartAfter(wait) => {
                    tracing::error!(source = name, error = format!("{error:#}"), "source failed: restarting");
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = stop.cancelled() => {}
                    }
                }
            }
        }
        self.out.health.update(|report| report.state = SourceState::Stopped);
    }

    /// Runs the source until it ends. It has its own task, so that a panic is an error here.
    async fn live(&mut self, source: &mut Option<Box<dyn Source>>, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut source = match source.take() {
            Some(first) => first,
            None => (self.make)(self.committed.get(self.out.source()))?,
        };
        let (out, stop) = (self.out.clone(), stop.clone());
        // A set of one, because dropping it aborts its task: a source that ignores the stop must release its sender.
        let mut life = JoinSet::new();
        life.spawn(async move { source.run(&out, stop).await });
        match life.join_next().await {
            None | Some(Ok(Ok(()) | Err(SourceFailure::Closed))) => Ok(()),
            Some(Ok(Err(error))) => Err(error.into()),
            Some(Err(_)) => Err(anyhow::anyhow!("it panicked: a bug in vigie, please report it")).context("the source"),
        }
    }
}
