//! [`ReasonScores`]: how well a model finds the reasons of negative posts. The counterpart of `score`, for classes that
//! a dump names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ClassScores, Reliability};

/// Scores on negative posts with a known reason. Shares are in `[0, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReasonScores {
    /// Posts scored.
    pub posts: u64,
    pub accuracy: f64,
    /// Unweighted mean of the F1 of the reasons that occur or were predicted, as scikit-learn's
    /// `f1_score(average="macro")`.
    pub macro_f1: f64,
    pub per_class: BTreeMap<String, ClassScores>,
    #[serde(flatten)]
    pub reliability: Reliability,
}

impl ReasonScores {
    /// From the true reason of each post, the predicted one and its probability. `None` without a post.
    pub fn compute(predictions: &[(String, String, f64)]) -> Option<Self> {
        let names: BTreeSet<&str> =
            predictions.iter().flat_map(|(label, predicted, _)| [label.as_str(), predicted]).collect();
        let per_class: BTreeMap<String, ClassScores> =
            names.into_iter().map(|name| (name.to_owned(), class_scores(predictions, name))).collect();
        let right = predictions.iter().filter(|(label, predicted, _)| label == predicted).count();
        let f1: f64 = per_class.values().map(|class| class.f1).sum();
        (!predictions.is_empty()).then(|| Self {
            posts: predictions.len() as u64,
            accuracy: right as f64 / predictions.len() as f64,
            macro_f1: f1 / per_class.len() as f64,
            per_class,
            reliability: Reliability::from_predictions(
                predictions.iter().map(|(label, predicted, probability)| (*probability, label == predicted)),
            ),
        })
    }
}

fn class_scores(predictions: &[(String, String, f64)], name: &str) -> ClassScores {
    let count = |of: &dyn Fn(&str, &str) -> bool| {
        predictions.iter().filter(|(label, predicted, _)| of(label, predicted)).count() as u64
    };
    let right = count(&|label, predicted| label == name && predicted == name);
    let (support, predicted) = (count(&|label, _| label == name), count(&|_, predicted| predicted == name));
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    ClassScores {
        precision: share(right, predicted),
        recall: share(right, support),
        f1: share(2 * right, support + predicted),
        support,
    }
}

/// A table for people.
impl fmt::Display for ReasonScores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { posts, accuracy, macro_f1, per_class, reliability } = self;
        let error = reliability.expected_calibration_error;
        writeln!(
            f,
            "reasons: {posts} negative posts, macro F1 {macro_f1:.4}, accuracy {accuracy:.4}, calibration error {error:.4}\n"
        )?;
        write!(f, "{:<30}{:>10}{:>10}{:>10}{:>10}", "", "precision", "recall", "F1", "support")?;
        for (name, ClassScores { precision, recall, f1, support }) in per_class {
            write!(f, "\n{name:<30}{precision:>10.4}{recall:>10.4}{f1:>10.4}{support:>10}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sklearn 1.9.1: `classification_report`, `f1_score(average="macro", zero_division=0)` of the same names.
    #[test]
    fn scores_match_scikit_learn() {
        let rows = [("late", "late"), ("late", "lost"), ("lost", "lost"), ("rude", "late"), ("late", "late")];
        let predictions: Vec<_> =
            rows.map(|(label, predicted)| (label.to_owned(), predicted.to_owned(), 0.75)).to_vec();
        let scores = ReasonScores::compute(&predictions).unwrap();
        assert_eq!((scores.posts, scores.per_class["late"].support), (5, 3));
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        close(scores.accuracy, 0.6);
        close(scores.macro_f1, (2.0 / 3.0 + 2.0 / 3.0 + 0.0) / 3.0);
        close(scores.per_class["late"].precision, 2.0 / 3.0);
        close(scores.per_class["rude"].recall, 0.0);
        close(scores.reliability.expected_calibration_error, 0.15);
        assert_eq!(ReasonScores::compute(&[]), None);
    }
}
