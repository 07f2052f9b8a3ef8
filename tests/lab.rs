//! The lab from an analyst's view: a repeatable fit, promotion, and a shipped model that is as good as its manifest
//! says.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test's helpers: a panic there is the failure it should be"
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Output;

use common::{alerts, failure, success, vigie};
use indicatif::ProgressBar;
use vigie::classify::{
    Classifier, ClassifierInput as Text, EncoderClassifier, Label, Manifest, ModelRegistry, Precision,
};
use vigie::dump::{Inputs, ReadOptions};
use vigie::lab;
use vigie::lab::{Dataset, FitPaths, Recipe, Subset};

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

/// A few hundred rows of the airline slice, and a dump with two classes; one of its texts is held out.
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

fn encoder() -> PathBuf {
    root().join("tests/fixtures/tiny-distilbert/f16")
}

fn fit(data: &Path, out: &Path, cache: Option<&Path>, floor: &str) -> Result<Manifest, lab::LabError> {
    fit_recipe(&RECIPE.replace("FLOOR", floor), data, &encoder(), out, cache)
}

fn fit_recipe(
    recipe: &str,
    data: &Path,
    encoder: &Path,
    out: &Path,
    cache: Option<&Path>,
) -> Result<Manifest, lab::LabError> {
    let recipe = Recipe::parse(Path::new("tiny.toml"), recipe).unwrap();
    lab::fit(&recipe, FitPaths { data, encoder, out, cache }, &ProgressBar::hidden())
}

/// The same recipe with every optional setting; with a low penalty, so that a tiny encoder gives confident predictions.
fn rich() -> String {
    let recipe = RECIPE.replace("FLOOR", "0.0").replace("l2 = 1e-2", "l2 = [1e-2, 1.0], folds = 3");
    let more = "[calibrate]\nshare = 0.2\non = [\"airline.csv\"]\n[reason]\nl2 = 1e-3\nmin_rows = 5\n\n[[train]]\nreasons = true";
    recipe.replacen("[[train]]", more, 1)
}

fn cli(dir: &Path, args: &[&str]) -> Output {
    vigie(dir).args(args).output().unwrap()
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
fn the_manifest_records_training_data_and_scores() {
    let (data, out) = (data(), tempfile::tempdir().unwrap());
    let dir = out.path().join("tiny");
    let manifest = fit(data.path(), &dir, None, "0.0").unwrap();
    assert_eq!(Manifest::read(&dir).unwrap().unwrap().model_id(), manifest.model_id());

    let [airline, two] = [0, 1].map(|index| &manifest.training["datasets"][index]);
    assert_eq!((&airline["rows"], &airline["weight"], &airline["first"]), (&319.into(), &2.0.into(), &0.8.into()));
    assert_eq!(airline["dropped_as_held_out"], 1, "a post written twice, once in each subset");
    assert_eq!(two["dropped_as_held_out"], 1, "the last row of the airline dump is held out");
    assert!(two["classes"].get("neutral").is_none());

    let mut classifier = EncoderClassifier::load_with(&dir, Precision::F32).unwrap();
    let input = Inputs::expand(&[data.path().join("airline.csv")]).unwrap();
    let held_out = Dataset::read(&input, &ReadOptions::default(), Subset::Last(0.2), classifier.profile()).unwrap();
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

#[test]
fn a_recipe_with_all_settings_calibrates_and_fits_reasons() {
    let (data, out) = (data(), tempfile::tempdir().unwrap());
    let dir = out.path().join("tiny");
    let manifest = fit_recipe(&rich(), data.path(), &encoder(), &dir, None).unwrap();
    let training = &manifest.training;
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or_else(|| panic!("{value} in {training:#}"));

    let calibration = &training["calibration"];
    assert!(number(&calibration["log_loss"]) <= number(&calibration["log_loss_before"]));
    let [airline, two] = [0, 1].map(|index| &training["datasets"][index]);
    assert_eq!(calibration["rows"], serde_json::json!([airline["calibration_rows"]]), "on the airline dump alone");
    assert_eq!(number(&airline["rows"]) + number(&airline["calibration_rows"]), 319.0);
    assert!(number(&two["calibration_rows"]) > 0.0, "reserved all the same");
    let tried = training["cross_validation"]["tried"].as_array().unwrap();
    assert_eq!((tried.len(), tried[0]["folds"].as_array().unwrap().len()), (2, 3));
    assert!([1e-2, 1.0].contains(&number(&training["l2"])));

    let names: Vec<&str> = manifest.reasons.iter().map(String::as_str).collect();
    assert!(names.contains(&"customer_service_issue") && names.contains(&"late_flight"), "{names:?}");
    let evaluation_record = &manifest.metrics["airline"];
    assert!(
        number(&evaluation_record["expected_calibration_error"]) < 1.0
            && number(&evaluation_record["reasons"]["macro_f1"]) > 0.0
    );

    let mut classifier = EncoderClassifier::load_with(&dir, Precision::F32).unwrap();
    assert_eq!(classifier.reasons().collect::<Vec<_>>(), names);
    let input = Inputs::expand(&[data.path().join("airline.csv")]).unwrap();
    let held_out = Dataset::read(&input, &ReadOptions::default(), Subset::Last(0.2), classifier.profile()).unwrap();
    let evaluation = lab::evaluate(&mut classifier, &held_out, &ProgressBar::hidden()).unwrap();
    let again = serde_json::to_value(&evaluation).unwrap();
    assert_eq!(again["reasons"]["per_class"], evaluation_record["reasons"]["per_class"]);
    assert_eq!(again["expected_calibration_error"], evaluation_record["expected_calibration_error"]);

    // An encoder with a head, as a recipe in PyTorch writes it. Kept and calibrated on the same rows, it does not
    // change.
    let keep = rich().replace("fit = {", "fit = { head = \"keep\",");
    let kept = fit_recipe(&keep, data.path(), &dir, &out.path().join("kept"), None).unwrap();
    let temperature = number(&kept.training["calibration"]["temperature"]);
    assert!((temperature - 1.0).abs() < 1e-4, "{temperature}");
    assert_eq!(kept.metrics["airline"]["confusion_matrix"], evaluation_record["confusion_matrix"]);
    assert!(kept.training.get("iterations").is_none() && kept.training["reason"]["iterations"].is_u64());

    // A fit without [reason] keeps the reason head of the encoder's directory.
    let plain = RECIPE.replace("FLOOR", "0.0");
    let refitted = fit_recipe(&plain, data.path(), &dir, &out.path().join("plain"), None).unwrap();
    assert_eq!(refitted.reasons, manifest.reasons);
    assert_eq!(refitted.files["reason_head.safetensors"], manifest.files["reason_head.safetensors"]);
}

/// Instead of the dump's reason column. Without calibration and on rows it was fitted to, even a tiny encoder's head is
/// confident.
#[test]
fn predicted_reasons_are_shown_in_alerts() {
    let (data, out) = (data(), tempfile::tempdir().unwrap());
    let sure =
        rich().replace("share = 0.2", "share = 0.0").replace("l2 = 1e-3", "l2 = 1e-4").replace("= 500", "= 3000");
    let manifest = fit_recipe(&sure, data.path(), &encoder(), &out.path().join("tiny"), None).unwrap();
    assert!(manifest.training.get("calibration").is_none());
    let rules = "[[rule]]\nname = \"Any\"\ncondition = { type = \"negative_rate\", above = 0.05, window = \"6h\", min_posts = 5 }\n";
    std::fs::write(out.path().join("rules.toml"), rules).unwrap();
    let dump = data.path().join("airline.csv").display().to_string();
    let args = ["replay", &dump, "--model", "tiny", "--rules", "rules.toml", "--format", "json"];
    let replayed = cli(out.path(), &args);
    let output = alerts(&success(&replayed));
    let reasons: Vec<&str> =
        output.iter().filter_map(|alert| alert["context"]["reasons"][0]["reason"].as_str()).collect();
    assert!(
        !reasons.is_empty() && reasons.iter().all(|reason| manifest.reasons.iter().any(|known| known == reason)),
        "{reasons:?}"
    );
}

#[test]
fn a_reason_floor_is_kept() {
    let (data, out) = (data(), tempfile::tempdir().unwrap());
    let recipe = rich().replace("floor = 0.0", "floor = 0.0\nreason_floor = 0.99");
    let message = fit_recipe(&recipe, data.path(), &encoder(), &out.path().join("tiny"), None).unwrap_err().to_string();
    assert!(message.contains("airline macro_f1 of reasons 0.") && message.contains("< 0.99"), "{message}");
}

#[test]
fn a_dump_of_two_classes_is_fitted_without_a_recipe_and_the_third_is_never_predicted() {
    let (data, encoder) = (data(), encoder().display().to_string());
    let fit = |out: &str| {
        let args =
            ["lab", "fit", "two.csv", "--out", out, "--encoder", &encoder, "--l2", "0.01", "--test-share", "0.3"];
        success(&cli(data.path(), &args))
    };
    let output = fit("models/two");
    assert!(output.contains("two-") && output.contains("held_out") && output.contains("ece"), "{output}");
    fit("models/again");
    let [two, again] =
        ["two", "again"].map(|name| Manifest::read(&data.path().join("models").join(name)).unwrap().unwrap());
    assert_eq!(two.labels, [Label::Negative, Label::Positive]);
    assert_eq!(two.files, again.files, "the same bytes");
    assert_eq!(two.metrics["held_out"]["labels"], serde_json::json!(["negative", "positive"]));
    assert!(two.training["calibration"]["temperature"].is_f64());

    let mut classifier = EncoderClassifier::load_with(&data.path().join("models/two"), Precision::F32).unwrap();
    let texts = ["it is what it is", "late again", "what a lovely crew"];
    let inputs = texts.map(|text| Text { text, label: None });
    let predictions = classifier.classify(&inputs).unwrap();
    assert!(predictions.iter().all(|p| p.probabilities[1] == 0.0 && p.label != Label::Neutral), "{predictions:?}");
}

#[test]
fn unusable_input_of_a_fit_is_named() {
    let (data, encoder) = (data(), encoder().display().to_string());
    std::fs::write(data.path().join("r.toml"), RECIPE.replace("FLOOR", "0")).unwrap();
    for (args, expected) in [
        (&["r.toml", "--balance", "0.5"][..], "--balance is only for a fit to one dump"),
        (&["two.csv", "--test-share", "1.5"], "--test-share is 1.5; expected a share"),
        (&["two.csv", "--split", "time"], "no column for created_at"),
        (&["two.csv", "--reasons"], "0 reasons occur at least 20 times"),
    ] {
        let message =
            failure(&cli(data.path(), &[&["lab", "fit", "--out", "m", "--encoder", &encoder], args].concat()));
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
    }
}

/// A first model is promoted, a worse one refused and then forced, and the first restored.
#[test]
fn a_worse_challenger_is_refused_with_numbers_and_a_rollback_undoes_a_forced_promotion() {
    let data = data();
    let models = data.path().join("models");
    fit(data.path(), &models.join("good"), None, "0.0").unwrap();
    let spoilt = std::fs::read_to_string(data.path().join("airline.csv")).unwrap();
    let spoilt =
        spoilt.replace(",negative,", ",SWAP,").replace(",positive,", ",negative,").replace(",SWAP,", ",positive,");
    std::fs::write(data.path().join("spoilt.csv"), spoilt).unwrap();
    let recipe = RECIPE.replace("FLOOR", "0.0").replacen("airline.csv", "spoilt.csv", 1);
    fit_recipe(&recipe, data.path(), &encoder(), &models.join("bad"), None).unwrap();

    let promote = |more: &[&str]| cli(data.path(), &[&["lab", "promote", "--data", "airline.csv"], more].concat());
    let first = success(&promote(&["good"]));
    assert!(first.contains("is the first champion"), "{first}");
    let read = || ModelRegistry::resolve(&models).unwrap();
    assert_eq!(read(), models.join("good"));
    assert!(success(&promote(&["models/good"])).contains("is already the champion"));

    let refused = failure(&promote(&["bad"]));
    for expected in
        ["is not promoted: macro F1 0.", "against the champion's 0.", ": -0.", "95% interval -0.", "--force"]
    {
        assert!(refused.contains(expected), "{refused:?} should say {expected:?}");
    }
    assert_eq!(read(), models.join("good"));
    let forced = success(&promote(&["bad", "--force", "--last", "0.5"]));
    assert!(forced.contains("is the champion, forced, replacing tiny-"), "{forced}");
    assert_eq!(read(), models.join("bad"));
    let champions = ModelRegistry::new(&models).read_history().unwrap().unwrap();
    assert!(
        champions.champion.forced && champions.champion.evaluation["comparison"]["difference"].as_f64().unwrap() < 0.0
    );

    // Every command that takes a model takes the registry's directory, and a promoted model is not overwritten.
    let classified = success(&cli(data.path(), &["classify", "late again", "--model", "models", "--format", "json"]));
    assert!(classified.contains(&champions.champion.model_id), "{classified}");
    let args = ["lab", "fit", "two.csv", "--out", "models/good", "--encoder", "models/bad"];
    assert!(failure(&cli(data.path(), &args)).contains("models/good is or was the champion of models"));

    let back = success(&cli(data.path(), &["lab", "rollback"]));
    assert!(back.contains("is the champion again, replacing tiny-"), "{back}");
    assert_eq!(read(), models.join("good"));
    assert!(success(&promote(&["bad", "--force"])).contains("forced"));
    success(&cli(data.path(), &["lab", "rollback"]));
    assert!(failure(&cli(data.path(), &["lab", "rollback"])).contains("no previous champion"));
}

#[test]
fn a_model_outside_the_store_is_not_promoted() {
    let data = data();
    fit(data.path(), &data.path().join("elsewhere"), None, "0.0").unwrap();
    std::fs::create_dir(data.path().join("models")).unwrap();
    let message = failure(&cli(data.path(), &["lab", "promote", "./elsewhere", "--data", "two.csv"]));
    assert!(message.contains("./elsewhere is not a model in models: fit it with --out models/NAME"), "{message}");
}

/// On all of TweetEval's `val`, the smallest of the three sets that the shipped recipe has floors for.
#[test]
fn the_shipped_model_is_as_good_as_its_manifest_says() {
    let data = root().join("../shared/data/tweeteval/val.csv");
    if !data.exists() {
        println!("skipped: {} does not exist", data.display());
        return;
    }
    let mut classifier = EncoderClassifier::load_with(&root().join("models/default"), Precision::F32).unwrap();
    let metrics = Manifest::read(&root().join("models/default")).unwrap().unwrap().metrics["tweeteval_val"].clone();
    let dataset =
        Dataset::read(&Inputs::expand(&[data]).unwrap(), &ReadOptions::default(), Subset::All, classifier.profile())
            .unwrap();
    let scores = lab::evaluate(&mut classifier, &dataset, &ProgressBar::hidden()).unwrap().scores;
    assert_eq!(metrics["sha256"], dataset.sha256.as_str());
    let written = metrics["macro_recall"].as_f64().unwrap();
    // Other processors round differently: a few borderline posts may change their label.
    assert!((scores.macro_recall - written).abs() < 0.003, "{} is not {written}", scores.macro_recall);
    assert!(scores.macro_recall >= 0.73, "{}", scores.macro_recall);
}
