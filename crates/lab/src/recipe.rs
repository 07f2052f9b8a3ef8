//! [`Recipe`]: what `vigie lab fit` learns from, how, and which scores the result must reach. A TOML file.

mod settings;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use settings::Penalty;
pub(super) use settings::{Calibrate, Fit, HeadSource, ReasonFit};

use super::{Scores, Subset};
use vigie_reading::classify::{Origin, Pooling};
use vigie_reading::dump::ReadOptions;
use vigie_reading::text::Profile;

/// A recipe. Paths are relative to the data directory.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The model's name in its manifest.
    pub name: String,
    /// Origin of the encoder, for the manifest.
    pub encoder: Origin,
    pub text_profile: Profile,
    pub pooling: Pooling,
    /// Texts are cut at this length, special tokens included.
    pub max_tokens: usize,
    /// Layout of the dumps, as in a configuration's `[dump]`; detected where unset.
    #[serde(default)]
    pub dump: ReadOptions,
    pub fit: Fit,
    /// Which rows calibrate the probabilities; none if unset.
    pub calibrate: Option<Calibrate>,
    /// A second head, for reasons, fitted to every `[[train]]` with `reasons = true`. If unset, the encoder's reason
    /// head is kept.
    pub reason: Option<ReasonFit>,
    pub train: Vec<Train>,
    #[serde(default)]
    pub evaluate: Vec<Evaluate>,
}

/// A dump to learn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Train {
    pub path: PathBuf,
    /// Only this earliest share of the posts; in (0, 1). All if unset.
    pub first: Option<f64>,
    /// All but this share of the posts, drawn by text; in (0, 1). All if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsampled: Option<f64>,
    /// Mean weight of its rows; above 0.
    #[serde(default = "one")]
    pub weight: f64,
    /// How far its classes are balanced, from 0 (each row weighs the same) to 1 (each class does): a row of a class
    /// with the share `p` among `k` classes weighs `(1 / (k p))^balance`, scaled to the mean `weight`.
    #[serde(default)]
    pub balance: f64,
    /// The share that fits the temperature, instead of [`Calibrate::share`]; in `[0, 1]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibrate: Option<f64>,
    /// Whether the reason head learns from its reasons.
    #[serde(default, skip_serializing_if = "is_false")]
    pub reasons: bool,
    /// Origin and licence, for the manifest.
    pub source: String,
}

/// A dump to evaluate on; its rows are not learned from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluate {
    #[serde(skip_serializing)]
    pub name: String,
    pub path: PathBuf,
    /// Only this latest share of the posts; in (0, 1). All if unset.
    pub last: Option<f64>,
    /// Only this share of the posts, drawn by text; in (0, 1). All if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampled: Option<f64>,
    pub measure: Measure,
    /// The lowest `measure` with which the model may be written.
    pub floor: f64,
    /// The lowest macro F1 of the reason head, on the negative posts with a known reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_floor: Option<f64>,
}

impl Train {
    pub(super) fn subset(&self) -> Subset {
        self.first.map(Subset::First).or(self.unsampled.map(Subset::Unsampled)).unwrap_or(Subset::All)
    }
}

impl Evaluate {
    pub(super) fn subset(&self) -> Subset {
        self.last.map(Subset::Last).or(self.sampled.map(Subset::Sampled)).unwrap_or(Subset::All)
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
    pub fn value(self, scores: &Scores) -> f64 {
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

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: std::io::Error },
    #[error("{}: not a recipe: {reason}; see models/recipe/default.toml for an example", path.display())]
    Syntax { path: PathBuf, reason: String },
    #[error("{}: {field} is {found}; expected {expected}", path.display())]
    Field { path: PathBuf, field: String, found: String, expected: &'static str },
}

fn one() -> f64 {
    1.0
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Recipe {
    /// Reads and checks a recipe.
    pub fn read(path: &Path) -> Result<Self, RecipeError> {
        let text =
            std::fs::read_to_string(path).map_err(|cause| RecipeError::Io { path: path.to_path_buf(), cause })?;
        Self::parse(path, &text)
    }

    /// Parses and checks a recipe; `path` is for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Self, RecipeError> {
        let recipe: Self = toml::from_str(text).map_err(|error| RecipeError::Syntax {
            path: path.to_path_buf(),
            reason: error.to_string().trim_end().replace('\n', " "),
        })?;
        match recipe.first_problem() {
            None => Ok(recipe),
            Some((field, found, expected)) => {
                Err(RecipeError::Field { path: path.to_path_buf(), field, found, expected })
            }
        }
    }

    /// Share of the rows of `train` that fit the temperature.
    pub(super) fn calibration_share(&self, train: &Train) -> f64 {
        train.calibrate.or(self.calibrate.as_ref().map(|calibrate| calibrate.share)).unwrap_or(0.0)
    }

    /// Whether the temperature of the labels is fitted on `train`.
    pub(super) fn calibrates_on(&self, train: &Train) -> bool {
        let on = self.calibrate.as_ref().map(|calibrate| &calibrate.on).filter(|on| !on.is_empty());
        on.is_none_or(|on| on.contains(&train.path))
    }

    /// The first invalid field, its value and what was expected.
    fn first_problem(&self) -> Option<(String, String, &'static str)> {
        const SHARE: &str = "a share between 0 and 1, such as 0.8";
        let is_share = |share: f64| share > 0.0 && share < 1.0;
        if self.train.is_empty() {
            return Some(("train".into(), "empty".into(), "at least one [[train]] with a path"));
        }
        if let Some(problem) = self.settings_problem() {
            return Some(problem);
        }
        for (index, train) in self.train.iter().enumerate() {
            let field = |name: &str| format!("train[{index}].{name}");
            if let Some(first) = train.first.filter(|first| !is_share(*first)) {
                return Some((field("first"), first.to_string(), SHARE));
            }
            if let Some(share) = train.unsampled.filter(|share| !is_share(*share)) {
                return Some((field("unsampled"), share.to_string(), SHARE));
            }
            if let Some(share) = train.calibrate.filter(|share| !(0.0..=1.0).contains(share)) {
                return Some((field("calibrate"), share.to_string(), "a share from 0 to 1"));
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
            if let Some(share) = evaluate.sampled.filter(|share| !is_share(*share)) {
                return Some((field("sampled"), share.to_string(), SHARE));
            }
            if let Some(floor) = evaluate.reason_floor.filter(|floor| !(0.0..=1.0).contains(floor)) {
                return Some((field("reason_floor"), floor.to_string(), "a score from 0 to 1"));
            }
            if !(0.0..=1.0).contains(&evaluate.floor) {
                return Some((field("floor"), evaluate.floor.to_string(), "a score from 0 to 1"));
            }
            if self.evaluate.iter().take(index).any(|earlier| earlier.name == evaluate.name) {
                return Some((field("name"), evaluate.name.clone(), "a unique name"));
            }
        }
        None
    }

    /// Of `[fit]`, `[calibrate]` and `[reason]`.
    fn settings_problem(&self) -> Option<(String, String, &'static str)> {
        const L2: &str = "a number of at least 0, numbers to choose from, or \"cv\"";
        if self.fit.l2.is_invalid() {
            return Some(("fit.l2".into(), format!("{:?}", self.fit.l2), L2));
        }
        if self.fit.folds < 2 {
            return Some(("fit.folds".into(), self.fit.folds.to_string(), "at least 2"));
        }
        if let Some(Calibrate { share, on }) = &self.calibrate {
            if !(0.0..1.0).contains(share) {
                return Some(("calibrate.share".into(), share.to_string(), "a share such as 0.05"));
            }
            if let Some(path) = on.iter().find(|path| self.train.iter().all(|train| train.path != **path)) {
                return Some(("calibrate.on".into(), path.display().to_string(), "the path of a [[train]]"));
            }
        }
        if let Some(reason) = &self.reason {
            if reason.l2.is_invalid() {
                return Some(("reason.l2".into(), format!("{:?}", reason.l2), L2));
            }
            if !(0.0..=1.0).contains(&reason.balance) {
                return Some(("reason.balance".into(), reason.balance.to_string(), "a number from 0 to 1"));
            }
            if !self.train.iter().any(|train| train.reasons) {
                return Some(("reason".into(), "set".into(), "a [[train]] with `reasons = true` to learn them from"));
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

    #[test]
    fn settings_other_than_dumps_are_read_and_checked() {
        let with = |more: &str| {
            let text = ["0.8", "2", "1", "0.2", "0.5"].iter().zip(["FIRST", "WEIGHT", "BALANCE", "LAST", "FLOOR"]);
            let text = text.fold(RECIPE.to_owned(), |text, (value, name)| text.replace(name, value));
            let text = text.replacen("[[train]]", &format!("{more}\n[[train]]\nreasons = true"), 1);
            Recipe::parse(Path::new("r.toml"), &text).map_err(|error| error.to_string())
        };
        let recipe = with("[calibrate]\nshare = 0.05\n[reason]\n").unwrap();
        assert_eq!(recipe.reason.as_ref().unwrap().l2, Penalty::CV);
        assert!((recipe.calibration_share(&recipe.train[0]) - 0.05).abs() < 1e-12);
        assert!(recipe.calibrates_on(&recipe.train[0]));
        let recipe = with("[dump]\ncolumns.text = 'body'\n[reason]\nl2 = [1e-3, 1]\n").unwrap();
        assert_eq!(recipe.reason.unwrap().l2, Penalty::Grid(vec![1e-3, 1.0]));
        for (more, expected) in [
            ("[calibrate]\nshare = 1.5", "calibrate.share is 1.5; expected a share such as 0.05"),
            ("[calibrate]\nshare = 0.1\non = ['b.csv']", "calibrate.on is b.csv; expected the path of a [[train]]"),
            ("[reason]\nl2 = -1", "reason.l2 is Fixed(-1.0); expected a number of at least 0"),
            ("[reason]\nl2 = 'best'", "not a recipe"),
            ("[reason]\nbalance = 2", "reason.balance is 2"),
        ] {
            let message = with(more).unwrap_err();
            assert!(message.contains(expected), "{message:?} should say {expected:?}");
        }
    }

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
    fn each_problem_is_named() {
        for (values, expected) in [
            (["1.0", "1", "0", "0.2", "0"], "r.toml: train[0].first is 1; expected a share"),
            (["0.8", "0", "0", "0.2", "0"], "train[0].weight is 0; expected a number above 0"),
            (["0.8", "1", "2", "0.2", "0"], "train[0].balance is 2; expected a number from 0 to 1"),
            (["0.8", "1", "0", "-0.2", "0"], "evaluate[0].last is -0.2; expected a share"),
            (["0.8", "1", "0", "0.2", "63"], "evaluate[0].floor is 63; expected a score from 0 to 1"),
            (["0.8\nfrist = 1", "1", "0", "0.2", "0"], "unknown field `frist`"),
        ] {
            let message = parse(values).unwrap_err();
            assert!(message.contains(expected) && !message.contains('\n'), "{message:?} should say {expected:?}");
        }
    }

    #[test]
    fn the_shipped_recipe_is_valid() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/recipe/default.toml");
        let recipe = Recipe::read(&path).unwrap();
        assert_eq!(recipe.name, "default");
        assert_eq!(recipe.evaluate.len(), 4, "a floor for each held-out set");
    }
}
