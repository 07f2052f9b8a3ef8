//! [`Counts`]: number of posts by sentiment, the votes of their authors, and their reach.

use std::ops::{AddAssign, SubAssign};

use serde::{Deserialize, Serialize};

use super::authors::VOTE;
use crate::classify::Label;

/// Upper limit for the followers of an account: larger numbers are errors, and sums must not overflow.
const MAX_FOLLOWERS: u64 = 1_000_000_000;

/// Posts of a period, by sentiment. A cascade (a post with its retweets, quotes and copies) counts once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub negative: u64,
    pub neutral: u64,
    pub positive: u64,
    /// Posts that repeat a counted post, of any sentiment. Not included in the three fields above.
    pub copies: u64,
    /// Sum of the followers of the authors, including authors of copies.
    pub reach: u64,
    /// What the posts lack to a vote each, in thousandths, because their authors had written before.
    pub discount: u64,
    /// The part of `discount` that negative posts lack.
    pub negative_discount: u64,
}

impl Counts {
    pub fn one(label: Label) -> Self {
        let mut counts = Self::default();
        match label {
            Label::Negative => counts.negative = 1,
            Label::Neutral => counts.neutral = 1,
            Label::Positive => counts.positive = 1,
        }
        counts
    }

    /// A post that repeats a counted post.
    pub fn copy() -> Self {
        Self { copies: 1, ..Self::default() }
    }

    /// The same counts, with the followers of the author as reach.
    #[must_use]
    pub fn reaching(self, followers: u64) -> Self {
        Self { reach: followers.min(MAX_FOLLOWERS), ..self }
    }

    /// The counts of one post, which lacks `discount` thousandths of a vote.
    #[must_use]
    pub fn discounted(self, discount: u64) -> Self {
        Self { discount, negative_discount: if self.negative > 0 { discount } else { 0 }, ..self }
    }

    /// Moves one post from a label to another; false, and nothing, where there is none of `from`.
    ///
    /// How much this post lacks to a vote is not known: it is taken for an average one of its kind.
    pub(super) fn relabel(&mut self, from: Label, to: Label) -> bool {
        if self.of(from) == 0 || from == to {
            return false;
        }
        if from == Label::Negative {
            self.negative_discount -= self.negative_discount / self.negative;
        }
        if to == Label::Negative {
            let others = self.discount.saturating_sub(self.negative_discount);
            self.negative_discount += others / (self.neutral + self.positive).max(1);
        }
        *self.of_mut(from) -= 1;
        *self.of_mut(to) += 1;
        true
    }

    fn of(&self, label: Label) -> u64 {
        match label {
            Label::Negative => self.negative,
            Label::Neutral => self.neutral,
            Label::Positive => self.positive,
        }
    }

    fn of_mut(&mut self, label: Label) -> &mut u64 {
        match label {
            Label::Negative => &mut self.negative,
            Label::Neutral => &mut self.neutral,
            Label::Positive => &mut self.positive,
        }
    }

    /// The votes of the posts: one for each author, and less for each further post. What rules decide on.
    pub fn votes(&self) -> f64 {
        (self.posts() * VOTE).saturating_sub(self.discount) as f64 / VOTE as f64
    }

    /// The votes of the negative posts.
    pub fn negative_votes(&self) -> f64 {
        (self.negative * VOTE).saturating_sub(self.negative_discount) as f64 / VOTE as f64
    }

    /// Number of counted posts, without copies.
    pub fn posts(&self) -> u64 {
        self.negative + self.neutral + self.positive
    }

    /// Share of negative posts in `[0, 1]`; `None` without posts.
    pub fn negative_rate(&self) -> Option<f64> {
        (self.posts() > 0).then(|| self.negative as f64 / self.posts() as f64)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.negative += other.negative;
        self.neutral += other.neutral;
        self.positive += other.positive;
        self.copies += other.copies;
        self.reach = self.reach.saturating_add(other.reach);
        self.discount += other.discount;
        self.negative_discount += other.negative_discount;
    }
}

impl SubAssign for Counts {
    /// Only counts added before are subtracted, so this does not underflow.
    fn sub_assign(&mut self, other: Self) {
        self.negative -= other.negative;
        self.neutral -= other.neutral;
        self.positive -= other.positive;
        self.copies -= other.copies;
        self.reach = self.reach.saturating_sub(other.reach);
        self.discount -= other.discount;
        self.negative_discount -= other.negative_discount;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_post_that_changes_its_label_changes_no_other_count(
            posts in [0..5_u64, 0..5, 0..5], weights in [0..1_000_u64, 0..1_000], labels in [0..3_usize, 0..3],
        ) {
            let [negative, neutral, positive] = posts;
            let [lacks, others_lack] = weights;
            let before = Counts {
                negative,
                neutral,
                positive,
                discount: negative * lacks + (neutral + positive) * others_lack,
                negative_discount: negative * lacks,
                ..Counts::default()
            };
            let [from, to] = labels.map(|place| Label::ALL[place]);
            let mut after = before;
            let moved = after.relabel(from, to);
            prop_assert_eq!(moved, from != to && before.of(from) > 0);
            prop_assert_eq!((after.posts(), after.discount), (before.posts(), before.discount));
            prop_assert!(after.negative_discount <= after.discount);
            prop_assert!(after.negative_votes() <= after.votes() + 1e-9);
            if moved {
                prop_assert_eq!((after.of(from), after.of(to)), (before.of(from) - 1, before.of(to) + 1));
            }
        }
    }
}
