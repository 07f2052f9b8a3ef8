//! `vigie lab promote` and `vigie lab rollback`: which model of a store is read.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use super::super::reader_flags::ReaderFlags;
use super::super::{ConfigFlags, Format};
use super::sync::MlflowFlags;
use super::{bar, part};
use crate::classify::{Classifier, DistilBertClassifier, Manifest, ModelStore, Promotion};
use crate::dump::Input;
use crate::lab::mlflow::Tracker;
use crate::lab::{Contest, Dataset, Measure};

/// Make a model of the store the champion, unless it is worse than the one that is
///
/// Both read the same labelled posts. The challenger is refused where even the upper end of the 95 % interval of the difference
/// (paired bootstrap) is below 0. A daemon whose classify.model is the store reads the new champion after its next reload.
#[derive(Debug, Args)]
pub(super) struct PromoteArgs {
    /// The challenger: a directory of the store, or its name there
    model: PathBuf,
    /// Labelled posts that neither model has learnt from
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Judge by this latest share of the posts only, such as 0.2
    #[arg(long, value_name = "SHARE")]
    last: Option<f64>,
    /// Directory of the models
    #[arg(long, value_name = "DIR", default_value = "models")]
    store: PathBuf,
    /// What decides
    #[arg(long, value_enum, default_value_t = Decides::MacroF1)]
    measure: Decides,
    /// Promote it though it is worse
    #[arg(long)]
    force: bool,
    /// `text` is for people, `json` one object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    mlflow: MlflowFlags,
    #[command(flatten)]
    reader: ReaderFlags,
}

/// Go back to the former champion; again, to the one before it
#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    /// Directory of the models
    #[arg(long, value_name = "DIR", default_value = "models")]
    store: PathBuf,
    #[command(flatten)]
    mlflow: MlflowFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Decides {
    Accuracy,
    MacroF1,
    MacroRecall,
}

impl From<Decides> for Measure {
    fn from(decides: Decides) -> Self {
        match decides {
            Decides::Accuracy => Self::Accuracy,
            Decides::MacroF1 => Self::MacroF1,
            Decides::MacroRecall => Self::MacroRecall,
        }
    }
}

pub(super) fn promote(args: &PromoteArgs) -> anyhow::Result<()> {
    let (store, tracker) = (ModelStore::at(&args.store), args.mlflow.tracker()?);
    let name = name_in(&store, &args.model)?;
    let manifest = Manifest::read(&store.model(&name))?
        .with_context(|| format!("{} has no manifest.json: only a fitted model is promoted", args.model.display()))?;
    let champion = store.champion()?;
    if champion.as_ref().is_some_and(|champion| champion.model == name && champion.model_id == manifest.model_id()) {
        println!("{} is the champion already", manifest.model_id());
        return Ok(());
    }
    let contest = hold(args, &store.model(&name), champion.as_ref().map(|champion| store.model(&champion.model)))?;
    let worse = contest.as_ref().is_some_and(Contest::is_worse);
    if let Some(contest) = contest.as_ref().filter(|contest| contest.is_worse() && !args.force) {
        bail!("{} is not promoted: {contest}; --force promotes it all the same", manifest.model_id());
    }
    let promotion = Promotion {
        model: name,
        model_id: manifest.model_id(),
        promoted_at: Some(Timestamp::now()),
        forced: worse,
        evaluation: json!({ "data": args.data, "last": args.last, "contest": contest }),
    };
    store.promote(promotion.clone())?;
    track(tracker.as_ref(), &store, &promotion);
    match args.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&promotion)?),
        Format::Text => tell(&promotion, champion.as_ref(), contest.as_ref()),
    }
    Ok(())
}

fn tell(promotion: &Promotion, former: Option<&Promotion>, contest: Option<&Contest>) {
    let forced = if promotion.forced { ", forced" } else { "" };
    match former {
        Some(former) => println!("{} is the champion{forced}, after {}", promotion.model_id, former.model_id),
        None => println!("{} is the champion, the first", promotion.model_id),
    }
    if let Some(contest) = contest {
        println!("{contest}");
    }
    println!("a daemon that reads the store takes it with its next reload: SIGHUP or POST /-/reload");
}

pub(super) fn rollback(args: &RollbackArgs) -> anyhow::Result<()> {
    let (store, tracker) = (ModelStore::at(&args.store), args.mlflow.tracker()?);
    let (left, now) = store.rollback()?;
    track(tracker.as_ref(), &store, &now);
    println!("{} is the champion again, after {}", now.model_id, left.model_id);
    println!("a daemon that reads the store takes it with its next reload: SIGHUP or POST /-/reload");
    Ok(())
}

/// Tells MLflow who is the champion from now on.
fn track(tracker: Option<&Tracker>, store: &ModelStore, promotion: &Promotion) {
    let contest = &promotion.evaluation["contest"];
    let measure = contest["measure"].as_str().unwrap_or_default();
    let numbers = [(measure, "challenger"), ("difference_to_former", "difference")];
    let metrics = numbers.into_iter().filter_map(|(name, field)| Some((name.to_owned(), contest[field].as_f64()?)));
    if let Some(tracker) = tracker {
        let metrics = metrics.collect();
        tracker.promoted(&promotion.model_id, &metrics, &store.model(&promotion.model), Timestamp::now());
    }
}

/// Both models on the same posts; `None` where there is no champion to compare with, and then the challenger alone is tried.
fn hold(args: &PromoteArgs, challenger: &Path, champion: Option<PathBuf>) -> anyhow::Result<Option<Contest>> {
    let flags = ConfigFlags { config: None, model: None, set: Vec::new() };
    let mut options = flags.load(None)?.config.dump;
    args.reader.apply(&mut options)?;
    let mut challenger = DistilBertClassifier::load(challenger)?;
    let dataset = Dataset::read(&Input::parse(&args.data), &options, part(args.last)?, challenger.profile())?;
    let Some(champion) = champion else { return Ok(None) };
    let mut champion = DistilBertClassifier::load(&champion)?;
    if champion.profile() != challenger.profile() {
        bail!("the champion cleans texts otherwise than the challenger, so that they would not read the same posts");
    }
    let bar = bar(2 * dataset.posts.len() as u64)?;
    let contest = Contest::hold(&mut challenger, &mut champion, &dataset, args.measure.into(), &bar)?;
    bar.finish_and_clear();
    Ok(Some(contest))
}

/// The name of a model that is given by name or by path.
fn name_in(store: &ModelStore, model: &Path) -> anyhow::Result<String> {
    let name = model.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let inside = store.model(&name).canonicalize();
    let given = if model.components().count() == 1 { store.model(&name) } else { model.to_path_buf() };
    match (inside, given.canonicalize()) {
        (Ok(inside), Ok(given)) if inside == given => Ok(name),
        _ => bail!(
            "{} is no model in {}: fit it with --out {}/NAME, or name the store with --store DIR",
            model.display(),
            store.dir().display(),
            store.dir().display()
        ),
    }
}
