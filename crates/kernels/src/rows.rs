//! Operations on one row of activations, in place: sum with another row, LayerNorm, softmax.

use crate::elementary::{exp_nonpositive, sum, sum_sq_dev};

/// LayerNorm: normalises a row to mean 0 and variance 1, then scales and shifts it.
#[derive(Debug)]
pub struct LayerNorm {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

impl LayerNorm {
    /// The value in every DistilBERT checkpoint.
    const EPSILON: f32 = 1e-12;

    /// Normalises `row`, which must be as long as `weight` and `bias`.
    pub fn apply(&self, row: &mut [f32]) {
        let count = row.len() as f32;
        let mean = sum(row) / count;
        let variance = sum_sq_dev(row, mean) / count;
        let scale = 1.0 / (variance + Self::EPSILON).sqrt();
        for ((value, weight), bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
            *value = (*value - mean) * scale * weight + bias;
        }
    }
}

/// Adds `other` to `row`, element by element.
pub fn add_assign(row: &mut [f32], other: &[f32]) {
    for (value, other) in row.iter_mut().zip(other) {
        *value += other;
    }
}

/// Replaces `row` with its softmax.
pub fn softmax(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for value in row.iter_mut() {
        *value = exp_nonpositive(*value - largest);
    }
    let scale = 1.0 / sum(row);
    for value in row {
        *value *= scale;
    }
}
