//! [`ModelView`]: the model in use, as its manifest describes it. For the page and for the API.

use serde::Serialize;
use utoipa::ToSchema;

use crate::classify::Manifest;

/// What was measured on one data set.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct Score {
    pub(super) name: String,
    pub(super) posts: Option<u64>,
    pub(super) accuracy: Option<f64>,
    pub(super) macro_f1: Option<f64>,
    /// How far the stated probability is from the share that is right, on average.
    pub(super) calibration_error: Option<f64>,
}

/// The model in use.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct ModelView {
    pub(super) id: String,
    pub(super) directory: String,
    pub(super) encoder: String,
    pub(super) licence: String,
    pub(super) scores: Vec<Score>,
    /// Why its manifest is not shown.
    pub(super) problem: Option<String>,
}

impl ModelView {
    /// What the manifest in `directory` says.
    pub(super) fn read(id: &str, directory: &std::path::Path) -> Self {
        let shown = directory.display().to_string();
        let problem = |problem: String| Self {
            id: id.to_owned(),
            directory: shown.clone(),
            problem: Some(problem),
            ..Self::default()
        };
        match Manifest::read(directory) {
            Ok(Some(manifest)) => Self {
                id: id.to_owned(),
                directory: shown.clone(),
                encoder: manifest.encoder.name,
                licence: manifest.encoder.licence,
                scores: scores(&manifest.metrics),
                problem: None,
            },
            Ok(None) => problem(format!("{shown} has no manifest: nothing was recorded of how the model was made")),
            Err(error) => problem(error.to_string()),
        }
    }
}

/// The figures in the lab's format: by data set.
fn scores(metrics: &serde_json::Value) -> Vec<Score> {
    let sets = metrics.as_object().into_iter().flatten().filter(|(_, set)| set.is_object());
    sets.map(|(name, set)| Score {
        name: name.replace('_', " "),
        posts: set["posts"].as_u64(),
        accuracy: set["accuracy"].as_f64(),
        macro_f1: set["macro_f1"].as_f64(),
        calibration_error: set["expected_calibration_error"].as_f64(),
    })
    .collect()
}
