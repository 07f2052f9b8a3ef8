//! `vigie model`: downloads models from the Hugging Face Hub, lists and verifies the models in a directory, and makes them
//! smaller.

mod precision;
mod quantize;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::Format;
use crate::classify::{Manifest, add_probes};
use crate::lab::hub;
use crate::lab::hub::{
    CheckpointKind, Hub, HubSettings, ModelEntry, PullOptions, PulledModel, Readiness, RepoName, VerifyReport,
};

/// Download models from the Hugging Face Hub; list, verify and shrink local models
#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    Pull(PullArgs),
    List(ListArgs),
    Verify(VerifyArgs),
    Probe(ProbeArgs),
    Quantize(quantize::QuantizeArgs),
}

/// Download a checkpoint from the Hugging Face Hub, verify its hashes, and make it a model directory
///
/// DistilBERT, BERT, RoBERTa and XLM-RoBERTa can be used. An interrupted download is resumed. Environment: HF_ENDPOINT
/// (another hub or a mirror), HF_TOKEN (for private and gated models; default: the token file of `hf auth login`),
/// HF_HUB_CACHE or HF_HOME (download cache, ~/.cache/huggingface/hub by default), HTTPS_PROXY.
#[derive(Debug, Args)]
struct PullArgs {
    /// Name on the Hub, such as `distilbert-base-uncased` or
    /// `lxyuan/distilbert-base-multilingual-cased-sentiments-student`, optionally followed by `@` and a branch, tag or
    /// commit [default: main]
    #[arg(value_name = "REPO[@REV]")]
    repo: RepoName,
    /// Model directory to write [default: models/ and the last part of the name]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Replace another model in the directory
    #[arg(long)]
    force: bool,
    /// `text` for people, `json` prints one object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// List the local models: whether each is ready to use, and its scores
#[derive(Debug, Args)]
struct ListArgs {
    /// Directory that contains the model directories
    #[arg(long, value_name = "DIR", default_value = "models")]
    store: PathBuf,
    /// `text` prints a few lines per model, `json` one object per model
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Verify every file of models against the hashes in their manifests, and load them; exits with 1 if there is any
/// problem
#[derive(Debug, Args)]
struct VerifyArgs {
    /// Model directories, or ids or names of models in --store [default: all models in --store]
    #[arg(value_name = "DIR|ID")]
    models: Vec<String>,
    /// Directory that contains the model directories
    #[arg(long, value_name = "DIR", default_value = "models")]
    store: PathBuf,
    /// Also say what each precision costs in agreement with f32 and gains in speed on this machine
    #[arg(long)]
    precision: bool,
    /// Posts to compare precisions on, instead of a few dozen built-in ones: dumps as `vigie replay` reads them
    #[arg(long, value_name = "FILE", requires = "precision")]
    data: Vec<PathBuf>,
    /// `text` prints one line per problem, `json` one object per model
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Store the answers of a model in f32 in its manifest, so that `classify.precision = "auto"` can check a faster precision
/// against them
///
/// Models that vigie fits, retrains or pulls have them already. The identifier of the model stays the same.
#[derive(Debug, Args)]
struct ProbeArgs {
    /// Model directory with a manifest
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

pub(super) fn run(args: &ModelArgs) -> anyhow::Result<()> {
    match &args.command {
        ModelCommand::Pull(args) => pull(args),
        ModelCommand::List(args) => list(args),
        ModelCommand::Verify(args) => verify(args),
        ModelCommand::Probe(args) => probe(args),
        ModelCommand::Quantize(args) => quantize::run(args),
    }
}

fn pull(args: &PullArgs) -> anyhow::Result<()> {
    let hub = Hub::new(HubSettings::from_env(|name| std::env::var(name).ok())?)?;
    let to = args.to.clone().unwrap_or_else(|| Path::new("models").join(args.repo.last_part()));
    let style = "{msg} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} left";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(style)?);
    let pulled = hub::pull(&hub, PullOptions { name: &args.repo, to: &to, force: args.force }, &bar);
    bar.finish_and_clear();
    let pulled = pulled?;
    match args.format {
        Format::Text => print_pulled(&pulled),
        Format::Json => println!("{}", serde_json::to_string(&pulled)?),
    }
    Ok(())
}

fn print_pulled(pulled: &PulledModel) {
    let PulledModel { dir, id, repo, commit, licence, kind, files, notes, .. } = pulled;
    let dir = dir.display();
    let bytes = files.iter().map(|file| file.bytes).sum();
    println!("wrote {id} to {dir}: {repo} at {commit}, {}, licence {licence}", size(bytes));
    for note in notes {
        println!("{note}");
    }
    match kind {
        CheckpointKind::Classifier { .. } => {
            println!("It classifies sentiment as is. To use it, set this in the configuration:");
            println!("    [classify]\n    model = \"{dir}\"");
            println!("or try it first:");
            println!("    vigie classify --model {dir} \"Je suis content d'être ici !\"");
        }
        CheckpointKind::Encoder { unusable_head } => {
            let reason = unusable_head.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            println!("It is an encoder without a usable sentiment head{reason}. Next, fit a head to it:");
            println!("    vigie lab fit models/recipe/default.toml --encoder {dir} --out {dir}-fitted");
        }
    }
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let entries = hub::list(&args.store)?;
    for entry in &entries {
        match args.format {
            Format::Text => print_entry(entry),
            Format::Json => println!("{}", serde_json::to_string(entry)?),
        }
    }
    if entries.is_empty() && args.format == Format::Text {
        println!("no models in {}: `vigie model pull` fetches one, `vigie lab fit` makes one", args.store.display());
    }
    Ok(())
}

fn print_entry(entry: &ModelEntry) {
    let ModelEntry { dir, id, labels, encoder, licence, bytes, champion, readiness, metrics, .. } = entry;
    let champion = if *champion { "  champion" } else { "" };
    println!("{id}{champion}  {}  {}  {}", dir.display(), size(*bytes), state(readiness));
    if let (Some(encoder), Some(licence)) = (encoder, licence) {
        println!("    encoder  {encoder} ({licence})");
    }
    if *readiness == Readiness::Ready && !labels.is_empty() {
        let labels: Vec<&str> = labels.iter().map(|label| label.as_str()).collect();
        println!("    labels   {}", labels.join(", "));
    }
    for metric in metrics {
        println!("    {:<20} {} {:.3}", metric.evaluation, metric.measure, metric.value);
    }
}

fn state(readiness: &Readiness) -> String {
    match readiness {
        Readiness::Ready => "ready".to_owned(),
        Readiness::EncoderOnly => "encoder only: fit a head with `vigie lab fit --encoder`".to_owned(),
        Readiness::Broken { reason } => format!("unusable: {reason}"),
    }
}

fn verify(args: &VerifyArgs) -> anyhow::Result<()> {
    let dirs = hub::resolve(&args.store, &args.models)?;
    let mut failed = 0;
    for dir in &dirs {
        let report = hub::verify(dir)?;
        failed += usize::from(!report.problems.is_empty());
        match args.format {
            Format::Text => print_report(&report),
            Format::Json => println!("{}", serde_json::to_string(&report)?),
        }
        // Only a classifier has labels to compare.
        if args.precision && report.problems.is_empty() && matches!(report.readiness, Readiness::Ready) {
            precision::print(dir, &args.data, args.format)?;
        }
    }
    match (failed, dirs.len()) {
        (_, 0) => bail!("no models in {}: give a directory", args.store.display()),
        (0, _) => Ok(()),
        (failed, all) => {
            bail!("{failed} of {all} models have problems: pull or fit them again, or restore their files")
        }
    }
}

fn probe(args: &ProbeArgs) -> anyhow::Result<()> {
    let dir = &args.dir;
    let manifest = Manifest::read(dir)?;
    let mut manifest = manifest.with_context(|| format!("{}: no manifest.json in this directory", dir.display()))?;
    add_probes(&mut manifest, dir)?;
    println!("{}: {} answers stored", dir.display(), manifest.probes.map_or(0, |probes| probes.texts.len()));
    Ok(())
}

fn print_report(report: &VerifyReport) {
    let VerifyReport { dir, id, intact, problems, readiness } = report;
    let dir = dir.display();
    for problem in problems {
        println!("{dir}: {problem}");
    }
    if let (true, Some(id)) = (problems.is_empty(), id) {
        println!("{dir}: {id}, {intact} files match the manifest, model loads, {}", state(readiness));
    }
}

/// In decimal units, as on the Hub.
#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
