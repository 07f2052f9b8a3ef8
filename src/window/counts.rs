//! [`Counts`]: how many posts, and of which sentiment.

use std::ops::{AddAssign, SubAssign};

use serde::{Deserialize, Serialize};

use crate::classify::Label;

/// Posts of a stretch of time, by sentiment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub negative: u64,
    pub neutral: u64,
    pub positive: u64,
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
    }
}

impl SubAssign for Counts {
    /// Only what was added before is ever taken away, so this does not go below zero.
    fn sub_assign(&mut self, other: Self) {
        self.negative -= other.negative;
        self.neutral -= other.neutral;
        self.positive -= other.positive;
    }
}
