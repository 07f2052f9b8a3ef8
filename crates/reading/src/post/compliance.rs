//! [`Notice`]: what a source reports about posts that it delivered before, such as a deletion. The monitor honours it.

use serde::{Deserialize, Serialize};

/// What a source says about posts it gave before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// The post was deleted or withheld: its text and author are to go.
    PostGone { id: String },
    /// The author's account was deleted or protected: all its posts are to go.
    AuthorGone { author_id: String },
    /// The post `id` was edited; the new version comes as a post of its own, with its own id.
    PostEdited { id: String, by: String },
}
