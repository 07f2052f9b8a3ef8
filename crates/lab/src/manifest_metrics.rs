//! What a manifest records of a fit: [`TrainingRecord`], what the heads were fitted to, and [`EvaluationRecord`], what
//! they reach.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::cross_validation::CrossValidation;
use super::recipe::{Evaluate, Fit, Train};
use super::{ReasonScores, Scores};
use vigie_reading::classify::Label;

/// One entry of `metrics` in the manifest.
#[derive(Debug, Serialize)]
pub(super) struct EvaluationRecord<'a> {
    #[serde(flatten)]
    pub(super) evaluate: &'a Evaluate,
    pub(super) sha256: String,
    #[serde(flatten)]
    pub(super) scores: Scores,
    /// Of the reason head, if the rows have reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasons: Option<ReasonScores>,
}

/// `training` in the manifest.
#[derive(Debug, Serialize)]
pub(super) struct TrainingRecord<'a> {
    pub(super) fit: &'a Fit,
    #[serde(flatten)]
    pub(super) head: HeadRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<ReasonRecord>,
    pub(super) datasets: Vec<TrainingDataset<'a>>,
}

/// How a head was made. An existing head has only its calibration.
#[derive(Debug, Serialize)]
pub(super) struct HeadRecord {
    /// As used, fixed or chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) l2: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cross_validation: Option<CrossValidation>,
    /// Rows that it was fitted to.
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
    pub(super) fn existing() -> Self {
        Self { l2: None, cross_validation: None, rows: None, iterations: None, loss: None, calibration: None }
    }
}

/// The temperature, already folded into the weights.
#[derive(Debug, Serialize)]
pub(super) struct CalibrationRecord {
    pub(super) temperature: f64,
    /// Rows that it was fitted on, per dump that has any.
    pub(super) rows: Vec<usize>,
    /// Mean over the dumps of their mean `-ln p[class]`, without and with the temperature.
    pub(super) log_loss_before: f64,
    pub(super) log_loss: f64,
}

/// How the reason head was made.
#[derive(Debug, Serialize)]
pub(super) struct ReasonRecord {
    #[serde(flatten)]
    pub(super) head: HeadRecord,
    pub(super) balance: f64,
    pub(super) min_rows: usize,
    /// Rows of each reason.
    #[serde(rename = "reasons")]
    pub(super) rows: BTreeMap<String, usize>,
}

/// A dump that heads were fitted to.
#[derive(Debug, Serialize)]
pub(super) struct TrainingDataset<'a> {
    #[serde(flatten)]
    pub(super) train: &'a Train,
    pub(super) sha256: String,
    /// Rows that heads were fitted to.
    pub(super) rows: usize,
    /// Rows per label.
    pub(super) classes: BTreeMap<Label, usize>,
    /// Rows reserved for the temperature.
    pub(super) calibration_rows: usize,
    /// Rows of the dump that could not be read or have no label.
    pub(super) rejected: u64,
    /// Rows dropped because an evaluation holds the same text.
    pub(super) dropped_as_held_out: usize,
}

pub(super) fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("string keys and plain numbers serialize to JSON")
}
