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
