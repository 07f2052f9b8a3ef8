//! `vigie lab retrain`: a challenger from the model in use and what people corrected. The daemon runs it as a child process
//! for its button and its schedule, with `--progress`.

mod input;
mod progress;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::Timestamp;

use super::super::state::StateFlags;
use super::sync::MlflowFlags;
use super::{Format, bar};
use crate::classify::{Manifest, RetrainedModels};
use crate::config::LoadedConfig;
use crate::lab::retrain::{self, RetrainPaths, RetrainReport, RetrainSettings, RetrainVerdict};
use progress::Progress;

/// Challengers that were never promoted and are kept; one is as large as its encoder.
const KEPT: usize = 3;

/// Fit a challenger to what people corrected, and compare it with the model in use
///
/// Corrections come from the running daemon, or from the store if none runs. The challenger keeps the encoder; its label head
/// moves from the champion's as far as the corrections justify. Both are judged on held-out posts and on corrections that
/// neither has learned from. The challenger is written to `models/` in the state directory; `vigie lab promote` or the
/// console's model page put it in use. Settings are in [retrain] of the configuration.
#[derive(Debug, Args)]
pub(super) struct RetrainArgs {
    /// Labelled dumps that hold the head in its place, instead of retrain.base
    #[arg(long, value_name = "FILE")]
    base: Vec<PathBuf>,
    /// Labelled dumps to judge both models on, instead of retrain.held_out
    #[arg(long, value_name = "FILE")]
    held_out: Vec<PathBuf>,
    /// Use corrections of posts from X too; its terms forbid training on them unless you have agreed otherwise with X
    #[arg(long)]
    with_x: bool,
    /// How many posts of the base data a correction counts as, instead of retrain.weight
    #[arg(long, value_name = "NUMBER")]
    weight: Option<f64>,
    /// Model directory or registry, instead of classify.model of the configuration
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// `text` for people, `json` prints one object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print one JSON object a line while it runs, for the daemon
    #[arg(long, hide = true)]
    progress: bool,
    #[command(flatten)]
    mlflow: MlflowFlags,
    #[command(flatten)]
    state: StateFlags,
}

pub(super) fn run(args: &RetrainArgs) -> anyhow::Result<()> {
    let state = args.state.with_store()?;
    let loaded = configuration(args)?;
    let models = super::super::retrained_models(&state, &loaded.config.classify.model);
    let _lock = lock(models.dir())?;
    let (champion, root) = (models.in_use()?, models.root()?);
    let Some((manifest, root)) = Manifest::read(&champion.dir)?.zip(root) else {
        bail!("{} has no manifest.json: only a fitted model can be retrained", champion.dir.display());
    };
    let (now, clock) = (Timestamp::now(), Instant::now());
    let input = input::read(&loaded, &state, manifest.text_profile)?;
    let out = models.model_dir(&challenger_name(now));
    let cache = state.join("lab-cache");
    let paths = RetrainPaths { champion: &champion.dir, root: &root, out: &out, cache: Some(&cache) };
    let settings = RetrainSettings { weight: loaded.config.retrain.weight, now };
    let bar = bar(input.texts() as u64)?;
    let progress = Progress::start(args.progress, &bar);
    let result = retrain::retrain(input, settings, paths, &bar);
    bar.finish_and_clear();
    progress.stop();
    let (manifest, report) = result?;
    if let Some((tracker, record)) =
        args.mlflow.tracker()?.zip(retrain::run_record(&manifest, &report, &out, now, clock.elapsed()))
    {
        tracker.log(&record);
    }
    models.remove_old(KEPT)?;
    // The daemon promotes by itself, as it loads the model, too.
    let promoted = !args.progress && promote_by_itself(&models, &loaded, &out, &report)?;
    print(args, &out, &report, promoted)
}

/// The configuration with the command's flags in place of its keys.
fn configuration(args: &RetrainArgs) -> anyhow::Result<LoadedConfig> {
    let mut loaded = super::super::config_loader(args.state.config.clone()).load()?;
    let (classify, retrain) = (&mut loaded.config.classify, &mut loaded.config.retrain);
    if let Some(model) = &args.model {
        classify.model.clone_from(model);
    }
    if !args.base.is_empty() {
        retrain.base.clone_from(&args.base);
    }
    if !args.held_out.is_empty() {
        retrain.held_out.clone_from(&args.held_out);
    }
    retrain.with_x |= args.with_x;
    if let Some(weight) = args.weight {
        if !(weight.is_finite() && weight > 0.0) {
            bail!("--weight is {weight}; expected a number above 0, e.g. 3");
        }
        retrain.weight = weight;
    }
    Ok(loaded)
}

/// Only one retraining at a time. Removes what one that was killed has left.
fn lock(dir: &Path) -> anyhow::Result<File> {
    let shown = dir.display();
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {shown}"))?;
    // Not the directory itself: that is locked for a promotion, which must not wait for a retraining.
    let file = File::create(dir.join(".retraining.lock")).with_context(|| format!("cannot write to {shown}"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => bail!("another retraining writes to {shown}: wait for its end"),
        Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("cannot lock {shown}")),
    }
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(".fit-") {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(file)
}

/// Such as `retrained-20261130T093000`: names in the order of time.
fn challenger_name(now: Timestamp) -> String {
    format!("retrained-{}", now.strftime("%Y%m%dT%H%M%S"))
}

/// Where the operator allowed it, a challenger that is better beyond its interval needs no one's look.
fn promote_by_itself(
    models: &RetrainedModels,
    loaded: &LoadedConfig,
    out: &Path,
    report: &RetrainReport,
) -> anyhow::Result<bool> {
    if !loaded.config.retrain.auto_promote || report.verdict != RetrainVerdict::Better {
        return Ok(false);
    }
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned()).context("the challenger's name")?;
    models.promote(&name, "retrain.auto_promote", false, Timestamp::now())?;
    Ok(true)
}

fn print(args: &RetrainArgs, out: &Path, report: &RetrainReport, promoted: bool) -> anyhow::Result<()> {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    if args.progress || matches!(args.format, Format::Json) {
        let result = serde_json::json!({ "model": name, "directory": out, "promoted": promoted, "report": report });
        println!("{result}");
        return Ok(());
    }
    println!("{report}\n");
    println!("wrote {}", out.display());
    if promoted {
        println!("promoted (retrain.auto_promote); reload running daemons to use it: SIGHUP or POST /-/reload");
    } else {
        let state = out.parent().and_then(Path::parent).unwrap_or(out).display();
        println!("put it in use with `vigie lab promote {name} --state {state}`, or on the console's model page");
    }
    Ok(())
}
