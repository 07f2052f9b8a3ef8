//! The heads of a model in the making: fitted or kept, then calibrated, each with its record for the manifest.

use std::collections::BTreeMap;
use std::path::Path;

use super::rows;
use super::rows::{Lessons, Rows};
use crate::LabError;
use crate::cross_validation::{CrossValidation, choose};
use crate::logistic::{FitError, Logistic};
use crate::manifest_metrics::{CalibrationRecord, HeadRecord, ReasonRecord};
use crate::recipe::{Fit, Penalty, ReasonFit, Recipe};
use crate::temperature::{Logits, best_temperature, log_loss};
use vigie_reading::classify::{Head, Label, Manifest, ReasonHead};

/// A head for the labels and, in some models, one for reasons.
pub(super) struct Heads {
    /// Order of the head's rows.
    pub(super) labels: Vec<Label>,
    pub(super) head: Head,
    pub(super) reasons: Option<ReasonHead>,
}

impl Heads {
    /// In the order of [`Label::ALL`]; 0 for a label that the head does not know.
    pub(super) fn probabilities(&self, pooled: &[f32]) -> [f32; 3] {
        let read = self.head.probabilities(pooled);
        Label::ALL.map(|label| {
            let place = self.labels.iter().position(|known| *known == label);
            place.and_then(|place| read.get(place)).copied().unwrap_or_default()
        })
    }

    /// The likeliest reason and its probability.
    pub(super) fn reason(&self, pooled: &[f32]) -> Option<(String, f64)> {
        let reason = self.reasons.as_ref()?.likeliest(pooled)?;
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
    encoded: &[Rows<'_>],
    labels: &[Label],
) -> Result<(Head, HeadRecord), LabError> {
    let lessons = rows::label_lessons(encoded, labels, recipe.fit.folds);
    let (head, record) = fit_head(&recipe.fit, &recipe.fit.l2, lessons)?;
    Ok(calibrated(head, record, |head| rows::label_logits(encoded, labels, head)))
}

/// The labels of the head in the encoder's directory: without a manifest all, in their order.
pub(super) fn labels_kept(encoder: &Path) -> Result<Vec<Label>, LabError> {
    Ok(Manifest::read(encoder)?.map_or_else(|| Label::ALL.to_vec(), |manifest| manifest.labels))
}

/// Takes the label head that the encoder was trained with.
pub(super) fn keep_labels(
    encoded: &[Rows<'_>],
    labels: &[Label],
    encoder: &Path,
) -> Result<(Head, HeadRecord), LabError> {
    let head = Head::of_model(encoder, labels)?;
    Ok(calibrated(head, HeadRecord::kept(), |head| rows::label_logits(encoded, labels, head)))
}

/// Fits the reason head to every reason that is given often enough.
pub(super) fn fit_reasons(
    recipe: &Recipe,
    settings: &ReasonFit,
    encoded: &[Rows<'_>],
) -> Result<(ReasonHead, ReasonRecord), LabError> {
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    for reason in rows::reasons_given(encoded) {
        *given.entry(reason.to_owned()).or_default() += 1;
    }
    given.retain(|_, rows| *rows >= settings.least_rows);
    let names: Vec<String> = given.keys().cloned().collect();
    if names.len() < 2 {
        return Err(LabError::NoReasons { found: names.len(), least: settings.least_rows });
    }
    let lessons = rows::reason_lessons(encoded, &names, settings.balance, recipe.fit.folds);
    let (head, record) = fit_head(&recipe.fit, &settings.l2, lessons)?;
    let (head, record) = calibrated(head, record, |head| rows::reason_logits(encoded, &names, head));
    let record = ReasonRecord { head: record, balance: settings.balance, least_rows: settings.least_rows, rows: given };
    Ok((ReasonHead::new(head, names), record))
}

/// The reason head of the encoder's directory, where it has one that reads the very vectors `manifest` describes.
pub(super) fn keep_reasons(manifest: &Manifest, encoder: &Path) -> Result<Option<ReasonHead>, LabError> {
    let Some(old) = Manifest::read(encoder)? else { return Ok(None) };
    let reads = |manifest: &Manifest| (manifest.pooling, manifest.max_tokens, manifest.text_profile);
    let same = reads(&old) == reads(manifest);
    Ok(if same && !old.reasons.is_empty() { Some(ReasonHead::of_model(encoder, &old.reasons)?) } else { None })
}

fn fit_head(
    settings: &Fit,
    l2: &Penalty,
    Lessons { examples, folds }: Lessons,
) -> Result<(Head, HeadRecord), LabError> {
    let (l2, cross_validation): (f64, Option<CrossValidation>) = match l2.grid() {
        None => (l2.fixed().unwrap_or_default(), None),
        Some(grid) => {
            let tried = choose(&Logistic::of(settings, 0.0), &grid, &examples, &folds, settings.folds)?;
            let best = tried.best().ok_or_else(|| FitError::NotConverged("with no l2 of the grid".to_owned()))?;
            (best, Some(tried))
        }
    };
    let rows = examples.targets.len();
    let fitted = Logistic::of(settings, l2).fit(examples)?;
    let head = Head::new(fitted.weight, fitted.bias)?;
    let (iterations, loss) = (Some(fitted.iterations), Some(fitted.loss));
    Ok((head, HeadRecord { l2: Some(l2), cross_validation, rows: Some(rows), iterations, loss, calibration: None }))
}

/// Divides the head by the temperature that its logits ask for; as it is where no row was set aside for that.
fn calibrated(head: Head, record: HeadRecord, logits: impl Fn(&Head) -> Vec<Logits>) -> (Head, HeadRecord) {
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
    (head.cooled(temperature), HeadRecord { calibration: Some(calibration), ..record })
}
