//! Multinomial logistic regression with an L2 penalty, fitted by L-BFGS: from features to the weights of a head.
//!
//! The objective is that of scikit-learn's `LogisticRegression` (penalty L2, lbfgs), divided by the sum of the sample weights `s`:
//!
//! ```text
//! 1/s * sum_i weight_i * -ln softmax_among_i(V x_i + b)[label_i]  +  l2/2 * |V|^2        (C = 1 / (l2 * s))
//! ```
//!
//! where `x` is standardised (the scale is folded back into the weights that come out), the intercept `b` is free, and a row's softmax runs
//! over the classes its dump knows: a dump of two classes says nothing about the third.
//!
//! The same rows and settings give the same bits, whatever the number of threads: rows are summed in fixed chunks, and
//! the chunks in their order.

use argmin::core::{CostFunction, Executor, Gradient, State, TerminationReason, TerminationStatus};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use rayon::prelude::*;

use super::classes::Classes;
use super::recipe::Fit;
use super::scaling::Scaling;
use crate::classify::Label;

const CLASSES: usize = Label::ALL.len();
/// Rows summed by one task; part of the result's bits.
const CHUNK: usize = 1024;
/// Pairs of steps that L-BFGS remembers, as in scipy.
const MEMORY: usize = 10;

/// Rows to learn from.
#[derive(Debug, Clone, Default)]
pub(super) struct Examples {
    /// Values a row.
    pub width: usize,
    /// Row-major, `[rows, width]`.
    pub features: Vec<f32>,
    /// One a row.
    pub targets: Vec<Target>,
}

/// What one row teaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Target {
    pub label: Label,
    /// The classes its dump knows.
    pub among: Classes,
    /// How much it counts; not negative.
    pub weight: f64,
}

/// Settings of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Logistic {
    /// Strength of the penalty, on standardised features; at least 0.
    pub l2: f64,
    /// Draws the starting point; the optimum does not depend on it beyond the tolerance.
    pub seed: u64,
    /// Most steps of L-BFGS.
    pub max_iterations: u64,
    /// Ends the fit when the gradient's norm falls below it; above 0.
    pub tolerance: f64,
}

/// A fitted head, on features as they came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    /// Row-major, `[labels, width]`, in the order of [`Label::ALL`].
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    /// Value of the objective.
    pub loss: f64,
    pub iterations: u64,
}

/// Why nothing was fitted.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    #[error("{name} is {found}; wanted {wanted}")]
    Setting { name: &'static str, found: f64, wanted: &'static str },
    #[error("no row of class {0} to learn from: add a dump that has it to the recipe")]
    NoRow(&'static str),
    #[error("{features} features for {rows} rows of {width}: wanted {wanted}")]
    Shape { features: usize, rows: usize, width: usize, wanted: usize },
    #[error("a feature or a weight is not a finite number")]
    NotFinite,
    #[error("the fit did not converge: {0}; raise max_iterations, tolerance or l2")]
    NotConverged(String),
}

impl From<Fit> for Logistic {
    fn from(Fit { seed, l2, max_iterations, tolerance }: Fit) -> Self {
        Self { l2, seed, max_iterations, tolerance }
    }
}

impl Logistic {
    /// Learns a head from `examples`.
    pub(super) fn fit(&self, mut examples: Examples) -> Result<Fitted, FitError> {
        self.check()?;
        examples.check()?;
        let scaling = Scaling::standardise(&mut examples.features, examples.width);
        let start = starting_point(self.seed, CLASSES * (examples.width + 1));
        let problem = Objective { examples: &examples, l2: self.l2, scale: 1.0 / examples.total_weight() };
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY)
            .with_tolerance_grad(self.tolerance)
            .and_then(|solver| solver.with_tolerance_cost(0.0))
            .map_err(|error| FitError::NotConverged(error.to_string()))?;
        let outcome = Executor::new(problem, solver)
            .configure(|state| state.param(start).max_iters(self.max_iterations))
            .run()
            .map_err(|error| FitError::NotConverged(error.to_string()))?;
        let state = outcome.state();
        let converged = TerminationStatus::Terminated(TerminationReason::SolverConverged);
        let Some(best) = state.get_best_param().filter(|_| *state.get_termination_status() == converged) else {
            return Err(FitError::NotConverged(state.get_termination_status().to_string()));
        };
        let (weight, bias) = scaling.fold(best, examples.width);
        Ok(Fitted { weight, bias, loss: state.get_best_cost(), iterations: state.get_iter() })
    }

    /// Names the first faulty setting.
    pub(super) fn check(&self) -> Result<(), FitError> {
        let fault = |name, found, wanted| Err(FitError::Setting { name, found, wanted });
        if !(self.l2.is_finite() && self.l2 >= 0.0) {
            return fault("l2", self.l2, "a number of at least 0");
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            return fault("tolerance", self.tolerance, "a number above 0");
        }
        if self.max_iterations == 0 {
            return fault("max_iterations", 0.0, "at least 1");
        }
        Ok(())
    }
}

impl Examples {
    fn check(&self) -> Result<(), FitError> {
        let (rows, wanted) = (self.targets.len(), self.targets.len() * self.width);
        if self.width == 0 || self.features.len() != wanted {
            return Err(FitError::Shape { features: self.features.len(), rows, width: self.width, wanted });
        }
        let weighty = self.targets.iter().all(|target| target.weight.is_finite() && target.weight >= 0.0);
        if !weighty || !self.features.iter().all(|value| value.is_finite()) {
            return Err(FitError::NotFinite);
        }
        let taught = Classes::of(self.targets.iter().filter(|target| target.weight > 0.0).map(|target| target.label));
        match Label::ALL.into_iter().find(|label| !taught.contains(*label)) {
            Some(label) => Err(FitError::NoRow(label.as_str())),
            None => Ok(()),
        }
    }

    fn total_weight(&self) -> f64 {
        self.targets.iter().map(|target| target.weight).sum()
    }
}

/// Small values from splitmix64 (Steele, Lea and Flood 2014), within 0.01 of 0.
fn starting_point(seed: u64, length: usize) -> Vec<f64> {
    let mut state = seed;
    let mut draw = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..length).map(|_| 0.01 * (2.0 * draw() - 1.0)).collect()
}

/// The function to be minimised. Parameters are `[classes, width]` weights, then one intercept a class.
struct Objective<'a> {
    examples: &'a Examples,
    l2: f64,
    /// One over the sum of the sample weights.
    scale: f64,
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

#[cfg(test)]
mod tests;
