//! [`Cascades`]: which posts of a topic repeat one that has voted already: retweets and quotes by what they refer to,
//! copies by what they say. Between `seen`, which drops a post that comes twice, and `buckets`, where only votes count.
//!
//! Kept are hashes, and no word of any text. A look-up costs the same however many posts are known.

mod sketch;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::post::{Post, ReferenceKind};
use crate::store::{Batch, Key, Store, StoreError, Table};
use sketch::Sketch;

/// Posts known per topic; the one heard of least recently goes first.
const MOST: usize = 32_768;
/// Seconds that are told apart in when a post was last heard of: one that a thousand people repeat within them is written
/// down once.
const SLOT: i64 = 3_600;

/// One post that was heard of, or that another referred to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// Of its identifier.
    id: u64,
    /// When it or a copy of it last came, by the topic's watermark; Unix seconds, cut to slots.
    heard: i64,
    /// Of its text, where it voted and has one that can be told from others.
    sketch: Option<Sketch>,
}

impl Known {
    fn keys(&self) -> impl Iterator<Item = u64> + use<> {
        let said = self.sketch.as_ref().map(Sketch::keys);
        std::iter::once(self.id).chain(said.into_iter().flatten())
    }
}

/// The posts known, by when they were last heard of.
#[derive(Debug, Default, Clone)]
pub(super) struct Cascades {
    /// Seconds for which a post is known after it was last heard of; 0 where every post is to vote.
    horizon: i64,
    /// By numbers that only grow: a post that is heard of again in a later slot gets a new one.
    known: BTreeMap<u64, Known>,
    /// The newest that has a key.
    places: HashMap<u64, u64>,
    next: u64,
    /// Numbers below are stored.
    saved: u64,
    /// Posts still known of each stored record, by its first number.
    records: BTreeMap<u64, usize>,
    emptied: Vec<u64>,
}

impl Cascades {
    pub(super) fn new(horizon: i64) -> Self {
        Self { horizon, ..Self::default() }
    }

    /// What is stored of `topic`, added to an empty one.
    pub(super) fn load(self, store: &Store, topic: &str) -> Result<Self, StoreError> {
        let mut cascades = self;
        for entry in store.scan::<Vec<(u64, Known)>>(&Key::new(Table::Cascade).text(topic)) {
            let (key, known) = entry?;
            if let Some(record) = key.last_number() {
                cascades.records.insert(record, known.len());
                known.into_iter().for_each(|(number, known)| cascades.put(number, known));
            }
        }
        cascades.next = cascades.known.last_key_value().map_or(0, |(number, _)| number + 1);
        cascades.saved = cascades.next;
        // What is stored of a record includes what is known by a newer number.
        let posts: Vec<(u64, u64)> = cascades.known.iter().map(|(number, known)| (*number, known.id)).collect();
        for (number, id) in posts {
            if cascades.places.get(&id) != Some(&number) {
                cascades.remove(number);
            }
        }
        cascades.shrink();
        Ok(cascades)
    }

    /// Whether `post` repeats one that voted; `now` is the topic's watermark in Unix seconds. Where `keep` is false nothing
    /// of it is remembered.
    pub(super) fn repeats(&mut self, now: i64, post: &Post, keep: bool) -> bool {
        if self.horizon == 0 {
            return false;
        }
        self.drop_before(now - self.horizon);
        let slot = now - now.rem_euclid(SLOT);
        let id = id_hash(&post.id);
        let repeated = post.details.references.iter().filter(|one| one.kind != ReferenceKind::RepliedTo);
        let roots: Vec<u64> = repeated.map(|one| id_hash(&one.id)).collect();
        let mut sketch = None;
        let known = std::iter::once(&id).chain(&roots).find_map(|id| self.places.get(id).copied()).or_else(|| {
            sketch = Sketch::of(&post.text);
            sketch.as_ref().and_then(|sketch| self.said_by(sketch))
        });
        if let Some(number) = known {
            self.hear(number, slot);
        }
        if keep {
            for root in roots {
                self.learn(root, slot, None);
            }
            self.learn(id, slot, sketch.filter(|_| known.is_none()));
        }
        known.is_some()
    }

    /// The post that says nearly the same.
    fn said_by(&self, sketch: &Sketch) -> Option<u64> {
        sketch.keys().find_map(|key| {
            let number = self.places.get(&key)?;
            let said = self.known.get(number)?.sketch.as_ref()?;
            said.says_the_same(sketch).then_some(*number)
        })
    }

    fn learn(&mut self, id: u64, heard: i64, sketch: Option<Sketch>) {
        match self.places.get(&id) {
            Some(number) => self.hear(*number, heard),
            None => {
                self.put(self.next, Known { id, heard, sketch });
                self.next += 1;
                self.shrink();
            }
        }
    }

    fn hear(&mut self, number: u64, slot: i64) {
        if self.known.get(&number).is_some_and(|known| known.heard < slot)
            && let Some(known) = self.remove(number)
        {
            self.put(self.next, Known { heard: slot, ..known });
            self.next += 1;
        }
    }

    fn put(&mut self, number: u64, known: Known) {
        known.keys().for_each(|key| {
            self.places.insert(key, number);
        });
        self.known.insert(number, known);
    }

    fn remove(&mut self, number: u64) -> Option<Known> {
        let known = self.known.remove(&number)?;
        for key in known.keys() {
            if self.places.get(&key) == Some(&number) {
                self.places.remove(&key);
            }
        }
        if number < self.saved
            && let Some((first, left)) = self.records.range_mut(..=number).next_back()
        {
            *left -= 1;
            if *left == 0 {
                let first = *first;
                self.records.remove(&first);
                self.emptied.push(first);
            }
        }
        Some(known)
    }

    fn shrink(&mut self) {
        while self.known.len() > MOST
            && let Some((oldest, _)) = self.known.first_key_value()
        {
            self.remove(*oldest);
        }
    }

    /// Forgets posts not heard of since `time` (Unix seconds); false where there were none.
    pub(super) fn drop_before(&mut self, time: i64) -> bool {
        let known = self.known.len();
        while let Some((oldest, known)) = self.known.first_key_value()
            && known.heard + SLOT <= time
        {
            self.remove(*oldest);
        }
        self.known.len() < known
    }

    /// Forgets these posts. What is stored is not touched.
    pub(super) fn forget(&mut self, ids: &[u64]) {
        for id in ids {
            if let Some(number) = self.places.get(id).copied() {
                self.remove(number);
            }
        }
        // An older post may have a key that the forgotten one hid.
        for (number, known) in &self.known {
            known.keys().for_each(|key| {
                self.places.insert(key, *number);
            });
        }
    }

    pub(super) fn save(&mut self, batch: &mut Batch, topic: &str) -> Result<(), StoreError> {
        for record in self.emptied.drain(..) {
            batch.remove(&key(topic, record));
        }
        let fresh: Vec<(&u64, &Known)> = self.known.range(self.saved..).collect();
        if let Some((first, _)) = fresh.first() {
            batch.put(&key(topic, **first), &fresh)?;
            self.records.insert(**first, fresh.len());
        }
        self.saved = self.next;
        Ok(())
    }
}

/// Takes posts out of stored records, with `batch`: what else is stored is that of the last commit, and stays so.
pub(crate) fn forget_stored(store: &Store, batch: &mut Batch, ids: &[u64]) -> Result<(), StoreError> {
    for entry in store.scan::<Vec<(u64, Known)>>(&Key::new(Table::Cascade)) {
        let (key, mut record) = entry?;
        if record.extract_if(.., |(_, known)| ids.contains(&known.id)).count() > 0 {
            batch.put(&key, &record)?;
        }
    }
    Ok(())
}

fn key(topic: &str, record: u64) -> Key {
    Key::new(Table::Cascade).text(topic).number(record)
}

/// By which a post is known.
pub(crate) fn id_hash(id: &str) -> u64 {
    // Not that of `seen`, nor of a sketch: one table holds all keys.
    twox_hash::XxHash64::oneshot(2, id.as_bytes())
}

#[cfg(test)]
mod tests;
