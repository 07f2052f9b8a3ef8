//! [`fit_run_record`]: a fit as trackers store it, made from its manifest.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::Scores;
use crate::compare::confusion_matrix;
use crate::run_record::{Artifact, Params, RunRecord};
use vigie_reading::classify::{Label, Manifest};

/// The model in `dir` as a run; its scores are those of the first evaluation. `None` for a fit without evaluations.
pub fn fit_run_record(manifest: &Manifest, dir: &Path, started: Timestamp, duration: Duration) -> Option<RunRecord> {
    let evaluations = manifest.metrics.as_object()?;
    let scored: Vec<(&String, &Value, Scores)> = evaluations
        .iter()
        .filter_map(|(name, metrics)| Some((name, metrics, serde_json::from_value(metrics.clone()).ok()?)))
        .collect();
    let (_, _, scores) = scored.first()?.clone();
    let mut params = Params::from([
        ("encoder".to_owned(), manifest.encoder.name.clone()),
        ("pooling".to_owned(), plain(&serde_json::to_value(manifest.pooling).ok()?)),
        ("max_tokens".to_owned(), manifest.max_tokens.to_string()),
    ]);
    flatten("", &manifest.training, &mut params);
    let mut metrics = std::collections::BTreeMap::new();
    for (name, evaluation, scores) in &scored {
        let reasons = evaluation["reasons"]["macro_f1"].as_f64().map(|value| ("reasons_macro_f1", value));
        let of_scores = [
            ("accuracy", scores.accuracy),
            ("macro_f1", scores.macro_f1),
            ("macro_recall", scores.macro_recall),
            ("expected_calibration_error", scores.reliability.expected_calibration_error),
        ];
        let all = of_scores.into_iter().chain(scores.roc_auc.map(|area| ("roc_auc_negative", area))).chain(reasons);
        metrics.extend(all.map(|(measure, value)| (format!("{name}_{measure}"), value)));
    }
    let pictures = scored.iter().filter_map(|(name, _, scores)| {
        let labels: Vec<&str> = scores.labels.iter().map(|label| Label::as_str(*label)).collect();
        let content = confusion_matrix(&labels, &scores.confusion_matrix)?;
        Some(Artifact { name: format!("{name}/confusion_matrix.png"), content })
    });
    let details = scored.iter().map(|(name, evaluation, _)| Artifact {
        name: format!("{name}/scores.json"),
        content: format!("{evaluation:#}\n").into_bytes(),
    });
    let tags = [
        ("vigie.command", "lab fit".to_owned()),
        ("vigie.model_id", manifest.model_id()),
        ("text_profile", plain(&serde_json::to_value(manifest.text_profile).ok()?)),
    ];
    Some(RunRecord {
        name: manifest.model_id(),
        started,
        duration,
        tags: tags.map(|(name, value)| (name.to_owned(), value)).into(),
        params,
        metrics,
        epochs: Default::default(),
        artifacts: pictures.chain(details).collect(),
        scores,
        model: Some(dir.to_path_buf()),
    })
}

/// Nested settings by their path, such as `fit.l2 = 0.001`; list items by their index.
fn flatten(path: &str, value: &Value, params: &mut Params) {
    let child = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Null => {}
        Value::Object(fields) => fields.iter().for_each(|(name, value)| flatten(&child(name), value, params)),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(index, value)| flatten(&child(&index.to_string()), value, params));
        }
        leaf => drop(params.insert(path.to_owned(), plain(leaf))),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_are_named_by_their_path() {
        let mut params = Params::new();
        flatten("", &json!({ "fit": { "l2": 0.001 }, "datasets": [{ "path": "a.csv", "first": null }] }), &mut params);
        let expected = [("datasets.0.path", "a.csv"), ("fit.l2", "0.001")];
        assert_eq!(params, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }
}
