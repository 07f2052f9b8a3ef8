//! [`WordCounts`]: the number of negative posts of a topic with each word, in the window and before, so that an alert
//! can show the distinctive words. Reasons are counted in the same way.
//!
//! ```text
//!    WordBaseline: half-life of a week   <--- slots before the window --- slots of ten minutes
//! ```
//!
//! A word is stored as a hash until several posts contain it: a word written by one person only must not be readable
//! here, nor survive `vigie forget`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::buckets::bucket_start;
use super::slot::{SLOT, WordSlot};
use super::word_baseline::WordBaseline;
use crate::store::{Batch, Key, Store, StoreError, Table};

/// Maximum number of words per slot; words of single posts are dropped first.
const MAX_WORDS: usize = 512;
/// Minimum number of posts with a distinctive word.
const MIN_POSTS: u32 = 3;
/// Minimum deviance (G2) of a distinctive word: chance exceeds it for one word in a thousand.
const MIN_DEVIANCE: f64 = 10.83;

/// What kind of term is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TermKind {
    Word,
    Reason,
}

impl TermKind {
    fn name(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Reason => "reason",
        }
    }

    /// Minimum number of posts with a word before it is stored in plain text.
    fn min_posts(self) -> f64 {
        match self {
            Self::Word => 3.0,
            Self::Reason => 1.0,
        }
    }
}

/// A word, the number of posts in the window that contain it, and the expected number.
#[derive(Debug, Clone, PartialEq)]
pub struct DistinctiveWord {
    pub word: String,
    pub posts: u64,
    /// All posts of the window that were counted.
    pub total: u64,
    /// `posts` if the word were as frequent as usual among `total` posts.
    pub normal: f64,
}

/// The word counts of one topic.
#[derive(Debug, Clone)]
pub(super) struct WordCounts {
    kind: TermKind,
    slots: BTreeMap<i64, WordSlot>,
    /// Sums over all slots.
    recent: HashMap<u32, u32>,
    baseline: WordBaseline,
    names: HashMap<u32, String>,
    changed: BTreeSet<i64>,
    dropped: BTreeSet<i64>,
    renamed: BTreeSet<u32>,
    folded: bool,
}

impl WordCounts {
    pub(super) fn new(kind: TermKind) -> Self {
        Self {
            kind,
            slots: BTreeMap::new(),
            recent: HashMap::new(),
            baseline: WordBaseline::default(),
            names: HashMap::new(),
            changed: BTreeSet::new(),
            dropped: BTreeSet::new(),
            renamed: BTreeSet::new(),
            folded: false,
        }
    }

    /// Adds the stored counts of `topic`.
    pub(super) fn load(mut self, store: &Store, topic: &str) -> Result<Self, StoreError> {
        let kind = self.kind;
        let words = &mut self;
        words.baseline = store.get(&key(Table::WordBaseline, topic, kind))?.unwrap_or_default();
        for entry in store.scan::<WordSlot>(&key(Table::Words, topic, kind)) {
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

    /// Counts the words of a negative post at `time` (Unix seconds), each word once.
    pub(super) fn add<'a>(&mut self, time: i64, said: impl Iterator<Item = &'a str>) {
        let start = bucket_start(time, SLOT);
        let slot = self.slots.entry(start).or_default();
        slot.posts += 1;
        let said: BTreeMap<u32, &str> = said.map(|word| (hash(word), word)).collect();
        for (hash, word) in said {
            if slot.words.len() >= MAX_WORDS && !slot.words.contains_key(&hash) {
                let singles = slot.words.iter().filter(|(_, posts)| **posts == 1);
                singles.for_each(|(single, posts)| subtract(&mut self.recent, *single, *posts));
                slot.words.retain(|_, posts| *posts > 1);
                if slot.words.len() >= MAX_WORDS {
                    // The slot is full of frequent words.
                    continue;
                }
            }
            *slot.words.entry(hash).or_default() += 1;
            let recent = self.recent.entry(hash).or_default();
            *recent += 1;
            if f64::from(*recent) + self.baseline.posts_with(hash) >= self.kind.min_posts()
                && !self.names.contains_key(&hash)
            {
                self.names.insert(hash, word.to_owned());
                self.renamed.insert(hash);
            }
        }
        self.changed.insert(start);
    }

    /// Moves slots that end at or before `time` into the baseline.
    pub(super) fn fold_before(&mut self, time: i64) {
        while let Some(entry) = self.slots.first_entry()
            && *entry.key() + SLOT <= time
        {
            let (start, slot) = entry.remove_entry();
            self.changed.remove(&start);
            self.dropped.insert(start);
            let mut gone = self.baseline.fold(start, &slot);
            for (word, posts) in slot.words {
                subtract(&mut self.recent, word, posts);
                gone.push(word);
            }
            self.folded = true;
            self.drop_unused_names(&gone);
        }
    }

    /// Drops words that did not occur since `time` (Unix seconds); returns false if there were none.
    pub(super) fn expire(&mut self, time: i64) -> bool {
        self.fold_before(time);
        let gone = self.baseline.drop_before(time);
        self.folded |= !gone.is_empty();
        self.drop_unused_names(&gone);
        !gone.is_empty()
    }

    fn drop_unused_names(&mut self, candidates: &[u32]) {
        for hash in candidates {
            if !self.recent.contains_key(hash) && !self.baseline.holds(*hash) && self.names.remove(hash).is_some() {
                self.renamed.insert(*hash);
            }
        }
    }

    /// Words that are more frequent than usual in the posts from `start` (Unix seconds) on, most distinctive first.
    pub(super) fn distinctive(&self, start: i64, count: usize) -> Vec<DistinctiveWord> {
        let (window, baseline) = (self.since(start), self.baseline.posts());
        let posts = f64::from(window.posts);
        let distinctive = window.words.iter().filter(|(_, posts)| **posts >= MIN_POSTS).filter_map(|(hash, with)| {
            let before = self.baseline.posts_with(*hash);
            let score = rise((f64::from(*with), posts), (before, baseline))?;
            Some((score, self.distinctive_word(*hash, *with, posts)?))
        });
        let mut distinctive: Vec<(f64, DistinctiveWord)> = distinctive.collect();
        distinctive.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.word.cmp(&y.word)));
        distinctive.into_iter().take(count).map(|(_, distinctive_word)| distinctive_word).collect()
    }

    /// The most frequent words in the posts from `start` (Unix seconds) on.
    pub(super) fn most_frequent(&self, start: i64, count: usize) -> Vec<DistinctiveWord> {
        let window = self.since(start);
        let posts = f64::from(window.posts);
        let mut distinctive_word: Vec<DistinctiveWord> =
            window.words.iter().filter_map(|(hash, with)| self.distinctive_word(*hash, *with, posts)).collect();
        distinctive_word.sort_by(|a, b| b.posts.cmp(&a.posts).then_with(|| a.word.cmp(&b.word)));
        distinctive_word.truncate(count);
        distinctive_word
    }

    fn distinctive_word(&self, hash: u32, with: u32, posts: f64) -> Option<DistinctiveWord> {
        let word = self.names.get(&hash).filter(|name| !name.is_empty())?.clone();
        let share =
            if self.baseline.posts() > 0.0 { self.baseline.posts_with(hash) / self.baseline.posts() } else { 0.0 };
        Some(DistinctiveWord { word, posts: u64::from(with), total: posts as u64, normal: posts * share })
    }

    fn since(&self, start: i64) -> WordSlot {
        self.slots.range(bucket_start(start, SLOT)..).fold(WordSlot::default(), |mut sum, (_, slot)| {
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
            batch.put(&key(Table::WordBaseline, topic, self.kind), &self.baseline)?;
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

fn key(table: Table, topic: &str, kind: TermKind) -> Key {
    Key::new(table).text(topic).text(kind.name())
}

fn hash(word: &str) -> u32 {
    twox_hash::XxHash64::oneshot(3, word.as_bytes()) as u32
}

fn subtract(recent: &mut HashMap<u32, u32>, word: u32, posts: u32) {
    if let Some(left) = recent.get_mut(&word) {
        *left = left.saturating_sub(posts);
        if *left == 0 {
            recent.remove(&word);
        }
    }
}

/// How much `k` of `n` posts are more than the usual `k0` of `n0`, as a deviance; none where that may be chance.
pub(crate) fn rise((k, n): (f64, f64), (k0, n0): (f64, f64)) -> Option<f64> {
    let score = deviance(k, n, k0, n0);
    (k * n0 > k0 * n && score >= MIN_DEVIANCE).then_some(score)
}

/// Log-likelihood ratio G2 (Dunning 1993) of different shares in `k` of `n` and `k0` of `n0` posts against one common
/// share.
fn deviance(k: f64, n: f64, k0: f64, n0: f64) -> f64 {
    let share = (k + k0) / (n + n0);
    let part = |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
    let with = part(k, n * share) + part(k0, n0 * share);
    let without = part((n - k).max(0.0), n * (1.0 - share)) + part((n0 - k0).max(0.0), n0 * (1.0 - share));
    2.0 * (with + without)
}

#[cfg(test)]
mod tests;
