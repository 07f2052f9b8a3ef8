//! [`Post`], what every source delivers and every later stage reads.

mod compliance;
mod fold;
mod rejected;
mod topic;

pub use compliance::Notice;
pub use rejected::Unusable;
pub use topic::{Topic, TopicError, TopicId, Topics};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One public post, as its source gave it. Text and author are personal data: they never go into a log, an error or a
/// metric.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// The source's own identifier, or one derived from author, time and text where the source has none.
    pub id: String,
    /// Event time: when the post was written.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// Handle without `@`, or the source's author identifier.
    pub author: Option<String>,
    /// The text as posted, never cut.
    pub text: String,
    /// BCP 47 language as the source states it.
    pub lang: Option<String>,
    /// Content of the dump's topic column, where one was named.
    pub topic: Option<String>,
    /// The label a dump carries: `negative`, `neutral` or `positive`.
    pub label: Option<String>,
    #[serde(default)]
    pub details: Details,
}

/// What only some sources tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Where the post can be read.
    pub url: Option<String>,
    /// The source's own identifier of the author, which a change of handle does not change.
    pub author_id: Option<String>,
    /// Accounts that follow the author.
    pub followers: Option<u64>,
    pub conversation_id: Option<String>,
    /// Posts that this one answers, quotes or repeats.
    pub references: Vec<Reference>,
    /// Identifiers of the versions of this post, the first version first, itself last; empty where nothing was edited.
    pub edits: Vec<String>,
    pub metrics: Option<PublicMetrics>,
    /// Why the post is negative, where a dump says so; as it stands there.
    #[serde(default)]
    pub reason: Option<String>,
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

/// How often a post was taken up, when it was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicMetrics {
    pub reposts: u64,
    pub replies: u64,
    pub likes: u64,
    pub quotes: u64,
    pub views: Option<u64>,
}
