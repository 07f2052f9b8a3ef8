//! `vigie lab evaluate`: scores of a model on a labelled dump.

use std::path::PathBuf;

use clap::Args;

use super::super::reader_flags::ReaderFlags;
use super::super::{ConfigFlags, Format};
use super::{bar, subset};
use crate::classify::{Classifier, EncoderClassifier};
use crate::config::Config;
use crate::dump::Inputs;
use crate::lab;
use crate::lab::Dataset;

/// Evaluate a model on a labelled dump: accuracy, macro F1 and recall, scores per class, ROC-AUC of negative,
/// calibration error, confusion matrix, posts/s
///
/// A dump with two classes is scored on these two. If the dump has reasons of negative posts, the model's reason head
/// is evaluated on those posts.
#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
    /// Files of a labelled dump, or folders with them; `-` is standard input
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigFlags,
    /// `text` prints tables, `json` one object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Use only this latest share of the posts, e.g. 0.2
    #[arg(long, value_name = "SHARE")]
    last: Option<f64>,
    #[command(flatten)]
    reader: ReaderFlags,
}

pub(super) fn run(args: &EvaluateArgs) -> anyhow::Result<()> {
    let Config { dump: mut options, classify, .. } = args.config.load(None)?.config;
    args.reader.apply(&mut options)?;
    let mut classifier = EncoderClassifier::load(&classify.model, classify.precision)?;
    let dataset = Dataset::read(&Inputs::expand(&args.data)?, &options, subset(args.last)?, classifier.profile())?;
    let bar = bar(dataset.posts.len() as u64)?;
    let evaluation = lab::evaluate(&mut classifier, &dataset, &bar)?;
    bar.finish_and_clear();
    match args.format {
        Format::Text => println!("{evaluation}"),
        Format::Json => println!("{}", serde_json::to_string_pretty(&evaluation)?),
    }
    Ok(())
}
