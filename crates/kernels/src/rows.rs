//! Operations on one row of activations, in place: sum with another row, LayerNorm, softmax.

use crate::elementary::{exp_nonpositive, sum, sum_sq_dev};

/// LayerNorm: each row to mean 0 and variance 1, then scaled and shifted.
#[derive(Debug)]
pub struct LayerNorm {
    pub gain: Vec<f32>,
    pub shift: Vec<f32>,
}

impl LayerNorm {
    /// DistilBERT's own, in every checkpoint.
    const EPSILON: f32 = 1e-12;

    /// Normalises `row`, which must be as long as `gain` and `shift`.
    pub fn apply(&self, row: &mut [f32]) {
        let count = row.len() as f32;
        let mean = sum(row) / count;
        let variance = sum_sq_dev(row, mean) / count;
        let scale = 1.0 / (variance + Self::EPSILON).sqrt();
        for ((value, gain), shift) in row.iter_mut().zip(&self.gain).zip(&self.shift) {
            *value = (*value - mean) * scale * gain + shift;
        }
    }
}

/// Adds `other` to `row`, element by element.
pub fn add(row: &mut [f32], other: &[f32]) {
    for (value, other) in row.iter_mut().zip(other) {
        *value += other;
    }
}

/// Replaces `row` by its softmax.
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
