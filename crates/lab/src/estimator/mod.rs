//! The estimators of the grid: from rows of features and their labels to probabilities for other rows.
//!
//! ```text
//! Estimator (settings) + Matrix + labels  -- fit -->  Fitted + Matrix  -- predict -->  probabilities
//! ```
//!
//! Each reads dense and sparse rows, knows the classes that its labels have (one, two or three), and gives the same bits for
//! the same rows, settings and seed, whatever the number of threads.

mod check;
pub mod forest;
pub mod lightgbm;
pub mod logistic;

use indicatif::ProgressBar;

pub use check::EstimatorError;

use super::LabError;
use super::matrix::Matrix;
use super::run_record::{Params, Series};
use forest::{Forest, RandomForest};
use lightgbm::{Boosted, LightGbm};
use logistic::{LinearModel, LogisticRegression};
use vigie_reading::classify::Label;

/// What learns, with its settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Estimator {
    Logistic(LogisticRegression),
    Forest(RandomForest),
    LightGbm(LightGbm),
}

/// What an [`Estimator`] learnt.
#[derive(Debug, Clone)]
pub struct Fitted {
    model: Model,
    /// Values a row.
    width: usize,
    epochs: Series,
}

#[derive(Debug, Clone)]
enum Model {
    Logistic(LinearModel),
    Forest(Forest),
    LightGbm(Boosted),
}

impl Estimator {
    /// The three of the grid with their usual settings, in the order of the study's names.
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

    /// Whether it can fit here: LightGBM's library is not part of vigie.
    pub fn is_available(&self) -> bool {
        self.available().is_ok()
    }

    /// As [`Estimator::is_available`], with what is missing and how to get it, in one line.
    ///
    /// # Errors
    /// Where [`Estimator::fit`] would give the same.
    pub fn available(&self) -> Result<(), LabError> {
        match self {
            Self::Logistic(_) | Self::Forest(_) => Ok(()),
            Self::LightGbm(lightgbm) => Ok(lightgbm.available()?),
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

    /// Learns from `x` and the label of each of its rows. `progress` is given its length, in steps or trees, and moved along.
    ///
    /// # Errors
    /// Of a faulty setting, of labels that are not as many as the rows, and of a value that is not a finite number.
    pub fn fit(&self, x: &Matrix, labels: &[Label], progress: &ProgressBar) -> Result<Fitted, LabError> {
        check::labelled(x, labels)?;
        let (model, epochs) = match self {
            Self::Logistic(logistic) => {
                let (model, epochs) = logistic.fit(x, labels, progress)?;
                (Model::Logistic(model), epochs)
            }
            Self::Forest(forest) => (Model::Forest(forest.fit(x, labels, progress)?), Series::new()),
            Self::LightGbm(lightgbm) => {
                let (model, epochs) = lightgbm.fit(x, labels, progress)?;
                (Model::LightGbm(model), epochs)
            }
        };
        Ok(Fitted { model, width: x.width(), epochs })
    }
}

impl Fitted {
    /// Probabilities of each row, in the order of [`Label::ALL`]: they sum to 1, and those of classes that were not learnt
    /// are 0.
    ///
    /// # Errors
    /// Of rows that are not as wide as those learnt from, and of a value that is not a finite number.
    pub fn predict(&self, x: &Matrix) -> Result<Vec<[f32; 3]>, LabError> {
        check::width(x, self.width)?;
        check::rows(x)?;
        match &self.model {
            Model::Logistic(model) => Ok(model.predict(x)),
            Model::Forest(model) => Ok(model.predict(x)),
            Model::LightGbm(model) => Ok(model.predict(x)?),
        }
    }

    /// What was measured while learning, such as the loss of every step; empty where there are no steps.
    pub fn epochs(&self) -> &Series {
        &self.epochs
    }
}

#[cfg(test)]
mod tests;
