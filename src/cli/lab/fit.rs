//! `vigie lab fit`: makes a model directory from a recipe and its dumps, or from one dump.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::Value;

use super::super::reader_flags::ReaderFlags;
use super::bar;
use super::sync::MlflowFlags;
use crate::classify::{Manifest, ModelRegistry};
use crate::dump::ReadOptions;
use crate::lab;
use crate::lab::{FitPaths, Penalty, QuickFit, Recipe, Split};

/// Fit the heads of a model to labelled dumps: by a recipe, or to one dump
///
/// A recipe is a TOML file; the model is written only if every floor in it is reached. Any other file is a labelled
/// dump with three or two classes: a head is fitted to it, its probabilities are calibrated, and it is evaluated on the
/// held-out share. A head of two classes never predicts the third.
#[derive(Debug, Args)]
pub(super) struct FitArgs {
    /// Recipe, such as models/recipe/default.toml; or a labelled dump
    #[arg(value_name = "RECIPE.toml|DUMP")]
    what: PathBuf,
    /// Directory that the recipe's paths are relative to
    #[arg(long, value_name = "DIR", default_value = "../shared/data")]
    data_dir: PathBuf,
    /// Model directory whose encoder is used; its heads are kept where no new ones are fitted
    #[arg(long, value_name = "DIR", default_value = "models/default")]
    encoder: PathBuf,
    /// Model directory to write; an existing model is replaced, unless it has ever been promoted
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Directory to cache the encoder's output of each dump, so that the next fit takes seconds
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// How far the classes of DUMP are balanced, from 0 (each row weighs the same) to 1 (each class does) [default:
    /// 0.5]
    #[arg(long, value_name = "SHARE")]
    balance: Option<f64>,
    /// Strength of the L2 penalty, or `cv` to choose it by cross-validation [default: cv]
    #[arg(long, value_name = "NUMBER|cv")]
    l2: Option<Penalty>,
    /// Share of DUMP held out for evaluation [default: 0.2]
    #[arg(long, value_name = "SHARE")]
    test_share: Option<f64>,
    /// Hold out the latest posts, or posts drawn by their text [default: random]
    #[arg(long, value_enum)]
    split: Option<SplitFlag>,
    /// Also fit a reason head, to the reason column of DUMP
    #[arg(long)]
    reasons: bool,
    #[command(flatten)]
    mlflow: MlflowFlags,
    #[command(flatten)]
    reader: ReaderFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SplitFlag {
    Time,
    Random,
}

pub(super) fn run(args: &FitArgs) -> anyhow::Result<()> {
    refuse_promoted(&args.out)?;
    let encoder = ModelRegistry::resolve(&args.encoder)?;
    let is_recipe = args.what.extension().is_some_and(|extension| extension == "toml");
    let (recipe, data) = if is_recipe {
        (read_recipe(args)?, args.data_dir.as_path())
    } else {
        (quick_fit(args, &encoder)?, Path::new(""))
    };
    let paths = FitPaths { data, encoder: &encoder, out: &args.out, cache: args.cache.as_deref() };
    let tracker = args.mlflow.tracker()?;
    let (started, clock) = (Timestamp::now(), Instant::now());
    let bar = bar(0)?;
    let manifest = lab::fit(&recipe, paths, &bar)?;
    bar.finish_and_clear();
    println!("wrote {} to {}", manifest.model_id(), args.out.display());
    print_results(&recipe, &manifest);
    let record = lab::fit_run_record(&manifest, &args.out, started, clock.elapsed());
    if let (Some(tracker), Some(record)) = (tracker, record) {
        tracker.log(&record);
    }
    Ok(())
}

fn read_recipe(args: &FitArgs) -> anyhow::Result<Recipe> {
    let given = [
        ("--balance", args.balance.is_some()),
        ("--l2", args.l2.is_some()),
        ("--test-share", args.test_share.is_some()),
        ("--split", args.split.is_some()),
        ("--reasons", args.reasons),
    ];
    if let Some((flag, _)) = given.iter().find(|(_, given)| *given) {
        bail!("{flag} is only for a fit to one dump: {} is a recipe, set it there", args.what.display());
    }
    let mut recipe = Recipe::read(&args.what)?;
    args.reader.apply(&mut recipe.dump)?;
    Ok(recipe)
}

fn quick_fit(args: &FitArgs, encoder: &Path) -> anyhow::Result<Recipe> {
    let share = |flag: &str, share: f64, closed: bool| {
        let fits = if closed { (0.0..=1.0).contains(&share) } else { share > 0.0 && share < 1.0 };
        if fits { Ok(share) } else { Err(anyhow::anyhow!("{flag} is {share}; expected a share, e.g. 0.2")) }
    };
    let mut read = ReadOptions::default();
    args.reader.apply(&mut read)?;
    let name = args.out.file_name().context("--out is not a directory name")?.to_string_lossy();
    let quick_fit = QuickFit {
        dump: &args.what,
        name: &name,
        encoder,
        read,
        balance: share("--balance", args.balance.unwrap_or(0.5), true)?,
        l2: args.l2.clone().unwrap_or(Penalty::CV),
        test_share: share("--test-share", args.test_share.unwrap_or(0.2), false)?,
        split: match args.split {
            Some(SplitFlag::Time) => Split::Time,
            Some(SplitFlag::Random) | None => Split::Random,
        },
        reasons: args.reasons,
    };
    Ok(quick_fit.recipe()?)
}

/// Running daemons and a rollback rely on promoted models.
fn refuse_promoted(out: &Path) -> anyhow::Result<()> {
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if ModelRegistry::new(parent).was_promoted(&name)? {
        bail!(
            "{} is or was the champion of {} and is not overwritten: choose another --out, then run `vigie lab promote` on it",
            out.display(),
            parent.display()
        );
    }
    Ok(())
}

fn print_results(recipe: &Recipe, manifest: &Manifest) {
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
