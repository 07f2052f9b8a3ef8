//! Sentiment: a cleaned post in, a [`Prediction`] out. Stands between `text` and the monitor.

mod label;

pub use label::{Label, Prediction};

use crate::source::Post;
use crate::text::Profile;

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

/// Reads the sentiment of posts. Synchronous and of plain data: no tensor and no task crosses it.
pub trait Classifier: Send {
    /// Identifies the model in results, baselines and stored state.
    fn model(&self) -> &str;

    /// How texts are to be cleaned before [`Classifier::classify`].
    fn profile(&self) -> Profile;

    /// One prediction per input, in the order of the inputs.
    fn classify(&mut self, inputs: &[Input<'_>]) -> Result<Vec<Prediction>, ClassifyError>;
}

/// Why a batch could not be classified.
#[derive(Debug, thiserror::Error)]
pub enum ClassifyError {
    #[error("the model failed on a batch: {0}")]
    Model(String),
    #[error("a post carries no label to take (`--labels column`)")]
    NoGivenLabel,
}
