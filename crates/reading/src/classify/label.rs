//! [`Label`] and [`Prediction`]: the sentiment of one post.

use serde::{Deserialize, Serialize};

use super::Reason;

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

    /// The most likely label; of two equally likely, the first in [`Label::ALL`]. `probabilities` are in that order.
    pub fn most_likely(probabilities: [f32; 3]) -> Self {
        let mut best = (Self::Negative, f32::NEG_INFINITY);
        for (label, probability) in Self::ALL.into_iter().zip(probabilities) {
            if probability > best.1 {
                best = (label, probability);
            }
        }
        best.0
    }

    /// The label written `negative`, `neutral` or `positive`, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str().eq_ignore_ascii_case(word.trim()))
    }
}

/// A classifier's output for one post.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    pub label: Label,
    /// In the order of [`Label::ALL`]; each in `[0, 1]`, summing to 1.
    pub probabilities: [f32; 3],
    /// The most likely reason assuming that the post is negative, if the model has a reason head.
    pub reason: Option<Reason>,
}

impl Prediction {
    /// With the most likely label.
    pub(super) fn from_probabilities(probabilities: [f32; 3]) -> Self {
        Self { label: Label::most_likely(probabilities), probabilities, reason: None }
    }

    /// Why the post is negative, if it is and the model is confident of the reason.
    pub fn confident_reason(&self) -> Option<&Reason> {
        self.reason.as_ref().filter(|reason| self.label == Label::Negative && reason.is_confident())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_negative_post_has_a_confident_reason() {
        let reason = Some(Reason { name: "late_flight".into(), probability: 0.8 });
        let predict =
            |probabilities| Prediction { reason: reason.clone(), ..Prediction::from_probabilities(probabilities) };
        assert_eq!(predict([0.6, 0.3, 0.1]).confident_reason(), reason.as_ref());
        assert_eq!(predict([0.3, 0.6, 0.1]).confident_reason(), None);
    }
}
