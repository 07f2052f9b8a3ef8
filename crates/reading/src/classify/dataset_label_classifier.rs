//! [`DatasetLabelClassifier`]: predicts the label in the dump. For tests, and for evaluating everything except the model.

use super::{Classifier, ClassifierInput, ClassifyError, Label, Prediction};
use crate::text::Profile;

/// Predicts the label in the dump's label column (`--labels column`).
#[derive(Debug, Clone, Copy, Default)]
pub struct DatasetLabelClassifier;

impl Classifier for DatasetLabelClassifier {
    fn model(&self) -> &'static str {
        "column"
    }

    fn profile(&self) -> Profile {
        Profile::Transformer
    }

    fn classify(&mut self, inputs: &[ClassifierInput<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
        inputs.iter().map(|input| prediction(input.label)).collect()
    }
}

/// A prediction that is certain of `label`.
fn prediction(label: Option<&str>) -> Result<Prediction, ClassifyError> {
    let label = label.ok_or(ClassifyError::NoDatasetLabel)?;
    let label = Label::parse(label).ok_or(ClassifyError::UnknownDatasetLabel)?;
    let one_hot = Label::ALL.map(|other| if other == label { 1.0 } else { 0.0 });
    Ok(Prediction { label, probabilities: one_hot, reason: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(label: Option<&str>) -> Result<Vec<Prediction>, ClassifyError> {
        DatasetLabelClassifier.classify(&[ClassifierInput { text: "late again", label }])
    }

    #[test]
    fn the_label_of_the_dataset_is_certain() {
        let neutral = Prediction { label: Label::Neutral, probabilities: [0.0, 1.0, 0.0], reason: None };
        assert_eq!(classify(Some("Neutral")).unwrap(), [neutral]);
    }

    #[test]
    fn missing_and_unknown_labels_are_errors() {
        assert!(matches!(classify(None), Err(ClassifyError::NoDatasetLabel)));
        assert!(matches!(classify(Some("angry")), Err(ClassifyError::UnknownDatasetLabel)));
    }
}
