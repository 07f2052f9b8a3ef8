//! [`Objective`]: the loss of a logistic regression over many rows, and its gradient.
//!
//! Rows are summed in fixed chunks, in parallel, and the chunks in their order: the sum has the same bits on any number of
//! threads.

use argmin::core::{CostFunction, Gradient};
use rayon::prelude::*;

use super::{CLASSES, Examples, Target};

/// Rows summed by one task; part of the result's bits.
pub(super) const CHUNK: usize = 1024;

/// The function to be minimised. Parameters are `[classes, width]` weights, then one intercept a class.
pub(super) struct Objective<'a> {
    pub(super) examples: &'a Examples,
    pub(super) l2: f64,
    /// One over the sum of the sample weights.
    pub(super) scale: f64,
}

impl CostFunction for Objective<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, param: &Vec<f64>) -> Result<f64, argmin::core::Error> {
        let losses = self.over_chunks(|features, targets| {
            let mut loss = 0.0;
            for (row, target) in features.chunks_exact(self.examples.width).zip(targets) {
                let (_, log_likelihood) = row_softmax(param, row, target);
                loss -= target.weight * log_likelihood;
            }
            loss
        });
        let (weights, _) = param.split_at(CLASSES * self.examples.width);
        let penalty: f64 = weights.iter().map(|weight| weight * weight).sum();
        Ok(losses.iter().sum::<f64>() * self.scale + 0.5 * self.l2 * penalty)
    }
}

impl Gradient for Objective<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, param: &Vec<f64>) -> Result<Vec<f64>, argmin::core::Error> {
        let parts = self.over_chunks(|features, targets| {
            let mut gradient = vec![0.0; param.len()];
            for (row, target) in features.chunks_exact(self.examples.width).zip(targets) {
                add_row_gradient(&mut gradient, param, row, target);
            }
            gradient
        });
        let mut whole = vec![0.0; param.len()];
        for part in parts {
            for (sum, value) in whole.iter_mut().zip(part) {
                *sum += value;
            }
        }
        let penalised = CLASSES * self.examples.width;
        for (index, (value, weight)) in whole.iter_mut().zip(param).enumerate() {
            *value *= self.scale;
            if index < penalised {
                *value += self.l2 * weight;
            }
        }
        Ok(whole)
    }
}

impl Objective<'_> {
    /// `work` on every chunk of rows, in parallel; the answers in the order of the rows.
    fn over_chunks<T: Send>(&self, work: impl Fn(&[f32], &[Target]) -> T + Sync) -> Vec<T> {
        let Examples { width, features, targets } = self.examples;
        let rows = features.par_chunks(CHUNK * width).zip(targets.par_chunks(CHUNK));
        rows.map(|(features, targets)| work(features, targets)).collect()
    }
}

/// Probabilities of the classes a row may be of (0 for the others), and the logarithm of its own label's.
fn row_softmax(param: &[f64], row: &[f32], target: &Target) -> ([f64; CLASSES], f64) {
    let (weights, biases) = param.split_at(CLASSES * row.len());
    let mut logits = [f64::NEG_INFINITY; CLASSES];
    for label in target.among.iter() {
        let class = label as usize;
        logits[class] = dot(&weights[class * row.len()..(class + 1) * row.len()], row) + biases[class];
    }
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials = logits.map(|logit| (logit - largest).exp());
    let sum: f64 = exponentials.iter().sum();
    let log_likelihood = logits[target.label as usize] - largest - sum.ln();
    (exponentials.map(|value| value / sum), log_likelihood)
}

/// Adds `weight * (probability - [is the label]) * (x, 1)` of every class.
fn add_row_gradient(gradient: &mut [f64], param: &[f64], row: &[f32], target: &Target) {
    let (probabilities, _) = row_softmax(param, row, target);
    let (weights, biases) = gradient.split_at_mut(CLASSES * row.len());
    for label in target.among.iter() {
        let class = label as usize;
        let is_label = if label == target.label { 1.0 } else { 0.0 };
        let error = target.weight * (probabilities[class] - is_label);
        for (sum, value) in weights[class * row.len()..(class + 1) * row.len()].iter_mut().zip(row) {
            *sum += error * f64::from(*value);
        }
        biases[class] += error;
    }
}

/// Eight sums side by side: one sum would wait for itself at every step.
fn dot(weights: &[f64], row: &[f32]) -> f64 {
    let (weight_blocks, weight_rest) = weights.as_chunks::<8>();
    let (row_blocks, row_rest) = row.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (block, values) in weight_blocks.iter().zip(row_blocks) {
        for ((sum, weight), value) in sums.iter_mut().zip(block).zip(values) {
            *sum += weight * f64::from(*value);
        }
    }
    let rest: f64 = weight_rest.iter().zip(row_rest).map(|(weight, value)| weight * f64::from(*value)).sum();
    sums.iter().sum::<f64>() + rest
}
