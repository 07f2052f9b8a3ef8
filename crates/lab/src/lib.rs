//! The lab: fits heads to labelled dumps, compares ways to classify posts, evaluates and promotes models, fetches
//! checkpoints and tracks runs. It imports only `vigie_reading` and `vigie_chart`; only vigie's `cli` imports it.
//!
//! ```text
//! fit:       Recipe or QuickFit -> Dataset -> EncoderCache -> EncodedDataset -> Logistic -> temperature -> Scores >= floors? -> model directory
//! evaluate:  Dataset -> Classifier -> Evaluation (Scores, ReasonScores)
//! retrain:   corrections, base data -> encoder -> head anchored at the champion's -> RetrainReport -> model directory
//! promote:   Dataset -> challenger and champion -> PairedComparison -> model registry
//! compare:   InputDumps -> ComparisonData -> four featurizers x three estimators -> RunRecord -> Report
//!            feature:    texts -> Featurizer (TF-IDF, Word2Vec, GloVe) -> Matrix
//!            estimator:  Matrix and labels -> Estimator -> FittedEstimator -> probabilities
//! mlflow:    RunRecord -> SpooledRun -> Spool -> Tracker -> MLflow server
//! quantize:  model directory -> weights in 8 bits -> model directory, QuantizeReport
//! hub:       repository of the Hugging Face Hub -> model directory
//! ```

mod calibration;
pub mod compare;
mod cross_validation;
mod dataset;
mod encoder_cache;
pub mod estimator;
mod evaluate;
pub mod feature;
mod fit;
pub mod hub;
mod label_set;
mod logistic;
mod manifest_metrics;
pub mod matrix;
pub mod mlflow;
mod model_dir;
mod paired_comparison;
mod quantize;
mod quick_fit;
mod reason_scores;
mod recipe;
pub mod retrain;
pub mod run_record;
mod score;
mod split;
mod standard_scaler;
mod temperature;

use std::path::PathBuf;

use vigie_reading::classify::{ClassifyError, ModelError};

pub use calibration::{Bin, Reliability};
pub use dataset::{Dataset, DatasetError, LabelledPost, Subset};
pub use estimator::{Estimator, EstimatorError};
pub use evaluate::{Evaluation, evaluate};
pub use fit::{FitPaths, fit, fit_run_record};
pub use logistic::FitError;
pub use paired_comparison::PairedComparison;
pub use quantize::{QuantizeReport, quantize};
pub use quick_fit::QuickFit;
pub use reason_scores::ReasonScores;
pub use recipe::{Measure, Penalty, Recipe, RecipeError};
pub use score::{ClassScores, Curve, CurvePoint, Scores};
pub use split::Split;

/// Why the lab produced no model or no scores. Each message is one line.
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
        "{found} reasons occur at least {min_rows} times in the training rows; expected two or more: set `reasons = true` on a [[train]] whose dump has a reason column, or lower reason.min_rows"
    )]
    NoReasons { found: usize, min_rows: usize },
    #[error("{} has no manifest.json: only a fitted model can be retrained", path.display())]
    NoManifest { path: PathBuf },
    #[error(
        "no correction to learn from: {given} usable, {withheld} of posts from X left out; correct labels in the console or with `vigie feedback`, or allow posts from X (retrain.with_x, --with-x) if your agreement with X does"
    )]
    NoCorrections { given: usize, withheld: usize },
    #[error("no labelled post to evaluate on")]
    NothingToEvaluate,
    #[error("no model was written because these floors of the recipe were missed: {}", .0.join(", "))]
    Floors(Vec<String>),
    #[error("{} holds {found}, which is not part of a model: name a new directory, or one that holds a model to replace", path.display())]
    NotAModel { path: PathBuf, found: String },
}
