//! [`WordBaseline`]: the number of past posts with each word, with exponential decay. `words` compares the window with
//! it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::slot::{SLOT, WordSlot};

/// Half-life of a count in seconds.
const HALF_LIFE: f64 = 7.0 * 86_400.0;
/// Maximum number of words; if there are more, the rarest quarter is dropped.
const MAX_WORDS: usize = 4_096;
/// Weights are rescaled when they exceed this.
const MAX_WEIGHT: f64 = 1e12;

/// Counts with exponential decay. Instead of scaling all counts down with time, new posts get a growing weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WordBaseline {
    /// Weight of a new post.
    weight: f64,
    /// End of the last added slot, in Unix seconds; `None` while empty.
    until: Option<i64>,
    posts: f64,
    words: BTreeMap<u32, Weighed>,
}

/// The weighted count of one word.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Weighed {
    posts: f64,
    /// When the word last occurred, in Unix seconds.
    last: i64,
}

impl Default for WordBaseline {
    fn default() -> Self {
        Self { weight: 1.0, until: None, posts: 0.0, words: BTreeMap::new() }
    }
}

impl WordBaseline {
    /// Decayed number of posts, with or without words.
    pub(super) fn posts(&self) -> f64 {
        self.posts / self.weight
    }

    pub(super) fn posts_with(&self, word: u32) -> f64 {
        self.words.get(&word).map_or(0.0, |word| word.posts / self.weight)
    }

    pub(super) fn holds(&self, word: u32) -> bool {
        self.words.contains_key(&word)
    }

    /// Adds the words of the slot that begins at `start` (Unix seconds); returns the words that were dropped.
    pub(super) fn fold(&mut self, start: i64, slot: &WordSlot) -> Vec<u32> {
        let end = start + SLOT;
        let passed = self.until.map_or(0, |until| (end - until).max(0));
        self.until = Some(self.until.map_or(end, |until| until.max(end)));
        self.weight *= (passed as f64 / HALF_LIFE).exp2();
        let mut gone = Vec::new();
        if self.weight > MAX_WEIGHT {
            let weight = std::mem::replace(&mut self.weight, 1.0);
            self.posts /= weight;
            self.words.values_mut().for_each(|word| word.posts /= weight);
            gone.extend(self.drop(|word| word.posts < 1e-6));
        }
        self.posts += f64::from(slot.posts) * self.weight;
        for (hash, posts) in &slot.words {
            let word = self.words.entry(*hash).or_insert(Weighed { posts: 0.0, last: end });
            word.posts += f64::from(*posts) * self.weight;
            word.last = word.last.max(end);
        }
        if self.words.len() > MAX_WORDS {
            gone.extend(self.drop_rarest());
        }
        gone
    }

    fn drop(&mut self, matches: impl Fn(&Weighed) -> bool) -> Vec<u32> {
        let gone = self.words.iter().filter(|(_, word)| matches(word)).map(|(hash, _)| *hash).collect();
        self.words.retain(|_, word| !matches(word));
        gone
    }

    fn drop_rarest(&mut self) -> Vec<u32> {
        let mut by_weight: Vec<(f64, u32)> = self.words.iter().map(|(hash, word)| (word.posts, *hash)).collect();
        by_weight.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        by_weight.truncate(self.words.len() - MAX_WORDS * 3 / 4);
        by_weight.into_iter().map(|(_, hash)| hash).filter(|hash| self.words.remove(hash).is_some()).collect()
    }

    /// Drops words that last occurred before `time` (Unix seconds), and returns them.
    pub(super) fn drop_before(&mut self, time: i64) -> Vec<u32> {
        self.drop(|word| word.last <= time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(posts: u32, words: &[(u32, u32)]) -> WordSlot {
        WordSlot { posts, words: words.iter().copied().collect() }
    }

    #[test]
    fn what_was_fades_by_half_in_a_week() {
        let mut baseline = WordBaseline::default();
        baseline.fold(0, &slot(100, &[(1, 40)]));
        baseline.fold(7 * 86_400, &slot(10, &[(2, 5)]));
        assert!((baseline.posts() - 60.0).abs() < 1e-9 && (baseline.posts_with(1) - 20.0).abs() < 1e-9);
        assert_eq!(baseline.posts_with(2), 5.0);
        // After years nothing of it is left, and no number has run over.
        baseline.fold(10 * 365 * 86_400, &slot(7, &[(3, 1)]));
        assert!((baseline.posts() - 7.0).abs() < 1e-3 && !baseline.holds(1), "{baseline:?}");
    }

    #[test]
    fn the_rarest_words_make_room() {
        let mut baseline = WordBaseline::default();
        baseline.fold(0, &slot(10, &[(u32::MAX, 9)]));
        let mut gone = 0;
        for i in 0..20_u32 {
            let words: Vec<(u32, u32)> = (0..500).map(|word| (i * 500 + word, 1)).collect();
            gone += baseline.fold(i64::from(i) * 600, &slot(10, &words)).len();
        }
        assert!(baseline.words.len() <= MAX_WORDS && baseline.holds(u32::MAX));
        assert_eq!(gone + baseline.words.len(), 10_001);
    }
}
