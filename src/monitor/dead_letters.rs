//! What could not be used, kept for as long as posts are: a row that is no post, or a post that the classifier failed on.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::privacy::selector::Selector;
use super::{Monitor, MonitorError};
use crate::post::Unusable;
use crate::store::{Batch, Key, Store, StoreError, Table};

/// Records kept; beyond them the oldest goes.
const MOST: usize = 10_000;

/// One of them, as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SetAside {
    pub(super) source: String,
    pub(super) at: Timestamp,
    pub(super) unusable: Unusable,
}

/// Which are stored, and those that the next commit is to store.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// By number, oldest first.
    stored: VecDeque<u64>,
    next: u64,
    fresh: Vec<SetAside>,
}

impl Monitor {
    /// Keeps what `source` gave at `at` and nobody could use, with the next commit. Personal data, as a post.
    pub fn set_aside(&mut self, source: &str, at: Timestamp, unusable: &Unusable) {
        let mut unusable = Unusable::new(&unusable.reason, &unusable.detail, &unusable.raw);
        if self.tombstones.hold_word_of(&unusable.raw) {
            unusable.raw.clear();
        }
        self.aside.fresh.push(SetAside { source: source.into(), at, unusable });
    }

    /// Removes what was set aside and names one of `who`; returns how many records.
    pub(super) fn scrub_aside(&mut self, batch: &mut Batch, who: &[Selector]) -> Result<u64, MonitorError> {
        let names = |record: &SetAside| who.iter().any(|who| who.is_in(&record.unusable.raw));
        self.remove_aside(batch, names, usize::MAX)
    }

    /// Removes `most` of what was set aside and is `doomed`.
    pub(super) fn remove_aside(
        &mut self,
        batch: &mut Batch,
        doomed: impl Fn(&SetAside) -> bool,
        most: usize,
    ) -> Result<u64, MonitorError> {
        let mut removed = self.aside.fresh.extract_if(.., |record| doomed(record)).count() as u64;
        for entry in self.store.scan::<SetAside>(&Key::new(Table::SetAside)) {
            if removed >= most as u64 {
                break;
            }
            let (key, record) = entry?;
            if doomed(&record) {
                batch.remove(&key);
                self.aside.stored.retain(|number| Some(*number) != key.last_number());
                removed += 1;
            }
        }
        Ok(removed)
    }
}

impl Aside {
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut aside = Self::default();
        for key in store.keys(&Key::new(Table::SetAside)) {
            aside.stored.extend(key?.last_number());
        }
        aside.next = aside.stored.back().map_or(0, |last| last + 1);
        Ok(aside)
    }

    pub(super) fn save(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        for record in std::mem::take(&mut self.fresh) {
            batch.put(&key(self.next), &record)?;
            self.stored.push_back(self.next);
            self.next += 1;
        }
        while self.stored.len() > MOST {
            if let Some(oldest) = self.stored.pop_front() {
                batch.remove(&key(oldest));
            }
        }
        Ok(())
    }
}

fn key(number: u64) -> Key {
    Key::new(Table::SetAside).number(number)
}
