//! [`StreamBatch`]: what the stream received since the last batch was sent.

use std::time::Duration;

use tokio::time::Instant;

use super::super::model::edit_events;
use super::message::{MatchedRule, StreamMessage};
use crate::post::{ComplianceEvent, Post, RejectedRecord};
use crate::source::SourceBatch;

const MAX_RECORDS: usize = 100;
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(super) struct StreamBatch {
    posts: Vec<Post>,
    rejected: Vec<RejectedRecord>,
    compliance: Vec<ComplianceEvent>,
    /// Posts that X charges for, ours or not.
    pub billed: u64,
    started: Option<Instant>,
}

impl StreamBatch {
    /// Adds a message. Returns the reason when X is about to end the stream. `is_ours`: whether a post matches our rule.
    pub(super) fn add_message(
        &mut self,
        message: StreamMessage,
        topic: Option<&str>,
        is_ours: impl Fn(&[MatchedRule]) -> bool,
    ) -> Option<String> {
        match message {
            StreamMessage::Ignored => return None,
            StreamMessage::Disconnect(why) => return Some(why),
            StreamMessage::Post { mut post, rules } => {
                self.billed += 1;
                if !is_ours(&rules) {
                    return None;
                }
                post.topic = topic.map(str::to_owned);
                self.compliance.extend(edit_events(&post));
                self.posts.push(*post);
            }
            StreamMessage::Rejected(rejected) => {
                self.billed += 1;
                self.rejected.push(rejected);
            }
            StreamMessage::Compliance(events) => self.compliance.extend(events),
        }
        self.started.get_or_insert_with(Instant::now);
        None
    }

    pub(super) fn is_full(&self) -> bool {
        self.posts.len() + self.rejected.len() >= MAX_RECORDS || self.compliance.len() >= MAX_RECORDS
    }

    /// When the batch must be sent at the latest.
    pub(super) fn flush_at(&self) -> Option<Instant> {
        self.started.map(|started| started + FLUSH_INTERVAL)
    }

    /// Converts the batch; it has no cursor yet.
    pub(super) fn into_source_batch(self) -> SourceBatch {
        SourceBatch {
            posts: self.posts,
            rejected: self.rejected,
            compliance: self.compliance,
            ..SourceBatch::default()
        }
    }
}
