//! The settings of a recipe beside its dumps: [`Fit`], [`Calibrate`] and [`ReasonFit`], each with its defaults.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Settings of the logistic regression; `logistic` says what they mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// `fit`, or `keep`: the encoder's directory has a head that was trained with it.
    #[serde(default)]
    pub head: HeadSource,
    pub seed: u64,
    /// A number, a grid of numbers to choose from by cross-validation, or `"cv"` for the usual grid.
    pub l2: Penalty,
    pub max_iterations: u64,
    pub tolerance: f64,
    /// Parts of a cross-validation; at least 2. Equal texts are in the same part.
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

/// The l2 of a fit.
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

    /// What there is to choose from.
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

    pub(super) fn is_faulty(&self) -> bool {
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
        penalty.filter(|penalty| !penalty.is_faulty()).ok_or_else(|| "wanted `cv` or a number of at least 0".to_owned())
    }
}

/// Which rows fit the temperature: no head is fitted to them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibrate {
    /// Of each dump, by the sha256 of the text in small letters: its first 32 bits, as a share of 2^32, lie below.
    pub share: f64,
    /// The dumps that the temperature of the labels is fitted on, by their path, each weighing the same; all where empty.
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
    /// A reason that is given less often is not learnt.
    #[serde(default = "twenty")]
    pub least_rows: usize,
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
