//! The lab: fits the head of a model to labelled dumps, judges models on labelled dumps, and draws streams from
//! them. Only `cli` imports it.
//!
//! ```text
//! fit:       Recipe -> Dataset (source, text) -> Features (encoder) -> Logistic -> Scores >= floors? -> model directory
//! evaluate:  Dataset -> Classifier -> Scores
//! simulate:  dump -> Habits -> Flow -> Posts
//! ```

mod classes;
mod dataset;
mod evaluate;
mod features;
mod fit;
mod logistic;
mod model_dir;
mod recipe;
mod record;
mod scaling;
mod score;
pub mod simulate;

use std::path::PathBuf;

use crate::classify::{ClassifyError, ModelError};

pub use dataset::{Dataset, DatasetError, Labelled, Part};
pub use evaluate::{Evaluation, evaluate};
pub use fit::{Places, fit};
pub use logistic::FitError;
pub use recipe::{Recipe, RecipeError};
pub use score::{ClassScores, Scores};

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
    Fit(#[from] FitError),
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: std::io::Error },
    #[error("no labelled post to judge by")]
    NothingToJudge,
    #[error("no model was written, as the recipe's floors were missed: {}", .0.join(", "))]
    Floors(Vec<String>),
    #[error("{} holds {found}, which is no part of a model: name a new directory, or one that holds a model to replace", path.display())]
    NotAModel { path: PathBuf, found: String },
}
