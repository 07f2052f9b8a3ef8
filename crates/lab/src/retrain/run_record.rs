//! [`run_record`]: a retraining as trackers store it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::RetrainReport;
use crate::compare::confusion_matrix;
use crate::run_record::{Artifact, Params, RunRecord};
use vigie_reading::classify::{Label, Manifest, RETRAINING};

/// The challenger in `dir` as a run; its scores are those of the first held-out set. `None` without such a set.
pub fn run_record(
    manifest: &Manifest,
    report: &RetrainReport,
    dir: &Path,
    started: Timestamp,
    duration: Duration,
) -> Option<RunRecord> {
    let scores = report.held_out.first()?.scores.clone();
    let settings = manifest.training[RETRAINING].as_object()?;
    let plain = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let params: Params = settings.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
    let mut metrics = BTreeMap::new();
    for set in &report.held_out {
        let of_set = [
            ("macro_f1", set.comparison.challenger),
            ("macro_f1_difference", set.comparison.difference),
            ("expected_calibration_error", set.challenger_calibration_error),
        ];
        metrics.extend(of_set.map(|(measure, value)| (format!("{}_{measure}", set.name), value)));
    }
    let corrections = report.corrections;
    if corrections.posts > 0 {
        let share = |right: usize| right as f64 / corrections.posts as f64;
        metrics.insert("corrections_accuracy".into(), share(corrections.challenger_right));
        metrics.insert("corrections_accuracy_of_champion".into(), share(corrections.champion_right));
    }
    let labels: Vec<&str> = scores.labels.iter().map(|label| Label::as_str(*label)).collect();
    let picture = confusion_matrix(&labels, &scores.confusion_matrix);
    let picture = picture.map(|content| Artifact { name: "confusion_matrix.png".into(), content });
    let table = Artifact { name: "retraining.txt".into(), content: report.to_string().into_bytes() };
    let tags = [("vigie.command", "lab retrain".to_owned()), ("vigie.model_id", manifest.model_id())];
    Some(RunRecord {
        name: manifest.model_id(),
        started,
        duration,
        tags: tags.map(|(name, value)| (name.to_owned(), value)).into(),
        params,
        metrics,
        epochs: BTreeMap::default(),
        artifacts: picture.into_iter().chain([table]).collect(),
        scores,
        model: Some(dir.to_path_buf()),
    })
}
