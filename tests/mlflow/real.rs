//! The real server stores runs unchanged and returns all of them.

use serde_json::{Value, json};
use vigie::lab::mlflow::LogOutcome;
use vigie::lab::run_record::RunRecord;

use crate::kit::{at, map, model, run, run_with_model, tracker};
use crate::server::{Mlflow, mlflow};

fn item<'a>(list: &'a Value, key: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|item| item["key"] == key);
    &found.unwrap_or_else(|| panic!("no {key} in {list}"))["value"]
}

fn history(mlflow: &Mlflow, run: &Value, metric: &str) -> Vec<(i64, Value, Value)> {
    let id = run["info"]["run_id"].as_str().unwrap();
    let found = mlflow.get(&format!("mlflow/metrics/get-history?run_id={id}&metric_key={metric}"));
    let metrics = found["metrics"].as_array().unwrap();
    let mut values: Vec<_> =
        metrics.iter().map(|m| (m["step"].as_i64().unwrap_or(0), m["value"].clone(), m["timestamp"].clone())).collect();
    values.sort_by_key(|(step, ..)| *step);
    values
}

#[test]
fn a_complete_run_is_returned() {
    let Some(mlflow) = mlflow() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (files, spool) = (dir.path().join("model"), dir.path().join("spool"));
    model(&files);
    let tracker = tracker(&mlflow.url, &spool, "everything");
    let record = run_with_model("TFIDF_LogisticRegression", &files);
    // The second call has nothing left to do.
    for _ in 0..2 {
        assert_eq!(tracker.log(&record), LogOutcome::Sent);
    }
    assert!(!spool.exists());
    let runs = mlflow.runs("everything");
    let [run] = runs.as_slice() else { panic!("{} runs", runs.len()) };
    let (info, data) = (&run["info"], &run["data"]);
    assert_eq!(info["run_name"], "TFIDF_LogisticRegression");
    assert_eq!(info["status"], "FINISHED");
    assert_eq!(
        (info["start_time"].as_i64(), info["end_time"].as_i64()),
        (Some(1_795_489_200_250), Some(1_795_489_205_750))
    );
    assert_eq!(info["user_id"].as_str().unwrap_or_default(), "");
    assert_eq!(item(&data["params"], "penalty"), "l2");
    assert_eq!(item(&data["metrics"], "macro_f1"), &json!(0.1 + 0.2));
    assert_eq!(item(&data["metrics"], "duration_s"), 5.5);
    for (tag, expected) in
        [("embedding", "TFIDF"), ("dataset.fingerprint", "sha256:12ab"), ("mlflow.source.name", "vigie lab")]
    {
        assert_eq!(item(&data["tags"], tag), expected);
    }
    assert!(!data["tags"].to_string().contains("mlflow.user"), "{}", data["tags"]);
    let loss: Vec<_> = history(mlflow, run, "loss").into_iter().map(|(step, value, _)| (step, value)).collect();
    assert_eq!(loss, [(1, json!(0.7)), (2, json!(0.5)), (3, json!(0.4))]);
    assert_eq!(history(mlflow, run, "loss")[2].2, 1_795_489_205_750_i64);
    assert_eq!(history(mlflow, run, "grad_norm").len(), 3);
    for artifact in &record.artifacts {
        assert_eq!(mlflow.artifact(run, &artifact.name), artifact.content, "{}", artifact.name);
    }
    for name in ["model.safetensors", "config.json", "extra/LICENSE"] {
        assert_eq!(mlflow.artifact(run, &format!("model/{name}")), std::fs::read(files.join(name)).unwrap(), "{name}");
    }
    let found = mlflow.get("mlflow/model-versions/search?filter=name='everything'");
    let versions = found["model_versions"].as_array().unwrap();
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0]["run_id"], info["run_id"]);
    assert_eq!(versions[0]["status"], "READY");
    assert!(versions[0]["description"].as_str().unwrap().starts_with("TFIDF_LogisticRegression: accuracy 0.7706"));
    let uri = mlflow.get("mlflow/model-versions/get-download-uri?name=everything&version=1");
    assert_eq!(uri["artifact_uri"], format!("{}/model", info["artifact_uri"].as_str().unwrap()));
}

#[test]
fn the_champion_moves_and_moves_back() {
    let Some(mlflow) = mlflow() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (files, spool) = (dir.path().join("model"), dir.path().join("spool"));
    model(&files);
    let tracker = tracker(&mlflow.url, &spool, "champions");
    let champion =
        || mlflow.get("mlflow/registered-models/alias?name=champions&alias=champion")["model_version"].clone();
    for (second, id, version) in
        [(1, "default-1a2b3c4d", "1"), (2, "french-5e6f7a8b", "2"), (3, "default-1a2b3c4d", "1")]
    {
        assert_eq!(tracker.log_promotion(id, &map([("macro_f1", 0.8)]), &files, at(second)), LogOutcome::Sent);
        let champion = champion();
        assert_eq!(champion["version"], version);
        assert_eq!(item(&champion["tags"], "vigie.model_id"), id);
    }
    assert_eq!(mlflow.runs("champions").len(), 2);
    assert_eq!(tracker.log_promotion("french-5e6f7a8b", &map([]), &files, at(2)), LogOutcome::Sent);
    assert_eq!(champion()["version"], "1", "a late promotion");
}

#[test]
fn long_odd_and_many_values_are_accepted() {
    let Some(mlflow) = mlflow() else { return };
    let dir = tempfile::tempdir().unwrap();
    let long = "né d'être ici 🛫 ".repeat(2000);
    let many = |prefix: &str| (0..130).map(|n| (format!("{prefix}.{n:03}"), "é".repeat(n))).collect();
    let mut record = RunRecord { params: many("param"), tags: many("tag"), ..run("Élan \"d'hiver\" 🛬") };
    record.params.insert("stopwords".into(), long.clone());
    record.tags.insert("note (long) 100 %".into(), long.clone());
    record.metrics.insert("recall@90 %".into(), 0.5);
    record.metrics.insert("f1/négatif".into(), 0.25);
    record.epochs.insert("loss".into(), (0..2345).map(|n| 1.0 / f64::from(n + 1)).collect());
    assert_eq!(tracker(&mlflow.url, dir.path(), "odd").log(&record), LogOutcome::Sent);
    let runs = mlflow.runs("odd");
    let (run, data) = (&runs[0], &runs[0]["data"]);
    assert_eq!(run["info"]["run_name"], "Élan \"d'hiver\" 🛬");
    assert_eq!(data["params"].as_array().unwrap().len(), 131);
    assert_eq!(item(&data["params"], "param.129"), &json!("é".repeat(129)));
    assert!(item(&data["params"], "stopwords").as_str().unwrap().ends_with('…'));
    let whole: Value = serde_json::from_slice(&mlflow.artifact(run, "long_values.json")).unwrap();
    assert_eq!(whole["stopwords"], long);
    assert_eq!(whole["note (long) 100 %".replace(['(', ')', '%'], "_")], long);
    assert_eq!(item(&data["metrics"], "recall_90 _"), 0.5);
    assert_eq!(item(&data["metrics"], "f1/négatif"), 0.25);
    let loss = history(mlflow, run, "loss");
    assert_eq!(loss.len(), 2345);
    assert!(loss.iter().all(|(step, value, _)| *value == json!(1.0 / *step as f64)));
}
