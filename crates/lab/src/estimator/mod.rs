//! The estimators of the grid: from rows of features and their labels to probabilities for other rows.
//!
//! ```text
//! Estimator (settings) + Matrix + labels  -- fit -->  FittedEstimator + Matrix  -- predict -->  probabilities
//! ```
//!
//! Each reads dense and sparse rows, knows the classes of its training labels (one, two or three), and gives the same
//! bits for the same rows, settings and seed, whatever the number of threads.

pub mod forest;
pub mod lightgbm;
pub mod logistic;
mod validation;

use indicatif::ProgressBar;

pub use validation::EstimatorError;

use super::LabError;
use super::matrix::Matrix;
use super::run_record::{Params, Series};
use forest::{Forest, RandomForest};
use lightgbm::{BoostedModel, LightGbm};
use logistic::{LinearModel, LogisticRegression};
use vigie_reading::classify::Label;

/// A learning algorithm with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Estimator {
    Logistic(LogisticRegression),
    Forest(RandomForest),
    LightGbm(LightGbm),
}

/// The result of [`Estimator::fit`].
#[derive(Debug, Clone)]
pub struct FittedEstimator {
    model: FittedModel,
    /// Values per row.
    width: usize,
    epochs: Series,
}

#[derive(Debug, Clone)]
enum FittedModel {
    Logistic(LinearModel),
    Forest(Forest),
    LightGbm(BoostedModel),
}

impl Estimator {
    /// The three estimators of the grid with their default settings, in the order of the study's names.
    pub fn all(seed: u64) -> [Self; 3] {
        [
            Self::Logistic(LogisticRegression { seed, ..LogisticRegression::default() }),
            Self::Forest(RandomForest { seed, ..RandomForest::default() }),
            Self::LightGbm(LightGbm { seed, ..LightGbm::default() }),
        ]
    }

    /// Such as `LogisticRegression`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Logistic(_) => "LogisticRegression",
            Self::Forest(_) => "RandomForest",
            Self::LightGbm(_) => "LightGBM",
        }
    }

    /// Whether it can fit on this machine: LightGBM's library is not part of vigie.
    pub fn is_available(&self) -> bool {
        self.check_available().is_ok()
    }

    /// Like [`Estimator::is_available`], with what is missing and how to get it, in one line.
    ///
    /// # Errors
    /// If [`Estimator::fit`] would fail in the same way.
    pub fn check_available(&self) -> Result<(), LabError> {
        match self {
            Self::Logistic(_) | Self::Forest(_) => Ok(()),
            Self::LightGbm(lightgbm) => Ok(lightgbm.check_available()?),
        }
    }

    /// Its settings, by scikit-learn's and LightGBM's names.
    pub fn params(&self) -> Params {
        match self {
            Self::Logistic(logistic) => logistic.params(),
            Self::Forest(forest) => forest.params(),
            Self::LightGbm(lightgbm) => lightgbm.params(),
        }
    }

    /// Fits to `x` and the label of each of its rows. Sets the length of `progress`, in steps or trees, and advances
    /// it.
    ///
    /// # Errors
    /// For an invalid setting, a number of labels other than the number of rows, or a value that is not finite.
    pub fn fit(&self, x: &Matrix, labels: &[Label], progress: &ProgressBar) -> Result<FittedEstimator, LabError> {
        validation::check_labelled(x, labels)?;
        let (model, epochs) = match self {
            Self::Logistic(logistic) => {
                let (model, epochs) = logistic.fit(x, labels, progress)?;
                (FittedModel::Logistic(model), epochs)
            }
            Self::Forest(forest) => (FittedModel::Forest(forest.fit(x, labels, progress)?), Series::new()),
            Self::LightGbm(lightgbm) => {
                let (model, epochs) = lightgbm.fit(x, labels, progress)?;
                (FittedModel::LightGbm(model), epochs)
            }
        };
        Ok(FittedEstimator { model, width: x.width(), epochs })
    }
}

impl FittedEstimator {
    /// Probabilities of each row, in the order of [`Label::ALL`]: they sum to 1, and classes that were not in the
    /// training labels have 0.
    ///
    /// # Errors
    /// For rows of another width than the training rows, or a value that is not finite.
    pub fn predict(&self, x: &Matrix) -> Result<Vec<[f32; 3]>, LabError> {
        validation::check_width(x, self.width)?;
        validation::check_rows(x)?;
        match &self.model {
            FittedModel::Logistic(model) => Ok(model.predict(x)),
            FittedModel::Forest(model) => Ok(model.predict(x)),
            FittedModel::LightGbm(model) => Ok(model.predict(x)?),
        }
    }

    /// What was measured while fitting, such as the loss of every step; empty if there are no steps.
    pub fn epochs(&self) -> &Series {
        &self.epochs
    }
}

#[cfg(test)]
mod tests;
