//! Co-occurrence counts that GloVe is trained on, in the blocks in which it trains on them.

use std::collections::HashMap;

use rayon::prelude::*;

use super::super::vocabulary::Sentences;
use super::super::word2vec::Random;

/// Words are assigned to this many shards by their index, so that each shard has frequent and rare ones. Part of the
/// result's bits.
pub(super) const SHARDS: usize = 8;

/// A pair within its block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    /// Index of the word in its shard.
    pub word: u32,
    /// Index of the neighbour in its shard.
    pub neighbour: u32,
    /// How often they occur together; an occurrence at distance `d` counts `1/d`. Above 0.
    pub times: f32,
}

/// The pairs of each shard's words: per shard `SHARDS` blocks, one per shard of neighbours. Shuffled within a block.
pub(super) fn count(sentences: &Sentences, window: usize, seed: u64) -> Vec<Vec<Vec<Pair>>> {
    (0..SHARDS).into_par_iter().map(|shard| blocks(count_shard(sentences, window, shard), seed, shard)).collect()
}

fn count_shard(sentences: &Sentences, window: usize, shard: usize) -> HashMap<(u32, u32), f32> {
    let mut times = HashMap::new();
    for words in (0..sentences.len()).map(|index| sentences.get(index)) {
        for (at, word) in words.iter().enumerate().filter(|(_, word)| **word as usize % SHARDS == shard) {
            let before = words.iter().take(at).rev().take(window);
            let after = words.iter().skip(at + 1).take(window);
            for (distance, neighbour) in (1_u16..).zip(before).chain((1..).zip(after)) {
                *times.entry((*word, *neighbour)).or_insert(0.0) += 1.0 / f32::from(distance);
            }
        }
    }
    times
}

/// Sorted before shuffling, because the order of a hash map varies.
fn blocks(times: HashMap<(u32, u32), f32>, seed: u64, shard: usize) -> Vec<Vec<Pair>> {
    let mut sorted: Vec<((u32, u32), f32)> = times.into_iter().collect();
    sorted.sort_unstable_by_key(|(pair, _)| *pair);
    let mut blocks = vec![Vec::new(); SHARDS];
    for ((word, neighbour), times) in sorted {
        let place = |word: u32| word / SHARDS as u32;
        if let Some(block) = blocks.get_mut(neighbour as usize % SHARDS) {
            block.push(Pair { word: place(word), neighbour: place(neighbour), times });
        }
    }
    for (other, block) in blocks.iter_mut().enumerate() {
        Random::new(seed, [3, shard as u64, other as u64]).shuffle(block);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::vocabulary::Vocabulary;

    #[test]
    fn a_neighbour_counts_by_its_distance_both_ways() {
        let texts = ["late late crew", "crew late", "crew"];
        let vocabulary = Vocabulary::build(texts.into_iter(), 1);
        let number = |word: &str| vocabulary.words.iter().position(|known| known == word).unwrap();
        let blocks = count(&vocabulary.sentences(texts.into_iter()), 2, 1);
        let times = |a: &str, b: &str| blocks[number(a)][number(b)].iter().map(|pair| pair.times).sum::<f32>();
        assert_eq!((times("late", "crew"), times("crew", "late")), (0.5 + 1.0 + 1.0, 2.5));
        assert_eq!((times("late", "late"), times("crew", "crew")), (2.0, 0.0));
    }
}
