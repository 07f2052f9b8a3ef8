//! Made-up runs, and trackers for them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use vigie::classify::Label;
use vigie::lab::Scores;
use vigie::lab::mlflow::{LogTarget, Spool, Tracker, TrackingServer};
use vigie::lab::run_record::{Artifact, RunRecord};

pub(crate) fn map<V>(pairs: impl IntoIterator<Item = (&'static str, V)>) -> BTreeMap<String, V> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A run with everything but a model.
pub(crate) fn run(name: &str) -> RunRecord {
    let labels = [Label::Negative, Label::Positive];
    RunRecord {
        name: name.into(),
        started: "2026-11-24T03:00:00.250Z".parse().unwrap(),
        duration: Duration::from_millis(5_500),
        tags: map([("embedding", "TFIDF".to_owned()), ("dataset.fingerprint", "sha256:12ab".to_owned())]),
        params: map([("C", "1.0".to_owned()), ("penalty", "l2".to_owned())]),
        metrics: map([("accuracy", 0.7706), ("macro_f1", 0.1 + 0.2)]),
        epochs: map([("loss", vec![0.7, 0.5, 0.4]), ("grad_norm", vec![3.0, 2.0, f64::NAN])]),
        scores: Scores::compute(&labels, &[[0.9, 0.0, 0.1], [0.2, 0.0, 0.8]]).unwrap(),
        artifacts: vec![
            Artifact { name: "confusion_matrix.png".into(), content: b"\x89PNG\r\n\x1a\n\0\xff".to_vec() },
            Artifact { name: "report/matrice de confusion é.json".into(), content: b"[[1,0],[0,1]]".to_vec() },
        ],
        model: None,
    }
}

/// A run whose model is in `dir`.
pub(crate) fn run_with_model(name: &str, dir: &Path) -> RunRecord {
    RunRecord { model: Some(dir.to_owned()), ..run(name) }
}

/// A model directory: weights large enough to be linked, a small file, and one in a folder.
pub(crate) fn model(dir: &Path) {
    std::fs::create_dir_all(dir.join("extra")).unwrap();
    let weights: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(dir.join("model.safetensors"), weights).unwrap();
    std::fs::write(dir.join("config.json"), "{\"n\": 1}").unwrap();
    std::fs::write(dir.join("extra/LICENSE"), "free").unwrap();
}

pub(crate) fn target(experiment: &str) -> LogTarget {
    LogTarget { experiment: experiment.into(), registered_model: experiment.into() }
}

/// A tracker without credentials, with a timeout in seconds.
pub(crate) fn tracker_of(url: &str, spool: &Path, experiment: &str, timeout: &str) -> Tracker {
    let environment = |name: &str| (name == "MLFLOW_HTTP_REQUEST_TIMEOUT").then(|| timeout.to_owned());
    let server = TrackingServer::new(url, &environment).unwrap();
    Tracker::new(server, Spool::new(spool), target(experiment)).unwrap()
}

pub(crate) fn tracker(url: &str, spool: &Path, experiment: &str) -> Tracker {
    tracker_of(url, spool, experiment, "120")
}

/// Folders in the spool, except hidden ones.
pub(crate) fn spooled(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}
