//! [`Agreement`]: how far two models, or one in two precisions, say the same of some texts.

use serde::Serialize;

use super::Prediction;

/// Predictions against those that are expected, text by text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    pub texts: usize,
    /// Texts with another label.
    pub other_labels: usize,
    /// The most that a probability differs.
    pub largest_difference: f32,
}

impl Agreement {
    pub fn between(expected: &[Prediction], found: &[Prediction]) -> Self {
        let pairs = || expected.iter().zip(found);
        let probabilities = pairs().flat_map(|(one, other)| one.probabilities.iter().zip(&other.probabilities));
        Self {
            texts: expected.len(),
            other_labels: pairs().filter(|(one, other)| one.label != other.label).count(),
            largest_difference: probabilities.map(|(one, other)| (one - other).abs()).fold(0.0, f32::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_probabilities_are_compared_text_by_text() {
        let one = [[0.75, 0.25, 0.0], [0.5, 0.25, 0.25]].map(Prediction::from_probabilities);
        let other = [[0.25, 0.75, 0.0], [0.5, 0.375, 0.125]].map(Prediction::from_probabilities);
        let expected = Agreement { texts: 2, other_labels: 1, largest_difference: 0.5 };
        assert_eq!(Agreement::between(&one, &other), expected);
    }
}
