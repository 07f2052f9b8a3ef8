//! [`Label`] and [`Prediction`]: the sentiment of one post.

use serde::{Deserialize, Serialize};

/// Sentiment of a post; the order is that of every probability array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    Negative,
    Neutral,
    Positive,
}

impl Label {
    pub const ALL: [Self; 3] = [Self::Negative, Self::Neutral, Self::Positive];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
        }
    }

    /// The label written `negative`, `neutral` or `positive`, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str().eq_ignore_ascii_case(word.trim()))
    }
}

/// What a classifier says of one post.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    pub label: Label,
    /// In the order of [`Label::ALL`]; each in `[0, 1]`, summing to 1.
    pub probabilities: [f32; 3],
}

impl Prediction {
    /// The likeliest label; of two equally likely, the first of [`Label::ALL`].
    pub(super) fn of_probabilities(probabilities: [f32; 3]) -> Self {
        let mut best = (Label::Negative, f32::NEG_INFINITY);
        for (label, probability) in Label::ALL.into_iter().zip(probabilities) {
            if probability > best.1 {
                best = (label, probability);
            }
        }
        Self { label: best.0, probabilities }
    }
}
