//! [`Cascades`]: finds posts of a topic that repeat a counted post: retweets and quotes by their references, copies by
//! their text. Between `seen_ids`, which drops duplicates, and `buckets`, which count copies separately.
//!
//! It keeps hashes and no text. The cost of a look-up does not depend on the number of known posts.

mod sketch;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::post::{Post, ReferenceKind};
use crate::store::{Batch, Key, Store, StoreError, Table};
use sketch::Sketch;

/// Maximum number of known posts per topic; the least recently repeated one is dropped first.
const MAX_POSTS: usize = 32_768;
/// Resolution in seconds of the time of the last repeat: a post repeated a thousand times within it is stored once.
const SLOT: i64 = 3_600;

/// A post that arrived, or that another one refers to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KnownPost {
    /// Hash of its identifier.
    id: u64,
    /// When it or a repeat of it last arrived, by the watermark of the topic; Unix seconds, rounded down to slots.
    last_seen: i64,
    /// Sketch of its text, if the post was counted and the text is long enough.
    sketch: Option<Sketch>,
    /// Hash of the identifier of the post that it repeats; none where it is the first of its cascade.
    root: Option<u64>,
}

/// Where a post stands in its cascade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    /// It repeats a post that voted.
    pub(super) repeats: bool,
    /// Hash of the identifier of the first post of the cascade; its own where it repeats none.
    pub(super) root: u64,
}

impl KnownPost {
    fn keys(&self) -> impl Iterator<Item = u64> + use<> {
        let said = self.sketch.as_ref().map(Sketch::keys);
        std::iter::once(self.id).chain(said.into_iter().flatten())
    }
}

/// The known posts, in the order of their last repeat.
#[derive(Debug, Default, Clone)]
pub(super) struct Cascades {
    /// Seconds for which a post is known after its last repeat; 0 disables the detection of copies.
    horizon: i64,
    /// By increasing numbers: a post repeated in a later slot gets a new number.
    known: BTreeMap<u64, KnownPost>,
    /// The number of the newest post with each key.
    places: HashMap<u64, u64>,
    next: u64,
    /// Smaller numbers are stored.
    saved: u64,
    /// Number of known posts in each stored record, by its first number.
    records: BTreeMap<u64, usize>,
    emptied: Vec<u64>,
}

impl Cascades {
    pub(super) fn new(horizon: i64) -> Self {
        Self { horizon, ..Self::default() }
    }

    /// Adds the stored posts of `topic`.
    pub(super) fn load(self, store: &Store, topic: &str) -> Result<Self, StoreError> {
        let mut cascades = self;
        for entry in store.scan::<Vec<(u64, KnownPost)>>(&Key::new(Table::Cascade).text(topic)) {
            let (key, known) = entry?;
            if let Some(record) = key.last_number() {
                cascades.records.insert(record, known.len());
                known.into_iter().for_each(|(number, known)| cascades.put(number, known));
            }
        }
        cascades.next = cascades.known.last_key_value().map_or(0, |(number, _)| number + 1);
        cascades.saved = cascades.next;
        // A stored record also contains posts that have got a newer number since.
        let posts: Vec<(u64, u64)> = cascades.known.iter().map(|(number, known)| (*number, known.id)).collect();
        for (number, id) in posts {
            if cascades.places.get(&id) != Some(&number) {
                cascades.remove(number);
            }
        }
        cascades.shrink();
        Ok(cascades)
    }

    /// Finds the cascade of `post`; `now` is the watermark of the topic in Unix seconds. The post is remembered only if
    /// `keep` is true.
    pub(super) fn place(&mut self, now: i64, post: &Post, keep: bool) -> Placement {
        let id = id_hash(&post.id);
        // A reply is an opinion of its author and starts a cascade; retweets and quotes repeat the opinion of
        // another.
        let repeated = post.details.references.iter().filter(|one| one.kind != ReferenceKind::RepliedTo);
        let roots: Vec<u64> = repeated.map(|one| id_hash(&one.id)).collect();
        let referenced = roots.first().copied().unwrap_or(id);
        // Disabled: every post counts.
        if self.horizon == 0 {
            return Placement { repeats: false, root: referenced };
        }
        self.drop_before(now - self.horizon);
        let slot = now - now.rem_euclid(SLOT);
        let mut sketch = None;
        // References are exact, so they are tried first; texts are compared only without a known reference.
        let known = std::iter::once(&id).chain(&roots).find_map(|id| self.places.get(id).copied()).or_else(|| {
            sketch = Sketch::of(&post.text);
            sketch.as_ref().and_then(|sketch| self.find_similar(sketch))
        });
        let first = known.and_then(|number| self.known.get(&number));
        let root = first.map_or(referenced, |first| first.root.unwrap_or(first.id));
        if let Some(number) = known {
            // A cascade stays known for as long as it continues.
            self.refresh(number, slot);
        }
        if keep {
            // The original may never arrive here, but its other retweets will.
            for repeated in roots {
                self.learn(repeated, slot, None, root);
            }
            // Only the first post of a cascade is compared with later texts.
            self.learn(id, slot, sketch.filter(|_| known.is_none()), root);
        }
        Placement { repeats: known.is_some(), root }
    }

    /// The known post with nearly the same text.
    fn find_similar(&self, sketch: &Sketch) -> Option<u64> {
        sketch.keys().find_map(|key| {
            let number = self.places.get(&key)?;
            let said = self.known.get(number)?.sketch.as_ref()?;
            said.is_similar(sketch).then_some(*number)
        })
    }

    fn learn(&mut self, id: u64, last_seen: i64, sketch: Option<Sketch>, root: u64) {
        match self.places.get(&id) {
            Some(number) => self.refresh(*number, last_seen),
            None => {
                self.put(self.next, KnownPost { id, last_seen, sketch, root: (root != id).then_some(root) });
                self.next += 1;
                self.shrink();
            }
        }
    }

    fn refresh(&mut self, number: u64, slot: i64) {
        // Within a slot the post keeps its number, so that a fast cascade does not write a record per repeat.
        if self.known.get(&number).is_some_and(|known| known.last_seen < slot)
            && let Some(known) = self.remove(number)
        {
            self.put(self.next, KnownPost { last_seen: slot, ..known });
            self.next += 1;
        }
    }

    fn put(&mut self, number: u64, known: KnownPost) {
        known.keys().for_each(|key| {
            self.places.insert(key, number);
        });
        self.known.insert(number, known);
    }

    fn remove(&mut self, number: u64) -> Option<KnownPost> {
        let known = self.known.remove(&number)?;
        for key in known.keys() {
            // A newer post with the same key keeps it.
            if self.places.get(&key) == Some(&number) {
                self.places.remove(&key);
            }
        }
        if number < self.saved
            && let Some((first, left)) = self.records.range_mut(..=number).next_back()
        {
            *left -= 1;
            // A record is removed once all its posts are gone or have newer numbers.
            if *left == 0 {
                let first = *first;
                self.records.remove(&first);
                self.emptied.push(first);
            }
        }
        Some(known)
    }

    fn shrink(&mut self) {
        while self.known.len() > MAX_POSTS
            && let Some((oldest, _)) = self.known.first_key_value()
        {
            self.remove(*oldest);
        }
    }

    /// Drops posts without a repeat since `time` (Unix seconds); returns false if there were none.
    pub(super) fn drop_before(&mut self, time: i64) -> bool {
        let known = self.known.len();
        while let Some((oldest, known)) = self.known.first_key_value()
            && known.last_seen + SLOT <= time
        {
            self.remove(*oldest);
        }
        self.known.len() < known
    }

    /// Drops these posts. The store is not changed.
    pub(super) fn forget(&mut self, ids: &[u64]) {
        for id in ids {
            if let Some(number) = self.places.get(id).copied() {
                self.remove(number);
            }
        }
        // An older post may have a key that the dropped one had taken over.
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
        let fresh: Vec<(&u64, &KnownPost)> = self.known.range(self.saved..).collect();
        if let Some((first, _)) = fresh.first() {
            batch.put(&key(topic, **first), &fresh)?;
            self.records.insert(**first, fresh.len());
        }
        self.saved = self.next;
        Ok(())
    }
}

/// Removes posts from the stored records, with `batch`; everything else stays as committed.
pub(crate) fn forget_stored(store: &Store, batch: &mut Batch, ids: &[u64]) -> Result<(), StoreError> {
    for entry in store.scan::<Vec<(u64, KnownPost)>>(&Key::new(Table::Cascade)) {
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

/// The hash under which a post is known.
pub(crate) fn id_hash(id: &str) -> u64 {
    // A separate seed: `places` holds the hashes of identifiers and of texts.
    twox_hash::XxHash64::oneshot(2, id.as_bytes())
}

#[cfg(test)]
mod tests;
