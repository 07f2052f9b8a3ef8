//! [`WordSlot`]: the words of ten minutes of one topic. `words` counts in slots; `word_baseline` adds a slot to the
//! past.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Length of a slot in seconds; sample posts are kept in such slots too.
pub(super) const SLOT: i64 = 600;

/// Words of the posts of one slot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct WordSlot {
    /// Negative posts, with or without words.
    pub(super) posts: u32,
    /// Number of posts that contain a word, by the hash of the word.
    pub(super) words: BTreeMap<u32, u32>,
}
