//! Live sources: the first stage of the flow. Later stages see only [`Post`](crate::post::Post)s.
//!
//! ```text
//! twitter | tail | http | demo --> SourceSender --> SourceBatch in an Envelope --> classifier thread
//! ```
//!
//! To add a source, implement [`Source`] in its own module and add a variant to [`SourceConfig`]; what several
//! sources share goes into [`SharedResources`].

mod batch;
mod config;
mod cursor;
mod demo;
mod demo_clock;
mod health;
pub mod http;
mod sender;
mod shared;
pub mod tail;
pub mod twitter;

pub use batch::{Envelope, MAX_BATCH, SourceBatch};
pub use config::{BuildError, SourceConfig};
pub use cursor::Cursor;
pub use demo::{BACKLOG as DEMO_BACKLOG, DemoSource};
pub use demo_clock::DemoClock;
pub use health::{BudgetUsage, Health, HealthReport, SourceState};
pub use sender::{SourceSender, TrySendError};
pub use shared::SharedResources;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::post::Topic;

/// A source that runs until `stop` is cancelled.
///
/// It waits out transient failures (an unreachable host, a rate limit) by itself and reports them in its [`Health`].
/// When it fails or panics, the supervisor rebuilds it from the last committed [`Cursor`].
pub trait Source: Send {
    /// Sends batches through `out` until `stop` is cancelled or the source is exhausted.
    fn run<'a>(
        &'a mut self,
        out: &'a SourceSender,
        stop: CancellationToken,
    ) -> BoxFuture<'a, Result<(), SourceFailure>>;
}

/// Why a source ended before it was stopped.
#[derive(Debug, thiserror::Error)]
pub enum SourceFailure {
    /// The receiving end of the channel is gone: the daemon is stopping.
    #[error("the pipeline is closed")]
    Closed,
    /// The source has to be restarted. The text holds neither secrets nor posts.
    #[error("{0}")]
    Failed(String),
}

/// What a source is built from, in addition to its own configuration.
pub struct Context<'a> {
    /// What several sources use together, such as an account.
    pub shared: &'a SharedResources,
    pub topics: &'a [Topic],
    pub clock: Clock,
    /// The last committed cursor; none at the first start.
    pub cursor: Option<Cursor>,
}
