//! [`SourceBatch`]: what a source sends to the pipeline at once, and its [`Envelope`].

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::cursor::Cursor;
use crate::post::ComplianceEvent;
use crate::post::Post;
use crate::post::RejectedRecord;

/// Posts and rejected records in a batch, together: what one commit stores in well under a second.
pub const MAX_BATCH: usize = 512;

/// What a source sends at once; at most [`MAX_BATCH`] posts and rejected records.
#[derive(Debug, Default)]
pub struct SourceBatch {
    pub posts: Vec<Post>,
    pub rejected: Vec<RejectedRecord>,
    pub compliance: Vec<ComplianceEvent>,
    /// Where the source resumes after a restart, once this batch is committed.
    pub cursor: Option<Cursor>,
    /// Acknowledged once the batch is on disk; dropped when it could not be stored.
    pub ack: Option<oneshot::Sender<()>>,
}

impl SourceBatch {
    /// Posts and rejected records: the number that the totals must account for.
    pub fn received(&self) -> usize {
        self.posts.len() + self.rejected.len()
    }
}

/// A batch in the queue, with its origin.
#[derive(Debug)]
pub struct Envelope {
    pub source: Arc<str>,
    pub received_at: Timestamp,
    pub batch: SourceBatch,
}
