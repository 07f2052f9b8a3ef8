//! [`ColumnClassifier`]: takes the label that came with the dump; for measuring all but the model, and for tests.

use super::{Classifier, ClassifyError, Input, Label, Prediction};
use crate::text::Profile;

/// Believes the dump's own label column.
#[derive(Debug, Clone, Copy, Default)]
pub struct ColumnClassifier;

impl Classifier for ColumnClassifier {
    fn model(&self) -> &'static str {
        "column"
    }

    fn profile(&self) -> Profile {
        Profile::Transformer
    }

    fn classify(&mut self, inputs: &[Input<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
        inputs.iter().map(|input| predict(input.given)).collect()
    }
}

fn predict(given: Option<&str>) -> Result<Prediction, ClassifyError> {
    let given = given.ok_or(ClassifyError::NoGivenLabel)?;
    let label = Label::parse(given).ok_or(ClassifyError::UnknownGivenLabel)?;
    let one_hot = Label::ALL.map(|other| if other == label { 1.0 } else { 0.0 });
    Ok(Prediction { label, probabilities: one_hot, reason: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(given: Option<&str>) -> Result<Vec<Prediction>, ClassifyError> {
        ColumnClassifier.classify(&[Input { text: "late again", given }])
    }

    #[test]
    fn the_given_label_is_certain() {
        let neutral = Prediction { label: Label::Neutral, probabilities: [0.0, 1.0, 0.0], reason: None };
        assert_eq!(classify(Some("Neutral")).unwrap(), [neutral]);
    }

    #[test]
    fn no_label_and_no_such_label_are_errors() {
        assert!(matches!(classify(None), Err(ClassifyError::NoGivenLabel)));
        assert!(matches!(classify(Some("angry")), Err(ClassifyError::UnknownGivenLabel)));
    }
}
