//! [`fit`]: follows a recipe to a model directory. The result depends on the recipe, the dumps and the encoder alone.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::Value;

use super::classes::Classes;
use super::features::Features;
use super::logistic::{Examples, Fitted, Logistic, Target};
use super::model_dir::Staging;
use super::recipe::{Evaluate, Measure, Recipe, Train};
use super::{Dataset, LabError, Part, Scores};
use crate::classify::{Head, Label, Manifest};
use crate::source::{Input, ReadOptions};

/// Where a fit reads and writes.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// What the recipe's paths are relative to.
    pub data: &'a Path,
    /// A model directory, with or without a head.
    pub encoder: &'a Path,
    /// The model directory that is written, or replaced, once everything went well.
    pub out: &'a Path,
    /// Keeps what the encoder says of each dump.
    pub cache: Option<&'a Path>,
}

/// Fits a head by `recipe`, checks it against the recipe's floors, and writes the model. Gives the manifest as written.
pub fn fit(recipe: &Recipe, places: Places<'_>, progress: &ProgressBar) -> Result<Manifest, LabError> {
    let logistic = Logistic::from(recipe.fit);
    logistic.check()?;
    let held_out = recipe.evaluate.iter().map(|evaluate| read(recipe, places, &evaluate.path, evaluate.part()));
    let held_out: Vec<Dataset> = held_out.collect::<Result<_, _>>()?;
    let train = recipe.train.iter().map(|train| read(recipe, places, &train.path, train.part()));
    let mut train: Vec<Dataset> = train.collect::<Result<_, _>>()?;
    let dropped = drop_held_out(&mut train, &held_out);
    progress.set_length(train.iter().chain(&held_out).map(|dataset| dataset.posts.len() as u64).sum());

    let staging = Staging::of_encoder(places.encoder, places.out)?;
    let mut manifest = Manifest::new(&recipe.name, recipe.pooling, recipe.max_tokens, recipe.encoder.clone());
    manifest.text_profile = recipe.text_profile;
    manifest.write(&staging.dir())?; // the encoder is then loaded just as the finished model's will be
    let features = Features::load(&staging.dir(), &manifest, places.cache, progress)?;

    let fitted = logistic.fit(examples(recipe, &train, &features)?)?;
    let head = Head::new(fitted.weight.clone(), fitted.bias.clone())?;
    let judged =
        recipe.evaluate.iter().zip(&held_out).map(|(evaluate, dataset)| judge(evaluate, dataset, &features, &head));
    let metrics: BTreeMap<&str, Metrics<'_>> = judged.collect::<Result<_, LabError>>()?;
    check_floors(&metrics)?;

    head.save(&staging.dir().join("head.safetensors"))?;
    manifest.training = json(&Training::of(recipe, &train, &dropped, &fitted));
    manifest.metrics = json(&metrics);
    manifest.write(&staging.dir())?;
    staging.promote()?;
    Ok(manifest)
}

fn read(recipe: &Recipe, places: Places<'_>, path: &Path, part: Part) -> Result<Dataset, LabError> {
    let input = Input::Path(places.data.join(path));
    Ok(Dataset::read(&input, &ReadOptions::default(), part, recipe.text_profile)?)
}

/// Takes out of `train` every post whose text, but for case, is held out; gives how many each lost.
fn drop_held_out(train: &mut [Dataset], held_out: &[Dataset]) -> Vec<usize> {
    let key = |text: &str| text.to_lowercase();
    let texts: HashSet<String> = held_out.iter().flat_map(|dataset| dataset.texts()).map(key).collect();
    let drop_from = |dataset: &mut Dataset| {
        let before = dataset.posts.len();
        dataset.posts.retain(|post| !texts.contains(&key(&post.text)));
        before - dataset.posts.len()
    };
    train.iter_mut().map(drop_from).collect()
}

fn examples(recipe: &Recipe, train: &[Dataset], features: &Features<'_>) -> Result<Examples, LabError> {
    let mut examples = Examples { width: features.width(), ..Examples::default() };
    for (train, dataset) in recipe.train.iter().zip(train) {
        examples.features.extend(features.of(dataset)?);
        let labels = dataset.labels();
        let (among, weights) = (Classes::known_to(&labels), class_weights(train, &labels));
        let target = |label: Label| Target { label, among, weight: weights[label as usize] };
        examples.targets.extend(labels.into_iter().map(target));
    }
    Ok(examples)
}

/// What a row of each class counts, by [`Train::weight`] and [`Train::balance`].
fn class_weights(train: &Train, labels: &[Label]) -> [f64; 3] {
    let mut counts = [0.0; 3];
    for label in labels {
        counts[*label as usize] += 1.0;
    }
    // The number of classes cancels out when scaled to the mean.
    let raw = counts.map(|count: f64| if count > 0.0 { count.powf(-train.balance) } else { 0.0 });
    let sum: f64 = raw.iter().zip(&counts).map(|(weight, count)| weight * count).sum();
    raw.map(|weight| train.weight * weight * labels.len() as f64 / sum)
}

fn judge<'a>(
    evaluate: &'a Evaluate,
    dataset: &Dataset,
    features: &Features<'_>,
    head: &Head,
) -> Result<(&'a str, Metrics<'a>), LabError> {
    let pooled = features.of(dataset)?;
    let of_row = |row: &[f32]| <[f32; 3]>::try_from(head.probabilities(row)).unwrap_or_default();
    let probabilities: Vec<[f32; 3]> = pooled.chunks_exact(features.width()).map(of_row).collect();
    let scores = Scores::of(&dataset.labels(), &probabilities).ok_or(LabError::NothingToJudge)?;
    let Evaluate { name, path, last, measure, floor } = evaluate;
    let metrics =
        Metrics { path, last: *last, sha256: dataset.sha256.clone(), measure: *measure, floor: *floor, scores };
    Ok((name, metrics))
}

fn check_floors(metrics: &BTreeMap<&str, Metrics<'_>>) -> Result<(), LabError> {
    let missed = metrics.iter().filter_map(|(name, metrics)| {
        let (reached, floor) = (metrics.measure.of(&metrics.scores), metrics.floor);
        (reached < floor).then(|| format!("{name} {} {reached:.4} < {floor}", metrics.measure.as_str()))
    });
    let missed: Vec<String> = missed.collect();
    if missed.is_empty() { Ok(()) } else { Err(LabError::Floors(missed)) }
}

/// `metrics` in the manifest, by the name of the evaluation.
#[derive(Debug, Serialize)]
struct Metrics<'a> {
    path: &'a Path,
    last: Option<f64>,
    sha256: String,
    measure: Measure,
    floor: f64,
    #[serde(flatten)]
    scores: Scores,
}

/// `training` in the manifest.
#[derive(Debug, Serialize)]
struct Training<'a> {
    fit: super::recipe::Fit,
    iterations: u64,
    loss: f64,
    datasets: Vec<Trained<'a>>,
}

#[derive(Debug, Serialize)]
struct Trained<'a> {
    path: &'a Path,
    source: &'a str,
    sha256: &'a str,
    first: Option<f64>,
    weight: f64,
    balance: f64,
    rows: usize,
    classes: BTreeMap<Label, usize>,
    /// Rows of the dump that could not be read or carry no label.
    rejected: u64,
    /// Rows left out because an evaluation holds the same text.
    dropped_as_held_out: usize,
}

impl<'a> Training<'a> {
    fn of(recipe: &'a Recipe, train: &'a [Dataset], dropped: &[usize], fitted: &Fitted) -> Self {
        let rows = recipe.train.iter().zip(train).zip(dropped);
        let datasets = rows.map(|((Train { path, first, weight, balance, source }, dataset), dropped)| {
            let mut classes = BTreeMap::new();
            for label in dataset.labels() {
                *classes.entry(label).or_default() += 1;
            }
            Trained {
                path,
                source,
                sha256: &dataset.sha256,
                first: *first,
                weight: *weight,
                balance: *balance,
                rows: dataset.posts.len(),
                classes,
                rejected: dataset.rejected,
                dropped_as_held_out: *dropped,
            }
        });
        Self { fit: recipe.fit, iterations: fitted.iterations, loss: fitted.loss, datasets: datasets.collect() }
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("string keys and plain numbers: nothing JSON lacks")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Labelled;

    fn dataset(texts: &[&str]) -> Dataset {
        let post = |text: &&str| Labelled { text: (*text).to_owned(), label: Label::Neutral };
        Dataset { posts: texts.iter().map(post).collect(), rejected: 0, sha256: String::new() }
    }

    #[test]
    fn what_is_held_out_is_not_learnt_from() {
        let mut train = [dataset(&["late again", "Great Crew", "late"]), dataset(&["fine"])];
        let held_out = [dataset(&["great crew", "other"]), dataset(&["LATE"])];
        assert_eq!(drop_held_out(&mut train, &held_out), [2, 0]);
        assert_eq!((train[0].texts(), train[1].texts()), (vec!["late again"], vec!["fine"]));
    }

    #[test]
    fn balance_evens_out_the_classes_and_keeps_the_mean_weight() {
        let labels = [Label::Negative, Label::Negative, Label::Negative, Label::Positive];
        let train = |balance| Train { path: "a".into(), first: None, weight: 2.0, balance, source: String::new() };
        assert_eq!(class_weights(&train(0.0), &labels), [2.0, 0.0, 2.0]);
        let [negative, _, positive] = class_weights(&train(1.0), &labels);
        assert!((3.0 * negative - positive).abs() < 1e-12 && (positive - 4.0).abs() < 1e-12, "{negative} {positive}");
        let [negative, _, positive] = class_weights(&train(0.5), &labels);
        assert!((3.0 * negative + positive - 8.0).abs() < 1e-12, "{negative} {positive}");
        assert!((positive / negative - 3.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_missed_floor_is_told_with_both_numbers() {
        let scores = Scores::of(&[Label::Negative, Label::Positive], &[[0.6, 0.3, 0.1]; 2]).unwrap();
        let metrics = |floor: f64| {
            let (path, sha256, measure) = (Path::new("a.csv"), String::new(), Measure::Accuracy);
            BTreeMap::from([("a", Metrics { path, last: None, sha256, measure, floor, scores: scores.clone() })])
        };
        assert!(check_floors(&metrics(0.5)).is_ok());
        let message = check_floors(&metrics(0.6)).unwrap_err().to_string();
        assert!(message.ends_with("floors were missed: a accuracy 0.5000 < 0.6"), "{message}");
    }
}
