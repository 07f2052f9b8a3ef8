//! Word2Vec (Mikolov et al. 2013): one vector per word, trained here by negative sampling or read from a file, then
//! pooled.
//!
//! ```text
//! texts -> Vocabulary -> Sentences --(epochs of rounds, see `train`)--> Vectors -> Pooling -> rows
//! ```

mod math;
mod model;
mod train;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;

use super::pooling::Pooler;
use super::vectors::Vectors;
use super::vocabulary::words;
use super::{FeatureError, Texts, TrainTestFeatures, WordPooling, check};
use crate::run_record::{Params, Series};

pub(super) use math::{Random, dot};

pub(super) const NAME: &str = "Word2Vec";

/// Which words predict which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// A word predicts each of its neighbours.
    SkipGram,
    /// The mean of the neighbours predicts the word.
    Cbow,
}

/// Settings, by gensim's names where it has them.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// File of vectors to use instead of training, in any format that [`Vectors::read`] reads.
    pub vectors: Option<PathBuf>,
    pub architecture: Architecture,
    /// Values per word.
    pub dimensions: usize,
    /// Maximum distance of a neighbour; each word draws its own from 1 to this.
    pub window: usize,
    /// Minimum number of occurrences of a word.
    pub min_count: usize,
    /// Random words drawn against each neighbour.
    pub negative: usize,
    /// Words with a larger share of all words than this are dropped at random; 0 drops none.
    pub sample: f64,
    /// Learning rate of the first step; falls linearly to a ten-thousandth of it.
    pub learning_rate: f32,
    pub epochs: usize,
    pub seed: u64,
    pub pooling: WordPooling,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vectors: None,
            architecture: Architecture::SkipGram,
            dimensions: 96,
            window: 5,
            min_count: 3,
            negative: 5,
            sample: 1e-3,
            learning_rate: 0.025,
            epochs: 8,
            seed: 1,
            pooling: WordPooling::All,
        }
    }
}

/// The result of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedVectors {
    pub vectors: Vectors,
    /// Mean loss of a prediction, one value per epoch.
    pub loss: Vec<f64>,
}

impl Config {
    pub(super) fn params(&self) -> Params {
        let mut params = Params::from([("word2vec_pooling".to_owned(), self.pooling.as_str().to_owned())]);
        if let Some(path) = &self.vectors {
            params.insert("word2vec_vectors".to_owned(), path.display().to_string());
            return params;
        }
        let architecture = match self.architecture {
            Architecture::SkipGram => "skip-gram",
            Architecture::Cbow => "cbow",
        };
        let settings = [
            ("vectors", "trained".to_owned()),
            ("architecture", architecture.to_owned()),
            ("dimensions", self.dimensions.to_string()),
            ("window", self.window.to_string()),
            ("min_count", self.min_count.to_string()),
            ("negative", self.negative.to_string()),
            ("sample", self.sample.to_string()),
            ("learning_rate", self.learning_rate.to_string()),
            ("epochs", self.epochs.to_string()),
            ("seed", self.seed.to_string()),
        ];
        params.extend(settings.map(|(name, value)| (format!("word2vec_{name}"), value)));
        params
    }

    pub(super) fn fit_transform(
        &self,
        texts: Texts<'_>,
        progress: &ProgressBar,
    ) -> Result<TrainTestFeatures, FeatureError> {
        if let Some(path) = &self.vectors {
            return features_from_file(path, self.pooling, texts, progress);
        }
        let corpus: Vec<&str> = texts.train.iter().chain(texts.corpus).copied().collect();
        let trained = self.train(&corpus, progress)?;
        let epochs = Series::from([("word2vec_loss".to_owned(), trained.loss)]);
        Ok(pool_features(&trained.vectors, self.pooling, texts, epochs))
    }

    /// Trains vectors from scratch on `texts`, words separated by single spaces.
    pub fn train(&self, texts: &[&str], progress: &ProgressBar) -> Result<TrainedVectors, FeatureError> {
        self.check()?;
        train::train(self, texts, progress)
    }

    fn check(&self) -> Result<(), FeatureError> {
        check(NAME, "dimensions", &self.dimensions, (1..=1024).contains(&self.dimensions), "1 to 1024")?;
        check(NAME, "window", &self.window, (1..=100).contains(&self.window), "1 to 100")?;
        check(NAME, "min_count", &self.min_count, self.min_count >= 1, "1 or more")?;
        check(NAME, "negative", &self.negative, (1..=100).contains(&self.negative), "1 to 100")?;
        check(NAME, "sample", &self.sample, (0.0..=1.0).contains(&self.sample), "a share from 0 to 1, such as 0.001")?;
        let rate = self.learning_rate;
        check(NAME, "learning_rate", &rate, rate > 0.0 && rate <= 1.0, "a number above 0, at most 1, such as 0.025")?;
        check(NAME, "epochs", &self.epochs, (1..=10_000).contains(&self.epochs), "1 to 10000")
    }
}

/// Pooled vectors of a file, of which only the words in these texts are read.
pub(super) fn features_from_file(
    path: &Path,
    pooling: WordPooling,
    texts: Texts<'_>,
    progress: &ProgressBar,
) -> Result<TrainTestFeatures, FeatureError> {
    progress.set_length(1);
    let words_in_texts: HashSet<&str> = texts.train.iter().chain(texts.test).flat_map(|text| words(text)).collect();
    let vectors = Vectors::read(path, |word| words_in_texts.contains(word))?;
    if vectors.words.is_empty() {
        return Err(FeatureError::NoWordKnown { path: path.to_path_buf() });
    }
    progress.inc(1);
    Ok(pool_features(&vectors, pooling, texts, Series::new()))
}

pub(super) fn pool_features(
    vectors: &Vectors,
    pooling: WordPooling,
    texts: Texts<'_>,
    epochs: Series,
) -> TrainTestFeatures {
    let pool = Pooler::new(pooling, vectors, texts.train);
    TrainTestFeatures { train: pool.rows(texts.train), test: pool.rows(texts.test), epochs }
}

#[cfg(test)]
pub(in crate::feature) mod tests;
