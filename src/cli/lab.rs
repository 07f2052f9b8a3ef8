//! `vigie lab`: fits the heads of a model to labelled dumps, judges models on labelled dumps, and chooses the one that is read.
//! One file a command.

mod compare;
mod evaluate;
mod fit;
mod promote;
mod sync;

use anyhow::bail;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::lab::Part;

pub(super) use compare::Interrupted;

/// Fit the heads of a model to labelled dumps, judge models on them, and choose the one that is read
#[derive(Debug, Args)]
pub(super) struct LabArgs {
    #[command(subcommand)]
    command: LabCommand,
}

#[derive(Debug, Subcommand)]
enum LabCommand {
    Fit(Box<fit::FitArgs>),
    Evaluate(Box<evaluate::EvaluateArgs>),
    Promote(Box<promote::PromoteArgs>),
    Rollback(promote::RollbackArgs),
    Compare(Box<compare::CompareArgs>),
    Sync(sync::SyncArgs),
}

pub(super) fn run(args: LabArgs) -> anyhow::Result<()> {
    match args.command {
        LabCommand::Fit(args) => fit::run(&args),
        LabCommand::Evaluate(args) => evaluate::run(&args),
        LabCommand::Promote(args) => promote::promote(&args),
        LabCommand::Rollback(args) => promote::rollback(&args),
        LabCommand::Compare(args) => compare::run(&args),
        LabCommand::Sync(args) => sync::sync(&args),
    }
}

/// The part of a dump that `--last` names.
fn part(last: Option<f64>) -> anyhow::Result<Part> {
    match last {
        None => Ok(Part::All),
        Some(share) if share > 0.0 && share < 1.0 => Ok(Part::Last(share)),
        Some(share) => bail!("--last is {share}; wanted a share between 0 and 1, such as 0.2"),
    }
}

/// On standard error, and only where that is a terminal.
fn bar(posts: u64) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} posts, {per_sec}, {eta} left")?;
    Ok(ProgressBar::new(posts).with_style(style))
}
