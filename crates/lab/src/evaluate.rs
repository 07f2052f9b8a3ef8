//! [`evaluate`]: the scores of a model on a dataset, and its speed.

use std::fmt;
use std::time::Instant;

use indicatif::ProgressBar;
use serde::Serialize;

use super::{Dataset, LabError, ReasonScores, Scores};
use vigie_reading::classify::{Classifier, ClassifierInput, Label, Prediction};

/// Posts classified in one call: enough to sort by length, few enough for a progress bar to move.
const POSTS_PER_CALL: usize = 1024;

/// The scores and the speed of a model on one dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    pub model: String,
    #[serde(flatten)]
    pub scores: Scores,
    /// Scores of the reason head, on the negative posts with a known reason; `None` without such posts or without the
    /// head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<ReasonScores>,
    /// Rows of the dump that could not be read or have no label.
    pub rejected: u64,
    /// Posts classified per second, without reading and cleaning.
    pub posts_per_second: f64,
}

/// Classifies `dataset`, cleaned by the classifier's profile, and scores the result by its labels.
pub fn evaluate(
    classifier: &mut dyn Classifier,
    dataset: &Dataset,
    progress: &ProgressBar,
) -> Result<Evaluation, LabError> {
    let started = Instant::now();
    let predictions = classify(classifier, dataset, progress)?;
    let seconds = started.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
    let probabilities: Vec<[f32; 3]> = predictions.iter().map(|prediction| prediction.probabilities).collect();
    let reasons = dataset.posts.iter().zip(&predictions).filter_map(|(post, prediction)| {
        let predicted = prediction.reason.as_ref()?;
        Some((post.reason.clone()?, predicted.name.to_string(), f64::from(predicted.probability)))
    });
    let reasons = ReasonScores::compute(&reasons.collect::<Vec<_>>());
    let scores = Scores::compute(&dataset.labels(), &probabilities).ok_or(LabError::NothingToEvaluate)?;
    Ok(Evaluation {
        model: classifier.model().to_owned(),
        rejected: dataset.rejected,
        posts_per_second: scores.posts as f64 / seconds,
        reasons,
        scores,
    })
}

/// One prediction per post.
pub(super) fn classify(
    classifier: &mut dyn Classifier,
    dataset: &Dataset,
    progress: &ProgressBar,
) -> Result<Vec<Prediction>, LabError> {
    let mut predictions = Vec::with_capacity(dataset.posts.len());
    for posts in dataset.posts.chunks(POSTS_PER_CALL) {
        let inputs: Vec<ClassifierInput<'_>> =
            posts.iter().map(|post| ClassifierInput { text: &post.text, label: None }).collect();
        predictions.extend(classifier.classify(&inputs)?);
        progress.inc(posts.len() as u64);
    }
    Ok(predictions)
}

/// A table for people.
impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, scores, reasons, rejected, posts_per_second } = self;
        writeln!(f, "{model} on {} posts, {rejected} rejected, {posts_per_second:.0} posts/s\n", scores.posts)?;
        writeln!(f, "accuracy          {:.4}", scores.accuracy)?;
        writeln!(f, "macro F1          {:.4}", scores.macro_f1)?;
        writeln!(f, "macro recall      {:.4}", scores.macro_recall)?;
        match scores.roc_auc {
            Some(area) => writeln!(f, "ROC-AUC negative  {area:.4}")?,
            None => writeln!(f, "ROC-AUC negative  undefined: all posts, or no posts, are negative")?,
        }
        writeln!(f, "calibration error {:.4}", scores.reliability.expected_calibration_error)?;
        writeln!(f, "\n{:<10}{:>10}{:>10}{:>10}{:>10}", "", "precision", "recall", "F1", "support")?;
        for (label, class) in &scores.per_class {
            let (precision, recall, f1) = (class.precision, class.recall, class.f1);
            let name = label.as_str();
            writeln!(f, "{name:<10}{precision:>10.4}{recall:>10.4}{f1:>10.4}{:>10}", class.support)?;
        }
        write!(f, "\n{:<10}", "true\\pred")?;
        for label in &scores.labels {
            write!(f, "{:>10}", label.as_str())?;
        }
        for (label, row) in scores.labels.iter().zip(&scores.confusion_matrix) {
            write!(f, "\n{:<10}", Label::as_str(*label))?;
            for count in row {
                write!(f, "{count:>10}")?;
            }
        }
        match reasons {
            Some(reasons) => write!(f, "\n\n{reasons}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LabelledPost;
    use vigie_reading::classify::{ClassifyError, Reason};
    use vigie_reading::text::Profile;

    /// Reads the label out of the text, so that the test sees order and pairing.
    struct FixedPredictions;

    impl Classifier for FixedPredictions {
        fn model(&self) -> &str {
            "fixed"
        }

        fn profile(&self) -> Profile {
            Profile::Transformer
        }

        fn classify(&mut self, inputs: &[ClassifierInput<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
            let predict = |input: &ClassifierInput<'_>| {
                let label = Label::parse(input.text).unwrap();
                let probabilities = Label::ALL.map(|of| if of == label { 0.8 } else { 0.1 });
                let reason = Some(Reason { name: "late_flight".into(), probability: 0.6 });
                Prediction { label, probabilities, reason }
            };
            Ok(inputs.iter().map(predict).collect())
        }
    }

    #[test]
    fn the_table_and_the_json_agree() {
        let post = |i: usize| {
            let label = Label::ALL[i % 3];
            let text = if i.is_multiple_of(4) { "negative" } else { label.as_str() };
            let reason = ["late_flight", "lost_luggage"].get(i % 5).filter(|_| label == Label::Negative);
            LabelledPost { text: text.to_owned(), label, reason: reason.map(|reason| (*reason).to_owned()) }
        };
        let dataset =
            Dataset { posts: (0..2 * POSTS_PER_CALL + 4).map(post).collect(), rejected: 3, sha256: String::new() };
        let mut evaluation = evaluate(&mut FixedPredictions, &dataset, &ProgressBar::hidden()).unwrap();
        evaluation.posts_per_second = 200.0;
        let table = evaluation.to_string();
        assert!(table.starts_with("fixed on 2052 posts, 3 rejected, 200 posts/s\n"), "{table}");
        assert!(table.contains("accuracy          0.8333"), "{table}");
        assert!(table.contains("positive         171         0       513\n"), "{table}");
        assert!(table.contains("calibration error 0.0333\n"), "{table}");
        assert!(table.contains("reasons: 274 negative posts, macro F1 0.3333, accuracy 0.5000"), "{table}");
        let json = serde_json::to_value(&evaluation).unwrap();
        assert_eq!(json["confusion_matrix"], serde_json::json!([[684, 0, 0], [171, 513, 0], [171, 0, 513]]));
        assert_eq!(
            (&json["per_class"]["neutral"]["recall"], &json["macro_recall"]),
            (&0.75.into(), &(2.5 / 3.0).into())
        );
        assert_eq!((&json["reasons"]["posts"], &json["reliability"][0]["posts"]), (&274.into(), &2052.into()));
        assert_eq!((&json["posts_per_second"], &json["labels"][0]), (&200.0.into(), &"negative".into()));
    }
}
