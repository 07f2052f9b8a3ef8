//! [`run_of_fit`]: a fit as trackers keep it, from what its manifest says.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::Scores;
use crate::compare::confusion_matrix;
use crate::run_record::{Artifact, Params, RunRecord};
use vigie_reading::classify::{Label, Manifest};

/// The model in `dir` as a run; its scores are those of the first evaluation. `None` of a fit that was judged by none.
pub fn run_of_fit(manifest: &Manifest, dir: &Path, started: Timestamp, duration: Duration) -> Option<RunRecord> {
    let evaluations = manifest.metrics.as_object()?;
    let judged: Vec<(&String, &Value, Scores)> = evaluations
        .iter()
        .filter_map(|(name, metrics)| Some((name, metrics, serde_json::from_value(metrics.clone()).ok()?)))
        .collect();
    let (_, _, scores) = judged.first()?.clone();
    let mut params = Params::from([
        ("encoder".to_owned(), manifest.encoder.name.clone()),
        ("pooling".to_owned(), plain(&serde_json::to_value(manifest.pooling).ok()?)),
        ("max_tokens".to_owned(), manifest.max_tokens.to_string()),
    ]);
    flatten("", &manifest.training, &mut params);
    let mut metrics = std::collections::BTreeMap::new();
    for (name, told, scores) in &judged {
        let reasons = told["reasons"]["macro_f1"].as_f64().map(|value| ("reasons_macro_f1", value));
        let of_scores = [
            ("accuracy", scores.accuracy),
            ("macro_f1", scores.macro_f1),
            ("macro_recall", scores.macro_recall),
            ("expected_calibration_error", scores.reliability.expected_calibration_error),
        ];
        let all = of_scores.into_iter().chain(scores.roc_auc.map(|area| ("roc_auc_negative", area))).chain(reasons);
        metrics.extend(all.map(|(measure, value)| (format!("{name}_{measure}"), value)));
    }
    let pictures = judged.iter().filter_map(|(name, _, scores)| {
        let labels: Vec<&str> = scores.labels.iter().map(|label| Label::as_str(*label)).collect();
        let content = confusion_matrix(&labels, &scores.confusion_matrix)?;
        Some(Artifact { name: format!("{name}/confusion_matrix.png"), content })
    });
    let told = judged.iter().map(|(name, told, _)| Artifact {
        name: format!("{name}/scores.json"),
        content: format!("{told:#}\n").into_bytes(),
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
        artifacts: pictures.chain(told).collect(),
        scores,
        model: Some(dir.to_path_buf()),
    })
}

/// `fit.l2 = 0.001` of nested settings; lists by their place.
fn flatten(path: &str, value: &Value, params: &mut Params) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Null => {}
        Value::Object(fields) => fields.iter().for_each(|(name, value)| flatten(&below(name), value, params)),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(place, value)| flatten(&below(&place.to_string()), value, params));
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
    fn settings_are_told_by_their_path() {
        let mut params = Params::new();
        flatten("", &json!({ "fit": { "l2": 0.001 }, "datasets": [{ "path": "a.csv", "first": null }] }), &mut params);
        let wanted = [("datasets.0.path", "a.csv"), ("fit.l2", "0.001")];
        assert_eq!(params, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }
}
