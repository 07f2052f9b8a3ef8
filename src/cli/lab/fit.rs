//! `vigie lab fit`: a recipe and its dumps, or one dump, to a model directory.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::Value;

use super::super::reader_flags::ReaderFlags;
use super::bar;
use super::sync::MlflowFlags;
use crate::classify::{Manifest, ModelStore};
use crate::dump::ReadOptions;
use crate::lab;
use crate::lab::{BareFit, Penalty, Places, Recipe};

/// Fit the heads of a model to labelled dumps: by a recipe, or to one dump
///
/// A recipe is a TOML file; nothing is written unless every floor in it is reached. Any other file is a labelled dump, of three
/// classes or two: a head is fitted to it, its probabilities are calibrated, and it is judged on the share that was held out.
/// A head of two classes never reads the third.
#[derive(Debug, Args)]
pub(super) struct FitArgs {
    /// What to learn from and how, such as models/recipe/default.toml; or a labelled dump
    #[arg(value_name = "RECIPE.toml|DUMP")]
    what: PathBuf,
    /// Directory that the recipe's paths are relative to
    #[arg(long, value_name = "DIR", default_value = "../shared/data")]
    data_dir: PathBuf,
    /// Model directory whose encoder is taken; its heads only where nothing else is fitted
    #[arg(long, value_name = "DIR", default_value = "models/default")]
    encoder: PathBuf,
    /// Model directory to write; a model that is there is replaced, unless it was ever promoted
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Keeps what the encoder says of each dump, so that the next fit on them takes seconds
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// How far the classes of DUMP are evened out, from 0 (each row counts the same) to 1 (each class does) [default: 0.5]
    #[arg(long, value_name = "SHARE")]
    balance: Option<f64>,
    /// Strength of the penalty, or `cv`: chosen by cross-validation [default: cv]
    #[arg(long, value_name = "NUMBER|cv")]
    l2: Option<Penalty>,
    /// Share of DUMP that is judged by and not learnt from [default: 0.2]
    #[arg(long, value_name = "SHARE")]
    test_share: Option<f64>,
    /// Whether that share is the latest, or drawn by the texts [default: random]
    #[arg(long, value_enum)]
    split: Option<Split>,
    /// Fit a reason head too, to the column of DUMP that says why posts are negative
    #[arg(long)]
    reasons: bool,
    #[command(flatten)]
    mlflow: MlflowFlags,
    #[command(flatten)]
    reader: ReaderFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Split {
    Time,
    Random,
}

pub(super) fn run(args: &FitArgs) -> anyhow::Result<()> {
    refuse_promoted(&args.out)?;
    let encoder = ModelStore::resolve(&args.encoder)?;
    let is_recipe = args.what.extension().is_some_and(|extension| extension == "toml");
    let (recipe, data) =
        if is_recipe { (recipe(args)?, args.data_dir.as_path()) } else { (bare(args, &encoder)?, Path::new("")) };
    let places = Places { data, encoder: &encoder, out: &args.out, cache: args.cache.as_deref() };
    let tracker = args.mlflow.tracker()?;
    let (started, clock) = (Timestamp::now(), Instant::now());
    let bar = bar(0)?;
    let manifest = lab::fit(&recipe, places, &bar)?;
    bar.finish_and_clear();
    println!("{} is in {}", manifest.model_id(), args.out.display());
    tell(&recipe, &manifest);
    let record = lab::run_of_fit(&manifest, &args.out, started, clock.elapsed());
    if let (Some(tracker), Some(record)) = (tracker, record) {
        tracker.log(&record);
    }
    Ok(())
}

fn recipe(args: &FitArgs) -> anyhow::Result<Recipe> {
    let given = [
        ("--balance", args.balance.is_some()),
        ("--l2", args.l2.is_some()),
        ("--test-share", args.test_share.is_some()),
        ("--split", args.split.is_some()),
        ("--reasons", args.reasons),
    ];
    if let Some((flag, _)) = given.iter().find(|(_, given)| *given) {
        bail!("{flag} is for a fit to one dump: {} is a recipe, which says that itself", args.what.display());
    }
    let mut recipe = Recipe::read(&args.what)?;
    args.reader.apply(&mut recipe.dump)?;
    Ok(recipe)
}

fn bare(args: &FitArgs, encoder: &Path) -> anyhow::Result<Recipe> {
    let share = |flag: &str, share: f64, whole: bool| {
        let fits = if whole { (0.0..=1.0).contains(&share) } else { share > 0.0 && share < 1.0 };
        if fits { Ok(share) } else { Err(anyhow::anyhow!("{flag} is {share}; wanted a share, such as 0.2")) }
    };
    let mut read = ReadOptions::default();
    args.reader.apply(&mut read)?;
    let name = args.out.file_name().context("--out names no directory")?.to_string_lossy();
    let bare = BareFit {
        dump: &args.what,
        name: &name,
        encoder,
        read,
        balance: share("--balance", args.balance.unwrap_or(0.5), true)?,
        l2: args.l2.clone().unwrap_or(Penalty::CV),
        test_share: share("--test-share", args.test_share.unwrap_or(0.2), false)?,
        split: match args.split {
            Some(Split::Time) => lab::Split::Time,
            Some(Split::Random) | None => lab::Split::Random,
        },
        reasons: args.reasons,
    };
    Ok(bare.recipe()?)
}

/// A model that was promoted is what readers and a rollback count on.
fn refuse_promoted(out: &Path) -> anyhow::Result<()> {
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if ModelStore::at(parent).was_promoted(&name)? {
        bail!(
            "{} is, or was, the champion of {}, and stays as it is: name another --out, then `vigie lab promote` that",
            out.display(),
            parent.display()
        );
    }
    Ok(())
}

fn tell(recipe: &Recipe, manifest: &Manifest) {
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    for (name, of) in [("labels", &manifest.training), ("reasons", &manifest.training["reason"])] {
        if let Some(l2) = of["l2"].as_f64() {
            println!("{name:<20}{:<14}{l2:e}", "l2");
        }
        if let Some(temperature) = of["calibration"]["temperature"].as_f64() {
            println!("{name:<20}{:<14}{temperature:.4}", "temperature");
        }
    }
    for evaluation in &recipe.evaluate {
        let (name, metrics) = (&evaluation.name, &manifest.metrics[&evaluation.name]);
        let measure = evaluation.measure.as_str();
        println!("{name:<20}{measure:<14}{:.4} (floor {})", number(&metrics[measure]), evaluation.floor);
        println!("{name:<20}{:<14}{:.4}", "ece", number(&metrics["expected_calibration_error"]));
        if metrics["reasons"].is_object() {
            println!("{name:<20}{:<14}{:.4} (of reasons)", "macro_f1", number(&metrics["reasons"]["macro_f1"]));
        }
    }
}
