//! [`Source`], which the daemon's sources implement, and the [`Outlet`] through which they deliver.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::delivery::{Arrived, Delivery};
use super::health::Health;
use crate::clock::Clock;
use crate::metrics::SourceMetrics;

/// A source that runs until it is told to stop.
///
/// It waits out by itself whatever passes (an unreachable host, a rate limit) and reports it in its [`Health`]. It is
/// made anew from the last committed [`Cursor`](super::Cursor) when it fails or panics.
pub trait Source: Send {
    /// Delivers through `outlet` until `stop` is cancelled or the source has come to its end.
    fn run<'a>(&'a mut self, outlet: &'a Outlet, stop: CancellationToken) -> BoxFuture<'a, Result<(), SourceFailure>>;
}

/// Why a source ended that was not told to.
#[derive(Debug, thiserror::Error)]
pub enum SourceFailure {
    /// What is behind the outlet has ended: the daemon is stopping.
    #[error("nobody takes posts any more")]
    Closed,
    /// It is to be started again. The text holds neither secrets nor posts.
    #[error("{0}")]
    Failed(String),
}

/// Why a delivery was not taken at once; it comes back.
#[derive(Debug)]
pub enum NotTaken {
    Full(Delivery),
    Closed(Delivery),
}

/// Where one source hands over what it read, and says how it is.
#[derive(Clone)]
pub struct Outlet {
    source: Arc<str>,
    deliveries: mpsc::Sender<Arrived>,
    clock: Clock,
    pub health: Health,
    pub metrics: SourceMetrics,
}

impl Outlet {
    pub fn new(source: &str, deliveries: mpsc::Sender<Arrived>, clock: Clock, metrics: SourceMetrics) -> Self {
        Self { source: source.into(), deliveries, clock, health: Health::default(), metrics }
    }

    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// Hands over, waiting while the pipeline is full.
    ///
    /// # Errors
    /// When the pipeline has ended.
    pub async fn deliver(&self, delivery: Delivery) -> Result<(), SourceFailure> {
        let place = self.deliveries.reserve().await.map_err(|_| SourceFailure::Closed)?;
        place.send(self.arrived(delivery));
        Ok(())
    }

    /// Hands over if there is room.
    ///
    /// # Errors
    /// When there is none, or the pipeline has ended; the delivery comes back.
    pub fn try_deliver(&self, delivery: Delivery) -> Result<(), NotTaken> {
        match self.deliveries.try_reserve() {
            Ok(place) => {
                place.send(self.arrived(delivery));
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(())) => Err(NotTaken::Full(delivery)),
            Err(mpsc::error::TrySendError::Closed(())) => Err(NotTaken::Closed(delivery)),
        }
    }

    /// Counts what was received: once it is handed over, and not before, so that nothing is counted twice.
    fn arrived(&self, delivery: Delivery) -> Arrived {
        let at = self.now();
        self.metrics.received.inc_by(delivery.received() as u64);
        for unusable in &delivery.unusable {
            self.metrics.rejected(&unusable.reason);
        }
        for post in &delivery.posts {
            self.metrics.lag.observe(at.duration_since(post.created_at).as_secs_f64().max(0.0));
        }
        Arrived { source: self.source.clone(), at, delivery }
    }
}
