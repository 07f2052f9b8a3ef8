//! [`Scores`]: confusion matrix, accuracy, recall, F1 and ROC-AUC of predictions. The lab's last step.
//!
//! A dump with two classes is scored on those two: the prediction is the larger of the two probabilities.

mod curve;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calibration::Reliability;
use super::label_set::LabelSet;
use vigie_reading::classify::Label;

pub use curve::{Curve, CurvePoint};

/// Precision of [`Scores::negative_recall_at_90_precision`].
const PRECISION: f64 = 0.9;

/// Scores of one set of labelled posts. Shares are in `[0, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Posts scored.
    pub posts: u64,
    /// The classes scored, in the order of the confusion matrix: two if two occur, otherwise all.
    pub labels: Vec<Label>,
    pub accuracy: f64,
    /// Unweighted mean of the F1 of the classes that occur.
    pub macro_f1: f64,
    /// Unweighted mean of the recall of the classes that occur, the measure of TweetEval.
    pub macro_recall: f64,
    pub per_class: BTreeMap<Label, ClassScores>,
    /// Area under the ROC curve of negative against the rest: the chance that a negative post gets a higher probability
    /// of negative than another post. `None` if all posts, or none, are negative.
    pub roc_auc: Option<f64>,
    /// The highest recall of negative posts over all thresholds with a precision of at least 90%; 0 if no threshold
    /// reaches that. The threshold is chosen on the scored posts themselves, so this is what the ranking allows, not
    /// what a threshold fixed beforehand would reach. `None` if all posts, or none, are negative.
    #[serde(default)]
    pub negative_recall_at_90_precision: Option<f64>,
    /// Posts by label (rows) and prediction (columns), both in the order of `labels`.
    pub confusion_matrix: Vec<Vec<u64>>,
    /// Calibration of the probabilities of the predicted classes.
    #[serde(flatten)]
    pub reliability: Reliability,
}

/// Scores of one class. A share with denominator 0 is 0, as in scikit-learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    /// Posts of this class.
    pub support: u64,
}

impl Scores {
    /// Scores `probabilities` by `labels`, one of each per post. `None` without a post.
    pub fn compute(labels: &[Label], probabilities: &[[f32; 3]]) -> Option<Self> {
        let classes = LabelSet::known_in(labels);
        let mut counts = [[0_u64; 3]; 3];
        for (label, probabilities) in labels.iter().zip(probabilities) {
            let predicted = classes.most_likely(probabilities)?;
            counts[*label as usize][predicted as usize] += 1;
        }
        let per_class: BTreeMap<Label, ClassScores> =
            classes.iter().map(|label| (label, ClassScores::compute(&counts, label))).collect();
        let posts: u64 = counts.iter().flatten().sum();
        let right: u64 = Label::ALL.iter().map(|label| counts[*label as usize][*label as usize]).sum();
        let row = |of: Label| classes.iter().map(|predicted| counts[of as usize][predicted as usize]).collect();
        let curve = Curve::compute(labels, probabilities);
        (posts > 0).then(|| Self {
            posts,
            negative_recall_at_90_precision: curve.map(|curve| curve.recall_at(PRECISION)),
            labels: classes.iter().collect(),
            accuracy: share(right, posts),
            macro_f1: mean(per_class.values(), |class| class.f1),
            macro_recall: mean(per_class.values(), |class| class.recall),
            roc_auc: roc_auc(labels, probabilities, classes),
            confusion_matrix: classes.iter().map(row).collect(),
            reliability: reliability(labels, probabilities, classes),
            per_class,
        })
    }
}

impl ClassScores {
    fn compute(counts: &[[u64; 3]; 3], label: Label) -> Self {
        let class = label as usize;
        let right = counts[class][class];
        let support = counts[class].iter().sum();
        let predicted = counts.iter().map(|row| row[class]).sum();
        Self {
            precision: share(right, predicted),
            recall: share(right, support),
            f1: share(2 * right, support + predicted),
            support,
        }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Over the classes that occur.
fn mean<'a>(classes: impl Iterator<Item = &'a ClassScores>, of: impl Fn(&ClassScores) -> f64) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0_f64);
    for class in classes.filter(|class| class.support > 0) {
        sum += of(class);
        count += 1.0;
    }
    sum / count.max(1.0)
}

/// By ranks (Mann and Whitney 1947), ties at their mean rank.
fn roc_auc(labels: &[Label], probabilities: &[[f32; 3]], classes: LabelSet) -> Option<f64> {
    let mut scored: Vec<(f32, bool)> = labels
        .iter()
        .zip(probabilities)
        .map(|(label, probabilities)| (negative_among(probabilities, classes), *label == Label::Negative))
        .collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut rank_sum = 0.0;
    let mut ranked = 0;
    for ties in scored.chunk_by(|a, b| a.0 == b.0) {
        let mean_rank = ranked as f64 + (ties.len() as f64 + 1.0) / 2.0;
        rank_sum += mean_rank * ties.iter().filter(|(_, negative)| *negative).count() as f64;
        ranked += ties.len();
    }
    let negatives = labels.iter().filter(|label| **label == Label::Negative).count() as f64;
    let others = ranked as f64 - negatives;
    (negatives > 0.0 && others > 0.0).then(|| (rank_sum - negatives * (negatives + 1.0) / 2.0) / (negatives * others))
}

fn reliability(labels: &[Label], probabilities: &[[f32; 3]], classes: LabelSet) -> Reliability {
    let predictions = labels.iter().zip(probabilities).filter_map(|(label, probabilities)| {
        let predicted = classes.most_likely(probabilities)?;
        let whole: f64 = classes.iter().map(|label| f64::from(probabilities[label as usize])).sum();
        let confidence = f64::from(probabilities[predicted as usize]) / whole;
        confidence.is_finite().then_some((confidence, predicted == *label))
    });
    Reliability::from_predictions(predictions)
}

/// Probability of negative, given that the label is one of `classes`.
fn negative_among(probabilities: &[f32; 3], classes: LabelSet) -> f32 {
    let whole: f32 = classes.iter().map(|label| probabilities[label as usize]).sum();
    if whole > 0.0 { probabilities[Label::Negative as usize] / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Negative, Neutral, Positive};

    const LABELS: [Label; 7] = [Negative, Negative, Negative, Neutral, Neutral, Positive, Positive];
    const PROBABILITIES: [[f32; 3]; 7] = [
        [0.7, 0.2, 0.1],
        [0.5, 0.3, 0.2],
        [0.2, 0.5, 0.3],
        [0.5, 0.4, 0.1],
        [0.1, 0.8, 0.1],
        [0.2, 0.2, 0.6],
        [0.1, 0.6, 0.3],
    ];

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    /// sklearn 1.9.1, y and p being the constants above and q = argmax of p: `classification_report(y, q, digits=6)`,
    /// `recall_score(y, q, average="macro")`, `roc_auc_score(y == 0, p[:, 0])`, `confusion_matrix(y, q)`.
    #[test]
    fn three_classes_match_scikit_learn() {
        let scores = Scores::compute(&LABELS, &PROBABILITIES).unwrap();
        assert_eq!(scores.confusion_matrix, [[2, 1, 0], [1, 1, 0], [0, 1, 1]]);
        close(scores.accuracy, 4.0 / 7.0);
        close(scores.macro_recall, 5.0 / 9.0);
        close(scores.macro_f1, (2.0 / 3.0 + 0.4 + 2.0 / 3.0) / 3.0);
        // Right at .7, .5, .8 and .6, wrong at .5, .5 and .6.
        let gaps = 0.3 + (1.5 - 1.0) + 0.2 + (1.2 - 1.0);
        assert!((scores.reliability.expected_calibration_error - gaps / 7.0).abs() < 1e-6, "{:?}", scores.reliability);
        close(scores.roc_auc.unwrap(), 10.0 / 12.0);
        close(scores.negative_recall_at_90_precision.unwrap(), 1.0 / 3.0);
        let neutral = &scores.per_class[&Neutral];
        assert_eq!(neutral.support, 2);
        close(neutral.precision, 1.0 / 3.0);
        close(neutral.recall, 0.5);
        close(neutral.f1, 0.4);
    }

    #[test]
    fn two_classes_are_scored_on_the_two() {
        let labels = [Negative, Negative, Positive, Positive];
        let probabilities = [[0.3, 0.6, 0.1], [0.1, 0.7, 0.2], [0.2, 0.5, 0.3], [0.05, 0.9, 0.05]];
        let scores = Scores::compute(&labels, &probabilities).unwrap();
        assert_eq!(scores.labels, [Negative, Positive]);
        assert_eq!(scores.confusion_matrix, [[1, 1], [1, 1]]);
        close(scores.accuracy, 0.5);
        // The larger of the two shares: .75, then .67 and .6 in one bin, then .5; the first and the third are right.
        let gaps = 0.25 + (2.0 / 3.0 + 0.6 - 1.0) + 0.5;
        assert!((scores.reliability.expected_calibration_error - gaps / 4.0).abs() < 1e-6, "{:?}", scores.reliability);
        // Negative's share of the two is .75 and .33 against .4 and .5: 2 of the 4 pairs are in order.
        close(scores.roc_auc.unwrap(), 0.5);
    }

    #[test]
    fn equal_scores_count_half_in_the_area() {
        let scores = Scores::compute(&[Negative, Positive, Neutral], &[[0.4, 0.3, 0.3]; 3]).unwrap();
        close(scores.roc_auc.unwrap(), 0.5);
        close(scores.accuracy, 1.0 / 3.0);
        close(scores.per_class[&Neutral].precision, 0.0);
    }

    #[test]
    fn one_class_is_scored_on_all_three_and_has_no_area() {
        let scores = Scores::compute(&[Neutral, Neutral], &[[0.4, 0.3, 0.3], [0.1, 0.8, 0.1]]).unwrap();
        assert_eq!((scores.roc_auc, scores.negative_recall_at_90_precision, scores.labels.len()), (None, None, 3));
        close(scores.macro_recall, 0.5);
        close(scores.accuracy, 0.5);
    }

    #[test]
    fn no_posts_have_no_scores() {
        assert_eq!(Scores::compute(&[], &[]), None);
    }
}
