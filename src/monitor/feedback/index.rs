//! [`FeedbackIndex`]: which records are about which post, so that a correction does not read all of them.

use std::collections::HashMap;

use super::FeedbackRecord;
use crate::window::{Sample, id_hash};

/// In memory only, made when it is first needed.
#[derive(Debug, Default)]
pub(in crate::monitor) struct FeedbackIndex {
    /// Numbers of the records about a post, the oldest first.
    records: HashMap<u64, Vec<u64>>,
    next: u64,
}

impl FeedbackIndex {
    pub(super) fn new(all: &[FeedbackRecord]) -> Self {
        let mut index = Self::default();
        all.iter().for_each(|given| index.add(&given.feedback.post, given.number));
        index
    }

    pub(super) fn add(&mut self, post: &Sample, number: u64) {
        self.records.entry(hash(post)).or_default().push(number);
        self.next = self.next.max(number + 1);
    }

    pub(super) fn remove(&mut self, post: &Sample, number: u64) {
        if let Some(numbers) = self.records.get_mut(&hash(post)) {
            numbers.retain(|known| *known != number);
        }
    }

    /// Records that may be about `post`, the oldest first: compare what is found.
    pub(super) fn about(&self, post: &Sample) -> Vec<u64> {
        self.records.get(&hash(post)).cloned().unwrap_or_default()
    }

    /// The number of the next record.
    pub(super) fn next(&self) -> u64 {
        self.next
    }
}

/// Of the identifier, or of a text that has none.
fn hash(post: &Sample) -> u64 {
    id_hash(if post.id.is_empty() { &post.text } else { &post.id })
}
