//! [`GridSettings`]: the settings of a grid, the same for all its runs.

use std::path::PathBuf;

use jiff::Timestamp;

/// What all runs of a grid share.
#[derive(Debug, Clone)]
pub struct GridSettings {
    /// For everything random: forests, boosting, word vectors, a random split.
    pub seed: u64,
    /// File of GloVe vectors to use; otherwise vectors are trained on the given texts.
    pub glove: Option<PathBuf>,
    /// File of word2vec vectors to use; otherwise vectors are trained on the given texts.
    pub word2vec: Option<PathBuf>,
    /// Model directory whose encoder makes the features of DistilBERT.
    pub model: PathBuf,
    /// Directory for the encoder's output on each side of the data.
    pub cache: Option<PathBuf>,
    /// Start of the grid.
    pub begun: Timestamp,
}
