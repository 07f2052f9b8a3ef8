//! [`Seen`]: which posts of a topic were counted already, for as long as a repeat of them could still be accepted.

use std::collections::{BTreeMap, HashSet};

use crate::store::{Batch, Key, Store, StoreError, Table};

/// Seconds of event time that expire together.
const SLOT: i64 = 600;

#[derive(Debug, Default, Clone)]
struct Slot {
    hashes: HashSet<u64>,
    /// Not yet stored.
    fresh: Vec<u64>,
    /// Commits under whose number a part of this slot is stored.
    commits: Vec<u64>,
}

/// Hashes of post ids, by the event time of the posts. Each commit adds one record per slot, so that its cost follows the
/// posts of the commit and not those of the slot.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    slots: BTreeMap<i64, Slot>,
    expired: Vec<(i64, u64)>,
}

impl Seen {
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

    /// False when the post was there before.
    pub(super) fn insert(&mut self, time: i64, id: &str) -> bool {
        let hash = twox_hash::XxHash64::oneshot(0, id.as_bytes());
        let slot = self.slots.entry(time - time.rem_euclid(SLOT)).or_default();
        let new = slot.hashes.insert(hash);
        if new {
            slot.fresh.push(hash);
        }
        new
    }

    /// Forgets slots that end at or before `time`.
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
        let mut seen = Seen::default();
        for (commit, (time, id)) in [(10, "a"), (20, "b"), (700, "c")].into_iter().enumerate() {
            assert!(seen.insert(time, id));
            let mut batch = Batch::default();
            seen.save(&mut batch, "t", commit as u64).unwrap();
            store.commit(batch).unwrap();
        }
        assert_eq!(stored(&store), 3);

        let mut seen = Seen::load(&store, "t").unwrap();
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
