//! What a manifest says of a fit: [`Training`], what the heads were fitted to, and [`Metrics`], what they reach.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::cross_validation::CrossValidation;
use super::recipe::{Evaluate, Fit, Train};
use super::{ReasonScores, Scores};
use vigie_reading::classify::Label;

/// `metrics` in the manifest, by the name of the evaluation.
#[derive(Debug, Serialize)]
pub(super) struct Metrics<'a> {
    #[serde(flatten)]
    pub(super) evaluate: &'a Evaluate,
    pub(super) sha256: String,
    #[serde(flatten)]
    pub(super) scores: Scores,
    /// Of the reason head, where the rows name reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasons: Option<ReasonScores>,
}

/// `training` in the manifest.
#[derive(Debug, Serialize)]
pub(super) struct Training<'a> {
    pub(super) fit: &'a Fit,
    #[serde(flatten)]
    pub(super) head: HeadRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<ReasonRecord>,
    pub(super) datasets: Vec<Trained<'a>>,
}

/// How a head came to be. A head that was kept has only its calibration to tell.
#[derive(Debug, Serialize)]
pub(super) struct HeadRecord {
    /// As used, be it given or chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) l2: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cross_validation: Option<CrossValidation>,
    /// Rows it was fitted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rows: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) iterations: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) calibration: Option<CalibrationRecord>,
}

impl HeadRecord {
    pub(super) fn kept() -> Self {
        Self { l2: None, cross_validation: None, rows: None, iterations: None, loss: None, calibration: None }
    }
}

/// The temperature, already folded into the weights.
#[derive(Debug, Serialize)]
pub(super) struct CalibrationRecord {
    pub(super) temperature: f64,
    /// Rows it was fitted on, of each dump that has any.
    pub(super) rows: Vec<usize>,
    /// Mean over the dumps of their mean `-ln p[class]`, without and with the temperature.
    pub(super) log_loss_before: f64,
    pub(super) log_loss: f64,
}

/// How the reason head came to be.
#[derive(Debug, Serialize)]
pub(super) struct ReasonRecord {
    #[serde(flatten)]
    pub(super) head: HeadRecord,
    pub(super) balance: f64,
    pub(super) least_rows: usize,
    /// Rows of each reason.
    #[serde(rename = "reasons")]
    pub(super) rows: BTreeMap<String, usize>,
}

/// A dump that was learnt from.
#[derive(Debug, Serialize)]
pub(super) struct Trained<'a> {
    #[serde(flatten)]
    pub(super) train: &'a Train,
    pub(super) sha256: String,
    /// Rows left to learn from.
    pub(super) rows: usize,
    pub(super) classes: BTreeMap<Label, usize>,
    /// Rows set aside for the temperature.
    pub(super) calibration_rows: usize,
    /// Rows of the dump that could not be read or carry no label.
    pub(super) rejected: u64,
    /// Rows left out because an evaluation holds the same text.
    pub(super) dropped_as_held_out: usize,
}

pub(super) fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("string keys and plain numbers: nothing JSON lacks")
}
