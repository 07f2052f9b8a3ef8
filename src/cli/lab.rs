//! `vigie lab`: fits the head of a model to labelled dumps, and judges models on labelled dumps.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::reader_flags::ReaderFlags;
use super::{ConfigFlags, Format};
use crate::classify::{Classifier, DistilBertClassifier};
use crate::config::Config;
use crate::lab::{self, Dataset, Part, Places, Recipe};
use crate::source::Input;

/// Fit the head of a model to labelled dumps, and judge models on them
#[derive(Debug, Args)]
pub(super) struct LabArgs {
    #[command(subcommand)]
    command: LabCommand,
}

#[derive(Debug, Subcommand)]
enum LabCommand {
    Fit(FitArgs),
    Evaluate(Box<EvaluateArgs>),
}

/// Fit the head of a model to labelled dumps, by a recipe
///
/// Nothing is written unless every floor of the recipe is reached.
#[derive(Debug, Args)]
struct FitArgs {
    /// What to learn from and how: a TOML file such as models/recipe/default.toml
    recipe: PathBuf,
    /// Directory that the recipe's paths are relative to
    #[arg(long, value_name = "DIR", default_value = "../shared/data")]
    data_dir: PathBuf,
    /// Model directory whose encoder is taken; a head in it is not
    #[arg(long, value_name = "DIR", default_value = "models/default")]
    encoder: PathBuf,
    /// Model directory to write; a model that is there is replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Keeps what the encoder says of each dump, so that the next fit on them takes seconds
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

/// Judge a model on a labelled dump: accuracy, macro F1 and recall, each class, ROC-AUC of negative, confusion matrix, posts/s
///
/// A dump that knows two classes is judged on the two.
#[derive(Debug, Args)]
struct EvaluateArgs {
    /// A labelled dump; `-` is standard input
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    #[command(flatten)]
    config: ConfigFlags,
    /// `text` prints tables for people, `json` one object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Judge by this latest share of the posts only, such as 0.2
    #[arg(long, value_name = "SHARE")]
    last: Option<f64>,
    #[command(flatten)]
    reader: ReaderFlags,
}

pub(super) fn run(args: LabArgs) -> anyhow::Result<()> {
    match args.command {
        LabCommand::Fit(args) => fit(&args),
        LabCommand::Evaluate(args) => evaluate(&args),
    }
}

fn fit(args: &FitArgs) -> anyhow::Result<()> {
    let recipe = Recipe::read(&args.recipe)?;
    let places = Places { data: &args.data_dir, encoder: &args.encoder, out: &args.out, cache: args.cache.as_deref() };
    let bar = bar(0)?;
    let manifest = lab::fit(&recipe, places, &bar)?;
    bar.finish_and_clear();
    println!("{} is in {}", manifest.model_id(), args.out.display());
    for evaluation in &recipe.evaluate {
        let metrics = &manifest.metrics[&evaluation.name];
        println!(
            "{:<20}{:<14}{:.4} (floor {})",
            evaluation.name,
            evaluation.measure.as_str(),
            metrics[evaluation.measure.as_str()].as_f64().unwrap_or_default(),
            evaluation.floor
        );
    }
    Ok(())
}

fn evaluate(args: &EvaluateArgs) -> anyhow::Result<()> {
    let part = match args.last {
        None => Part::All,
        Some(share) if share > 0.0 && share < 1.0 => Part::Last(share),
        Some(share) => bail!("--last is {share}; wanted a share between 0 and 1, such as 0.2"),
    };
    let Config { dump: mut options, classify, .. } = args.config.load(None)?.config;
    args.reader.apply(&mut options)?;
    let mut classifier = DistilBertClassifier::load(&classify.model)?;
    let dataset = Dataset::read(&Input::parse(&args.data), &options, part, classifier.profile())?;
    let bar = bar(dataset.posts.len() as u64)?;
    let evaluation = lab::evaluate(&mut classifier, &dataset, &bar)?;
    bar.finish_and_clear();
    match args.format {
        Format::Text => println!("{evaluation}"),
        Format::Json => println!("{}", serde_json::to_string_pretty(&evaluation)?),
    }
    Ok(())
}

/// On standard error, and only where that is a terminal.
fn bar(posts: u64) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} posts, {per_sec}, {eta} left")?;
    Ok(ProgressBar::new(posts).with_style(style))
}
