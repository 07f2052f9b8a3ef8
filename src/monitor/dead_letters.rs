//! [`DeadLetters`]: records that could not be used, kept as long as posts: a record that is not a post, or a post that the
//! classifier failed on.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::privacy::selector::Selector;
use super::{Monitor, MonitorError};
use crate::post::RejectedRecord;
use crate::store::{Batch, Key, Store, StoreError, Table};

/// Records kept; the oldest are removed first.
const MAX_RECORDS: usize = 10_000;

/// A record that could not be used, as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DeadLetter {
    pub(super) source: String,
    pub(super) at: Timestamp,
    pub(super) unusable: RejectedRecord,
}

/// The numbers of the stored ones, and those that the next commit stores.
#[derive(Debug, Default)]
pub(super) struct DeadLetters {
    /// By number, oldest first.
    stored: VecDeque<u64>,
    next: u64,
    /// Not stored yet.
    new: Vec<DeadLetter>,
}

impl Monitor {
    /// Keeps a record that `source` sent at `at` and that could not be used, with the next commit. Personal data, as a post.
    pub fn add_dead_letter(&mut self, source: &str, at: Timestamp, unusable: &RejectedRecord) {
        let mut unusable = RejectedRecord::new(&unusable.reason, &unusable.detail, &unusable.raw);
        if self.tombstones.matches_word_in(&unusable.raw) {
            unusable.raw.clear();
        }
        self.dead_letters.new.push(DeadLetter { source: source.into(), at, unusable });
    }

    /// Removes the records that name one of `who`; returns how many.
    pub(super) fn erase_dead_letters(&mut self, batch: &mut Batch, who: &[Selector]) -> Result<u64, MonitorError> {
        let names = |record: &DeadLetter| who.iter().any(|who| who.occurs_in(&record.unusable.raw));
        self.remove_dead_letters(batch, names, usize::MAX)
    }

    /// Removes the records that `erased` selects, `most` at most; returns how many.
    pub(super) fn remove_dead_letters(
        &mut self,
        batch: &mut Batch,
        erased: impl Fn(&DeadLetter) -> bool,
        most: usize,
    ) -> Result<u64, MonitorError> {
        let mut removed = self.dead_letters.new.extract_if(.., |record| erased(record)).count() as u64;
        for entry in self.store.scan::<DeadLetter>(&Key::new(Table::DeadLetter)) {
            if removed >= most as u64 {
                break;
            }
            let (key, record) = entry?;
            if erased(&record) {
                batch.remove(&key);
                self.dead_letters.stored.retain(|number| Some(*number) != key.last_number());
                removed += 1;
            }
        }
        Ok(removed)
    }
}

impl DeadLetters {
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut letters = Self::default();
        for key in store.keys(&Key::new(Table::DeadLetter)) {
            letters.stored.extend(key?.last_number());
        }
        letters.next = letters.stored.back().map_or(0, |last| last + 1);
        Ok(letters)
    }

    pub(super) fn save(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        for record in std::mem::take(&mut self.new) {
            batch.put(&key(self.next), &record)?;
            self.stored.push_back(self.next);
            self.next += 1;
        }
        while self.stored.len() > MAX_RECORDS {
            if let Some(oldest) = self.stored.pop_front() {
                batch.remove(&key(oldest));
            }
        }
        Ok(())
    }
}

fn key(number: u64) -> Key {
    Key::new(Table::DeadLetter).number(number)
}
