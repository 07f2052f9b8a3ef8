//! The lab as an analyst meets it: a fit that can be repeated, and a shipped model that is as good as its manifest says.
#![allow(clippy::unwrap_used, reason = "a test's helpers: a panic there is the failure it should be")]

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use vigie::classify::{Classifier, DistilBertClassifier, Manifest};
use vigie::lab::{self, Dataset, Part, Places, Recipe};
use vigie::source::{Input, ReadOptions};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

const RECIPE: &str = r#"
name = "tiny"
text_profile = "transformer"
pooling = "mean"
max_tokens = 64
encoder = { name = "tiny", origin = "tests/fixtures/make_tiny_distilbert.py", licence = "MIT OR Apache-2.0" }
fit = { seed = 7, l2 = 1e-2, max_iterations = 500, tolerance = 1e-6 }

[[train]]
path = "airline.csv"
first = 0.8
weight = 2.0
balance = 0.5
source = "made for this test"

[[train]]
path = "two.csv"
source = "made for this test"

[[evaluate]]
name = "airline"
path = "airline.csv"
last = 0.2
measure = "macro_f1"
floor = FLOOR
"#;

/// Some hundred rows of the airline slice, and a dump that knows two classes; one of its texts is held out.
fn data() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = csv::Reader::from_path(root().join("tests/data/airline.csv")).unwrap();
    let mut airline = csv::Writer::from_path(dir.path().join("airline.csv")).unwrap();
    let mut two = csv::Writer::from_path(dir.path().join("two.csv")).unwrap();
    airline.write_record(reader.headers().unwrap()).unwrap();
    two.write_record(["label", "text"]).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let (text, label) = (4, 5);
    for row in &rows[..400] {
        airline.write_record(row).unwrap();
    }
    for row in rows[400..500].iter().filter(|row| row[label] != *"neutral") {
        two.write_record([&row[label], &row[text]]).unwrap();
    }
    two.write_record(["negative", &rows[399][text]]).unwrap();
    airline.flush().unwrap();
    two.flush().unwrap();
    dir
}

fn fit(data: &Path, out: &Path, cache: Option<&Path>, floor: &str) -> Result<Manifest, lab::LabError> {
    let recipe = Recipe::parse(Path::new("tiny.toml"), &RECIPE.replace("FLOOR", floor)).unwrap();
    let encoder = root().join("tests/fixtures/tiny-distilbert/f16");
    lab::fit(&recipe, Places { data, encoder: &encoder, out, cache }, &ProgressBar::hidden())
}

fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        paths.map(|path| (path.file_name().unwrap().into(), std::fs::read(path).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn a_fit_is_the_same_byte_for_byte_with_and_without_cache() {
    let (data, out) = (data(), tempfile::tempdir().unwrap());
    let cache = out.path().join("cache");
    for (name, cache) in [("one", None), ("two", Some(cache.as_path())), ("three", Some(cache.as_path()))] {
        fit(data.path(), &out.path().join(name), cache, "0.0").unwrap();
    }
    let one = files(&out.path().join("one"));
    assert!(one.iter().any(|(name, _)| name == Path::new("head.safetensors")));
    assert_eq!(one, files(&out.path().join("two")), "cache filled");
    assert_eq!(one, files(&out.path().join("three")), "cache read");
}

#[test]
fn the_manifest_tells_what_the_model_was_fitted_to_and_what_it_reaches() {
    let (data, out) = (data(), tempfile::tempdir().unwrap());
    let dir = out.path().join("tiny");
    let manifest = fit(data.path(), &dir, None, "0.0").unwrap();
    assert_eq!(Manifest::read(&dir).unwrap().unwrap().model_id(), manifest.model_id());

    let [airline, two] = [0, 1].map(|index| &manifest.training["datasets"][index]);
    assert_eq!((&airline["rows"], &airline["weight"], &airline["first"]), (&319.into(), &2.0.into(), &0.8.into()));
    assert_eq!(airline["dropped_as_held_out"], 1, "a post written twice, once in each part");
    assert_eq!(two["dropped_as_held_out"], 1, "the last row of the airline dump is judged by");
    assert!(two["classes"].get("neutral").is_none());

    let mut classifier = DistilBertClassifier::load(&dir).unwrap();
    let input = Input::Path(data.path().join("airline.csv"));
    let held_out = Dataset::read(&input, &ReadOptions::default(), Part::Last(0.2), classifier.profile()).unwrap();
    let evaluation = lab::evaluate(&mut classifier, &held_out, &ProgressBar::hidden()).unwrap();
    assert_eq!(evaluation.scores.posts, 80);
    assert_eq!(serde_json::json!(evaluation.scores.confusion_matrix), manifest.metrics["airline"]["confusion_matrix"]);
}

#[test]
fn a_missed_floor_writes_nothing() {
    let (data, out) = (data(), tempfile::tempdir().unwrap());
    let message = fit(data.path(), &out.path().join("tiny"), None, "0.99").unwrap_err().to_string();
    assert!(message.contains("airline macro_f1 0.") && message.contains("< 0.99"), "{message}");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}

/// On all of TweetEval's `val`, the smallest of the three sets that the shipped recipe has floors for.
#[test]
fn the_shipped_model_is_as_good_as_its_manifest_says() {
    let data = root().join("../shared/data/tweeteval/val.csv");
    if !data.exists() {
        println!("skipped: {} is not there", data.display());
        return;
    }
    let mut classifier = DistilBertClassifier::load(&root().join("models/default")).unwrap();
    let metrics = Manifest::read(&root().join("models/default")).unwrap().unwrap().metrics["tweeteval_val"].clone();
    let dataset = Dataset::read(&Input::Path(data), &ReadOptions::default(), Part::All, classifier.profile()).unwrap();
    let scores = lab::evaluate(&mut classifier, &dataset, &ProgressBar::hidden()).unwrap().scores;
    assert_eq!(metrics["sha256"], dataset.sha256.as_str());
    let written = metrics["macro_recall"].as_f64().unwrap();
    // Another processor rounds otherwise: a few posts on the fence may fall to the other side.
    assert!((scores.macro_recall - written).abs() < 0.003, "{} is not {written}", scores.macro_recall);
    assert!(scores.macro_recall >= 0.63, "{}", scores.macro_recall);
}
