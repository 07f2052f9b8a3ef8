//! The settings of a recipe other than its dumps: [`Fit`], [`Calibrate`] and [`ReasonFit`], each with its defaults.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Settings of the logistic regression; `logistic` explains them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// `fit`, or `keep` the head in the encoder's directory, which was trained with the encoder.
    #[serde(default)]
    pub head: HeadSource,
    pub seed: u64,
    /// A number, a grid of numbers to choose from by cross-validation, or `"cv"` for the usual grid.
    pub l2: Penalty,
    pub max_iterations: u64,
    pub tolerance: f64,
    /// Folds of a cross-validation; at least 2. Equal texts are in the same fold.
    #[serde(default = "five")]
    pub folds: usize,
}

/// Where the label head comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadSource {
    #[default]
    Fit,
    Keep,
}

/// The L2 penalty of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Penalty {
    Fixed(f64),
    Grid(Vec<f64>),
    Named(PenaltyName),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PenaltyName {
    /// Chosen by cross-validation from `USUAL_GRID`.
    Cv,
}

/// What `l2 = "cv"` tries.
const USUAL_GRID: [f64; 6] = [1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1];

impl Penalty {
    pub const CV: Self = Self::Named(PenaltyName::Cv);

    /// The values to choose from.
    pub fn grid(&self) -> Option<Vec<f64>> {
        match self {
            Self::Fixed(_) => None,
            Self::Grid(grid) => Some(grid.clone()),
            Self::Named(PenaltyName::Cv) => Some(USUAL_GRID.to_vec()),
        }
    }

    pub fn fixed(&self) -> Option<f64> {
        match self {
            Self::Fixed(l2) => Some(*l2),
            _ => None,
        }
    }

    pub(super) fn is_invalid(&self) -> bool {
        let values = self.grid().unwrap_or_else(|| self.fixed().into_iter().collect());
        values.is_empty() || values.iter().any(|l2| !(l2.is_finite() && *l2 >= 0.0))
    }
}

/// Reads `cv` or a number, as on a command line.
impl FromStr for Penalty {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let penalty = match word {
            "cv" => Some(Self::CV),
            number => number.parse().ok().map(Self::Fixed),
        };
        penalty
            .filter(|penalty| !penalty.is_invalid())
            .ok_or_else(|| "expected `cv` or a number of at least 0".to_owned())
    }
}

/// Which rows fit the temperature; no head is fitted to them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibrate {
    /// Share of each dump: rows whose text, lower-cased, has a SHA-256 whose first 32 bits are below this share of
    /// 2^32.
    pub share: f64,
    /// Paths of the dumps that fit the temperature of the labels, each weighing the same; all dumps if empty.
    #[serde(default)]
    pub on: Vec<PathBuf>,
}

/// Settings of the reason head; seed, iterations, tolerance and folds are those of [`Fit`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonFit {
    #[serde(default = "cv")]
    pub l2: Penalty,
    /// As [`Train::balance`](super::Train::balance), over the reasons.
    #[serde(default = "half")]
    pub balance: f64,
    /// Reasons that occur less often are not learned.
    #[serde(default = "twenty")]
    pub min_rows: usize,
}

fn half() -> f64 {
    0.5
}

fn five() -> usize {
    5
}

fn twenty() -> usize {
    20
}

fn cv() -> Penalty {
    Penalty::CV
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_penalty_is_read_from_a_word() {
        assert_eq!("cv".parse(), Ok(Penalty::CV));
        assert_eq!("1e-3".parse(), Ok(Penalty::Fixed(1e-3)));
        assert!("-1".parse::<Penalty>().is_err() && "auto".parse::<Penalty>().is_err());
    }
}
