//! [`DistilBertClassifier`]: encoder and head of one model directory, behind the trait of all classifiers.

use std::collections::BTreeMap;
use std::path::Path;

use super::artifact::files::{CONFIG, HEAD, ModelFiles, REASON_HEAD};
use super::engine::weights::Weights;
use super::head::{CheckpointHead, Head};
use super::{
    Classifier, ClassifyError, Encoder, ErrorRates, Input, Label, ModelError, Pooling, Prediction, ReasonHead,
};
use crate::text::Profile;

/// Reads sentiment with a DistilBERT encoder and a head.
#[derive(Debug)]
pub struct DistilBertClassifier {
    id: String,
    profile: Profile,
    encoder: Encoder,
    head: AnyHead,
    reasons: Option<ReasonHead>,
    error: Option<ErrorRates>,
    /// What each row of the head stands for.
    labels: Vec<Label>,
}

#[derive(Debug)]
enum AnyHead {
    Logistic(Head),
    Checkpoint(CheckpointHead),
}

impl DistilBertClassifier {
    /// Loads a model directory: with `manifest.json` every file is verified; without, `config.json` and a head of the
    /// checkpoint's own will do.
    pub fn load(dir: &Path) -> Result<Self, ModelError> {
        let mut files = ModelFiles::open(dir)?;
        let (encoder, mut weights, config) = Encoder::of_files(&mut files)?;
        let (encoder, head, labels) = if files.has(HEAD) {
            let labels = files.manifest().map_or(Label::ALL.to_vec(), |manifest| manifest.labels.clone());
            let mut tensors = Weights::of_file(&mut files, HEAD, |_| true)?;
            let head = Head::take(&mut tensors, labels.len(), encoder.width())?;
            (encoder, AnyHead::Logistic(head), labels)
        } else if weights.has("classifier.weight") {
            let labels = checkpoint_labels(&files.path(CONFIG), &config.id2label)?;
            let head = CheckpointHead::take(&mut weights, labels.len(), config.dim)?;
            (encoder.with_pooling(Pooling::Cls), AnyHead::Checkpoint(head), labels)
        } else {
            return Err(ModelError::NoHead { dir: dir.to_path_buf() });
        };
        let reasons = reason_head(&mut files, encoder.width())?;
        let profile = files.manifest().map_or(Profile::Transformer, |manifest| manifest.text_profile);
        let error = files.manifest().and_then(|manifest| ErrorRates::measured(&manifest.metrics));
        Ok(Self { error, id: files.finish()?, profile, encoder, head, reasons, labels })
    }

    fn predict(&self, pooled: &[f32]) -> Result<Prediction, ClassifyError> {
        let rows = match &self.head {
            AnyHead::Logistic(head) => head.probabilities(pooled),
            AnyHead::Checkpoint(head) => head.probabilities(pooled),
        };
        if rows.iter().any(|probability| !probability.is_finite()) {
            return Err(ClassifyError::Model(format!("`{}` computes no number: its weights are broken", self.id)));
        }
        let of = |label: Label| {
            let named = self.labels.iter().zip(&rows).find(|(named, _)| **named == label);
            named.map_or(0.0, |(_, probability)| *probability)
        };
        let reason = self.reasons.as_ref().and_then(|head| head.likeliest(pooled));
        Ok(Prediction { reason, ..Prediction::of_probabilities(Label::ALL.map(of)) })
    }
}

impl DistilBertClassifier {
    /// The reasons it tells apart, as [`plain_reason`](super::plain_reason) writes them; none where it has no reason head.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().flat_map(ReasonHead::names)
    }
}

impl Classifier for DistilBertClassifier {
    fn model(&self) -> &str {
        &self.id
    }

    fn error_rates(&self) -> Option<ErrorRates> {
        self.error
    }

    fn profile(&self) -> Profile {
        self.profile
    }

    fn classify(&mut self, inputs: &[Input<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
        let texts: Vec<&str> = inputs.iter().map(|input| input.text).collect();
        let pooled = self.encoder.encode(&texts).map_err(|error| ClassifyError::Model(error.to_string()))?;
        pooled.chunks_exact(self.encoder.width()).map(|vector| self.predict(vector)).collect()
    }
}

/// A head whose rows no manifest names is only a file.
fn reason_head(files: &mut ModelFiles, width: usize) -> Result<Option<ReasonHead>, ModelError> {
    let names = files.manifest().map_or(Vec::new(), |manifest| manifest.reasons.clone());
    if names.is_empty() {
        return Ok(None);
    }
    let mut tensors = Weights::of_file(files, REASON_HEAD, |_| true)?;
    Ok(Some(ReasonHead::new(Head::take(&mut tensors, names.len(), width)?, names)))
}

/// Labels by row of a checkpoint's own classifier: three, or the two poles, by name; `LABEL_0` to `LABEL_2`, the names
/// of a checkpoint that gave none, in the usual order.
fn checkpoint_labels(path: &Path, id2label: &BTreeMap<String, String>) -> Result<Vec<Label>, ModelError> {
    let row = |index: usize| id2label.get(&index.to_string()).map(String::as_str);
    let names: Option<Vec<&str>> = (0..id2label.len()).map(row).collect();
    let names = names.unwrap_or_default();
    if names == ["LABEL_0", "LABEL_1", "LABEL_2"] {
        return Ok(Label::ALL.to_vec());
    }
    let labels: Vec<Label> = names.iter().filter_map(|name| Label::parse(name)).collect();
    let mut sorted = labels.clone();
    sorted.sort();
    let known = sorted == Label::ALL || sorted == [Label::Negative, Label::Positive];
    if known && labels.len() == names.len() {
        return Ok(labels);
    }
    let found = if names.is_empty() { "no classes".to_owned() } else { names.join(", ") };
    Err(ModelError::Labels { path: path.to_path_buf(), found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Result<Vec<Label>, String> {
        let id2label = names.iter().enumerate().map(|(row, name)| (row.to_string(), (*name).to_owned())).collect();
        checkpoint_labels(Path::new("m/config.json"), &id2label).map_err(|error| error.to_string())
    }

    #[test]
    fn classes_are_known_by_name_in_any_case_and_order() {
        assert_eq!(
            labels(&["Positive", "NEUTRAL", "negative"]).unwrap(),
            [Label::Positive, Label::Neutral, Label::Negative]
        );
        assert_eq!(labels(&["NEGATIVE", "POSITIVE"]).unwrap(), [Label::Negative, Label::Positive]);
        assert_eq!(labels(&["LABEL_0", "LABEL_1", "LABEL_2"]).unwrap(), Label::ALL);
    }

    #[test]
    fn classes_that_could_mean_anything_are_refused() {
        for (names, told) in [
            (&["LABEL_0", "LABEL_1"][..], "LABEL_0, LABEL_1"),
            (&["negative", "negative", "positive"], "negative, negative, positive"),
            (&["1 star", "2 stars", "negative"], "1 star"),
            (&[], "no classes"),
        ] {
            let message = labels(names).unwrap_err();
            assert!(message.contains(told) && message.contains("write them into id2label"), "{message}");
        }
    }
}
