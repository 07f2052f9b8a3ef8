//! What a manifest says of a fit: [`Training`], what the head was fitted to, and [`Metrics`], what it reaches.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::logistic::Fitted;
use super::recipe::{Fit, Measure, Recipe, Train};
use super::{Dataset, Scores};
use crate::classify::Label;

/// `metrics` in the manifest, by the name of the evaluation.
#[derive(Debug, Serialize)]
pub(super) struct Metrics<'a> {
    pub(super) path: &'a Path,
    pub(super) last: Option<f64>,
    pub(super) sha256: String,
    pub(super) measure: Measure,
    pub(super) floor: f64,
    #[serde(flatten)]
    pub(super) scores: Scores,
}

/// `training` in the manifest.
#[derive(Debug, Serialize)]
pub(super) struct Training<'a> {
    fit: Fit,
    iterations: u64,
    loss: f64,
    datasets: Vec<Trained<'a>>,
}

#[derive(Debug, Serialize)]
struct Trained<'a> {
    path: &'a Path,
    source: &'a str,
    sha256: &'a str,
    first: Option<f64>,
    weight: f64,
    balance: f64,
    rows: usize,
    classes: BTreeMap<Label, usize>,
    /// Rows of the dump that could not be read or carry no label.
    rejected: u64,
    /// Rows left out because an evaluation holds the same text.
    dropped_as_held_out: usize,
}

impl<'a> Training<'a> {
    pub(super) fn of(recipe: &'a Recipe, train: &'a [Dataset], dropped: &[usize], fitted: &Fitted) -> Self {
        let rows = recipe.train.iter().zip(train).zip(dropped);
        let datasets = rows.map(|((Train { path, first, weight, balance, source }, dataset), dropped)| {
            let mut classes = BTreeMap::new();
            for label in dataset.labels() {
                *classes.entry(label).or_default() += 1;
            }
            Trained {
                path,
                source,
                sha256: &dataset.sha256,
                first: *first,
                weight: *weight,
                balance: *balance,
                rows: dataset.posts.len(),
                classes,
                rejected: dataset.rejected,
                dropped_as_held_out: *dropped,
            }
        });
        Self { fit: recipe.fit, iterations: fitted.iterations, loss: fitted.loss, datasets: datasets.collect() }
    }
}

pub(super) fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("string keys and plain numbers: nothing JSON lacks")
}
