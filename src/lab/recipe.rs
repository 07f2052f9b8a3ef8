//! [`Recipe`]: what `vigie lab fit` learns from, how, and what the result must reach. A TOML file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Part, Scores};
use crate::classify::{Origin, Pooling};
use crate::text::Profile;

/// A recipe. Paths are relative to the data directory.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The model's name in its manifest.
    pub name: String,
    /// Where the encoder comes from, for the manifest.
    pub encoder: Origin,
    pub text_profile: Profile,
    pub pooling: Pooling,
    /// Where texts are cut, special tokens counted.
    pub max_tokens: usize,
    pub fit: Fit,
    pub train: Vec<Train>,
    #[serde(default)]
    pub evaluate: Vec<Evaluate>,
}

/// Settings of the logistic regression; [`Logistic`](super::logistic::Logistic) says what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    pub seed: u64,
    pub l2: f64,
    pub max_iterations: u64,
    pub tolerance: f64,
}

/// A dump to learn from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Train {
    pub path: PathBuf,
    /// Only this share of the posts, the earliest; in (0, 1). All where unset.
    pub first: Option<f64>,
    /// How much its rows count, on average; above 0.
    #[serde(default = "one")]
    pub weight: f64,
    /// How far its classes are evened out, from 0 (each row counts the same) to 1 (each class does): a row of a class
    /// that makes the share `p` of `k` classes counts `(1 / (k p))^balance`, scaled to the mean `weight`.
    #[serde(default)]
    pub balance: f64,
    /// Origin and licence, for the manifest.
    pub source: String,
}

/// A dump, not learnt from, to judge by.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluate {
    pub name: String,
    pub path: PathBuf,
    /// Only this share of the posts, the latest; in (0, 1). All where unset.
    pub last: Option<f64>,
    pub measure: Measure,
    /// The least `measure` with which the model may be written.
    pub floor: f64,
}

impl Train {
    pub(super) fn part(&self) -> Part {
        self.first.map_or(Part::All, Part::First)
    }
}

impl Evaluate {
    pub(super) fn part(&self) -> Part {
        self.last.map_or(Part::All, Part::Last)
    }
}

/// A score that can have a floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    Accuracy,
    MacroF1,
    MacroRecall,
}

impl Measure {
    pub fn of(self, scores: &Scores) -> f64 {
        match self {
            Self::Accuracy => scores.accuracy,
            Self::MacroF1 => scores.macro_f1,
            Self::MacroRecall => scores.macro_recall,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MacroF1 => "macro_f1",
            Self::MacroRecall => "macro_recall",
        }
    }
}

/// Why a recipe cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: std::io::Error },
    #[error("{}: not a recipe: {reason}; models/recipe/default.toml is one", path.display())]
    Syntax { path: PathBuf, reason: String },
    #[error("{}: {field} is {found}; wanted {wanted}", path.display())]
    Field { path: PathBuf, field: String, found: String, wanted: &'static str },
}

fn one() -> f64 {
    1.0
}

impl Recipe {
    /// Reads and checks a recipe.
    pub fn read(path: &Path) -> Result<Self, RecipeError> {
        let text =
            std::fs::read_to_string(path).map_err(|cause| RecipeError::Io { path: path.to_path_buf(), cause })?;
        Self::parse(path, &text)
    }

    /// `path` is for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Self, RecipeError> {
        let recipe: Self = toml::from_str(text).map_err(|error| RecipeError::Syntax {
            path: path.to_path_buf(),
            reason: error.to_string().trim_end().replace('\n', " "),
        })?;
        match recipe.fault() {
            None => Ok(recipe),
            Some((field, found, wanted)) => Err(RecipeError::Field { path: path.to_path_buf(), field, found, wanted }),
        }
    }

    /// The first faulty field, what it holds and what was wanted.
    fn fault(&self) -> Option<(String, String, &'static str)> {
        const SHARE: &str = "a share between 0 and 1, such as 0.8";
        let is_share = |share: f64| share > 0.0 && share < 1.0;
        if self.train.is_empty() {
            return Some(("train".into(), "empty".into(), "at least one [[train]] with a path"));
        }
        for (index, train) in self.train.iter().enumerate() {
            let field = |name: &str| format!("train[{index}].{name}");
            if let Some(first) = train.first.filter(|first| !is_share(*first)) {
                return Some((field("first"), first.to_string(), SHARE));
            }
            if !(train.weight.is_finite() && train.weight > 0.0) {
                return Some((field("weight"), train.weight.to_string(), "a number above 0"));
            }
            if !(0.0..=1.0).contains(&train.balance) {
                return Some((field("balance"), train.balance.to_string(), "a number from 0 to 1"));
            }
        }
        for (index, evaluate) in self.evaluate.iter().enumerate() {
            let field = |name: &str| format!("evaluate[{index}].{name}");
            if let Some(last) = evaluate.last.filter(|last| !is_share(*last)) {
                return Some((field("last"), last.to_string(), SHARE));
            }
            if !(0.0..=1.0).contains(&evaluate.floor) {
                return Some((field("floor"), evaluate.floor.to_string(), "a score from 0 to 1"));
            }
            if self.evaluate.iter().take(index).any(|earlier| earlier.name == evaluate.name) {
                return Some((field("name"), evaluate.name.clone(), "a name that no other [[evaluate]] has"));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: &str = r#"
        name = "tiny"
        text_profile = "transformer"
        pooling = "mean"
        max_tokens = 64
        encoder = { name = "tiny", origin = "made by hand", licence = "MIT" }
        fit = { seed = 1, l2 = 0.1, max_iterations = 100, tolerance = 1e-6 }
        [[train]]
        path = "a.csv"
        first = FIRST
        weight = WEIGHT
        balance = BALANCE
        source = "made by hand"
        [[evaluate]]
        name = "a"
        path = "a.csv"
        last = LAST
        measure = "macro_f1"
        floor = FLOOR
    "#;

    fn parse(values: [&str; 5]) -> Result<Recipe, String> {
        let names = ["FIRST", "WEIGHT", "BALANCE", "LAST", "FLOOR"];
        let text = names.iter().zip(values).fold(RECIPE.to_owned(), |text, (name, value)| text.replace(name, value));
        Recipe::parse(Path::new("r.toml"), &text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_recipe_is_read() {
        let recipe = parse(["0.8", "2", "1", "0.2", "0.5"]).unwrap();
        assert_eq!((recipe.train[0].first, recipe.train[0].weight), (Some(0.8), 2.0));
        assert_eq!((recipe.evaluate[0].measure, recipe.evaluate[0].floor), (Measure::MacroF1, 0.5));
    }

    #[test]
    fn each_fault_is_named() {
        for (values, wanted) in [
            (["1.0", "1", "0", "0.2", "0"], "r.toml: train[0].first is 1; wanted a share"),
            (["0.8", "0", "0", "0.2", "0"], "train[0].weight is 0; wanted a number above 0"),
            (["0.8", "1", "2", "0.2", "0"], "train[0].balance is 2; wanted a number from 0 to 1"),
            (["0.8", "1", "0", "-0.2", "0"], "evaluate[0].last is -0.2; wanted a share"),
            (["0.8", "1", "0", "0.2", "63"], "evaluate[0].floor is 63; wanted a score from 0 to 1"),
            (["0.8\nfrist = 1", "1", "0", "0.2", "0"], "unknown field `frist`"),
        ] {
            let message = parse(values).unwrap_err();
            assert!(message.contains(wanted) && !message.contains('\n'), "{message:?} should say {wanted:?}");
        }
    }

    #[test]
    fn the_shipped_recipe_is_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/recipe/default.toml");
        let recipe = Recipe::read(&path).unwrap();
        assert_eq!(recipe.name, "default");
        assert_eq!(recipe.evaluate.len(), 3, "the issue sets three floors");
    }
}
