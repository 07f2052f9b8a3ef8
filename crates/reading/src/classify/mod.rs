//! Sentiment: a cleaned post in, a [`Prediction`] out. Between `text` and the monitor.
//!
//! ```text
//! predict, ClassifierThread:  Vec<Post> -> clean -> Classifier -> Vec<ClassifiedPost>
//! EncoderClassifier:          texts -> engine (tokenizer, batch, encoder, pooling) -> head, reason -> Prediction
//! artifact:                   registry? -> files (hashes) -> manifest, config, weights -> encoder, heads
//! ```

mod agreement;
pub mod artifact;
mod cached_classifier;
mod classifier_thread;
mod compare_precisions;
mod dataset_label_classifier;
mod encoder_classifier;
mod engine;
mod error_rates;
mod head;
mod label;
mod piece_counter;
mod precision;
mod probes;
mod reason;

pub use agreement::Agreement;
pub use artifact::{
    ChampionHistory, Manifest, ModelError, ModelInUse, ModelRegistry, Origin, Promotion, RETRAINING, RegisteredModel,
    RetrainedModels,
};
pub use cached_classifier::CachedClassifier;
pub use classifier_thread::{ClassifierSender, ClassifierThread};
pub use compare_precisions::{PrecisionReport, compare_precisions};
pub use dataset_label_classifier::DatasetLabelClassifier;
pub use encoder_classifier::{EncoderClassifier, add_probes};
pub use engine::{Encoder, Pooling, max_tokens, quantize_tensors};
pub use error_rates::ErrorRates;
pub use head::{CHECKPOINT_HEADS, Head};
pub use label::{Label, Prediction};
pub use piece_counter::{PieceCounter, PieceCounts};
pub use precision::{PrecisionChoice, instructions, is_accelerated};
pub use probes::{PROBE_TEXTS, Probe, Probes};
pub use reason::{Reason, ReasonHead, normalise_reason};
pub use vigie_kernels::Precision;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::post::Post;
use crate::text;
use crate::text::Profile;

/// `[classify]`: the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Directory of a model, or of a model registry, whose champion is then used.
    pub model: PathBuf,
    /// Texts whose prediction is remembered, at most; 0: none.
    pub cache: usize,
    /// Number format of the encoder's products.
    pub precision: PrecisionChoice,
}

/// What a classifier gets of one post.
#[derive(Debug, Clone, Copy)]
pub struct ClassifierInput<'a> {
    /// The text, cleaned with the classifier's [`Classifier::profile`].
    pub text: &'a str,
    /// The label in the dump, if any; only for [`DatasetLabelClassifier`].
    pub label: Option<&'a str>,
}

/// A post with its prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifiedPost {
    pub post: Post,
    pub prediction: Prediction,
}

impl ClassifiedPost {
    /// A negative post without a reason of its source gets the predicted one, if the model is confident of it.
    pub fn new(mut post: Post, prediction: Prediction) -> Self {
        if post.details.reason.is_none() {
            post.details.reason = prediction.confident_reason().map(|reason| reason.name.to_string());
        }
        Self { post, prediction }
    }
}

/// Predicts the sentiment of posts. Synchronous, with plain data: no tensor and no async task crosses this interface.
pub trait Classifier: Send {
    /// Identifies the model in results, baselines and stored state.
    fn model(&self) -> &str;

    /// Its error rates, if they were measured.
    fn error_rates(&self) -> Option<ErrorRates> {
        None
    }

    /// How to clean texts before [`Classifier::classify`].
    fn profile(&self) -> Profile;

    /// Returns one prediction per input, in the order of the inputs.
    fn classify(&mut self, inputs: &[ClassifierInput<'_>]) -> Result<Vec<Prediction>, ClassifyError>;

    /// How many inputs so far it did not have to read, because it remembered their text.
    fn cached(&self) -> u64 {
        0
    }
}

/// Identity and error rates of the model in use.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelInfo {
    /// As [`Classifier::model`].
    pub id: String,
    /// Its error rates, if they were measured.
    pub error_rates: Option<ErrorRates>,
}

impl ModelInfo {
    pub fn from_classifier(classifier: &dyn Classifier) -> Self {
        Self { id: classifier.model().to_owned(), error_rates: classifier.error_rates() }
    }
}

/// Cleans the texts with the classifier's profile and classifies them, in their order.
///
/// # Errors
/// When the classifier fails.
pub fn classify_texts(classifier: &mut dyn Classifier, texts: &[&str]) -> Result<Vec<Prediction>, ClassifyError> {
    let cleaned: Vec<String> = texts.iter().map(|text| text::clean(classifier.profile(), text)).collect();
    let inputs: Vec<ClassifierInput<'_>> = cleaned.iter().map(|text| ClassifierInput { text, label: None }).collect();
    classifier.classify(&inputs)
}

/// Cleans the posts with the classifier's profile and classifies them: one prediction per post, in their order.
///
/// # Errors
/// When the classifier fails or panics; after a panic it must not be used again.
pub fn predict(classifier: &mut dyn Classifier, posts: &[Post]) -> Result<Vec<Prediction>, ClassifyError> {
    let predict = AssertUnwindSafe(|| predict_unguarded(classifier, posts));
    catch_unwind(predict).unwrap_or(Err(ClassifyError::Panicked)) // without its message, which may quote a post
}

fn predict_unguarded(classifier: &mut dyn Classifier, posts: &[Post]) -> Result<Vec<Prediction>, ClassifyError> {
    let profile = classifier.profile();
    let texts: Vec<String> = posts.iter().map(|post| text::clean(profile, &post.text)).collect();
    let inputs: Vec<ClassifierInput<'_>> =
        texts.iter().zip(posts).map(|(text, post)| ClassifierInput { text, label: post.label.as_deref() }).collect();
    let predictions = classifier.classify(&inputs)?;
    if predictions.len() != posts.len() {
        let (found, expected) = (predictions.len(), posts.len());
        return Err(ClassifyError::Model(format!(
            "`{}` returned {found} predictions for {expected} posts",
            classifier.model()
        )));
    }
    Ok(predictions)
}

/// Why a batch could not be classified.
#[derive(Debug, thiserror::Error)]
pub enum ClassifyError {
    #[error("the model failed on a batch: {0}")]
    Model(String),
    #[error("a post has no label (`--labels column` needs one)")]
    NoDatasetLabel,
    #[error(
        "a post has an unknown label (`--labels column`); expected negative, neutral or positive: map the label column with --columns"
    )]
    UnknownDatasetLabel,
    #[error("the classifier panicked on a batch: this is a bug, please report it")]
    Panicked,
    #[error("the classifier has stopped")]
    Stopped,
}
