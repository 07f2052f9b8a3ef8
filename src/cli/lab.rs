//! `vigie lab`: fits models to labelled dumps, evaluates and compares them, and promotes the champion. One file per
//! subcommand.

mod compare;
mod evaluate;
mod fit;
mod promote;
mod retrain;
mod sync;

use anyhow::bail;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::Format;
use crate::lab::Subset;

pub(super) use compare::Interrupted;

/// Fit models to labelled dumps, evaluate and compare them, and promote the champion
#[derive(Debug, Args)]
pub(super) struct LabArgs {
    #[command(subcommand)]
    command: LabCommand,
}

#[derive(Debug, Subcommand)]
enum LabCommand {
    Fit(Box<fit::FitArgs>),
    Evaluate(Box<evaluate::EvaluateArgs>),
    Retrain(Box<retrain::RetrainArgs>),
    Promote(Box<promote::PromoteArgs>),
    Rollback(promote::RollbackArgs),
    Compare(Box<compare::CompareArgs>),
    Sync(sync::SyncArgs),
}

pub(super) fn run(args: LabArgs) -> anyhow::Result<()> {
    match args.command {
        LabCommand::Fit(args) => fit::run(&args),
        LabCommand::Evaluate(args) => evaluate::run(&args),
        LabCommand::Retrain(args) => retrain::run(&args),
        LabCommand::Promote(args) => promote::promote(&args),
        LabCommand::Rollback(args) => promote::rollback(&args),
        LabCommand::Compare(args) => compare::run(&args),
        LabCommand::Sync(args) => sync::sync(&args),
    }
}

/// The subset of a dump that `--last` selects.
fn subset(last: Option<f64>) -> anyhow::Result<Subset> {
    match last {
        None => Ok(Subset::All),
        Some(share) if share > 0.0 && share < 1.0 => Ok(Subset::Last(share)),
        Some(share) => bail!("--last is {share}; expected a share between 0 and 1, e.g. 0.2"),
    }
}

/// On standard error, and only if that is a terminal.
fn bar(posts: u64) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} posts, {per_sec}, {eta} left")?;
    Ok(ProgressBar::new(posts).with_style(style))
}
