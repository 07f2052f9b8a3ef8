//! [`SourceSender`]: the channel through which a source sends its batches, with its clock, health and metrics.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::SourceFailure;
use super::batch::{Envelope, SourceBatch};
use super::health::Health;
use crate::clock::Clock;
use crate::metrics::SourceMetrics;

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
