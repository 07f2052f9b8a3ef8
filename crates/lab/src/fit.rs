//! [`fit`]: turns a recipe into a model directory. The result depends only on the recipe, the dumps and the encoder.
//!
//! ```text
//! dumps -> held-out rows                   -> scores >= floors?
//!       -> rows that fit the temperature   -> head / T
//!       -> the rest -> l2 by cross-validation -> Logistic -> head      (the same for reasons)
//! ```

mod heads;
mod rows;
mod run;

use std::collections::BTreeMap;
use std::path::Path;

use indicatif::ProgressBar;

use super::encoder_cache::EncoderCache;
use super::logistic::Logistic;
use super::manifest_metrics::{EvaluationRecord, HeadRecord, ReasonRecord, TrainingDataset, TrainingRecord, json};
use super::model_dir::Staging;
use super::recipe::{Evaluate, HeadSource, Recipe, Train};
use super::{Dataset, LabError, ReasonScores, Scores, Subset};
use heads::Heads;
use rows::EncodedDataset;
pub use run::fit_run_record;
use vigie_reading::classify::{Label, Manifest, add_probes};
use vigie_reading::dump::Inputs;

/// Where a fit reads and writes.
#[derive(Debug, Clone, Copy)]
pub struct FitPaths<'a> {
    /// The recipe's paths are relative to this directory.
    pub data: &'a Path,
    /// A model directory, with or without a head.
    pub encoder: &'a Path,
    /// The model directory to write, or to replace, once everything succeeded.
    pub out: &'a Path,
    /// Directory for the encoder's output, to be reused by the next fit.
    pub cache: Option<&'a Path>,
}

/// Fits the heads of `recipe`, checks them against its floors and writes the model. Returns the manifest as written.
pub fn fit(recipe: &Recipe, paths: FitPaths<'_>, progress: &ProgressBar) -> Result<Manifest, LabError> {
    Logistic::from_settings(&recipe.fit, 0.0).check()?;
    let held_out = recipe.evaluate.iter().map(|evaluate| read(recipe, paths, &evaluate.path, evaluate.subset()));
    let held_out: Vec<Dataset> = held_out.collect::<Result<_, _>>()?;
    let train = recipe.train.iter().map(|train| read(recipe, paths, &train.path, train.subset()));
    let mut train: Vec<Dataset> = train.collect::<Result<_, _>>()?;
    let dropped = drop_held_out(&mut train, &held_out);
    let known = rows::known(&train);
    let labels = match recipe.fit.head {
        HeadSource::Fit => rows::labels(&known),
        HeadSource::Keep => heads::existing_labels(paths.encoder)?,
    };
    let trained = recipe.train.iter().zip(&train).zip(&dropped);
    let trained: Vec<TrainingDataset<'_>> =
        trained.map(|((train, dataset), dropped)| trained_on(recipe, train, dataset, *dropped)).collect();
    for (settings, dataset) in recipe.train.iter().zip(&mut train) {
        rows::retain_needed_posts(recipe, settings, dataset);
    }
    progress.set_length(train.iter().chain(&held_out).map(|dataset| dataset.posts.len() as u64).sum());

    let staging = Staging::copy_encoder(paths.encoder, paths.out)?;
    let mut manifest = Manifest::new(&recipe.name, recipe.pooling, recipe.max_tokens, recipe.encoder.clone());
    (manifest.text_profile, manifest.labels) = (recipe.text_profile, labels.clone());
    // Written before the encoder is loaded, so that the fit loads it exactly as users of the finished model will.
    manifest.write(&staging.dir())?;
    let encoder = EncoderCache::load(&staging.dir(), &manifest, paths.cache, progress)?;

    let sources = recipe.train.iter().zip(train).zip(known);
    let encoded =
        sources.map(|((train, dataset), known)| EncodedDataset::encode(recipe, train, known, dataset, &encoder));
    let encoded: Vec<EncodedDataset<'_>> = encoded.collect::<Result<_, _>>()?;
    let (head, label_record) = match recipe.fit.head {
        HeadSource::Fit => heads::fit_labels(recipe, &encoded, &labels)?,
        HeadSource::Keep => heads::existing_label_head(&encoded, &labels, paths.encoder)?,
    };
    let reasons = match &recipe.reason {
        Some(settings) => Some(heads::fit_reasons(recipe, settings, &encoded)?),
        None => None,
    };
    let (reasons, reason_record) = reasons.unzip();
    let existing = if recipe.reason.is_none() { heads::existing_reasons(&manifest, paths.encoder)? } else { None };
    let heads = Heads { labels, head, reasons: reasons.or(existing) };

    let scored =
        recipe.evaluate.iter().zip(&held_out).map(|(evaluate, dataset)| score(evaluate, dataset, &encoder, &heads));
    let metrics: BTreeMap<&str, EvaluationRecord<'_>> = scored.collect::<Result<_, LabError>>()?;
    check_floors(&metrics)?;

    heads.save(&staging.dir(), &mut manifest)?;
    manifest.training = training(recipe, label_record, reason_record, trained);
    manifest.metrics = json(&metrics);
    manifest.write(&staging.dir())?;
    add_probes(&mut manifest, &staging.dir())?;
    staging.promote()?;
    Ok(manifest)
}

fn read(recipe: &Recipe, paths: FitPaths<'_>, path: &Path, subset: Subset) -> Result<Dataset, LabError> {
    let inputs = Inputs::expand(&[paths.data.join(path)]).map_err(crate::dataset::DatasetError::from)?;
    Ok(Dataset::read(&inputs, &recipe.dump, subset, recipe.text_profile)?)
}

/// Removes from `train` every post whose text, ignoring case, is held out; returns how many each dataset lost.
fn drop_held_out(train: &mut [Dataset], held_out: &[Dataset]) -> Vec<usize> {
    train.iter_mut().map(|dataset| dataset.drop_texts_of(held_out)).collect()
}

fn trained_on<'a>(recipe: &Recipe, train: &'a Train, dataset: &Dataset, dropped: usize) -> TrainingDataset<'a> {
    let share = recipe.calibration_share(train);
    let mut classes: BTreeMap<Label, usize> = BTreeMap::new();
    let mut calibration_rows = 0;
    for post in &dataset.posts {
        if rows::is_below(&post.text, share) {
            calibration_rows += 1;
        } else {
            *classes.entry(post.label).or_default() += 1;
        }
    }
    TrainingDataset {
        train,
        sha256: dataset.sha256.clone(),
        rows: dataset.posts.len() - calibration_rows,
        classes,
        calibration_rows,
        rejected: dataset.rejected,
        dropped_as_held_out: dropped,
    }
}

fn training(
    recipe: &Recipe,
    head: HeadRecord,
    reason: Option<ReasonRecord>,
    datasets: Vec<TrainingDataset<'_>>,
) -> serde_json::Value {
    json(&TrainingRecord { fit: &recipe.fit, head, reason, datasets })
}

fn score<'a>(
    evaluate: &'a Evaluate,
    dataset: &Dataset,
    encoder: &EncoderCache<'_>,
    heads: &Heads,
) -> Result<(&'a str, EvaluationRecord<'a>), LabError> {
    let pooled = encoder.encode(dataset)?;
    let rows = || pooled.chunks_exact(encoder.width());
    let probabilities: Vec<[f32; 3]> = rows().map(|row| heads.probabilities(row)).collect();
    let scores = Scores::compute(&dataset.labels(), &probabilities).ok_or(LabError::NothingToEvaluate)?;
    let reasons = dataset.posts.iter().zip(rows()).filter_map(|(post, row)| {
        let (predicted, probability) = heads.reason(row)?;
        Some((post.reason.clone()?, predicted, probability))
    });
    let reasons = ReasonScores::compute(&reasons.collect::<Vec<_>>());
    Ok((&evaluate.name, EvaluationRecord { evaluate, sha256: dataset.sha256.clone(), scores, reasons }))
}

fn check_floors(metrics: &BTreeMap<&str, EvaluationRecord<'_>>) -> Result<(), LabError> {
    let mut missed = Vec::new();
    for (name, EvaluationRecord { evaluate, scores, reasons, .. }) in metrics {
        let (measure, reached) = (evaluate.measure, evaluate.measure.value(scores));
        if reached < evaluate.floor {
            missed.push(format!("{name} {} {reached:.4} < {}", measure.as_str(), evaluate.floor));
        }
        let reached = reasons.as_ref().map_or(0.0, |reasons| reasons.macro_f1);
        if let Some(floor) = evaluate.reason_floor.filter(|floor| reached < *floor) {
            missed.push(format!("{name} macro_f1 of reasons {reached:.4} < {floor}"));
        }
    }
    if missed.is_empty() { Ok(()) } else { Err(LabError::Floors(missed)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LabelledPost;
    use crate::recipe::Measure;

    fn dataset(texts: &[&str]) -> Dataset {
        let post = |text: &&str| LabelledPost { text: (*text).to_owned(), label: Label::Neutral, reason: None };
        Dataset { posts: texts.iter().map(post).collect(), rejected: 0, sha256: String::new() }
    }

    #[test]
    fn held_out_texts_are_dropped_from_training() {
        let mut train = [dataset(&["late again", "Great Crew", "late"]), dataset(&["fine"])];
        let held_out = [dataset(&["great crew", "other"]), dataset(&["LATE"])];
        assert_eq!(drop_held_out(&mut train, &held_out), [2, 0]);
        assert_eq!((train[0].texts(), train[1].texts()), (vec!["late again"], vec!["fine"]));
    }

    #[test]
    fn a_missed_floor_is_reported_with_both_numbers() {
        let scores = Scores::compute(&[Label::Negative, Label::Positive], &[[0.6, 0.3, 0.1]; 2]).unwrap();
        let check = |floor: f64, reason_floor| {
            let evaluate = Evaluate {
                name: "a".into(),
                path: "a.csv".into(),
                last: None,
                sampled: None,
                measure: Measure::Accuracy,
                floor,
                reason_floor,
            };
            let metrics =
                EvaluationRecord { evaluate: &evaluate, sha256: String::new(), scores: scores.clone(), reasons: None };
            check_floors(&BTreeMap::from([("a", metrics)])).map_err(|error| error.to_string())
        };
        assert_eq!(check(0.5, None), Ok(()));
        let message = check(0.6, Some(0.3)).unwrap_err();
        let expected = "floors of the recipe were missed: a accuracy 0.5000 < 0.6, a macro_f1 of reasons 0.0000 < 0.3";
        assert!(message.ends_with(expected), "{message}");
    }
}
