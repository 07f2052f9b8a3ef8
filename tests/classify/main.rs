//! The classify stage against PyTorch: `fixtures/make_tiny_distilbert.py` computes the expected values.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

mod architectures;
#[path = "../common/bert_names.rs"]
mod bert_names;
mod broken;
mod outputs;

use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    texts: Vec<String>,
    f32: Vec<Row>,
    f16: Vec<Row>,
    bf16: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    tokens: usize,
    mean: Vec<f32>,
    cls: Vec<f32>,
    middle: Vec<f32>,
    #[serde(default)]
    probabilities: Vec<f32>,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny-distilbert").join(name)
}

fn expected() -> Expected {
    serde_json::from_slice(&std::fs::read(fixture("expected.json")).unwrap()).unwrap()
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// A copy of a fixture that a test may change.
fn copy(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixture(name)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    for (index, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "{what}: value {index} is {f}, not {e}");
    }
}
