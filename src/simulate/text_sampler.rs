//! [`Deck`]: the dump's texts by label, dealt like cards: none comes twice before all have come.

use rand_chacha::rand_core::RngCore;

use crate::classify::Label;

/// Texts of one label that are kept: a stream of a day or a week needs no more.
const MOST: usize = 100_000;

/// The texts of a dump.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deck {
    piles: [Vec<String>; 3],
    /// Texts dealt since the pile was last shuffled.
    dealt: [usize; 3],
}

impl Deck {
    pub fn put(&mut self, label: Label, text: String) {
        let pile = &mut self.piles[label as usize];
        if pile.len() < MOST {
            pile.push(text);
        }
    }

    pub fn holds(&self, label: Label) -> bool {
        !self.piles[label as usize].is_empty()
    }

    /// A text of this label; the empty one where there is none.
    pub(super) fn deal(&mut self, label: Label, rng: &mut impl RngCore) -> String {
        let (pile, dealt) = (&mut self.piles[label as usize], &mut self.dealt[label as usize]);
        if *dealt == pile.len() {
            *dealt = 0;
        }
        if *dealt == 0 {
            for last in (1..pile.len()).rev() {
                pile.swap(last, below(last + 1, rng));
            }
        }
        let text = pile.get(*dealt).cloned().unwrap_or_default();
        *dealt += 1;
        text
    }
}

/// A number from 0 to below `end`. Its bias, of `end` in 2^64, shows nowhere.
pub(super) fn below(end: usize, rng: &mut impl RngCore) -> usize {
    ((u128::from(rng.next_u64()) * end as u128) >> 64) as usize
}
