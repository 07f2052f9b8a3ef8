//! [`Counts`]: how many posts, of which sentiment, and how many people they reached.

use std::ops::{AddAssign, SubAssign};

use serde::{Deserialize, Serialize};

use crate::classify::Label;

/// More followers than any account has: a number beyond it is a mistake, and sums are not to run over.
const MOST_FOLLOWERS: u64 = 1_000_000_000;

/// Posts of a stretch of time, by sentiment. A cascade (a post with its retweets, quotes and copies) votes once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub negative: u64,
    pub neutral: u64,
    pub positive: u64,
    /// Posts that repeat one that voted, whatever their sentiment; in none of the three above.
    pub copies: u64,
    /// Followers of those who wrote the posts, copies included, added up.
    pub reach: u64,
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

    /// A post that repeats one that voted.
    pub fn copy() -> Self {
        Self { copies: 1, ..Self::default() }
    }

    /// The same, by an author with so many followers.
    #[must_use]
    pub fn reaching(self, followers: u64) -> Self {
        Self { reach: followers.min(MOST_FOLLOWERS), ..self }
    }

    /// Posts that vote.
    pub fn posts(&self) -> u64 {
        self.negative + self.neutral + self.positive
    }

    /// Share of negative posts in `[0, 1]`; none without posts.
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
    }
}

impl SubAssign for Counts {
    /// Only what was added before is ever taken away, so this does not go below zero.
    fn sub_assign(&mut self, other: Self) {
        self.negative -= other.negative;
        self.neutral -= other.neutral;
        self.positive -= other.positive;
        self.copies -= other.copies;
        self.reach = self.reach.saturating_sub(other.reach);
    }
}
