//! [`SeenIds`]: identifiers of the posts already counted for a topic, kept for as long as a duplicate could be
//! accepted.

use std::collections::{BTreeMap, HashSet};

use crate::store::{Batch, Key, Store, StoreError, Table};

/// Length of a slot in seconds of event time. A slot expires as a whole.
const SLOT: i64 = 600;

#[derive(Debug, Default, Clone)]
struct IdSlot {
    hashes: HashSet<u64>,
    /// Hashes that are not stored yet.
    fresh: Vec<u64>,
    /// Numbers of the commits that stored a part of this slot.
    commits: Vec<u64>,
}

/// Hashes of post identifiers, by event time. Each commit adds one record per slot, so its cost depends on the posts of
/// the commit and not on those of the slot.
#[derive(Debug, Default, Clone)]
pub(super) struct SeenIds {
    slots: BTreeMap<i64, IdSlot>,
    expired: Vec<(i64, u64)>,
}

impl SeenIds {
    pub(super) fn load(store: &Store, topic: &str) -> Result<Self, StoreError> {
        let mut seen = Self::default();
        for entry in store.scan::<(i64, Vec<u64>)>(&Key::new(Table::Seen).text(topic)) {
            let (key, (start, hashes)) = entry?;
            let slot = seen.slots.entry(start).or_default();
            slot.hashes.extend(hashes);
            slot.commits.extend(key.last_number());
        }
        Ok(seen)
    }

    /// Adds a post; returns false if it was there before.
    pub(super) fn insert(&mut self, time: i64, id: &str) -> bool {
        let hash = twox_hash::XxHash64::oneshot(0, id.as_bytes());
        let slot = self.slots.entry(time - time.rem_euclid(SLOT)).or_default();
        let new = slot.hashes.insert(hash);
        if new {
            slot.fresh.push(hash);
        }
        new
    }

    /// Whether the post is in any slot.
    pub(super) fn contains(&self, id: &str) -> bool {
        let hash = twox_hash::XxHash64::oneshot(0, id.as_bytes());
        self.slots.values().any(|slot| slot.hashes.contains(&hash))
    }

    /// Drops slots that start after `time`.
    pub(super) fn drop_after(&mut self, time: i64) {
        for (start, slot) in self.slots.split_off(&(time + 1)) {
            self.expired.extend(slot.commits.into_iter().map(|commit| (start, commit)));
        }
    }

    /// Drops slots that end at or before `time`.
    pub(super) fn drop_before(&mut self, time: i64) {
        while let Some(entry) = self.slots.first_entry()
            && *entry.key() + SLOT <= time
        {
            let (start, slot) = entry.remove_entry();
            self.expired.extend(slot.commits.into_iter().map(|commit| (start, commit)));
        }
    }

    pub(super) fn save(&mut self, batch: &mut Batch, topic: &str, commit: u64) -> Result<(), StoreError> {
        let key = |start: i64, commit: u64| Key::new(Table::Seen).text(topic).time(start).number(commit);
        for (start, commit) in self.expired.drain(..) {
            batch.remove(&key(start, commit));
        }
        for (start, slot) in &mut self.slots {
            if !slot.fresh.is_empty() {
                batch.put(&key(*start, commit), &(*start, std::mem::take(&mut slot.fresh)))?;
                slot.commits.push(commit);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(store: &Store) -> usize {
        store.scan::<(i64, Vec<u64>)>(&Key::new(Table::Seen).text("t")).count()
    }

    #[test]
    fn a_repeat_is_known_across_a_restart_until_it_expires() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let mut seen = SeenIds::default();
        for (commit, (time, id)) in [(10, "a"), (20, "b"), (700, "c")].into_iter().enumerate() {
            assert!(seen.insert(time, id));
            let mut batch = Batch::default();
            seen.save(&mut batch, "t", commit as u64).unwrap();
            store.commit(batch).unwrap();
        }
        assert_eq!(stored(&store), 3);

        let mut seen = SeenIds::load(&store, "t").unwrap();
        assert!(!seen.insert(10, "a"));
        assert!(!seen.insert(700, "c"));

        seen.drop_before(600);
        let mut batch = Batch::default();
        seen.save(&mut batch, "t", 3).unwrap();
        store.commit(batch).unwrap();
        assert_eq!(stored(&store), 1);
        assert!(seen.insert(10, "a"), "its slot is gone");
    }
}
