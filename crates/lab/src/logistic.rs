//! Multinomial logistic regression with an L2 penalty, fitted by L-BFGS: from features to the weights of a head.
//!
//! The objective is that of scikit-learn's `LogisticRegression` (penalty L2, lbfgs), divided by the sum of the sample
//! weights `s`:
//!
//! ```text
//! 1/s * sum_i weight_i * -ln softmax_among_i(V x_i + b)[label_i]  +  l2/2 * |V|^2        (C = 1 / (l2 * s))
//! ```
//!
//! `x` is standardised (the scale is folded back into the resulting weights), the intercept `b` is not penalised, and a
//! row's softmax runs over the classes that its dump uses: a dump of two classes says nothing about the third.
//!
//! The same rows and settings give the same bits, whatever the number of threads.

mod lbfgs;
mod objective;
mod rows;

pub(crate) use lbfgs::Lbfgs;
use objective::Objective;
pub(super) use rows::{FeatureRow, FeatureRows, dot};

use super::recipe::Fit;
use super::standard_scaler::StandardScaler;

/// Labels are three, reasons a dozen.
pub(super) const MAX_CLASSES: usize = 32;
/// Pairs of steps that L-BFGS remembers, as in SciPy.
const MEMORY: usize = 10;

/// FeatureRows to learn from.
#[derive(Debug, Clone, Default)]
pub(super) struct Examples {
    /// At most [`MAX_CLASSES`].
    pub classes: Vec<String>,
    /// Values per row.
    pub width: usize,
    /// Row-major, `[rows, width]`.
    pub features: Vec<f32>,
    /// One per row.
    pub targets: Vec<Target>,
}

/// The class and the weight of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Target {
    /// Its index in [`Examples::classes`].
    pub class: usize,
    /// The classes that its dump uses, one bit each.
    pub among: u32,
    /// Sample weight; not negative.
    pub weight: f64,
}

/// Settings of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Logistic {
    /// Strength of the penalty, on standardised features; at least 0.
    pub l2: f64,
    /// Draws the starting point; the optimum depends on it only within the tolerance.
    pub seed: u64,
    /// Maximum number of L-BFGS steps.
    pub max_iterations: u64,
    /// Ends the fit when the gradient's norm falls below it; above 0.
    pub tolerance: f64,
}

/// A fitted head, for features that are not standardised.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FittedHead {
    /// Row-major, `[classes, width]`; in the order of [`Examples::classes`].
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    /// Value of the objective.
    pub loss: f64,
    pub iterations: u64,
}

/// Where L-BFGS stopped.
pub(super) struct Minimum {
    /// `[classes, width]` weights, then one intercept per class.
    pub param: Vec<f64>,
    /// Value of the objective.
    pub loss: f64,
    pub iterations: u64,
    /// Converged, or why it stopped earlier.
    pub end: Result<(), String>,
}

/// Why nothing was fitted.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    #[error("{name} is {found}; expected {expected}")]
    Setting { name: &'static str, found: f64, expected: &'static str },
    #[error("no row of class {0} to learn from: add a dump that has it to the recipe")]
    NoRow(String),
    #[error("{0} classes to distinguish; expected at most {MAX_CLASSES}")]
    TooManyClasses(usize),
    #[error("{features} features for {rows} rows of {width}; expected {expected}")]
    Shape { features: usize, rows: usize, width: usize, expected: usize },
    #[error("a feature or a weight is not a finite number")]
    NotFinite,
    #[error("the fit did not converge: {0}; raise max_iterations, tolerance or l2")]
    NotConverged(String),
}

impl Logistic {
    /// With the settings of a recipe, and a fixed or chosen penalty.
    pub(super) fn from_settings(settings: &Fit, l2: f64) -> Self {
        let Fit { seed, max_iterations, tolerance, .. } = settings;
        Self { l2, seed: *seed, max_iterations: *max_iterations, tolerance: *tolerance }
    }

    /// Fits a head to `examples`.
    pub(super) fn fit(&self, mut examples: Examples) -> Result<FittedHead, FitError> {
        self.check()?;
        examples.check()?;
        let (classes, width) = (examples.classes.len(), examples.width);
        let scaling = StandardScaler::fit_transform(&mut examples.features, width);
        let rows = FeatureRows::Dense { width, values: &examples.features };
        let minimum = self.minimise(rows, &examples.targets, classes, |_, _| ());
        minimum.end.map_err(FitError::NotConverged)?;
        let (weight, bias) = scaling.fold(&minimum.param, classes, width);
        Ok(FittedHead { weight, bias, loss: minimum.loss, iterations: minimum.iterations })
    }

    /// The lowest objective found for `rows` of `classes` classes; rows are not standardised. Calls `observe` with the
    /// number and the loss of every step.
    pub(super) fn minimise(
        &self,
        rows: FeatureRows<'_>,
        targets: &[Target],
        classes: usize,
        observe: impl FnMut(u64, f64),
    ) -> Minimum {
        let start = starting_point(self.seed, classes * (rows.width() + 1));
        let total: f64 = targets.iter().map(|target| target.weight).sum();
        let problem = Objective { rows, targets, classes, l2: self.l2, scale: 1.0 / total };
        let solver = Lbfgs { memory: MEMORY, max_iterations: self.max_iterations, tolerance: self.tolerance };
        solver.minimise(start, |param| problem.value(param), observe)
    }

    /// Returns the first invalid setting.
    pub(super) fn check(&self) -> Result<(), FitError> {
        let invalid = |name, found, expected| Err(FitError::Setting { name, found, expected });
        if !(self.l2.is_finite() && self.l2 >= 0.0) {
            return invalid("l2", self.l2, "a number of at least 0");
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            return invalid("tolerance", self.tolerance, "a number above 0");
        }
        if self.max_iterations == 0 {
            return invalid("max_iterations", 0.0, "at least 1");
        }
        Ok(())
    }
}

impl Examples {
    fn check(&self) -> Result<(), FitError> {
        let (rows, expected) = (self.targets.len(), self.targets.len() * self.width);
        if self.width == 0 || self.features.len() != expected {
            return Err(FitError::Shape { features: self.features.len(), rows, width: self.width, expected });
        }
        if self.classes.len() > MAX_CLASSES {
            return Err(FitError::TooManyClasses(self.classes.len()));
        }
        let weights_valid = self.targets.iter().all(|target| target.weight.is_finite() && target.weight >= 0.0);
        if !weights_valid || !self.features.iter().all(|value| value.is_finite()) {
            return Err(FitError::NotFinite);
        }
        let has_row = |class: usize| self.targets.iter().any(|target| target.class == class && target.weight > 0.0);
        match self.classes.iter().enumerate().find(|(class, _)| !has_row(*class)) {
            Some((_, name)) => Err(FitError::NoRow(name.clone())),
            None => Ok(()),
        }
    }
}

impl Target {
    /// The classes that the row can belong to, ascending.
    pub(super) fn among(self, classes: usize) -> impl Iterator<Item = usize> {
        (0..classes).filter(move |class| (self.among >> class) & 1 == 1)
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

#[cfg(test)]
mod tests;
