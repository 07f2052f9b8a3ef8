//! [`Delivery`]: what a running source hands to the pipeline at once, and the [`Cursor`] that is committed with it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::post::Post;

/// Posts and rejects a delivery may hold together: what one commit takes in well under a second.
pub const MAX_DELIVERY: usize = 512;

/// How far a source has read, as that source's own JSON. It is committed in one batch with the effects of the posts
/// before it, so that it never runs ahead of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(String);

impl Cursor {
    /// # Errors
    /// When `state` has no JSON form, such as a map with keys that are no strings.
    pub fn new<T: Serialize>(state: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(state).map(Self)
    }

    /// # Errors
    /// When it was written by a source of another kind.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

/// Something that could not become a post. Its raw form may hold personal data: it is kept in the store only, for
/// `retention`, and never logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unusable {
    /// A word for metrics: `json`, `time`, `empty_text` ...
    pub reason: String,
    /// What was found and what was wanted, without the text or author of a post.
    pub detail: String,
    /// As read, cut to [`Unusable::MOST_RAW`] bytes.
    pub raw: String,
}

impl Unusable {
    pub const MOST_RAW: usize = 4_096;

    pub fn new(reason: &str, detail: &str, raw: &str) -> Self {
        let most =
            raw.char_indices().map(|(at, char)| at + char.len_utf8()).take_while(|end| *end <= Self::MOST_RAW).last();
        let raw = raw[..most.unwrap_or(0)].to_owned();
        Self { reason: reason.into(), detail: detail.into(), raw }
    }
}

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

/// What a source hands over at once; at most [`MAX_DELIVERY`] posts and rejects.
#[derive(Debug, Default)]
pub struct Delivery {
    pub posts: Vec<Post>,
    pub unusable: Vec<Unusable>,
    pub notices: Vec<Notice>,
    /// Where the source goes on after a restart, once all this is committed.
    pub cursor: Option<Cursor>,
    /// Told once all this is on disk, for a sender that waits for that; dropped untold when it could not be stored.
    pub durable: Option<oneshot::Sender<()>>,
}

impl Delivery {
    /// Posts and rejects: what has to be accounted for.
    pub fn received(&self) -> usize {
        self.posts.len() + self.unusable.len()
    }
}

/// A delivery on its way, with where it came from and when.
#[derive(Debug)]
pub struct Arrived {
    pub source: Arc<str>,
    pub at: Timestamp,
    pub delivery: Delivery,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_by_its_own_kind_only() {
        let cursor = Cursor::new(&vec![1, 2]).unwrap();
        assert_eq!(cursor.read::<Vec<u8>>().unwrap(), [1, 2]);
        assert!(cursor.read::<String>().is_err());
    }
}
