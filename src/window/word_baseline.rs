//! [`Usual`]: how many posts held each word in the time before, which fades.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::words::{SLOT, Slot};

/// Seconds in which half of it fades.
const HALF_LIFE: f64 = 7.0 * 86_400.0;
/// Words remembered; when there are more, the rarest quarter goes.
const MOST: usize = 4_096;
/// Weights are brought back to size when they have grown so much.
const TOO_HEAVY: f64 = 1e12;

/// Counts that fade. Instead of all counts shrinking with time, what is added weighs more and more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Usual {
    /// Weight of a post now.
    weight: f64,
    /// Up to where it is told, in Unix seconds; none while it is empty.
    until: Option<i64>,
    posts: f64,
    words: BTreeMap<u32, Weighed>,
}

/// One word.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Weighed {
    posts: f64,
    /// When it was last used, in Unix seconds.
    last: i64,
}

impl Default for Usual {
    fn default() -> Self {
        Self { weight: 1.0, until: None, posts: 0.0, words: BTreeMap::new() }
    }
}

impl Usual {
    /// Posts seen, with or without words.
    pub(super) fn posts(&self) -> f64 {
        self.posts / self.weight
    }

    pub(super) fn posts_with(&self, word: u32) -> f64 {
        self.words.get(&word).map_or(0.0, |word| word.posts / self.weight)
    }

    pub(super) fn holds(&self, word: u32) -> bool {
        self.words.contains_key(&word)
    }

    /// Adds the words of the slot that begins at `start` (Unix seconds); returns those that went to make room.
    pub(super) fn fold(&mut self, start: i64, slot: &Slot) -> Vec<u32> {
        let end = start + SLOT;
        let passed = self.until.map_or(0, |until| (end - until).max(0));
        self.until = Some(self.until.map_or(end, |until| until.max(end)));
        self.weight *= (passed as f64 / HALF_LIFE).exp2();
        let mut gone = Vec::new();
        if self.weight > TOO_HEAVY {
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
        if self.words.len() > MOST {
            gone.extend(self.drop_rarest());
        }
        gone
    }

    fn drop(&mut self, doomed: impl Fn(&Weighed) -> bool) -> Vec<u32> {
        let gone = self.words.iter().filter(|(_, word)| doomed(word)).map(|(hash, _)| *hash).collect();
        self.words.retain(|_, word| !doomed(word));
        gone
    }

    fn drop_rarest(&mut self) -> Vec<u32> {
        let mut by_weight: Vec<(f64, u32)> = self.words.iter().map(|(hash, word)| (word.posts, *hash)).collect();
        by_weight.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        by_weight.truncate(self.words.len() - MOST * 3 / 4);
        by_weight.into_iter().map(|(_, hash)| hash).filter(|hash| self.words.remove(hash).is_some()).collect()
    }

    /// Forgets words last used before `time` (Unix seconds), and returns them.
    pub(super) fn drop_before(&mut self, time: i64) -> Vec<u32> {
        self.drop(|word| word.last <= time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(posts: u32, words: &[(u32, u32)]) -> Slot {
        Slot { posts, words: words.iter().copied().collect() }
    }

    #[test]
    fn what_was_fades_by_half_in_a_week() {
        let mut usual = Usual::default();
        usual.fold(0, &slot(100, &[(1, 40)]));
        usual.fold(7 * 86_400, &slot(10, &[(2, 5)]));
        assert!((usual.posts() - 60.0).abs() < 1e-9 && (usual.posts_with(1) - 20.0).abs() < 1e-9);
        assert_eq!(usual.posts_with(2), 5.0);
        // After years nothing of it is left, and no number has run over.
        usual.fold(10 * 365 * 86_400, &slot(7, &[(3, 1)]));
        assert!((usual.posts() - 7.0).abs() < 1e-3 && !usual.holds(1), "{usual:?}");
    }

    #[test]
    fn the_rarest_words_make_room() {
        let mut usual = Usual::default();
        usual.fold(0, &slot(10, &[(u32::MAX, 9)]));
        let mut gone = 0;
        for i in 0..20_u32 {
            let words: Vec<(u32, u32)> = (0..500).map(|word| (i * 500 + word, 1)).collect();
            gone += usual.fold(i64::from(i) * 600, &slot(10, &words)).len();
        }
        assert!(usual.words.len() <= MOST && usual.holds(u32::MAX));
        assert_eq!(gone + usual.words.len(), 10_001);
    }
}
