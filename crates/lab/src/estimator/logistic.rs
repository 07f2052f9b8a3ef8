//! [`LogisticRegression`]: the regression that also fits the heads, as an estimator of the grid.
//!
//! Dense rows are standardised. Sparse rows are not: centring would make them dense, and dividing TF-IDF by
//! its deviation makes the rarest words the loudest (Sentiment140: accuracy 0.72 with, 0.75 without).

use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::EstimatorError;
use crate::LabError;
use crate::label_set::LabelSet;
use crate::logistic::{FeatureRow, FeatureRows, Logistic, Minimum, Target};
use crate::matrix::Matrix;
use crate::run_record::{Params, Series};
use crate::standard_scaler::StandardScaler;
use vigie_reading::classify::Label;

/// Settings, by scikit-learn's names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticRegression {
    /// Inverse strength of the L2 penalty; above 0.
    pub c: f64,
    /// Maximum number of L-BFGS steps: a fit that needs more is used as is, with a warning in the log.
    pub max_iter: u64,
    /// Ends the fit when the gradient's norm falls below it; above 0.
    pub tol: f64,
    /// Draws the starting point.
    pub seed: u64,
}

impl Default for LogisticRegression {
    fn default() -> Self {
        Self { c: 3.0, max_iter: 300, tol: 1e-4, seed: 1 }
    }
}

/// Weights and intercepts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LinearModel {
    /// Row-major, `[labels, width]`, in the order of [`Label::ALL`].
    weight: Vec<f64>,
    bias: Vec<f64>,
    among: LabelSet,
}

impl LogisticRegression {
    pub(super) fn params(&self) -> Params {
        let Self { c, max_iter, tol, seed } = self;
        let params = [
            ("penalty", "l2".to_owned()),
            ("solver", "lbfgs".to_owned()),
            ("C", c.to_string()),
            ("max_iter", max_iter.to_string()),
            ("tol", tol.to_string()),
            ("random_state", seed.to_string()),
        ];
        params.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// The series is `loss`: the objective after every step.
    pub(super) fn fit(
        &self,
        x: &Matrix,
        labels: &[Label],
        progress: &ProgressBar,
    ) -> Result<(LinearModel, Series), LabError> {
        if !(self.c.is_finite() && self.c > 0.0) {
            let found = self.c.to_string();
            return Err(EstimatorError::Setting { name: "C", found, expected: "a number above 0" }.into());
        }
        let among = LabelSet::from_labels(labels.iter().copied());
        let settings = self.settings(among, labels.len());
        settings.check()?;
        progress.set_length(self.max_iter);
        let losses = Arc::new(Mutex::new(Vec::new()));
        let watch = {
            let (losses, progress) = (Arc::clone(&losses), progress.clone());
            move |step, loss| {
                progress.set_position(step + 1);
                losses.lock().unwrap_or_else(PoisonError::into_inner).push(loss);
            }
        };
        let targets: Vec<Target> =
            labels.iter().map(|label| Target { class: *label as usize, among: among.bits(), weight: 1.0 }).collect();
        let model = match x {
            Matrix::Dense(dense) => {
                let mut values = dense.values.clone();
                let scaling = StandardScaler::fit_transform(&mut values, dense.width);
                let minimum = settings.minimise(
                    FeatureRows::Dense { width: dense.width, values: &values },
                    &targets,
                    Label::ALL.len(),
                    watch,
                );
                warn_if_not_converged(&minimum);
                let (weight, bias) = scaling.fold(&minimum.param, Label::ALL.len(), dense.width);
                let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
                LinearModel { weight: wide(weight), bias: wide(bias), among }
            }
            Matrix::Sparse(sparse) => {
                let minimum = settings.minimise(FeatureRows::Sparse(sparse), &targets, Label::ALL.len(), watch);
                warn_if_not_converged(&minimum);
                let mut weight = minimum.param;
                let bias = weight.split_off(Label::ALL.len() * sparse.width);
                LinearModel { weight, bias, among }
            }
        };
        progress.set_position(self.max_iter);
        let losses = std::mem::take(&mut *losses.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((model, Series::from([("loss".to_owned(), losses)])))
    }

    /// scikit-learn's penalty in the terms of [`Logistic`]: `C = 1 / (l2 * rows)`. With two classes scikit-learn
    /// penalises one vector `w` where a softmax over the two has `w / 2` and `-w / 2`, with half the square: doubling
    /// the strength compensates.
    fn settings(&self, among: LabelSet, rows: usize) -> Logistic {
        let vectors = if among.len() == 2 { 2.0 } else { 1.0 };
        let l2 = vectors / (self.c * rows as f64);
        Logistic { l2, seed: self.seed, max_iterations: self.max_iter, tolerance: self.tol }
    }
}

/// The grid compares estimators even if they did not converge; a head that ships has to converge.
fn warn_if_not_converged(minimum: &Minimum) {
    if let Err(reason) = &minimum.end {
        tracing::warn!(reason, iterations = minimum.iterations, "logistic regression did not converge");
    }
}

impl LinearModel {
    pub(super) fn predict(&self, x: &Matrix) -> Vec<[f32; 3]> {
        let rows = match x {
            Matrix::Dense(dense) => FeatureRows::Dense { width: dense.width, values: &dense.values },
            Matrix::Sparse(sparse) => FeatureRows::Sparse(sparse),
        };
        (0..x.rows()).into_par_iter().map(|index| self.probabilities(rows.row(index), x.width())).collect()
    }

    fn probabilities(&self, row: FeatureRow<'_>, width: usize) -> [f32; 3] {
        let mut logits = [f64::NEG_INFINITY; 3];
        for label in self.among.iter() {
            let class = label as usize;
            logits[class] = row.dot(&self.weight[class * width..(class + 1) * width]) + self.bias[class];
        }
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let exponentials = logits.map(|logit| (logit - largest).exp());
        let sum: f64 = exponentials.iter().sum();
        exponentials.map(|value| (value / sum) as f32)
    }
}
