//! [`TextSampler`]: samples the dump's texts by label in random order; no text repeats before all have been used.

use rand_chacha::rand_core::RngCore;

use crate::classify::Label;

/// Maximum number of texts per label: a stream of a week needs no more.
pub(super) const MAX_TEXTS: usize = 100_000;

/// The texts of a dump.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextSampler {
    texts: [Vec<String>; 3],
    /// Texts used since the last shuffle, by label.
    used: [usize; 3],
}

impl TextSampler {
    pub fn add(&mut self, label: Label, text: String) {
        let texts = &mut self.texts[label as usize];
        if texts.len() < MAX_TEXTS {
            texts.push(text);
        }
    }

    pub fn has(&self, label: Label) -> bool {
        !self.texts[label as usize].is_empty()
    }

    /// A text with this label; empty if there is none.
    pub(super) fn sample(&mut self, label: Label, rng: &mut impl RngCore) -> String {
        let (texts, used) = (&mut self.texts[label as usize], &mut self.used[label as usize]);
        if *used == texts.len() {
            *used = 0;
        }
        if *used == 0 {
            for last in (1..texts.len()).rev() {
                texts.swap(last, random_below(last + 1, rng));
            }
        }
        let text = texts.get(*used).cloned().unwrap_or_default();
        *used += 1;
        text
    }
}

/// A random number below `end`. Its bias, `end` in 2^64, is negligible.
pub(super) fn random_below(end: usize, rng: &mut impl RngCore) -> usize {
    ((u128::from(rng.next_u64()) * end as u128) >> 64) as usize
}
