//! GloVe (Pennington et al. 2014): one vector per word, read from a file or trained here, then pooled.
//!
//! ```text
//! file  -> Vectors of the texts' words -----------------------------------------------> Pooling -> rows
//! texts -> Vocabulary -> Sentences -> co-occurrences --(epochs of AdaGrad, see `train`)--> Vectors -> ...
//! ```

mod cooccurrence;
mod train;

use std::path::PathBuf;

use indicatif::ProgressBar;

use super::word2vec::{TrainedVectors, features_from_file, pool_features};
use super::{FeatureError, Texts, TrainTestFeatures, WordPooling, check};
use crate::run_record::{Params, Series};

pub(super) const NAME: &str = "GloVe";

/// Settings, by the names of the original program.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// File of vectors to use instead of training, such as `glove.6B.50d.txt`: any format that
    /// [`Vectors::read`](super::vectors::Vectors::read) reads.
    pub vectors: Option<PathBuf>,
    /// Values per word.
    pub dimensions: usize,
    /// Words to either side that count as neighbours; one at distance `d` counts `1/d`.
    pub window: usize,
    /// Minimum number of occurrences of a word.
    pub min_count: usize,
    /// A pair that occurs this often or more has full weight.
    pub x_max: f32,
    /// A pair that occurs `x` times, less than `x_max`, has the weight `(x / x_max)^alpha`.
    pub alpha: f32,
    pub learning_rate: f32,
    pub epochs: usize,
    pub seed: u64,
    pub pooling: WordPooling,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vectors: None,
            dimensions: 96,
            window: 10,
            min_count: 3,
            x_max: 10.0,
            alpha: 0.75,
            learning_rate: 0.05,
            epochs: 15,
            seed: 1,
            pooling: WordPooling::All,
        }
    }
}

impl Config {
    pub(super) fn params(&self) -> Params {
        let mut params = Params::from([("glove_pooling".to_owned(), self.pooling.as_str().to_owned())]);
        if let Some(path) = &self.vectors {
            params.insert("glove_vectors".to_owned(), path.display().to_string());
            return params;
        }
        let settings = [
            ("vectors", "trained".to_owned()),
            ("dimensions", self.dimensions.to_string()),
            ("window", self.window.to_string()),
            ("min_count", self.min_count.to_string()),
            ("x_max", self.x_max.to_string()),
            ("alpha", self.alpha.to_string()),
            ("learning_rate", self.learning_rate.to_string()),
            ("epochs", self.epochs.to_string()),
            ("seed", self.seed.to_string()),
        ];
        params.extend(settings.map(|(name, value)| (format!("glove_{name}"), value)));
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
        let epochs = Series::from([("glove_loss".to_owned(), trained.loss)]);
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
        check(NAME, "x_max", &self.x_max, self.x_max > 0.0 && self.x_max.is_finite(), "a number above 0, such as 10")?;
        check(NAME, "alpha", &self.alpha, (0.0..=1.0).contains(&self.alpha), "a number from 0 to 1, such as 0.75")?;
        let rate = self.learning_rate;
        check(NAME, "learning_rate", &rate, rate > 0.0 && rate <= 1.0, "a number above 0, at most 1, such as 0.05")?;
        check(NAME, "epochs", &self.epochs, (1..=10_000).contains(&self.epochs), "1 to 10000")
    }
}

#[cfg(test)]
mod tests;
