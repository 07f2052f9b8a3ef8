//! Sentiment: a cleaned post in, a [`Prediction`] out. Stands between `text` and the monitor.
//!
//! ```text
//! Worker:  Vec<Post> -> clean -> Classifier -> Vec<ClassifiedPost>
//! DistilBertClassifier:  texts -> tokenize -> batch -> distilbert -> pool -> head, reason -> Prediction
//! a model directory:     model_store? -> files (hashes) -> manifest, config, weights -> encoder, heads
//! ```

pub mod artifact;
mod dataset_label;
mod distilbert_classifier;
mod engine;
mod error_rates;
mod head;
mod label;
mod reason;
mod thread;

pub use artifact::ModelError;
pub use artifact::{Champions, ModelStore, Promotion, StoredModel};
pub use artifact::{Manifest, Origin};
pub use dataset_label::ColumnClassifier;
pub use distilbert_classifier::DistilBertClassifier;
pub use engine::Encoder;
pub use engine::Pooling;
pub use error_rates::ErrorRates;
pub use head::Head;
pub use label::{Label, Prediction};
pub use reason::{Reason, ReasonHead, plain_reason};
pub use thread::{Feed, Worker, predict};

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::post::Post;
use crate::text::Profile;

/// `[classify]`: what reads the posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Directory of the model; or of a store of models, and then its champion is read.
    pub model: PathBuf,
}

/// What a classifier reads of one post.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The text, cleaned by the classifier's own [`Classifier::profile`].
    pub text: &'a str,
    /// The label that came with the dump, if any.
    pub given: Option<&'a str>,
}

/// A post and what was read in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifiedPost {
    pub post: Post,
    pub prediction: Prediction,
}

impl ClassifiedPost {
    /// A negative post of which nobody said why carries the reason that the model reads, where that is sure enough.
    pub fn new(mut post: Post, prediction: Prediction) -> Self {
        if post.details.reason.is_none() {
            post.details.reason = prediction.told_reason().map(|reason| reason.name.to_string());
        }
        Self { post, prediction }
    }
}

/// Reads the sentiment of posts. Synchronous and of plain data: no tensor and no task crosses it.
pub trait Classifier: Send {
    /// Identifies the model in results, baselines and stored state.
    fn model(&self) -> &str;

    /// How often it is wrong, where that was measured.
    fn error_rates(&self) -> Option<ErrorRates> {
        None
    }

    /// How texts are to be cleaned before [`Classifier::classify`].
    fn profile(&self) -> Profile;

    /// One prediction per input, in the order of the inputs.
    fn classify(&mut self, inputs: &[Input<'_>]) -> Result<Vec<Prediction>, ClassifyError>;
}

/// What is known of the model that reads the posts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelInfo {
    /// As [`Classifier::model`].
    pub id: String,
    /// How often it is wrong, where that was measured.
    pub error: Option<ErrorRates>,
}

impl ModelInfo {
    pub fn of(classifier: &dyn Classifier) -> Self {
        Self { id: classifier.model().to_owned(), error: classifier.error_rates() }
    }
}

/// Why a batch could not be classified.
#[derive(Debug, thiserror::Error)]
pub enum ClassifyError {
    #[error("the model failed on a batch: {0}")]
    Model(String),
    #[error("a post carries no label to take (`--labels column`)")]
    NoGivenLabel,
    #[error(
        "a post's label is none of negative, neutral and positive (`--labels column`): name the column that holds them"
    )]
    UnknownGivenLabel,
    #[error("the classifier panicked on a batch: a fault of this program, please report it")]
    Panicked,
    #[error("the classifier has stopped")]
    Stopped,
}
