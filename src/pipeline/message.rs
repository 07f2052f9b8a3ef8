//! What travels between the threads of the daemon. The types of a stage's own output stand with that stage; these join
//! two of them.
//!
//! ```text
//!   Envelope ==> classifier thread ==ClassifiedBatch==> monitor thread ==Notification==> receiver thread
//!                                                             ^--DeliveryAttempt-------------/
//! ```

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::command::Command;
use crate::classify::ClassifiedPost;
use crate::monitor::PostOutcome;
use crate::notify::dispatch::Delivery;
use crate::post::{ComplianceEvent, RejectedRecord};
use crate::source::Cursor;

/// What the monitor's thread receives.
pub(super) enum Event {
    Classified(Vec<ClassifiedBatch>),
    /// A receiver's thread has tried to deliver a notification.
    Attempted(DeliveryAttempt),
    Command(Command),
    /// The sources have ended, and everything they sent came before this.
    Drained,
}

/// A batch of one source with its posts classified.
#[derive(Debug)]
pub(super) struct ClassifiedBatch {
    pub(super) source: Arc<str>,
    /// When the source sent it.
    pub(super) at: Timestamp,
    /// Posts and rejected records.
    pub(super) received: u64,
    pub(super) duplicates: u64,
    /// Posts of no topic. The model did not read them.
    pub(super) unmatched: u64,
    pub(super) posts: Vec<MatchedPost>,
    pub(super) rejected: Vec<RejectedRecord>,
    pub(super) compliance: Vec<ComplianceEvent>,
    /// Committed with the effects of the batch.
    pub(super) cursor: Option<Cursor>,
    /// Notified once the batch is on disk.
    pub(super) ack: Option<oneshot::Sender<()>>,
}

impl ClassifiedBatch {
    /// Nothing in it is to be committed.
    pub(super) fn is_empty(&self) -> bool {
        let Self { received, duplicates, unmatched, posts, rejected, compliance, cursor, ack, source: _, at: _ } = self;
        let records = posts.is_empty() && rejected.is_empty() && compliance.is_empty();
        records && cursor.is_none() && ack.is_none() && received + duplicates + unmatched == 0
    }
}

/// A classified post with the topics it was matched to; at least one.
#[derive(Debug)]
pub(super) struct MatchedPost {
    pub(super) topics: Vec<String>,
    pub(super) classified: ClassifiedPost,
}

/// What a receiver's thread reports about one notification.
pub(super) struct DeliveryAttempt {
    pub(super) receiver: String,
    pub(super) key: String,
    pub(super) delivery: Delivery,
}

/// The outcome of a batch.
pub(super) struct BatchOutcome {
    /// In the order of its posts.
    pub(super) posts: Vec<PostOutcome>,
    /// Posts whose own time lay ahead of the clock.
    pub(super) future: u64,
}
