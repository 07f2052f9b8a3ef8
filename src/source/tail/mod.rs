//! Reads a growing file of CSV or JSON lines like `tail -F`, through rotation, truncation and absence.
//!
//! ```text
//! siblings -> RotationTracker (which file) -> TailedFile (one growing file) -> Rows (as in a replay)
//!          -> SourceBatch with a FileCheckpoint
//! ```

mod checkpoint;
mod config;
mod file;
mod rotation;
mod rows;
mod siblings;

#[cfg(test)]
mod tests;

pub use config::{Config, TailLayout};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use tracing::field::Empty;

use super::batch::SourceBatch;
use super::health::{HealthReport, SourceState};
use super::{Context, Cursor, Source, SourceFailure, SourceSender};
use crate::logging::SPANS;
use crate::post::RejectedRecord;
use checkpoint::FileCheckpoint;
use rotation::{RotationTracker, TailState, TailStep};

/// Builds the source that `config` describes.
pub(super) fn build(config: &Config, context: &Context<'_>) -> Result<Box<dyn Source>, String> {
    build_tail(config, context.cursor.as_ref()).map(|source| Box::new(source) as Box<dyn Source>)
}

fn build_tail(config: &Config, cursor: Option<&Cursor>) -> Result<FileTail, String> {
    let checkpoint = cursor.map(Cursor::read::<FileCheckpoint>).transpose().map_err(|error| {
        format!("another kind of source wrote the stored cursor ({error}): give the source a new name")
    })?;
    let tracker = Some(RotationTracker::new(config.clone(), checkpoint));
    Ok(FileTail { config: config.clone(), tracker, rejects: RejectRun::default() })
}

/// A tailed file as a source.
struct FileTail {
    config: Config,
    /// None while the blocking thread uses it.
    tracker: Option<RotationTracker>,
    rejects: RejectRun,
}

/// Rejected rows without a post between them.
#[derive(Debug, Default)]
struct RejectRun {
    rows: usize,
    /// Why the last one was rejected.
    last: String,
    logged_at: Option<Timestamp>,
}

/// So many rejected rows in a row mean that the file is not what the configuration says.
const MAX_REJECTS: usize = 20;
/// How often rejected rows are logged.
const REJECT_LOG_INTERVAL: SignedDuration = SignedDuration::from_mins(10);

impl RejectRun {
    fn record(&mut self, source: &str, batch: &SourceBatch, now: Timestamp) {
        self.rows = if batch.posts.is_empty() { self.rows + batch.rejected.len() } else { 0 };
        let Some(RejectedRecord { reason, detail, .. }) = batch.rejected.last() else { return };
        self.last.clone_from(detail);
        if self.logged_at.is_none_or(|at| now.duration_since(at) >= REJECT_LOG_INTERVAL) {
            tracing::warn!(
                source,
                reason,
                detail,
                "row rejected; further ones are counted and logged every ten minutes"
            );
            self.logged_at = Some(now);
        }
    }

    /// Why the source is blocked, until the next post: it delivers nothing but rejected rows.
    fn blocked(&self) -> Option<String> {
        let why = || format!("the last {} rows were all rejected; the last one: {}", self.rows, self.last);
        (self.rows >= MAX_REJECTS).then(why)
    }
}

impl Source for FileTail {
    fn run<'a>(
        &'a mut self,
        out: &'a SourceSender,
        stop: CancellationToken,
    ) -> BoxFuture<'a, Result<(), SourceFailure>> {
        Box::pin(async move {
            let what = format!("file {}, every {:#}", self.config.path.display(), self.config.poll);
            let stalled_after = self.config.stalled_after;
            out.health.update(|report| (report.what, report.stalled_after) = (what, stalled_after));
            // A batch that is in flight when `stop` is cancelled is not committed; the next start reads it again.
            let ended = stop.run_until_cancelled(self.read_until_failure(out)).await;
            out.health.update(|report| report.state = SourceState::Stopped);
            ended.unwrap_or(Ok(()))
        })
    }
}

impl FileTail {
    async fn read_until_failure(&mut self, out: &SourceSender) -> Result<(), SourceFailure> {
        loop {
            let span = tracing::trace_span!(target: SPANS, "poll", source = out.source(), posts = Empty, skip = Empty);
            let TailStep { batch, more, state } = self.step(out.now()).instrument(span.clone()).await?;
            let (now, poll, has_content) = (out.now(), self.config.poll, has_content(&batch));
            span.record("posts", batch.posts.len());
            // A file is polled twice a second: a poll that finds nothing is not worth a span.
            span.record("skip", !has_content);
            drop(span);
            self.rejects.record(out.source(), &batch, now);
            let state = self.rejects.blocked().map_or(state, TailState::Unsupported);
            out.health.update(|report| update_report(report, state, has_content, now, poll));
            if has_content || batch.cursor.is_some() {
                out.send(batch).await?;
            }
            if !more {
                tokio::time::sleep(poll.unsigned_abs()).await;
            }
        }
    }

    /// Runs one step of the tracker on a blocking thread.
    async fn step(&mut self, now: Timestamp) -> Result<TailStep, SourceFailure> {
        let lost = || SourceFailure::Failed("the file reader was lost in an earlier failure".into());
        let mut tracker = self.tracker.take().ok_or_else(lost)?;
        let task = tokio::task::spawn_blocking(move || {
            let step = tracker.step(now);
            (tracker, step)
        });
        let (tracker, step) = task.await.map_err(|error| SourceFailure::Failed(error.to_string()))?;
        self.tracker = Some(tracker);
        Ok(step)
    }
}

fn has_content(batch: &SourceBatch) -> bool {
    batch.received() + batch.compliance.len() > 0
}

fn update_report(report: &mut HealthReport, state: TailState, has_content: bool, now: Timestamp, poll: SignedDuration) {
    if has_content {
        report.last_success = Some(now);
    }
    match state {
        TailState::Reading => (report.state, report.paused_since) = (SourceState::Working, None),
        TailState::Waiting(why) => {
            let until = now.checked_add(poll).unwrap_or(now);
            report.pause(SourceState::Waiting { until, why: why.clone() }, &why, now);
        }
        TailState::Unsupported(why) => report.pause(SourceState::Blocked { why: why.clone() }, &why, now),
    }
}
