//! Featurizers: cleaned texts become rows of features. Between the dump and the estimators of `lab compare`.
//!
//! ```text
//! TFIDF:            terms of the training texts -> idf -> sparse rows of unit length
//! Word2Vec, GloVe:  training texts and corpus -> one vector per word (trained, or read from a file) -> pooled rows
//! ```
//!
//! Texts are cleaned by [`Profile::Words`](vigie_reading::text::Profile::Words): words separated by single spaces.
//! `Classic` works too, but on tweets its removal of stopwords costs TF-IDF and Word2Vec about a point of accuracy. The
//! same texts and settings give the same bits, whatever the number of threads.

pub mod glove;
mod pooling;
pub mod tfidf;
pub mod vectors;
mod vocabulary;
pub mod word2vec;

use indicatif::ProgressBar;

use super::LabError;
use super::matrix::Matrix;
use super::run_record::{Params, Series};

pub use pooling::WordPooling;
pub use vectors::VectorsError;

/// A way from texts to rows of features, with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Featurizer {
    TfIdf(tfidf::Config),
    Word2Vec(word2vec::Config),
    Glove(glove::Config),
}

/// The texts of one comparison.
#[derive(Debug, Clone, Copy, Default)]
pub struct Texts<'a> {
    /// Training texts: fitted to, and transformed.
    pub train: &'a [&'a str],
    /// Test texts: transformed only.
    pub test: &'a [&'a str],
    /// Further texts that word vectors may learn from.
    pub corpus: &'a [&'a str],
}

/// The features of training and test texts, one row per text.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainTestFeatures {
    pub train: Matrix,
    pub test: Matrix,
    /// What was measured while training vectors, one value per epoch; empty if nothing was trained.
    pub epochs: Series,
}

/// Why texts were not turned into features. Each message is one line.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    #[error("{featurizer}: {name} is {found}; expected {expected}")]
    Setting { featurizer: &'static str, name: &'static str, found: String, expected: &'static str },
    #[error("{featurizer}: no word occurs {min} times in the {texts} training texts: add texts, or lower {name}")]
    NoWord { featurizer: &'static str, texts: usize, min: usize, name: &'static str },
    #[error("{}: none of its words occurs in the texts: it is in another language, or was cleaned in another way", path.display())]
    NoWordKnown { path: std::path::PathBuf },
    #[error("{featurizer}: the vectors diverged; lower learning_rate (now {learning_rate})")]
    Diverged { featurizer: &'static str, learning_rate: f32 },
    #[error(transparent)]
    Vectors(#[from] VectorsError),
}

impl Default for Featurizer {
    fn default() -> Self {
        Self::TfIdf(tfidf::Config::default())
    }
}

impl Featurizer {
    /// As in run names: `TFIDF`, `Word2Vec`, `GloVe`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TfIdf(_) => tfidf::NAME,
            Self::Word2Vec(_) => word2vec::NAME,
            Self::Glove(_) => glove::NAME,
        }
    }

    /// Every setting that the rows depend on.
    pub fn params(&self) -> Params {
        match self {
            Self::TfIdf(config) => config.params(),
            Self::Word2Vec(config) => config.params(),
            Self::Glove(config) => config.params(),
        }
    }

    /// Fits to `texts.train` (word vectors to `texts.corpus` too), then transforms `texts.train` and `texts.test`.
    /// Sets the length of `progress` and advances it to its end.
    pub fn fit_transform(&self, texts: Texts<'_>, progress: &ProgressBar) -> Result<TrainTestFeatures, LabError> {
        let features = match self {
            Self::TfIdf(config) => config.fit_transform(texts, progress),
            Self::Word2Vec(config) => config.fit_transform(texts, progress),
            Self::Glove(config) => config.fit_transform(texts, progress),
        };
        Ok(features?)
    }
}

/// `Err` unless `holds`.
fn check(
    featurizer: &'static str,
    name: &'static str,
    found: &dyn std::fmt::Display,
    holds: bool,
    expected: &'static str,
) -> Result<(), FeatureError> {
    if holds { Ok(()) } else { Err(FeatureError::Setting { featurizer, name, found: found.to_string(), expected }) }
}
