//! [`Vocabulary`]: the words that get a vector, most frequent first, and texts as sequences of word indices.

use std::collections::HashMap;

/// Words and how often they occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vocabulary {
    /// By falling count, then alphabetically: the position of a word is its index.
    pub words: Vec<String>,
    /// One per word; above 0.
    pub counts: Vec<u64>,
    numbers: HashMap<String, u32>,
}

/// Texts as the indices of their words, without other words and without texts of fewer than two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sentences {
    words: Vec<u32>,
    /// End (exclusive) of each sentence.
    ends: Vec<usize>,
}

impl Vocabulary {
    /// The words that occur `min_count` times or more in `texts`.
    pub(super) fn build<'a>(texts: impl Iterator<Item = &'a str>, min_count: usize) -> Self {
        let mut seen: HashMap<&str, u64> = HashMap::new();
        for word in texts.flat_map(words) {
            *seen.entry(word).or_default() += 1;
        }
        let mut kept: Vec<(&str, u64)> = seen.into_iter().filter(|(_, count)| *count >= min_count as u64).collect();
        kept.sort_unstable_by(|(a, first), (b, second)| second.cmp(first).then(a.cmp(b)));
        let words: Vec<String> = kept.iter().map(|(word, _)| (*word).to_owned()).collect();
        let counts = kept.iter().map(|(_, count)| *count).collect();
        let numbers = words.iter().cloned().zip(0..).collect();
        Self { words, counts, numbers }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    pub(super) fn sentences<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Sentences {
        let mut sentences = Sentences::default();
        for text in texts {
            let from = sentences.words.len();
            sentences.words.extend(words(text).filter_map(|word| self.numbers.get(word)));
            if sentences.words.len() < from + 2 {
                sentences.words.truncate(from);
            } else {
                sentences.ends.push(sentences.words.len());
            }
        }
        sentences
    }
}

pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

impl Sentences {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Total number of words.
    pub(super) fn words(&self) -> usize {
        self.words.len()
    }

    pub(super) fn get(&self, index: usize) -> &[u32] {
        let from = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.ends.get(index).and_then(|to| self.words.get(from..*to)).unwrap_or_default()
    }
}
