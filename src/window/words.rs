//! [`Words`]: how many of a topic's negative posts hold each word, lately and before, so that an alert can tell what is new
//! in what people write. Reasons are counted in the same way.
//!
//! ```text
//!    usual: fades, half of it in a week   <--- a slot that ends before the horizon --- slots of ten minutes
//! ```
//!
//! A word is kept in letters only once several posts held it, and as a hash before: what one person alone wrote is not to
//! be read here, nor to outlast `vigie forget`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::buckets::bucket_start;
use super::word_baseline::Usual;
use crate::store::{Batch, Key, Store, StoreError, Table};

/// Seconds of posts that are counted together.
pub(super) const SLOT: i64 = 600;
/// Words per slot; those of single posts go first.
const MOST: usize = 512;
/// Posts of the window that must hold a word for it to be told.
const LEAST_POSTS: u32 = 3;
/// Deviance (G2) from which a word stands out: chance alone exceeds it once in a thousand words.
const STANDS_OUT: f64 = 10.83;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Reason,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Reason => "reason",
        }
    }

    /// Posts that must have held a word before it is kept in letters.
    fn least(self) -> f64 {
        match self {
            Self::Word => 3.0,
            Self::Reason => 1.0,
        }
    }
}

/// Words of some minutes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slot {
    /// Posts with or without words.
    pub(super) posts: u32,
    /// Posts that hold a word, by its hash.
    pub(super) words: BTreeMap<u32, u32>,
}

/// How often a word is in the window's posts, and how often it was to be expected there.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub word: String,
    pub posts: u64,
    pub normal: f64,
}

/// The words of one topic.
#[derive(Debug, Clone)]
pub(super) struct Words {
    kind: Kind,
    slots: BTreeMap<i64, Slot>,
    /// Over all slots.
    recent: HashMap<u32, u32>,
    usual: Usual,
    names: HashMap<u32, String>,
    changed: BTreeSet<i64>,
    dropped: BTreeSet<i64>,
    renamed: BTreeSet<u32>,
    folded: bool,
}

impl Words {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            slots: BTreeMap::new(),
            recent: HashMap::new(),
            usual: Usual::default(),
            names: HashMap::new(),
            changed: BTreeSet::new(),
            dropped: BTreeSet::new(),
            renamed: BTreeSet::new(),
            folded: false,
        }
    }

    /// What is stored of `topic`, added to an empty one.
    pub(super) fn load(mut self, store: &Store, topic: &str) -> Result<Self, StoreError> {
        let kind = self.kind;
        let words = &mut self;
        words.usual = store.get(&key(Table::UsualWords, topic, kind))?.unwrap_or_default();
        for entry in store.scan::<Slot>(&key(Table::Words, topic, kind)) {
            let (key, slot) = entry?;
            for (word, posts) in &slot.words {
                *words.recent.entry(*word).or_default() += posts;
            }
            words.slots.extend(key.last_time().map(|start| (start, slot)));
        }
        for entry in store.scan::<String>(&key(Table::Word, topic, kind)) {
            let (key, name) = entry?;
            words.names.extend(key.last_number().and_then(|hash| Some((u32::try_from(hash).ok()?, name))));
        }
        Ok(self)
    }

    /// Counts the words of a negative post written at `time` (Unix seconds), each once.
    pub(super) fn add<'a>(&mut self, time: i64, said: impl Iterator<Item = &'a str>) {
        let start = bucket_start(time, SLOT);
        let slot = self.slots.entry(start).or_default();
        slot.posts += 1;
        let said: BTreeMap<u32, &str> = said.map(|word| (hash(word), word)).collect();
        for (hash, word) in said {
            if slot.words.len() >= MOST && !slot.words.contains_key(&hash) {
                let singles = slot.words.iter().filter(|(_, posts)| **posts == 1);
                singles.for_each(|(single, posts)| take_away(&mut self.recent, *single, *posts));
                slot.words.retain(|_, posts| *posts > 1);
                if slot.words.len() >= MOST {
                    continue;
                }
            }
            *slot.words.entry(hash).or_default() += 1;
            let recent = self.recent.entry(hash).or_default();
            *recent += 1;
            if f64::from(*recent) + self.usual.posts_with(hash) >= self.kind.least() && !self.names.contains_key(&hash)
            {
                self.names.insert(hash, word.to_owned());
                self.renamed.insert(hash);
            }
        }
        self.changed.insert(start);
    }

    /// Makes slots that end at or before `time` part of what is usual.
    pub(super) fn fold_before(&mut self, time: i64) {
        while let Some(entry) = self.slots.first_entry()
            && *entry.key() + SLOT <= time
        {
            let (start, slot) = entry.remove_entry();
            self.changed.remove(&start);
            self.dropped.insert(start);
            let mut gone = self.usual.fold(start, &slot);
            for (word, posts) in slot.words {
                take_away(&mut self.recent, word, posts);
                gone.push(word);
            }
            self.folded = true;
            self.unname(&gone);
        }
    }

    /// Lets go of words that nobody used since `time` (Unix seconds); false where there were none.
    pub(super) fn expire(&mut self, time: i64) -> bool {
        self.fold_before(time);
        let gone = self.usual.drop_before(time);
        self.folded |= !gone.is_empty();
        self.unname(&gone);
        !gone.is_empty()
    }

    fn unname(&mut self, candidates: &[u32]) {
        for hash in candidates {
            if !self.recent.contains_key(hash) && !self.usual.holds(*hash) && self.names.remove(hash).is_some() {
                self.renamed.insert(*hash);
            }
        }
    }

    /// Words that more of the posts from `start` (Unix seconds) on hold than is usual, the most telling first.
    pub(super) fn standing_out(&self, start: i64, count: usize) -> Vec<Told> {
        let (window, usual) = (self.since(start), self.usual.posts());
        let posts = f64::from(window.posts);
        let telling = window.words.iter().filter(|(_, posts)| **posts >= LEAST_POSTS).filter_map(|(hash, with)| {
            let before = self.usual.posts_with(*hash);
            let score = deviance(f64::from(*with), posts, before, usual);
            let more = f64::from(*with) * usual > before * posts;
            (more && score >= STANDS_OUT).then(|| Some((score, self.told(*hash, *with, posts)?)))?
        });
        let mut telling: Vec<(f64, Told)> = telling.collect();
        telling.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.word.cmp(&y.word)));
        telling.into_iter().take(count).map(|(_, told)| told).collect()
    }

    /// The words that most of the posts from `start` (Unix seconds) on hold, the most frequent first.
    pub(super) fn most_frequent(&self, start: i64, count: usize) -> Vec<Told> {
        let window = self.since(start);
        let posts = f64::from(window.posts);
        let mut told: Vec<Told> =
            window.words.iter().filter_map(|(hash, with)| self.told(*hash, *with, posts)).collect();
        told.sort_by(|a, b| b.posts.cmp(&a.posts).then_with(|| a.word.cmp(&b.word)));
        told.truncate(count);
        told
    }

    fn told(&self, hash: u32, with: u32, posts: f64) -> Option<Told> {
        let word = self.names.get(&hash).filter(|name| !name.is_empty())?.clone();
        let share = if self.usual.posts() > 0.0 { self.usual.posts_with(hash) / self.usual.posts() } else { 0.0 };
        Some(Told { word, posts: u64::from(with), normal: posts * share })
    }

    fn since(&self, start: i64) -> Slot {
        self.slots.range(bucket_start(start, SLOT)..).fold(Slot::default(), |mut sum, (_, slot)| {
            sum.posts += slot.posts;
            for (word, posts) in &slot.words {
                *sum.words.entry(*word).or_default() += posts;
            }
            sum
        })
    }

    pub(super) fn save(&mut self, batch: &mut Batch, topic: &str) -> Result<(), StoreError> {
        let slot_key = |start: i64| key(Table::Words, topic, self.kind).time(start);
        for start in std::mem::take(&mut self.dropped) {
            batch.remove(&slot_key(start));
        }
        for start in std::mem::take(&mut self.changed) {
            if let Some(slot) = self.slots.get(&start) {
                batch.put(&slot_key(start), slot)?;
            }
        }
        if std::mem::take(&mut self.folded) {
            batch.put(&key(Table::UsualWords, topic, self.kind), &self.usual)?;
        }
        for hash in std::mem::take(&mut self.renamed) {
            let key = key(Table::Word, topic, self.kind).number(hash.into());
            match self.names.get(&hash) {
                Some(name) => batch.put(&key, name)?,
                None => batch.remove(&key),
            }
        }
        Ok(())
    }
}

fn key(table: Table, topic: &str, kind: Kind) -> Key {
    Key::new(table).text(topic).text(kind.name())
}

fn hash(word: &str) -> u32 {
    twox_hash::XxHash64::oneshot(3, word.as_bytes()) as u32
}

fn take_away(recent: &mut HashMap<u32, u32>, word: u32, posts: u32) {
    if let Some(left) = recent.get_mut(&word) {
        *left = left.saturating_sub(posts);
        if *left == 0 {
            recent.remove(&word);
        }
    }
}

/// How badly one share fits both `k` of `n` posts and `k0` of `n0`: the log-likelihood ratio G2 (Dunning 1993).
fn deviance(k: f64, n: f64, k0: f64, n0: f64) -> f64 {
    let share = (k + k0) / (n + n0);
    let part = |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
    let with = part(k, n * share) + part(k0, n0 * share);
    let without = part((n - k).max(0.0), n * (1.0 - share)) + part((n0 - k0).max(0.0), n0 * (1.0 - share));
    2.0 * (with + without)
}

#[cfg(test)]
mod tests;
