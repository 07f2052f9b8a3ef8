//! [`SourceSender`]: the channel through which a source sends its batches, with its clock, health and metrics.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::SourceFailure;
use super::batch::{Envelope, SourceBatch};
use super::health::{Health, SourceState};
use crate::clock::Clock;
use crate::metrics::SourceMetrics;

/// The end of a shorter pause is not logged: a connection that is lost and opened again at once.
const MIN_LOGGED_PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Why a batch was not accepted at once. It holds the batch.
#[derive(Debug)]
pub enum TrySendError {
    Full(SourceBatch),
    Closed(SourceBatch),
}

/// The output of one source.
#[derive(Clone)]
pub struct SourceSender {
    source: Arc<str>,
    channel: mpsc::Sender<Envelope>,
    clock: Clock,
    pub health: Health,
    pub metrics: SourceMetrics,
}

impl SourceSender {
    pub fn new(source: &str, channel: mpsc::Sender<Envelope>, clock: Clock, metrics: SourceMetrics) -> Self {
        Self { source: source.into(), channel, clock, health: Health::default(), metrics }
    }

    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// Sends a batch; waits while the queue is full.
    ///
    /// # Errors
    /// When the pipeline has ended.
    pub async fn send(&self, batch: SourceBatch) -> Result<(), SourceFailure> {
        let permit = self.channel.reserve().await.map_err(|_| SourceFailure::Closed)?;
        permit.send(self.wrap(batch));
        Ok(())
    }

    /// Sends a batch if the queue has room.
    ///
    /// # Errors
    /// When the queue is full or the pipeline has ended; the error returns the batch.
    pub fn try_send(&self, batch: SourceBatch) -> Result<(), TrySendError> {
        match self.channel.try_reserve() {
            Ok(permit) => {
                permit.send(self.wrap(batch));
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(())) => Err(TrySendError::Full(batch)),
            Err(mpsc::error::TrySendError::Closed(())) => Err(TrySendError::Closed(batch)),
        }
    }

    /// Records an answer of the upstream. The end of a pause that somebody may have noticed is logged.
    pub fn report_success(&self) {
        let now = self.now();
        let mut paused = None;
        self.health.update(|report| paused = report.succeed(now));
        if let Some(paused) = paused.filter(|paused| *paused >= MIN_LOGGED_PAUSE) {
            tracing::info!(source = self.source(), paused = %format_args!("{paused:#}"), "source reads again");
        }
    }

    /// Records and logs that the source waits until `until`, or, with `needs_operator`, is blocked until somebody acts.
    pub fn report_pause(&self, until: Timestamp, why: &str, needs_operator: bool) {
        let now = self.now();
        tracing::warn!(source = self.source(), until = %format_args!("{until:.0}"), why, "source paused");
        self.health.update(|report| {
            let state = match needs_operator {
                true => SourceState::Blocked { why: why.to_owned() },
                false => SourceState::Waiting { until, why: why.to_owned() },
            };
            report.pause(state, why, now);
        });
    }

    /// Wraps a batch and counts it. Counting waits for the permit, so a batch that is sent again is counted once.
    fn wrap(&self, batch: SourceBatch) -> Envelope {
        let received_at = self.now();
        self.metrics.received.inc_by(batch.received() as u64);
        for rejected in &batch.rejected {
            self.metrics.rejected(&rejected.reason);
        }
        for post in &batch.posts {
            self.metrics.lag.observe(received_at.duration_since(post.created_at).as_secs_f64().max(0.0));
        }
        Envelope { source: self.source.clone(), received_at, batch }
    }
}
