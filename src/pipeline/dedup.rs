//! [`RecentIds`]: ids of posts that are in flight or were counted, so that a repeated post is not classified again. It only saves
//! work and lives in memory; the windows' record of seen ids decides.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

/// Seconds of event time that expire together.
const SLOT: i64 = 600;
/// Ids kept at most: 16 bytes each.
const MAX_IDS: usize = 2_000_000;

/// Hashes of ids by the event time of their posts.
#[derive(Debug)]
pub(super) struct RecentIds {
    keep: i64,
    slots: BTreeMap<i64, HashSet<u64>>,
    ids: usize,
}

impl RecentIds {
    /// Ids are kept for `keep` of event time behind the newest, at least an hour.
    pub(super) fn new(keep: SignedDuration) -> Self {
        Self { keep: keep.as_secs().max(3_600), slots: BTreeMap::new(), ids: 0 }
    }

    /// Returns false for a repeated post.
    pub(super) fn insert(&mut self, id: &str, created_at: Timestamp) -> bool {
        let slot = created_at.as_second().div_euclid(SLOT);
        let hash = twox_hash::XxHash64::oneshot(0, id.as_bytes());
        let new = self.slots.entry(slot).or_default().insert(hash);
        self.ids += usize::from(new);
        self.expire();
        new
    }

    fn expire(&mut self) {
        while let Some((newest, oldest)) = self.slots.keys().next_back().copied().zip(self.slots.keys().next().copied())
            && oldest < newest
            && ((newest - oldest) * SLOT > self.keep || self.ids > MAX_IDS)
        {
            self.ids -= self.slots.remove(&oldest).map_or(0, |slot| slot.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_known_until_it_is_old() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut recent = RecentIds::new(SignedDuration::from_secs(7_200));
        assert!(recent.insert("a", at(0)) && recent.insert("b", at(0)));
        assert!(!recent.insert("a", at(0)));
        assert!(recent.insert("c", at(7_100)) && !recent.insert("a", at(0)));
        assert!(recent.insert("d", at(9_000)));
        assert_eq!(recent.ids, 2);
        assert!(recent.insert("a", at(0)), "it has expired");
        assert_eq!(recent.ids, 2);
    }
}
