//! [`LightGbm`]: gradient boosting by LightGBM's own library, which the cargo feature `lightgbm` loads if it is
//! installed.

#[cfg(feature = "lightgbm")]
mod booster;
#[cfg(feature = "lightgbm")]
mod library;

use indicatif::ProgressBar;

use super::EstimatorError;
#[cfg(feature = "lightgbm")]
use crate::label_set::LabelSet;
use crate::matrix::Matrix;
use crate::run_record::{Params, Series};
use vigie_reading::classify::Label;

/// Settings, by LightGBM's names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LightGbm {
    /// Trees per class; at least 1.
    pub n_estimators: usize,
    /// At least 2.
    pub num_leaves: usize,
    /// Above 0.
    pub learning_rate: f64,
    /// Minimum number of rows in a leaf.
    pub min_child_samples: usize,
    /// Share of the features that each tree uses, above 0 and up to 1.
    pub colsample_bytree: f64,
    pub seed: u64,
}

impl Default for LightGbm {
    fn default() -> Self {
        Self {
            n_estimators: 200,
            num_leaves: 31,
            learning_rate: 0.1,
            min_child_samples: 20,
            colsample_bytree: 0.5,
            seed: 1,
        }
    }
}

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BoostedModel {
    /// In LightGBM's text format; empty if only one class was learned.
    model: String,
    /// In the order of LightGBM's classes.
    classes: Vec<Label>,
}

impl LightGbm {
    pub(super) fn params(&self) -> Params {
        let Self { n_estimators, num_leaves, learning_rate, min_child_samples, colsample_bytree, seed } = self;
        let params = [
            ("n_estimators", n_estimators.to_string()),
            ("num_leaves", num_leaves.to_string()),
            ("learning_rate", learning_rate.to_string()),
            ("min_child_samples", min_child_samples.to_string()),
            ("colsample_bytree", colsample_bytree.to_string()),
            ("seed", seed.to_string()),
            ("deterministic", "true".to_owned()),
        ];
        params.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

#[cfg(not(feature = "lightgbm"))]
impl LightGbm {
    pub(super) fn check_available(&self) -> Result<(), EstimatorError> {
        Err(EstimatorError::NoLightGbm)
    }

    pub(super) fn fit(
        &self,
        _: &Matrix,
        _: &[Label],
        _: &ProgressBar,
    ) -> Result<(BoostedModel, Series), EstimatorError> {
        Err(EstimatorError::NoLightGbm)
    }
}

#[cfg(not(feature = "lightgbm"))]
impl BoostedModel {
    pub(super) fn predict(&self, _: &Matrix) -> Result<Vec<[f32; 3]>, EstimatorError> {
        Err(EstimatorError::NoLightGbm)
    }
}

#[cfg(feature = "lightgbm")]
impl LightGbm {
    pub(super) fn check_available(&self) -> Result<(), EstimatorError> {
        library::Library::get().map(|_| ())
    }

    /// Fits the trees. The series is `log_loss` on the training rows after every tree.
    pub(super) fn fit(
        &self,
        x: &Matrix,
        labels: &[Label],
        progress: &ProgressBar,
    ) -> Result<(BoostedModel, Series), EstimatorError> {
        self.check()?;
        let classes: Vec<Label> = LabelSet::from_labels(labels.iter().copied()).iter().collect();
        progress.set_length(self.n_estimators as u64);
        progress.set_position(0);
        if classes.len() < 2 {
            // LightGBM rejects a single class, or boosts towards infinity.
            return Ok((BoostedModel { model: String::new(), classes }, Series::new()));
        }
        let class_index = |label: &Label| classes.iter().position(|class| class == label).unwrap_or_default() as f32;
        let targets: Vec<f32> = labels.iter().map(class_index).collect();
        let settings = self.settings(classes.len());
        let data = booster::TrainingData::new(x, &targets, &settings)?;
        let mut booster = booster::Booster::new(&data, &settings)?;
        let mut losses = Vec::with_capacity(self.n_estimators);
        for _ in 0..self.n_estimators {
            let finished = booster.step()?;
            losses.push(round_loss(booster.training_loss()?));
            progress.inc(1);
            if finished {
                break;
            }
        }
        progress.set_position(self.n_estimators as u64);
        Ok((BoostedModel { model: booster.to_text()?, classes }, Series::from([("log_loss".to_owned(), losses)])))
    }

    fn check(&self) -> Result<(), EstimatorError> {
        let invalid = |name, found, expected| Err(EstimatorError::Setting { name, found, expected });
        if self.n_estimators == 0 {
            return invalid("n_estimators", "0".to_owned(), "at least 1");
        }
        if self.num_leaves < 2 {
            return invalid("num_leaves", self.num_leaves.to_string(), "at least 2");
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return invalid("learning_rate", self.learning_rate.to_string(), "a number above 0");
        }
        if !(self.colsample_bytree > 0.0 && self.colsample_bytree <= 1.0) {
            return invalid("colsample_bytree", self.colsample_bytree.to_string(), "above 0 and at most 1");
        }
        Ok(())
    }

    /// As LightGBM reads them. Its sums depend on the number of threads unless `deterministic` is set, and on its
    /// choice of histogram layout unless `force_row_wise` is set too.
    fn settings(&self, classes: usize) -> String {
        let Self { n_estimators: _, num_leaves, learning_rate, min_child_samples, colsample_bytree, seed } = self;
        let objective = match classes {
            2 => "objective=binary metric=binary_logloss".to_owned(),
            classes => format!("objective=multiclass metric=multi_logloss num_class={classes}"),
        };
        let threads = rayon::current_num_threads();
        let seed = seed % (1 << 31); // an int of C
        format!(
            "{objective} num_leaves={num_leaves} learning_rate={learning_rate} min_data_in_leaf={min_child_samples} \
             feature_fraction={colsample_bytree} seed={seed} num_threads={threads} deterministic=true \
             force_row_wise=true is_provide_training_metric=true verbosity=-1"
        )
    }
}

/// The trees are the same on any number of threads; the last digits of this sum over rows are not.
#[cfg(feature = "lightgbm")]
fn round_loss(loss: f64) -> f64 {
    (loss * 1e9).round() / 1e9
}

#[cfg(feature = "lightgbm")]
impl BoostedModel {
    pub(super) fn predict(&self, x: &Matrix) -> Result<Vec<[f32; 3]>, EstimatorError> {
        let row_probabilities = |predicted: &[f64]| {
            let mut row = [0.0; 3];
            for (label, probability) in self.classes.iter().zip(predicted) {
                row[*label as usize] = *probability as f32;
            }
            row
        };
        match self.classes.len() {
            0 | 1 => Ok(vec![row_probabilities(&[1.0]); x.rows()]),
            classes => {
                let booster = booster::Booster::from_text(&self.model)?;
                let predicted = booster.predict(x, classes)?;
                match classes {
                    2 => Ok(predicted.iter().map(|second| row_probabilities(&[1.0 - second, *second])).collect()),
                    classes => Ok(predicted.chunks_exact(classes).map(row_probabilities).collect()),
                }
            }
        }
    }
}
