//! [`Delivery`]: what a running source hands to the pipeline at once, and the [`Cursor`] that is committed with it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::post::Notice;
use crate::post::Post;
use crate::post::Unusable;

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
