//! [`ComplianceEvent`]: a source reports that an earlier post was deleted, withheld or edited. The monitor applies it to
//! stored posts.

use serde::{Deserialize, Serialize};

/// A change to posts that a source delivered earlier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ComplianceEvent {
    /// The post was deleted or withheld: erase its text and author.
    PostGone { id: String },
    /// The author's account was deleted or protected: erase all its posts.
    AuthorGone { author_id: String },
    /// The post `id` was edited; the new version arrives as a separate post with its own id.
    PostEdited { id: String, by: String },
}
