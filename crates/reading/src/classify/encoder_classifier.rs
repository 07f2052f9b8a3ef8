//! [`EncoderClassifier`]: the [`Classifier`] made of the encoder and the head of one model directory, in the precision that suits
//! this machine.

use std::collections::BTreeMap;
use std::path::Path;

use vigie_kernels::{Isa, Precision};

use super::artifact::files::{CONFIG, HEAD, ModelFiles, REASON_HEAD};
use super::engine::weights::Weights;
use super::head::{CheckpointHead, Head};
use super::precision::PrecisionChoice;
use super::{
    Classifier, ClassifierInput, ClassifyError, Encoder, ErrorRates, Label, Manifest, ModelError, PROBE_TEXTS, Pooling,
    Prediction, Probes, ReasonHead,
};
use crate::text::Profile;

/// Predicts sentiment with an encoder, such as a DistilBERT, and a head.
#[derive(Debug)]
pub struct EncoderClassifier {
    id: String,
    profile: Profile,
    encoder: Encoder,
    head: SentimentHead,
    reasons: Option<ReasonHead>,
    error_rates: Option<ErrorRates>,
    /// The label of each row of the head.
    labels: Vec<Label>,
}

#[derive(Debug)]
enum SentimentHead {
    Logistic(Head),
    Checkpoint(CheckpointHead),
}

impl EncoderClassifier {
    /// Loads a model directory. With `manifest.json` every file is verified; without it, `config.json` and a checkpoint with
    /// a classification head are enough.
    pub fn load(dir: &Path, choice: PrecisionChoice) -> Result<Self, ModelError> {
        match choice.fixed() {
            Some(precision) => Self::load_with(dir, precision),
            None => Self::load_fastest(dir),
        }
    }

    /// Loads the model in this precision, whatever it costs in agreement or speed here.
    pub fn load_with(dir: &Path, precision: Precision) -> Result<Self, ModelError> {
        let mut files = ModelFiles::open(dir)?;
        let (encoder, mut weights, config) = Encoder::from_files(&mut files, precision)?;
        let (encoder, head, labels) = if files.has(HEAD) {
            let labels = files.manifest().map_or(Label::ALL.to_vec(), |manifest| manifest.labels.clone());
            let mut tensors = Weights::load_file(&mut files, HEAD)?;
            let head = Head::load(&mut tensors, labels.len(), encoder.width())?;
            (encoder, SentimentHead::Logistic(head), labels)
        } else if CheckpointHead::is_in(&weights) {
            let labels = checkpoint_labels(&files.path(CONFIG), &config.id2label)?;
            let head = CheckpointHead::load(&mut weights, &config, labels.len())?;
            (encoder.with_pooling(Pooling::Cls), SentimentHead::Checkpoint(head), labels)
        } else {
            return Err(ModelError::NoHead { dir: dir.to_path_buf() });
        };
        let reasons = reason_head(&mut files, encoder.width())?;
        let profile = files.manifest().map_or(Profile::Transformer, |manifest| manifest.text_profile);
        let error_rates = files.manifest().and_then(|manifest| ErrorRates::from_metrics(&manifest.metrics));
        Ok(Self { error_rates, id: files.finish()?, profile, encoder, head, reasons, labels })
    }

    /// The fastest precision that agrees with the answers which f32 gave, stored in the manifest.
    fn load_fastest(dir: &Path) -> Result<Self, ModelError> {
        let manifest = ModelFiles::open(dir)?.manifest().cloned();
        // Without stored answers nothing says what a faster precision costs.
        if let Some(probes) = manifest.as_ref().and_then(|manifest| manifest.probes.as_ref()) {
            for precision in Precision::ALL.into_iter().filter(|precision| *precision != Precision::F32) {
                if !Isa::best().accelerates(precision) {
                    continue;
                }
                let mut classifier = Self::load_with(dir, precision)?;
                match probes.find_disagreement(&mut classifier) {
                    None => return Ok(classifier),
                    Some(found) => tracing::info!(%precision, "not used: {found}"),
                }
            }
        }
        Self::load_with(dir, Precision::F32)
    }

    /// Number format of the encoder's matrix products.
    pub fn precision(&self) -> Precision {
        self.encoder.precision()
    }

    fn predict(&self, pooled: &[f32]) -> Result<Prediction, ClassifyError> {
        let rows = match &self.head {
            SentimentHead::Logistic(head) => head.probabilities(pooled),
            SentimentHead::Checkpoint(head) => head.probabilities(pooled),
        };
        if rows.iter().any(|probability| !probability.is_finite()) {
            return Err(ClassifyError::Model(format!(
                "`{}` computed a value that is not finite: its weights are damaged",
                self.id
            )));
        }
        let probability = |label: Label| {
            let row = self.labels.iter().zip(&rows).find(|(other, _)| **other == label);
            row.map_or(0.0, |(_, probability)| *probability)
        };
        let reason = self.reasons.as_ref().and_then(|head| head.most_likely(pooled));
        Ok(Prediction { reason, ..Prediction::from_probabilities(Label::ALL.map(probability)) })
    }
}

impl EncoderClassifier {
    /// The reasons that it distinguishes, normalised ([`normalise_reason`](super::normalise_reason)); none without a reason
    /// head.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().flat_map(ReasonHead::names)
    }
}

impl Classifier for EncoderClassifier {
    fn model(&self) -> &str {
        &self.id
    }

    fn error_rates(&self) -> Option<ErrorRates> {
        self.error_rates
    }

    fn profile(&self) -> Profile {
        self.profile
    }

    fn classify(&mut self, inputs: &[ClassifierInput<'_>]) -> Result<Vec<Prediction>, ClassifyError> {
        let texts: Vec<&str> = inputs.iter().map(|input| input.text).collect();
        let pooled = self.encoder.encode(&texts).map_err(|error| ClassifyError::Model(error.to_string()))?;
        pooled.chunks_exact(self.encoder.width()).map(|vector| self.predict(vector)).collect()
    }
}

/// Stores the answers of the model in `dir` on [`PROBE_TEXTS`] in its manifest, so that `auto` can choose a faster precision.
///
/// # Errors
/// When the model cannot be loaded, or the manifest not be written.
pub fn add_probes(manifest: &mut Manifest, dir: &Path) -> Result<(), ModelError> {
    let mut classifier = EncoderClassifier::load_with(dir, Precision::F32)?;
    let probes = Probes::measure(&mut classifier, &PROBE_TEXTS);
    manifest.probes = Some(probes.map_err(|error| ModelError::Forward(error.to_string()))?);
    manifest.write(dir)
}

/// Without a manifest that names its rows, a reason head cannot be used.
fn reason_head(files: &mut ModelFiles, width: usize) -> Result<Option<ReasonHead>, ModelError> {
    let names = files.manifest().map_or(Vec::new(), |manifest| manifest.reasons.clone());
    if names.is_empty() {
        return Ok(None);
    }
    let mut tensors = Weights::load_file(files, REASON_HEAD)?;
    Ok(Some(ReasonHead::new(Head::load(&mut tensors, names.len(), width)?, names)))
}

/// The label of each row of a checkpoint's classifier, by name: three, or negative and positive. `LABEL_0` to `LABEL_2`,
/// the default names of a checkpoint that defines none, are taken in the order of [`Label::ALL`].
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
    fn classes_are_recognised_by_name_in_any_case_and_order() {
        assert_eq!(
            labels(&["Positive", "NEUTRAL", "negative"]).unwrap(),
            [Label::Positive, Label::Neutral, Label::Negative]
        );
        assert_eq!(labels(&["NEGATIVE", "POSITIVE"]).unwrap(), [Label::Negative, Label::Positive]);
        assert_eq!(labels(&["LABEL_0", "LABEL_1", "LABEL_2"]).unwrap(), Label::ALL);
    }

    #[test]
    fn ambiguous_classes_are_errors() {
        for (names, found) in [
            (&["LABEL_0", "LABEL_1"][..], "LABEL_0, LABEL_1"),
            (&["negative", "negative", "positive"], "negative, negative, positive"),
            (&["1 star", "2 stars", "negative"], "1 star"),
            (&[], "no classes"),
        ] {
            let message = labels(names).unwrap_err();
            assert!(message.contains(found) && message.contains("edit id2label"), "{message}");
        }
    }
}
