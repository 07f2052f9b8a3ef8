//! [`Objective`]: the loss of a logistic regression over many rows, and its gradient.
//!
//! FeatureRows are summed in fixed chunks, in parallel, and the chunks in their order: the sum has the same bits on any
//! number of threads.

use rayon::prelude::*;

use super::rows::{FeatureRow, FeatureRows};
use super::{MAX_CLASSES, Target};

/// The function to minimise. Parameters are `[classes, width]` weights, then one intercept per class.
pub(super) struct Objective<'a> {
    pub(super) rows: FeatureRows<'a>,
    /// One per row.
    pub(super) targets: &'a [Target],
    pub(super) classes: usize,
    pub(super) l2: f64,
    /// One over the sum of the sample weights.
    pub(super) scale: f64,
}

impl Objective<'_> {
    /// The loss at `param`, and its gradient, in one pass over the rows.
    pub(super) fn value(&self, param: &[f64]) -> (f64, Vec<f64>) {
        let parts = self.over_chunks(|first, targets| {
            let (mut loss, mut gradient) = (0.0, vec![0.0; param.len()]);
            for (index, target) in targets.iter().enumerate() {
                loss -= target.weight * self.add_row(&mut gradient, param, self.rows.row(first + index), target);
            }
            (loss, gradient)
        });
        let (mut loss, mut whole) = (0.0, vec![0.0; param.len()]);
        for (part, gradient) in parts {
            loss += part;
            for (sum, value) in whole.iter_mut().zip(gradient) {
                *sum += value;
            }
        }
        let (weights, _) = param.split_at(self.classes * self.rows.width());
        for (index, value) in whole.iter_mut().enumerate() {
            *value = *value * self.scale + weights.get(index).map_or(0.0, |weight| self.l2 * weight);
        }
        let penalty: f64 = weights.iter().map(|weight| weight * weight).sum();
        (loss * self.scale + 0.5 * self.l2 * penalty, whole)
    }

    /// Runs `work` on the first row and the targets of every chunk, in parallel; results are in the order of the rows.
    fn over_chunks<T: Send>(&self, work: impl Fn(usize, &[Target]) -> T + Sync) -> Vec<T> {
        let chunk = self.rows.chunk(self.targets.len());
        let chunks = self.targets.par_chunks(chunk).enumerate();
        chunks.map(|(index, targets)| work(index * chunk, targets)).collect()
    }

    /// Probabilities of the classes that a row can belong to (0 for the others), and the log-probability of its
    /// class.
    fn row_softmax(&self, param: &[f64], row: FeatureRow<'_>, target: &Target) -> ([f64; MAX_CLASSES], f64) {
        let width = self.rows.width();
        let (weights, biases) = param.split_at(self.classes * width);
        let mut logits = [f64::NEG_INFINITY; MAX_CLASSES];
        for class in target.among(self.classes) {
            logits[class] = row.dot(&weights[class * width..(class + 1) * width]) + biases[class];
        }
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut exponentials = [0.0; MAX_CLASSES];
        for class in target.among(self.classes) {
            exponentials[class] = (logits[class] - largest).exp();
        }
        let sum: f64 = exponentials.iter().sum();
        let log_likelihood = logits[target.class] - largest - sum.ln();
        (exponentials.map(|value| value / sum), log_likelihood)
    }

    /// Adds `weight * (probability - [is the class]) * (x, 1)` of every class. Returns the log-probability of the row's own
    /// class.
    fn add_row(&self, gradient: &mut [f64], param: &[f64], row: FeatureRow<'_>, target: &Target) -> f64 {
        let width = self.rows.width();
        let (probabilities, log_likelihood) = self.row_softmax(param, row, target);
        let (weights, biases) = gradient.split_at_mut(self.classes * width);
        for class in target.among(self.classes) {
            let is_class = if class == target.class { 1.0 } else { 0.0 };
            let error = target.weight * (probabilities[class] - is_class);
            row.add_to(&mut weights[class * width..(class + 1) * width], error);
            biases[class] += error;
        }
        log_likelihood
    }
}
