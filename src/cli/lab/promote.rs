//! `vigie lab promote` and `vigie lab rollback`: choose the champion among the models of a registry.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use super::super::reader_flags::ReaderFlags;
use super::super::{ConfigFlags, Format};
use super::sync::MlflowFlags;
use super::{bar, subset};
use crate::classify::{Classifier, EncoderClassifier, Manifest, ModelRegistry, Precision, Promotion, RetrainedModels};
use crate::dump::Inputs;
use crate::lab::mlflow::Tracker;
use crate::lab::{Dataset, Measure, PairedComparison};

/// Promote a model to champion, unless it is significantly worse than the current one
///
/// Both classify the same labelled posts. The challenger is rejected if the whole 95% interval of the difference
/// (paired bootstrap) is below 0. A daemon whose classify.model is the registry's directory loads the new champion at
/// its next reload. With `--state` the challenger is one of `vigie lab retrain`, which has compared both already.
#[derive(Debug, Args)]
pub(super) struct PromoteArgs {
    /// The challenger: a model directory inside --store, or its name
    model: PathBuf,
    /// Labelled posts that neither model was trained on: files, or folders with them
    // One value each: the model stands behind it.
    #[arg(long, value_name = "FILE", required_unless_present = "state", conflicts_with = "state")]
    data: Vec<PathBuf>,
    /// Use only this latest share of the posts, e.g. 0.2
    #[arg(long, value_name = "SHARE")]
    last: Option<f64>,
    /// Directory of the models
    #[arg(long, value_name = "DIR", default_value = "models")]
    store: PathBuf,
    /// Score to compare
    #[arg(long, value_enum, default_value_t = MeasureFlag::MacroF1)]
    measure: MeasureFlag,
    /// Promote it even if it is worse, or not known to be better
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    retrained: RetrainedFlags,
    /// `text` for people, `json` prints one object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    mlflow: MlflowFlags,
    #[command(flatten)]
    reader: ReaderFlags,
}

/// The models that `vigie lab retrain` made in a state directory.
#[derive(Debug, Args)]
struct RetrainedFlags {
    /// Choose among the models that were retrained in this state directory
    #[arg(long, value_name = "DIR", conflicts_with = "store")]
    state: Option<PathBuf>,
    /// Configuration file, whose classify.model they descend from
    #[arg(long, value_name = "FILE", requires = "state")]
    config: Option<PathBuf>,
}

impl RetrainedFlags {
    fn models(&self) -> anyhow::Result<Option<RetrainedModels>> {
        let Some(state) = &self.state else { return Ok(None) };
        let configured = super::super::config_loader(self.config.clone()).load()?.config.classify.model;
        Ok(Some(super::super::retrained_models(state, &configured)))
    }
}

/// Make the previous champion the champion again; repeat to go further back
///
/// With `--state`, the model before the one that was retrained; at last the configured model.
#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    /// Directory of the models
    #[arg(long, value_name = "DIR", default_value = "models")]
    store: PathBuf,
    #[command(flatten)]
    retrained: RetrainedFlags,
    #[command(flatten)]
    mlflow: MlflowFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum MeasureFlag {
    Accuracy,
    MacroF1,
    MacroRecall,
}

impl From<MeasureFlag> for Measure {
    fn from(flag: MeasureFlag) -> Self {
        match flag {
            MeasureFlag::Accuracy => Self::Accuracy,
            MeasureFlag::MacroF1 => Self::MacroF1,
            MeasureFlag::MacroRecall => Self::MacroRecall,
        }
    }
}

/// One path as it is, several in a list.
fn data_name(files: &[PathBuf]) -> serde_json::Value {
    match files {
        [file] => json!(file),
        files => json!(files),
    }
}

pub(super) fn promote(args: &PromoteArgs) -> anyhow::Result<()> {
    if let Some(models) = args.retrained.models()? {
        return promote_retrained(&models, args);
    }
    let (store, tracker) = (ModelRegistry::new(&args.store), args.mlflow.tracker()?);
    let name = name_in(&store, &args.model)?;
    let manifest = Manifest::read(&store.model_dir(&name))?.with_context(|| {
        format!("{} has no manifest.json: only a fitted model can be promoted", args.model.display())
    })?;
    let champion = store.current_champion()?;
    if champion.as_ref().is_some_and(|champion| champion.model == name && champion.model_id == manifest.model_id()) {
        println!("{} is already the champion", manifest.model_id());
        return Ok(());
    }
    let comparison =
        compare(args, &store.model_dir(&name), champion.as_ref().map(|champion| store.model_dir(&champion.model)))?;
    let worse = comparison.as_ref().is_some_and(PairedComparison::is_worse);
    if let Some(comparison) = comparison.as_ref().filter(|comparison| comparison.is_worse() && !args.force) {
        bail!("{} is not promoted: {comparison}; use --force to promote it anyway", manifest.model_id());
    }
    let promotion = Promotion {
        model: name,
        model_id: manifest.model_id(),
        promoted_at: Some(Timestamp::now()),
        forced: worse,
        evaluation: json!({ "data": data_name(&args.data), "last": args.last, "comparison": comparison }),
    };
    store.promote(promotion.clone())?;
    track(tracker.as_ref(), &store, &promotion);
    match args.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&promotion)?),
        Format::Text => print_promotion(&promotion, champion.as_ref(), comparison.as_ref()),
    }
    Ok(())
}

/// Its report says whether it is better.
fn promote_retrained(models: &RetrainedModels, args: &PromoteArgs) -> anyhow::Result<()> {
    let name = args.model.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let before = models.in_use()?.dir;
    let promotion = models.promote(&name, "vigie lab promote", args.force, Timestamp::now())?;
    if let Some(tracker) = args.mlflow.tracker()? {
        tracker.log_promotion(&promotion.model_id, &BTreeMap::new(), &models.model_dir(&name), Timestamp::now());
    }
    match args.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&promotion)?),
        Format::Text => {
            println!("{} is the champion, replacing {}", promotion.model_id, before.display());
            println!("reload running daemons to use it: SIGHUP or POST /-/reload");
        }
    }
    Ok(())
}

fn print_promotion(promotion: &Promotion, former: Option<&Promotion>, comparison: Option<&PairedComparison>) {
    let forced = if promotion.forced { ", forced" } else { "" };
    match former {
        Some(former) => println!("{} is the champion{forced}, replacing {}", promotion.model_id, former.model_id),
        None => println!("{} is the first champion", promotion.model_id),
    }
    if let Some(comparison) = comparison {
        println!("{comparison}");
    }
    println!("reload running daemons to use it: SIGHUP or POST /-/reload");
}

pub(super) fn rollback(args: &RollbackArgs) -> anyhow::Result<()> {
    if let Some(models) = args.retrained.models()? {
        let (left, now) = models.roll_back()?;
        let now = now.map_or_else(|| "the configured model".to_owned(), |now| now.model_id);
        println!("{now} is used again, replacing {}", left.model_id);
        println!("reload running daemons to use it: SIGHUP or POST /-/reload");
        return Ok(());
    }
    let (store, tracker) = (ModelRegistry::new(&args.store), args.mlflow.tracker()?);
    let (left, now) = store.rollback()?;
    track(tracker.as_ref(), &store, &now);
    println!("{} is the champion again, replacing {}", now.model_id, left.model_id);
    println!("reload running daemons to use it: SIGHUP or POST /-/reload");
    Ok(())
}

/// Logs the promotion to MLflow.
fn track(tracker: Option<&Tracker>, store: &ModelRegistry, promotion: &Promotion) {
    let comparison = &promotion.evaluation["comparison"];
    let measure = comparison["measure"].as_str().unwrap_or_default();
    let numbers = [(measure, "challenger"), ("difference_to_former", "difference")];
    let metrics = numbers.into_iter().filter_map(|(name, field)| Some((name.to_owned(), comparison[field].as_f64()?)));
    if let Some(tracker) = tracker {
        let metrics = metrics.collect();
        tracker.log_promotion(&promotion.model_id, &metrics, &store.model_dir(&promotion.model), Timestamp::now());
    }
}

/// Compares both models on the same posts; `None` without a champion: the challenger is then only loaded.
fn compare(
    args: &PromoteArgs,
    challenger: &Path,
    champion: Option<PathBuf>,
) -> anyhow::Result<Option<PairedComparison>> {
    let flags = ConfigFlags { config: None, model: None, set: Vec::new() };
    let mut options = flags.load(None)?.config.dump;
    args.reader.apply(&mut options)?;
    let mut challenger = EncoderClassifier::load_with(challenger, Precision::F32)?;
    let dataset = Dataset::read(&Inputs::expand(&args.data)?, &options, subset(args.last)?, challenger.profile())?;
    let Some(champion) = champion else { return Ok(None) };
    let mut champion = EncoderClassifier::load_with(&champion, Precision::F32)?;
    if champion.profile() != challenger.profile() {
        bail!(
            "the champion cleans texts differently from the challenger, so they cannot be compared on the same posts"
        );
    }
    let bar = bar(2 * dataset.posts.len() as u64)?;
    let comparison = PairedComparison::run(&mut challenger, &mut champion, &dataset, args.measure.into(), &bar)?;
    bar.finish_and_clear();
    Ok(Some(comparison))
}

/// The name of a model given by name or by path.
fn name_in(store: &ModelRegistry, model: &Path) -> anyhow::Result<String> {
    let name = model.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let inside = store.model_dir(&name).canonicalize();
    let given = if model.components().count() == 1 { store.model_dir(&name) } else { model.to_path_buf() };
    match (inside, given.canonicalize()) {
        (Ok(inside), Ok(given)) if inside == given => Ok(name),
        _ => bail!(
            "{} is not a model in {}: fit it with --out {}/NAME, or set --store DIR",
            model.display(),
            store.dir().display(),
            store.dir().display()
        ),
    }
}
