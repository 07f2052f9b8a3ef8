//! `vigie model`: fetches models of the Hugging Face hub, and looks after the directory that models are kept in.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::Format;
use crate::lab::hub;
use crate::lab::hub::{Entry, Hub, Kind, Pull, Pulled, Readiness, RepoName, Report, Settings};

/// Fetch models of the Hugging Face hub; list and check the models there are
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
}

/// Fetch a DistilBERT checkpoint of the Hugging Face hub, check its hashes, and make it a model directory
///
/// A download that was cut off goes on where it stopped. Environment: HF_ENDPOINT (another hub or a mirror), HF_TOKEN
/// (for private and gated models; else the token file of `hf auth login`), HF_HUB_CACHE or HF_HOME (where downloads are
/// kept, ~/.cache/huggingface/hub by default), HTTPS_PROXY.
#[derive(Debug, Args)]
struct PullArgs {
    /// Name on the hub, such as `distilbert-base-uncased` or `lxyuan/distilbert-base-multilingual-cased-sentiments-student`;
    /// `@` and a branch, tag or commit after it [default: main]
    #[arg(value_name = "REPO[@REV]")]
    repo: RepoName,
    /// Model directory to write [default: models/ and the last part of the name]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Replace another model that is in the directory
    #[arg(long)]
    force: bool,
    /// `text` is for people, `json` one object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// List the models there are: whether each is ready to use, and what it reached when it was judged
#[derive(Debug, Args)]
struct ListArgs {
    /// Directory of model directories
    #[arg(long, value_name = "DIR", default_value = "models")]
    store: PathBuf,
    /// `text` prints some lines a model for people, `json` an object a model
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Check every file of models against the hashes of their manifests, and load them; ends with 1 if anything is wrong
#[derive(Debug, Args)]
struct VerifyArgs {
    /// Model directories, or ids or names of models in the store [default: all of the store]
    #[arg(value_name = "DIR|ID")]
    models: Vec<String>,
    /// Directory of model directories
    #[arg(long, value_name = "DIR", default_value = "models")]
    store: PathBuf,
    /// `text` prints a line a fault for people, `json` an object a model
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &ModelArgs) -> anyhow::Result<()> {
    match &args.command {
        ModelCommand::Pull(args) => pull(args),
        ModelCommand::List(args) => list(args),
        ModelCommand::Verify(args) => verify(args),
    }
}

fn pull(args: &PullArgs) -> anyhow::Result<()> {
    let hub = Hub::new(Settings::from_env(|name| std::env::var(name).ok())?);
    let to = args.to.clone().unwrap_or_else(|| Path::new("models").join(args.repo.last_part()));
    let style = "{msg} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} left";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(style)?);
    let pulled = hub::pull(&hub, Pull { name: &args.repo, to: &to, force: args.force }, &bar);
    bar.finish_and_clear();
    let pulled = pulled?;
    match args.format {
        Format::Text => print_pulled(&pulled),
        Format::Json => println!("{}", serde_json::to_string(&pulled)?),
    }
    Ok(())
}

fn print_pulled(pulled: &Pulled) {
    let Pulled { dir, id, repo, commit, licence, kind, files, notes, .. } = pulled;
    let dir = dir.display();
    let bytes = files.iter().map(|file| file.bytes).sum();
    println!("{id} is in {dir}: {repo} at {commit}, {}, licence {licence}", size(bytes));
    for note in notes {
        println!("{note}");
    }
    match kind {
        Kind::Classifier { .. } => {
            println!("It reads sentiment as it is. To use it, set this in the configuration:");
            println!("    [classify]\n    model = \"{dir}\"");
            println!("or try it first:");
            println!("    vigie classify --model {dir} \"Je suis content d'être ici !\"");
        }
        Kind::Encoder { because } => {
            let because = because.as_ref().map(|why| format!(", as {why}")).unwrap_or_default();
            println!("It is an encoder and cannot tell sentiment yet{because}. Next, fit a head to it:");
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

fn print_entry(entry: &Entry) {
    let Entry { dir, id, labels, encoder, licence, bytes, champion, readiness, metrics, .. } = entry;
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
    let mut faulty = 0;
    for dir in &dirs {
        let report = hub::verify(dir)?;
        faulty += usize::from(!report.faults.is_empty());
        match args.format {
            Format::Text => print_report(&report),
            Format::Json => println!("{}", serde_json::to_string(&report)?),
        }
    }
    match (faulty, dirs.len()) {
        (_, 0) => bail!("no models in {}: name a directory", args.store.display()),
        (0, _) => Ok(()),
        (faulty, all) => bail!("{faulty} of {all} models are faulty: pull or fit them again, or restore their files"),
    }
}

fn print_report(report: &Report) {
    let Report { dir, id, intact, faults, readiness } = report;
    let dir = dir.display();
    for fault in faults {
        println!("{dir}: {fault}");
    }
    if let (true, Some(id)) = (faults.is_empty(), id) {
        println!("{dir}: {id}, {intact} files as its manifest says, loads, {}", state(readiness));
    }
}

/// In decimal units, as shops and the hub count.
#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
