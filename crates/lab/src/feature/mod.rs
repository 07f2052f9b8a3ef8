//! Embeddings: cleaned texts become rows of features. Between the dump and the estimators of `lab compare`.
//!
//! ```text
//! TFIDF:            terms of the texts to learn from -> idf -> sparse rows of unit length
//! Word2Vec, GloVe:  texts to learn from and the corpus -> a vector a word (trained, or read from a file) -> pooled
//! ```
//!
//! Texts come cleaned by [`Profile::Words`](vigie_reading::text::Profile::Words): words between single spaces. `Classic` serves
//! too, but on tweets its missing stopwords cost TF-IDF and Word2Vec about a point of accuracy.
//! The same texts and settings give the same bits, whatever the number of threads.

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

pub use pooling::Pooling;
pub use vectors::VectorsError;

/// A way from texts to rows of features, with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Embedding {
    TfIdf(tfidf::Config),
    Word2Vec(word2vec::Config),
    Glove(glove::Config),
}

/// The texts of one comparison.
#[derive(Debug, Clone, Copy, Default)]
pub struct Texts<'a> {
    /// To learn from, and to embed.
    pub train: &'a [&'a str],
    /// To embed only.
    pub test: &'a [&'a str],
    /// Further texts, that word vectors may learn from.
    pub corpus: &'a [&'a str],
}

/// Both sides of a comparison as features, a row a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    pub train: Matrix,
    pub test: Matrix,
    /// What training the vectors told, an epoch a value; empty where nothing was trained.
    pub epochs: Series,
}

/// Why texts were not embedded. Each message is one line.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    #[error("{embedding}: {name} is {found}; wanted {wanted}")]
    Setting { embedding: &'static str, name: &'static str, found: String, wanted: &'static str },
    #[error(
        "{embedding}: no word occurs {least} times in the {texts} texts to learn from: give more texts, or lower {name}"
    )]
    NoWord { embedding: &'static str, texts: usize, least: usize, name: &'static str },
    #[error("{}: none of its words occurs in the texts: it is of another language, or cleaned in another way", path.display())]
    NoWordKnown { path: std::path::PathBuf },
    #[error("{embedding}: the vectors grew beyond all bounds; lower learning_rate (now {learning_rate})")]
    Diverged { embedding: &'static str, learning_rate: f32 },
    #[error(transparent)]
    Vectors(#[from] VectorsError),
}

impl Default for Embedding {
    fn default() -> Self {
        Self::TfIdf(tfidf::Config::default())
    }
}

impl Embedding {
    /// As runs are named: `TFIDF`, `Word2Vec`, `GloVe`.
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

    /// Learns from `texts.train` (word vectors from `texts.corpus` too), then embeds `texts.train` and `texts.test`.
    /// Sets the length of `progress` and moves it to its end.
    pub fn embed(&self, texts: Texts<'_>, progress: &ProgressBar) -> Result<Embedded, LabError> {
        let embedded = match self {
            Self::TfIdf(config) => config.embed(texts, progress),
            Self::Word2Vec(config) => config.embed(texts, progress),
            Self::Glove(config) => config.embed(texts, progress),
        };
        Ok(embedded?)
    }
}

/// `Err` unless `holds`.
fn check(
    embedding: &'static str,
    name: &'static str,
    found: &dyn std::fmt::Display,
    holds: bool,
    wanted: &'static str,
) -> Result<(), FeatureError> {
    if holds { Ok(()) } else { Err(FeatureError::Setting { embedding, name, found: found.to_string(), wanted }) }
}
