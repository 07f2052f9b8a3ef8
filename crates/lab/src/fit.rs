//! [`fit`]: follows a recipe to a model directory. The result depends on the recipe, the dumps and the encoder alone.
//!
//! ```text
//! dumps -> rows that are held out          -> scores >= floors?
//!       -> rows that fit the temperature   -> head / T
//!       -> the rest -> l2 by cross-validation -> Logistic -> head      (the same for reasons)
//! ```

mod heads;
mod rows;
mod run;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use indicatif::ProgressBar;

use super::encoder_cache::Features;
use super::logistic::Logistic;
use super::manifest_metrics::{HeadRecord, Metrics, ReasonRecord, Trained, Training, json};
use super::model_dir::Staging;
use super::recipe::{Evaluate, HeadSource, Recipe, Train};
use super::{Dataset, LabError, Part, ReasonScores, Scores};
use heads::Heads;
use rows::Rows;
pub use run::run_of_fit;
use vigie_reading::classify::{Label, Manifest};
use vigie_reading::dump::Input;

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

/// Fits the heads that `recipe` asks for, checks them against its floors, and writes the model. Gives the manifest as written.
pub fn fit(recipe: &Recipe, places: Places<'_>, progress: &ProgressBar) -> Result<Manifest, LabError> {
    Logistic::of(&recipe.fit, 0.0).check()?;
    let held_out = recipe.evaluate.iter().map(|evaluate| read(recipe, places, &evaluate.path, evaluate.part()));
    let held_out: Vec<Dataset> = held_out.collect::<Result<_, _>>()?;
    let train = recipe.train.iter().map(|train| read(recipe, places, &train.path, train.part()));
    let mut train: Vec<Dataset> = train.collect::<Result<_, _>>()?;
    let dropped = drop_held_out(&mut train, &held_out);
    let known = rows::known(&train);
    let labels = match recipe.fit.head {
        HeadSource::Fit => rows::labels(&known),
        HeadSource::Keep => heads::labels_kept(places.encoder)?,
    };
    let trained = recipe.train.iter().zip(&train).zip(&dropped);
    let trained: Vec<Trained<'_>> =
        trained.map(|((train, dataset), dropped)| trained_on(recipe, train, dataset, *dropped)).collect();
    for (settings, dataset) in recipe.train.iter().zip(&mut train) {
        rows::keep_what_is_read(recipe, settings, dataset);
    }
    progress.set_length(train.iter().chain(&held_out).map(|dataset| dataset.posts.len() as u64).sum());

    let staging = Staging::of_encoder(places.encoder, places.out)?;
    let mut manifest = Manifest::new(&recipe.name, recipe.pooling, recipe.max_tokens, recipe.encoder.clone());
    (manifest.text_profile, manifest.labels) = (recipe.text_profile, labels.clone());
    manifest.write(&staging.dir())?; // the encoder is then loaded just as the finished model's will be
    let features = Features::load(&staging.dir(), &manifest, places.cache, progress)?;

    let read = recipe.train.iter().zip(train).zip(known);
    let encoded = read.map(|((train, dataset), known)| Rows::encode(recipe, train, known, dataset, &features));
    let encoded: Vec<Rows<'_>> = encoded.collect::<Result<_, _>>()?;
    let (head, label_record) = match recipe.fit.head {
        HeadSource::Fit => heads::fit_labels(recipe, &encoded, &labels)?,
        HeadSource::Keep => heads::keep_labels(&encoded, &labels, places.encoder)?,
    };
    let reasons = match &recipe.reason {
        Some(settings) => Some(heads::fit_reasons(recipe, settings, &encoded)?),
        None => None,
    };
    let (reasons, reason_record) = reasons.unzip();
    let kept = if recipe.reason.is_none() { heads::keep_reasons(&manifest, places.encoder)? } else { None };
    let heads = Heads { labels, head, reasons: reasons.or(kept) };

    let judged =
        recipe.evaluate.iter().zip(&held_out).map(|(evaluate, dataset)| judge(evaluate, dataset, &features, &heads));
    let metrics: BTreeMap<&str, Metrics<'_>> = judged.collect::<Result<_, LabError>>()?;
    check_floors(&metrics)?;

    heads.save(&staging.dir(), &mut manifest)?;
    manifest.training = training(recipe, label_record, reason_record, trained);
    manifest.metrics = json(&metrics);
    manifest.write(&staging.dir())?;
    staging.promote()?;
    Ok(manifest)
}

fn read(recipe: &Recipe, places: Places<'_>, path: &Path, part: Part) -> Result<Dataset, LabError> {
    let input = Input::Path(places.data.join(path));
    Ok(Dataset::read(&input, &recipe.dump, part, recipe.text_profile)?)
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

fn trained_on<'a>(recipe: &Recipe, train: &'a Train, dataset: &Dataset, dropped: usize) -> Trained<'a> {
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
    Trained {
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
    datasets: Vec<Trained<'_>>,
) -> serde_json::Value {
    json(&Training { fit: &recipe.fit, head, reason, datasets })
}

fn judge<'a>(
    evaluate: &'a Evaluate,
    dataset: &Dataset,
    features: &Features<'_>,
    heads: &Heads,
) -> Result<(&'a str, Metrics<'a>), LabError> {
    let pooled = features.of(dataset)?;
    let rows = || pooled.chunks_exact(features.width());
    let probabilities: Vec<[f32; 3]> = rows().map(|row| heads.probabilities(row)).collect();
    let scores = Scores::of(&dataset.labels(), &probabilities).ok_or(LabError::NothingToJudge)?;
    let reasons = dataset.posts.iter().zip(rows()).filter_map(|(post, row)| {
        let (read, probability) = heads.reason(row)?;
        Some((post.reason.clone()?, read, probability))
    });
    let reasons = ReasonScores::of(&reasons.collect::<Vec<_>>());
    Ok((&evaluate.name, Metrics { evaluate, sha256: dataset.sha256.clone(), scores, reasons }))
}

fn check_floors(metrics: &BTreeMap<&str, Metrics<'_>>) -> Result<(), LabError> {
    let mut missed = Vec::new();
    for (name, Metrics { evaluate, scores, reasons, .. }) in metrics {
        let (measure, reached) = (evaluate.measure, evaluate.measure.of(scores));
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
    use crate::Labelled;
    use crate::recipe::Measure;

    fn dataset(texts: &[&str]) -> Dataset {
        let post = |text: &&str| Labelled { text: (*text).to_owned(), label: Label::Neutral, reason: None };
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
    fn a_missed_floor_is_told_with_both_numbers() {
        let scores = Scores::of(&[Label::Negative, Label::Positive], &[[0.6, 0.3, 0.1]; 2]).unwrap();
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
            let metrics = Metrics { evaluate: &evaluate, sha256: String::new(), scores: scores.clone(), reasons: None };
            check_floors(&BTreeMap::from([("a", metrics)])).map_err(|error| error.to_string())
        };
        assert_eq!(check(0.5, None), Ok(()));
        let message = check(0.6, Some(0.3)).unwrap_err();
        let wanted = "floors were missed: a accuracy 0.5000 < 0.6, a macro_f1 of reasons 0.0000 < 0.3";
        assert!(message.ends_with(wanted), "{message}");
    }
}
