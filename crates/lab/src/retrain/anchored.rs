//! [`fit`]: logistic regression that is anchored at the champion's head. Between scaled rows and a new head.
//!
//! ```text
//! sum_i weight_i * sum_c -target_ic * ln softmax(z_i + D x_i)[c]  +  strength/2 * |D|^2
//! ```
//!
//! The target of a labelled row is 1 for its label. `z_i` are the champion's logits, `D` is the change of its weights and
//! intercepts, `x_i` a scaled row. This is the most likely head under a normal prior around the champion (Chelba and Acero 2006,
//! adaptation of a maximum entropy capitalizer): without a correction nothing changes. A row may also ask for the champion's own probabilities: it holds the head where corrections do
//! not speak against it (Li and Hoiem 2016, learning without forgetting).

use crate::logistic::{Lbfgs, dot};
use vigie_reading::classify::Head;

/// The gradient's norm, per unit of weight, at which the fit ends.
const TOLERANCE: f64 = 1e-5;
const MAX_ITERATIONS: u64 = 500;
const MEMORY: usize = 10;

/// One row to learn from.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnchoredRow<'a> {
    /// The champion's logits.
    pub(super) logits: &'a [f32],
    /// Scaled, with its constant.
    pub(super) features: &'a [f32],
    /// Probability that the row asks for, per class; they sum to 1.
    pub(super) target: &'a [f64],
    pub(super) weight: f64,
}

/// The change `D`, row-major `[classes, width]`, where `width` counts the constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) values: Vec<f64>,
    width: usize,
}

impl Change {
    /// The champion's `logits` of a row with these scaled features, changed.
    pub(super) fn logits(&self, logits: &[f32], features: &[f32]) -> Vec<f64> {
        let rows = self.values.chunks_exact(self.width.max(1));
        logits.iter().zip(rows).map(|(logit, row)| f64::from(*logit) + dot(row, features)).collect()
    }

    /// The head that gives these logits.
    pub(super) fn applied_to(&self, head: &Head, (weights, biases): &(Vec<f64>, Vec<f64>)) -> Option<Head> {
        let (old_weights, old_biases) = head.parameters();
        let sum = |old: &[f32], change: &[f64]| {
            old.iter().zip(change).map(|(old, change)| (f64::from(*old) + change) as f32).collect::<Vec<f32>>()
        };
        Head::new(sum(old_weights, weights), sum(old_biases, biases)).ok()
    }
}

/// Fits the change of a head of `classes` classes to `rows`, whose scaled features are `width` long.
pub(super) fn fit(rows: &[AnchoredRow<'_>], classes: usize, width: usize, strength: f64) -> Change {
    let total: f64 = rows.iter().map(|row| row.weight).sum::<f64>().max(f64::MIN_POSITIVE);
    let value = |change: &[f64]| objective(rows, change, width, strength, 1.0 / total);
    let solver = Lbfgs { memory: MEMORY, max_iterations: MAX_ITERATIONS, tolerance: TOLERANCE };
    // The objective is strictly convex: where the solver stops early, its best point is still better than no change.
    let minimum = solver.minimise(vec![0.0; classes * width], value, |_, _| ());
    Change { values: minimum.param, width }
}

/// The objective times `scale`, and its gradient.
fn objective(rows: &[AnchoredRow<'_>], change: &[f64], width: usize, strength: f64, scale: f64) -> (f64, Vec<f64>) {
    let mut gradient: Vec<f64> = change.iter().map(|value| strength * value).collect();
    let mut loss = 0.5 * strength * change.iter().map(|value| value * value).sum::<f64>();
    let mut logits = Vec::new();
    for row in rows {
        logits.clear();
        let parts = row.logits.iter().zip(change.chunks_exact(width.max(1)));
        logits.extend(parts.map(|(logit, change)| f64::from(*logit) + dot(change, row.features)));
        loss += row.weight * cross_entropy(&mut logits, row.target);
        let parts = logits.iter().zip(row.target).zip(gradient.chunks_exact_mut(width.max(1)));
        for ((probability, target), gradient) in parts {
            let error = row.weight * (probability - target);
            for (sum, feature) in gradient.iter_mut().zip(row.features) {
                *sum += error * f64::from(*feature);
            }
        }
    }
    gradient.iter_mut().for_each(|value| *value *= scale);
    (loss * scale, gradient)
}

/// Turns logits into probabilities; returns their cross-entropy with `target`.
pub(super) fn cross_entropy(logits: &mut [f64], target: &[f64]) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let expected: f64 = logits.iter().zip(target).map(|(logit, target)| logit * target).sum();
    logits.iter_mut().for_each(|logit| *logit = (*logit - largest).exp());
    let sum: f64 = logits.iter().sum();
    logits.iter_mut().for_each(|value| *value /= sum);
    largest + sum.ln() - expected
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 3] = [2.0, 0.0, 0.0];
    const TARGETS: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    const NEAR: [f32; 3] = [1.0, 0.0, 0.1];
    const FAR: [f32; 3] = [0.0, 1.0, 0.1];

    fn probability(change: &Change, features: &[f32], class: usize) -> f64 {
        let mut logits = change.logits(&LOGITS, features);
        cross_entropy(&mut logits, &TARGETS[class]);
        logits[class]
    }

    #[test]
    fn a_correction_moves_its_own_post_and_hardly_another() {
        let row = AnchoredRow { logits: &LOGITS, features: &NEAR, target: &TARGETS[2], weight: 3.0 };
        let change = fit(&[row], 3, 3, 1.0);
        let (near, far) = (probability(&change, &NEAR, 2), probability(&change, &FAR, 2));
        let before = probability(&Change { values: vec![0.0; 9], width: 3 }, &NEAR, 2);
        assert!(near > 2.0 * before && near > 0.4, "{before} {near}");
        assert!((far - before).abs() < 0.02, "{before} {far}");
    }

    #[test]
    fn nothing_changes_without_rows_or_with_a_strong_anchor() {
        assert!(fit(&[], 3, 3, 1.0).values.iter().all(|value| *value == 0.0));
        let row = AnchoredRow { logits: &LOGITS, features: &NEAR, target: &TARGETS[2], weight: 1.0 };
        assert!(fit(&[row], 3, 3, 1e6).values.iter().all(|value| value.abs() < 1e-5));
    }

    /// At the optimum of one row, `strength * D[class] = weight * (1[class] - p[class]) * x`.
    #[test]
    fn the_optimum_satisfies_its_equation() {
        let row = AnchoredRow { logits: &LOGITS, features: &NEAR, target: &TARGETS[1], weight: 2.0 };
        let change = fit(&[row], 3, 3, 0.7);
        for class in 0..3 {
            let target = if class == 1 { 1.0 } else { 0.0 };
            let expected = 2.0 / 0.7 * (target - probability(&change, &NEAR, class)) * f64::from(NEAR[0]);
            assert!((change.values[class * 3] - expected).abs() < 1e-3, "{class}: {:?} {expected}", change.values);
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_objective() {
        let rows = [
            AnchoredRow { logits: &LOGITS, features: &NEAR, target: &TARGETS[1], weight: 2.0 },
            AnchoredRow { logits: &[0.1, -1.0, 0.4], features: &FAR, target: &[0.7, 0.1, 0.2], weight: 0.5 },
        ];
        let at: Vec<f64> = (0..9).map(|i| f64::from(i) / 7.0 - 0.5).collect();
        let (_, gradient) = objective(&rows, &at, 3, 0.3, 0.4);
        for index in 0..9 {
            let shifted = |by: f64| {
                let mut at = at.clone();
                at[index] += by;
                objective(&rows, &at, 3, 0.3, 0.4).0
            };
            let numeric = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
            assert!((gradient[index] - numeric).abs() < 1e-6, "{index}: {} {numeric}", gradient[index]);
        }
    }
}
