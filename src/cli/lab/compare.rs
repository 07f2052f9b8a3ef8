//! `vigie lab compare`: runs the twelve combinations on one set of posts; prints a table and writes Markdown, JSON and
//! HTML.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::super::output::Output;
use super::super::reader_flags::ReaderFlags;
use super::super::{ConfigFlags, Format};
use super::sync::MlflowFlags;
use crate::config::Config;
use crate::dump::{DumpError, Inputs};
use crate::lab::Split;
use crate::lab::compare::report::{Report, ReportContext};
use crate::lab::compare::{Combination, ComparisonData, GridEvent, GridSettings, InputDumps, Run, RunOutcome, compare};
use crate::lab::mlflow::Tracker;

/// Columns of a table that is not printed to a terminal: all of it.
const WIDE: usize = 160;

/// Compare four featurizers with three estimators on labelled posts: TF-IDF, word2vec, GloVe and DistilBERT, each with
/// logistic regression, a random forest and LightGBM
///
/// A single dump is split; --train and --test are used as given. Prints a table and writes report.html, report.md and
/// report.json.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Files of a labelled dump, or folders with them, to be split; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "train", conflicts_with_all = ["train", "test"])]
    dump: Vec<PathBuf>,
    /// Files of a labelled dump for training
    #[arg(long, value_name = "FILE", requires = "test", num_args = 1..)]
    train: Vec<PathBuf>,
    /// Files of a labelled dump for testing; their texts are dropped from training
    #[arg(long, value_name = "FILE", requires = "train", num_args = 1..)]
    test: Vec<PathBuf>,
    /// How a single dump is split: the test set is the latest posts, or posts drawn at random [default: time if every
    /// post has one, otherwise random]
    #[arg(long, value_enum, conflicts_with = "train")]
    split: Option<SplitFlag>,
    /// Share of a single dump that is the test set
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    test_share: f64,
    /// Only these runs, such as `TFIDF_LogisticRegression`, `TFIDF_*` or `*_LightGBM`; may be repeated
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,
    /// GloVe vectors (text, one `word v1 v2 ...` per line) to use instead of training vectors on the given texts
    #[arg(long, value_name = "FILE")]
    glove: Option<PathBuf>,
    /// word2vec vectors (text or binary) to use instead of training vectors on the given texts
    #[arg(long, value_name = "FILE")]
    word2vec: Option<PathBuf>,
    /// Further dumps whose texts word vectors may learn from, labelled or not
    #[arg(long, value_name = "FILE", num_args = 1..)]
    corpus: Vec<PathBuf>,
    /// Seed of everything random: the same seed gives the same results
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Directory to cache the encoder's output of each dump, so that the next comparison is faster
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Directory for report.html, report.md and report.json; existing ones are replaced
    #[arg(long, value_name = "DIR", default_value = "lab-compare")]
    out: PathBuf,
    /// `text` prints tables, `json` the content of report.json
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    mlflow: MlflowFlags,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    reader: ReaderFlags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SplitFlag {
    Time,
    Random,
}

/// The user stopped the grid; finished runs are printed and written.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(in crate::cli) struct Interrupted;

pub(super) fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let combinations = Combination::select(&args.only)?;
    let dumps = args.dumps()?;
    let Config { dump: mut options, classify, .. } = args.config.load(None)?.config;
    args.reader.apply(&mut options)?;
    let tracker = args.mlflow.tracker()?;
    // Fail before hours of work if the directory cannot be written to.
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    let corpus = args.corpus.iter().map(|file| Inputs::expand(&[file])).collect::<Result<Vec<_>, DumpError>>()?;
    let data = ComparisonData::read(&dumps, &corpus, &options, args.seed)?;
    let summary = data.summary.clone();
    let settings = GridSettings {
        seed: args.seed,
        glove: args.glove.clone(),
        word2vec: args.word2vec.clone(),
        model: classify.model,
        cache: args.cache.clone(),
        begun: Timestamp::now(),
    };
    let (begun, clock) = (settings.begun, Instant::now());
    let (ended, stopped) = watch(&combinations, data, settings, tracker.as_ref())?;
    let context = ReportContext {
        command: command(std::env::args()),
        begun,
        took: clock.elapsed(),
        seed: args.seed,
        data: summary,
    };
    let report = Report::new(context, &combinations, ended);
    write(&report, &args.out)?;
    match args.format {
        Format::Text => {
            println!("{}\nreport: {}", report.text(width()), args.out.join("report.html").display());
        }
        Format::Json => print!("{}", report.json()),
    }
    let counts = report.run_counts();
    if stopped {
        return Err(Interrupted.into());
    }
    if counts.failed > 0 {
        bail!("{} of {} runs failed; the table says why", counts.failed, combinations.len());
    }
    Ok(())
}

impl CompareArgs {
    fn dumps(&self) -> anyhow::Result<InputDumps> {
        if !(self.test_share > 0.0 && self.test_share < 1.0) {
            bail!("--test-share is {}; expected a share between 0 and 1, e.g. 0.2", self.test_share);
        }
        match (self.dump.as_slice(), self.train.as_slice(), self.test.as_slice()) {
            (_, train @ [_, ..], test @ [_, ..]) => {
                Ok(InputDumps::Pair { train: Inputs::expand(train)?, test: Inputs::expand(test)? })
            }
            (dump @ [_, ..], ..) => {
                let split = self.split.map(|split| match split {
                    SplitFlag::Time => Split::Time,
                    SplitFlag::Random => Split::Random,
                });
                Ok(InputDumps::Single { dump: Inputs::expand(dump)?, split, test_share: self.test_share })
            }
            _ => bail!("no dump: give one, or --train and --test"),
        }
    }
}

enum Message {
    Grid(GridEvent),
    Interrupt,
    /// The grid is complete.
    Done,
}

/// Runs the grid on a separate thread, so that a signal is handled even while a library is busy. Returns the finished
/// runs, and whether a signal stopped the grid: the process then exits, and its thread with it.
fn watch(
    combinations: &[Combination],
    data: ComparisonData,
    settings: GridSettings,
    tracker: Option<&Tracker>,
) -> anyhow::Result<(Vec<Run>, bool)> {
    let (sender, messages) = mpsc::channel();
    listen(sender.clone())?;
    let bar = bar()?;
    let (work, progress) = (combinations.to_vec(), bar.clone());
    thread::Builder::new().name("grid".to_owned()).spawn(move || {
        compare(&work, &data, &settings, &progress, &mut |event| drop(sender.send(Message::Grid(event))));
        let _ = sender.send(Message::Done);
    })?;
    let mut ended = Vec::new();
    loop {
        match messages.recv() {
            Ok(Message::Grid(GridEvent::Started(name))) => bar.set_prefix(name),
            Ok(Message::Grid(GridEvent::Finished(run))) => {
                if let (RunOutcome::Finished(finished), Some(tracker)) = (&run.outcome, tracker) {
                    tracker.log(&finished.record);
                }
                print_run(&run, ended.len() + 1, combinations.len(), &bar);
                ended.push(run);
            }
            Ok(Message::Interrupt) => {
                bar.finish_and_clear();
                return Ok((ended, true));
            }
            Ok(Message::Done) | Err(_) => {
                bar.finish_and_clear();
                return Ok((ended, false));
            }
        }
    }
}

/// One line on standard error, above the progress bar.
fn print_run(run: &Run, number: usize, runs: usize, bar: &ProgressBar) {
    let outcome = match &run.outcome {
        RunOutcome::Finished(finished) => {
            let record = &finished.record;
            format!("accuracy {:.2}% in {}", record.scores.accuracy * 100.0, seconds(record.duration))
        }
        RunOutcome::Failed(reason) => format!("failed: {reason}"),
        RunOutcome::NotAvailable(reason) => format!("not available: {reason}"),
        RunOutcome::Interrupted => "interrupted".to_owned(),
    };
    let line = format!("{number:>2}/{runs} {:<29} {outcome}", run.combination.to_string());
    bar.suspend(|| eprintln!("{line}"));
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// On standard error, and only if that is a terminal.
fn bar() -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{spinner} {prefix:29} {bar:30} {pos}/{len} {elapsed}")?;
    let bar = ProgressBar::new(0).with_style(style);
    if std::io::stderr().is_terminal() {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    Ok(bar)
}

/// Sends a message at the first interrupt.
fn listen(sender: mpsc::Sender<Message>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        let on = |kind| signal(kind).context("cannot listen for signals");
        (on(SignalKind::interrupt())?, on(SignalKind::terminate())?)
    };
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        });
        let _ = sender.send(Message::Interrupt);
    })?;
    Ok(())
}

fn write(report: &Report, out: &Path) -> anyhow::Result<()> {
    for (name, content) in
        [("report.json", report.json()), ("report.md", report.markdown()), ("report.html", report.html())]
    {
        let path = out.join(name);
        let written = || {
            let mut output = Output::create(&path)?;
            std::io::Write::write_all(output.file(), content.as_bytes())?;
            output.keep()
        };
        written().with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn width() -> usize {
    let of_terminal = || crate::cli::terminal::size().map(|(columns, _)| usize::from(columns));
    if std::io::stdout().is_terminal() { of_terminal().unwrap_or(WIDE) } else { WIDE }
}

/// The command line that repeats the grid, without the MLflow address, which may contain a password.
fn command(mut args: impl Iterator<Item = String>) -> String {
    args.next();
    let mut words = vec!["vigie".to_owned()];
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--mlflow" => drop(args.next()),
            arg if arg.starts_with("--mlflow=") => {}
            arg => words.push(quote(arg)),
        }
    }
    words.join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+%@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_repeated_and_contains_no_address() {
        let args = [
            "target/release/vigie",
            "lab",
            "compare",
            "it's.csv",
            "--only",
            "TFIDF_*",
            "--mlflow",
            "http://a:b@c",
            "--mlflow=http://a:b@c",
            "--seed=7",
        ];
        let command = command(args.into_iter().map(str::to_owned));
        assert_eq!(command, "vigie lab compare 'it'\\''s.csv' --only 'TFIDF_*' --seed=7");
    }
}
