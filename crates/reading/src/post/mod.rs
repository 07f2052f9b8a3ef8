//! [`Post`], the domain type: every source delivers posts and every later stage reads them.

mod compliance;
mod fold;
mod rejected;
mod topic;

pub use compliance::ComplianceEvent;
pub use rejected::RejectedRecord;
pub use topic::{Topic, TopicError, TopicId, Topics};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One public post, as its source delivered it. Text and author are personal data: they never appear in a log, an error
/// or a metric.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// The source's identifier, or one derived from author, time and text if the source has none.
    pub id: String,
    /// Event time: when the post was written.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// Handle without `@`, or the source's author identifier.
    pub author: Option<String>,
    /// The full text as posted.
    pub text: String,
    /// BCP 47 language as the source states it.
    pub lang: Option<String>,
    /// Content of the dump's topic column, if one is configured.
    pub topic: Option<String>,
    /// The label in the dump: `negative`, `neutral` or `positive`.
    pub label: Option<String>,
    #[serde(default)]
    pub details: Details,
}

/// Fields that only some sources provide.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Where the post can be read.
    pub url: Option<String>,
    /// The source's identifier of the author; it stays the same when the handle changes.
    pub author_id: Option<String>,
    /// Number of accounts that follow the author.
    pub followers: Option<u64>,
    pub conversation_id: Option<String>,
    /// Posts that this one replies to, quotes or reposts.
    pub references: Vec<Reference>,
    /// Identifiers of all versions of this post, oldest first, this one last; empty if it was never edited.
    pub edits: Vec<String>,
    pub metrics: Option<PublicMetrics>,
    /// Why the post is negative, if the dump says so; unmodified.
    #[serde(default)]
    pub reason: Option<String>,
    /// The time that the post states, where it cannot be true: [`Post::created_at`] is then when it arrived.
    #[serde(default)]
    pub stated_at: Option<Timestamp>,
}

impl Post {
    /// Replaces a time that cannot be true by `time`, and keeps what the post states.
    pub fn move_to(&mut self, time: Timestamp) {
        self.details.stated_at.get_or_insert(self.created_at);
        self.created_at = time;
    }
}

/// How one post refers to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    pub kind: ReferenceKind,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReferenceKind {
    RepliedTo,
    Quoted,
    Reposted,
}

/// Engagement counts at the time the post was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicMetrics {
    pub reposts: u64,
    pub replies: u64,
    pub likes: u64,
    pub quotes: u64,
    pub views: Option<u64>,
}
