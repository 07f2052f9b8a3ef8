//! [`Settings`]: what all runs of a grid share.

use std::path::PathBuf;

use jiff::Timestamp;

/// What all runs of a grid share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Of whatever draws: forests, boosting, word vectors, a random split.
    pub seed: u64,
    /// Ready GloVe vectors, instead of vectors trained on the texts at hand.
    pub glove: Option<PathBuf>,
    /// Ready word2vec vectors, instead of vectors trained on the texts at hand.
    pub word2vec: Option<PathBuf>,
    /// Model directory whose encoder makes the features of DistilBERT.
    pub model: PathBuf,
    /// Keeps what the encoder says of each side of the data.
    pub cache: Option<PathBuf>,
    /// When the grid began.
    pub begun: Timestamp,
}
