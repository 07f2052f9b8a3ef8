//! [`Heads`]: the heads of a model being fitted. Each is fitted or taken from the encoder, then calibrated, and gets a
//! record in the manifest.

use std::collections::BTreeMap;
use std::path::Path;

use super::rows;
use super::rows::{EncodedDataset, TrainingRows};
use crate::LabError;
use crate::cross_validation::{CrossValidation, choose_l2};
use crate::logistic::{FitError, Logistic};
use crate::manifest_metrics::{CalibrationRecord, HeadRecord, ReasonRecord};
use crate::recipe::{Fit, Penalty, ReasonFit, Recipe};
use crate::temperature::{Logits, best_temperature, log_loss};
use vigie_reading::classify::{Head, Label, Manifest, ReasonHead};

/// The label head and, in some models, the reason head.
pub(super) struct Heads {
    /// In the order of the head's rows.
    pub(super) labels: Vec<Label>,
    pub(super) head: Head,
    pub(super) reasons: Option<ReasonHead>,
}

impl Heads {
    /// In the order of [`Label::ALL`]; 0 for a label that the head does not have.
    pub(super) fn probabilities(&self, pooled: &[f32]) -> [f32; 3] {
        let probabilities = self.head.probabilities(pooled);
        Label::ALL.map(|label| {
            let index = self.labels.iter().position(|known| *known == label);
            index.and_then(|index| probabilities.get(index)).copied().unwrap_or_default()
        })
    }

    /// The most likely reason and its probability.
    pub(super) fn reason(&self, pooled: &[f32]) -> Option<(String, f64)> {
        let reason = self.reasons.as_ref()?.most_likely(pooled)?;
        Some((reason.name.to_string(), f64::from(reason.probability)))
    }

    /// Writes the heads into a model directory, and the names of the reasons into its manifest.
    pub(super) fn save(&self, dir: &Path, manifest: &mut Manifest) -> Result<(), LabError> {
        self.head.save(&dir.join("head.safetensors"))?;
        if let Some(reasons) = &self.reasons {
            reasons.head().save(&dir.join("reason_head.safetensors"))?;
            manifest.reasons = reasons.names().map(str::to_owned).collect();
        }
        Ok(())
    }
}

/// Fits the label head.
pub(super) fn fit_labels(
    recipe: &Recipe,
    encoded: &[EncodedDataset<'_>],
    labels: &[Label],
) -> Result<(Head, HeadRecord), LabError> {
    let rows = rows::label_training_rows(encoded, labels, recipe.fit.folds);
    let (head, record) = fit_head(&recipe.fit, &recipe.fit.l2, rows)?;
    Ok(calibrate(head, record, |head| rows::label_logits(encoded, labels, head)))
}

/// The labels of the head in the encoder's directory; without a manifest all labels in their order.
pub(super) fn existing_labels(encoder: &Path) -> Result<Vec<Label>, LabError> {
    Ok(Manifest::read(encoder)?.map_or_else(|| Label::ALL.to_vec(), |manifest| manifest.labels))
}

/// Takes the label head that the encoder was trained with.
pub(super) fn existing_label_head(
    encoded: &[EncodedDataset<'_>],
    labels: &[Label],
    encoder: &Path,
) -> Result<(Head, HeadRecord), LabError> {
    let head = Head::from_model_dir(encoder, labels)?;
    Ok(calibrate(head, HeadRecord::existing(), |head| rows::label_logits(encoded, labels, head)))
}

/// Fits the reason head to every reason that occurs often enough.
pub(super) fn fit_reasons(
    recipe: &Recipe,
    settings: &ReasonFit,
    encoded: &[EncodedDataset<'_>],
) -> Result<(ReasonHead, ReasonRecord), LabError> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for reason in rows::reason_names(encoded) {
        *counts.entry(reason.to_owned()).or_default() += 1;
    }
    counts.retain(|_, rows| *rows >= settings.min_rows);
    let names: Vec<String> = counts.keys().cloned().collect();
    if names.len() < 2 {
        return Err(LabError::NoReasons { found: names.len(), min_rows: settings.min_rows });
    }
    let rows = rows::reason_training_rows(encoded, &names, settings.balance, recipe.fit.folds);
    let (head, record) = fit_head(&recipe.fit, &settings.l2, rows)?;
    let (head, record) = calibrate(head, record, |head| rows::reason_logits(encoded, &names, head));
    let record = ReasonRecord { head: record, balance: settings.balance, min_rows: settings.min_rows, rows: counts };
    Ok((ReasonHead::new(head, names), record))
}

/// The reason head of the encoder's directory, if it has one for exactly the vectors that `manifest` describes.
pub(super) fn existing_reasons(manifest: &Manifest, encoder: &Path) -> Result<Option<ReasonHead>, LabError> {
    let Some(old) = Manifest::read(encoder)? else { return Ok(None) };
    let vector_settings = |manifest: &Manifest| (manifest.pooling, manifest.max_tokens, manifest.text_profile);
    let same = vector_settings(&old) == vector_settings(manifest);
    Ok(if same && !old.reasons.is_empty() { Some(ReasonHead::from_model_dir(encoder, &old.reasons)?) } else { None })
}

fn fit_head(
    settings: &Fit,
    l2: &Penalty,
    TrainingRows { examples, folds }: TrainingRows,
) -> Result<(Head, HeadRecord), LabError> {
    let (l2, cross_validation): (f64, Option<CrossValidation>) = match l2.grid() {
        None => (l2.fixed().unwrap_or_default(), None),
        Some(grid) => {
            let tried = choose_l2(&Logistic::from_settings(settings, 0.0), &grid, &examples, &folds, settings.folds)?;
            let best = tried.best().ok_or_else(|| FitError::NotConverged("with no l2 of the grid".to_owned()))?;
            (best, Some(tried))
        }
    };
    let rows = examples.targets.len();
    let fitted = Logistic::from_settings(settings, l2).fit(examples)?;
    let head = Head::new(fitted.weight, fitted.bias)?;
    let (iterations, loss) = (Some(fitted.iterations), Some(fitted.loss));
    Ok((head, HeadRecord { l2: Some(l2), cross_validation, rows: Some(rows), iterations, loss, calibration: None }))
}

/// Divides the head by the temperature that its logits ask for; unchanged if no row was reserved for that.
fn calibrate(head: Head, record: HeadRecord, logits: impl Fn(&Head) -> Vec<Logits>) -> (Head, HeadRecord) {
    let sets = logits(&head);
    if sets.is_empty() {
        return (head, record);
    }
    let temperature = best_temperature(&sets);
    let calibration = CalibrationRecord {
        temperature,
        rows: sets.iter().map(|set| set.targets.len()).collect(),
        log_loss_before: log_loss(&sets, 1.0),
        log_loss: log_loss(&sets, temperature),
    };
    (head.with_temperature(temperature), HeadRecord { calibration: Some(calibration), ..record })
}
