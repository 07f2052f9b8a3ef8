//! The lab: fits heads to labelled dumps, compares ways to read posts, judges and promotes models, fetches encoders, and
//! draws streams. Only `cli` imports it.
//!
//! ```text
//! fit:       Recipe -> Dataset (source, text) -> Features (encoder) -> Logistic -> temperature -> Scores >= floors? -> model directory
//! evaluate:  Dataset -> Classifier -> Scores
//! promote:   Dataset -> challenger, champion -> Contest -> ModelStore
//! hub:       repository of the Hugging Face hub -> model directory
//! compare:   Dumps -> Data -> four embeddings x three estimators -> Scores -> Report
//! estimator: Matrix, labels -> Estimator -> Fitted -> probabilities
//! mlflow:    RunRecord -> Spool -> Tracker -> server
//! simulate:  dump -> Habits -> Flow -> Posts
//! ```

mod calibration;
mod classes;
pub mod compare;
mod cross_validation;
mod dataset;
mod encoder_cache;
pub mod estimator;
mod evaluate;
pub mod feature;
mod fit;
pub mod hub;
mod logistic;
mod manifest_metrics;
pub mod matrix;
pub mod mlflow;
mod model_dir;
mod paired_comparison;
mod quick_fit;
mod reasons;
mod recipe;
pub mod run_record;
mod scaling;
mod score;
mod temperature;

use std::path::PathBuf;

use vigie_reading::classify::{ClassifyError, ModelError};

pub use calibration::{Bin, Reliability};
pub use dataset::{Dataset, DatasetError, Labelled, Part};
pub use estimator::{Estimator, EstimatorError};
pub use evaluate::{Evaluation, evaluate};
pub use fit::{Places, fit, run_of_fit};
pub use logistic::FitError;
pub use paired_comparison::Contest;
pub use quick_fit::{BareFit, Split};
pub use reasons::ReasonScores;
pub use recipe::{Measure, Penalty, Recipe, RecipeError};
pub use score::{ClassScores, Curve, CurvePoint, Scores, wilson};

/// Why the lab gave no model or no scores. Each message is one line.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Classify(#[from] ClassifyError),
    #[error(transparent)]
    Feature(#[from] feature::FeatureError),
    #[error(transparent)]
    Fit(#[from] FitError),
    #[error(transparent)]
    Estimator(#[from] EstimatorError),
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: std::io::Error },
    #[error(
        "{found} reasons are given at least {least} times in the rows to learn from; wanted two or more: set `reasons = true` on a [[train]] whose dump says why posts are negative, or lower reason.least_rows"
    )]
    NoReasons { found: usize, least: usize },
    #[error("no labelled post to judge by")]
    NothingToJudge,
    #[error("no model was written, as the recipe's floors were missed: {}", .0.join(", "))]
    Floors(Vec<String>),
    #[error("{} holds {found}, which is no part of a model: name a new directory, or one that holds a model to replace", path.display())]
    NotAModel { path: PathBuf, found: String },
}
