//! [`RunMeasurement`]: what a run measured, and its [`RunRecord`] for trackers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::features::GridFeatures;
use super::{Combination, ComparisonData, FinishedRun, GridSettings, SideSummary, confusion_png};
use crate::run_record::{Artifact, Params, RunRecord, Series};
use crate::score::Curve;
use crate::{LabError, Scores, Split};
use vigie_reading::classify::Label;
use vigie_reading::text::Profile;

/// More points than a chart shows.
const MAX_CURVE_POINTS: usize = 120;

/// The measurements of one run.
pub(super) struct RunMeasurement<'a> {
    pub(super) combination: Combination,
    pub(super) features: &'a GridFeatures,
    /// Of the estimator.
    pub(super) params: Params,
    /// Of the estimator.
    pub(super) epochs: Series,
    pub(super) probabilities: &'a [[f32; 3]],
    /// From the start of the grid to the start of this run.
    pub(super) offset: Duration,
    pub(super) duration: Duration,
}

impl RunMeasurement<'_> {
    pub(super) fn into_finished(self, data: &ComparisonData, settings: &GridSettings) -> Result<FinishedRun, LabError> {
        let Self { combination, features, params, epochs, probabilities, offset, duration } = self;
        let labels = &data.test.labels;
        let scores = Scores::compute(labels, probabilities).ok_or(LabError::NothingToEvaluate)?;
        let curve =
            Curve::compute(labels, probabilities).map(|curve| curve.thinned(MAX_CURVE_POINTS)).unwrap_or_default();
        let mut all_params = data_params(data, settings);
        all_params.extend(features.params.clone());
        all_params.extend(params);
        let mut all_epochs = features.features.epochs.clone();
        all_epochs.extend(epochs);
        let mut metrics = metrics(&scores);
        metrics.insert("duration_seconds".to_owned(), duration.as_secs_f64());
        metrics.insert("features_seconds".to_owned(), features.duration.as_secs_f64());
        let record = RunRecord {
            name: combination.to_string(),
            started: settings.begun.saturating_add(offset).unwrap_or(settings.begun),
            duration,
            tags: tags(combination, data, features.profile),
            params: all_params,
            metrics,
            epochs: all_epochs,
            artifacts: artifacts(&scores, data, features.profile),
            scores,
            model: None,
        };
        Ok(FinishedRun { record, curve })
    }
}

fn data_params(data: &ComparisonData, settings: &GridSettings) -> Params {
    let split = data.summary.split.map_or("two dumps", Split::as_str);
    let params = [
        ("seed", settings.seed.to_string()),
        ("split", split.to_owned()),
        ("train_rows", data.summary.train.rows.to_string()),
        ("test_rows", data.summary.test.rows.to_string()),
        ("corpus_texts", data.summary.corpus_texts.to_string()),
    ];
    params.map(|(name, value)| (name.to_owned(), value)).into()
}

fn tags(combination: Combination, data: &ComparisonData, profile: Profile) -> BTreeMap<String, String> {
    let mut tags: BTreeMap<String, String> = [
        // MLflow runs of the study have this tag under this name.
        ("embedding", combination.featurizer.name()),
        ("estimator", combination.estimator.name()),
        ("text_profile", profile_name(profile)),
        ("vigie.command", "lab compare"),
        ("vigie.version", env!("CARGO_PKG_VERSION")),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for file in &data.summary.files {
        let name = file.role.replace(' ', "_");
        tags.entry(format!("data.{name}.sha256")).or_insert_with(|| file.sha256.clone());
    }
    tags
}

fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Classic => "classic",
        Profile::Words => "words",
        Profile::Transformer => "transformer",
    }
}

/// The numbers among the scores, by name; all finite.
fn metrics(scores: &Scores) -> BTreeMap<String, f64> {
    let mut metrics: BTreeMap<String, f64> =
        [("accuracy", scores.accuracy), ("macro_f1", scores.macro_f1), ("macro_recall", scores.macro_recall)]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
    let of_negative = [
        ("roc_auc_negative", scores.roc_auc),
        ("negative_recall_at_90_precision", scores.negative_recall_at_90_precision),
    ];
    metrics.extend(of_negative.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    for (label, class) in &scores.per_class {
        let named = |measure: &str, value: f64| (format!("{}_{measure}", label.as_str()), value);
        metrics.extend([
            named("precision", class.precision),
            named("recall", class.recall),
            named("f1", class.f1),
            named("support", class.support as f64),
        ]);
    }
    metrics
}

fn artifacts(scores: &Scores, data: &ComparisonData, profile: Profile) -> Vec<Artifact> {
    let names: Vec<&str> = scores.labels.iter().map(|label| Label::as_str(*label)).collect();
    let matrix =
        json!({ "labels": names, "rows": "label", "columns": "prediction", "counts": scores.confusion_matrix });
    let mut artifacts = vec![artifact("confusion_matrix.json", &matrix)];
    if let Some(content) = confusion_png::confusion_matrix(&names, &scores.confusion_matrix) {
        artifacts.push(Artifact { name: "confusion_matrix.png".to_owned(), content });
    }
    let profile = profile_name(profile);
    let side =
        |side: &SideSummary| json!({ "rows": side.rows, "classes": side.classes, "sha256": side.sha256.get(profile) });
    let summary = &data.summary;
    let data = json!({
        "text_profile": profile,
        "sha256_over": "label TAB cleaned text LF, each post in order",
        "train": side(&summary.train),
        "test": side(&summary.test),
        "dropped_as_test_text": summary.dropped_as_test_text,
        "split": summary.split,
        "files": summary.files,
    });
    artifacts.push(artifact("data.json", &data));
    artifacts
}

fn artifact(name: &str, json: &serde_json::Value) -> Artifact {
    Artifact { name: name.to_owned(), content: format!("{json:#}\n").into_bytes() }
}
