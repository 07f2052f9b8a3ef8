//! `vigie lab evaluate`: a model and a labelled dump to scores.

use std::path::PathBuf;

use clap::Args;

use super::super::reader_flags::ReaderFlags;
use super::super::{ConfigFlags, Format};
use super::{bar, part};
use crate::classify::{Classifier, DistilBertClassifier};
use crate::config::Config;
use crate::dump::Input;
use crate::lab;
use crate::lab::Dataset;

/// Judge a model on a labelled dump: accuracy, macro F1 and recall, each class, ROC-AUC of negative, calibration error, confusion
/// matrix, posts/s
///
/// A dump that knows two classes is judged on the two. Where the dump says why posts are negative, the model's reason head is judged
/// on those posts.
#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
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

pub(super) fn run(args: &EvaluateArgs) -> anyhow::Result<()> {
    let Config { dump: mut options, classify, .. } = args.config.load(None)?.config;
    args.reader.apply(&mut options)?;
    let mut classifier = DistilBertClassifier::load(&classify.model)?;
    let dataset = Dataset::read(&Input::parse(&args.data), &options, part(args.last)?, classifier.profile())?;
    let bar = bar(dataset.posts.len() as u64)?;
    let evaluation = lab::evaluate(&mut classifier, &dataset, &bar)?;
    bar.finish_and_clear();
    match args.format {
        Format::Text => println!("{evaluation}"),
        Format::Json => println!("{}", serde_json::to_string_pretty(&evaluation)?),
    }
    Ok(())
}
