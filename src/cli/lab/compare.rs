//! `vigie lab compare`: the twelve combinations on one dump, as a table, Markdown, JSON and an HTML page.

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
use crate::dump::Input;
use crate::lab::compare::report::{About, Report};
use crate::lab::compare::{Combination, Data, Dumps, Event, Outcome, Run, Settings, Split, compare};
use crate::lab::mlflow::Tracker;

/// Columns of a table that goes to no terminal: all of it.
const WIDE: usize = 160;

/// Compare four embeddings with three estimators on labelled posts: TF-IDF, word2vec, GloVe and DistilBERT, each under
/// logistic regression, a random forest and LightGBM
///
/// One dump is parted, two are taken as they are. Writes report.html, report.md and report.json beside the table.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// A labelled dump, to be parted; `-` is standard input
    #[arg(required_unless_present = "train", conflicts_with_all = ["train", "test"])]
    dump: Option<PathBuf>,
    /// A labelled dump to learn from
    #[arg(long, value_name = "FILE", requires = "test")]
    train: Option<PathBuf>,
    /// A labelled dump to judge by; its texts are not learnt from
    #[arg(long, value_name = "FILE", requires = "train")]
    test: Option<PathBuf>,
    /// How a single dump is parted: the latest posts, or posts drawn at random, are judged by [default: time where every
    /// post has one, else random]
    #[arg(long, value_enum, conflicts_with = "train")]
    split: Option<SplitFlag>,
    /// The share of a single dump that is judged by
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    test_share: f64,
    /// Only these runs, such as `TFIDF_LogisticRegression`, `TFIDF_*` or `*_LightGBM`; may be given again
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,
    /// Ready GloVe vectors (text, `word v1 v2 ...` a line), instead of vectors trained on the texts at hand
    #[arg(long, value_name = "FILE")]
    glove: Option<PathBuf>,
    /// Ready word2vec vectors (text or binary), instead of vectors trained on the texts at hand
    #[arg(long, value_name = "FILE")]
    word2vec: Option<PathBuf>,
    /// Further dumps whose texts word vectors may learn from, labelled or not
    #[arg(long, value_name = "FILE", num_args = 1..)]
    corpus: Vec<PathBuf>,
    /// Of whatever draws: the same seed gives the same results
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Keeps what the encoder says of each dump, so that the next grid on them is done sooner
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Directory for report.html, report.md and report.json; those that are there are replaced
    #[arg(long, value_name = "DIR", default_value = "lab-compare")]
    out: PathBuf,
    /// `text` prints tables for people, `json` what report.json holds
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

/// The user stopped the grid; what was finished is told and written.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(in crate::cli) struct Interrupted;

pub(super) fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let combinations = Combination::chosen(&args.only)?;
    let dumps = args.dumps()?;
    let Config { dump: mut options, classify, .. } = args.config.load(None)?.config;
    args.reader.apply(&mut options)?;
    let tracker = args.mlflow.tracker()?;
    // Before hours of work: a place that cannot be written to.
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    let corpus: Vec<Input> = args.corpus.iter().map(Input::parse).collect();
    let data = Data::read(&dumps, &corpus, &options, args.seed)?;
    let facts = data.facts.clone();
    let settings = Settings {
        seed: args.seed,
        glove: args.glove.clone(),
        word2vec: args.word2vec.clone(),
        model: classify.model,
        cache: args.cache.clone(),
        begun: Timestamp::now(),
    };
    let (begun, clock) = (settings.begun, Instant::now());
    let (ended, stopped) = watch(&combinations, data, settings, tracker.as_ref())?;
    let about =
        About { command: command(std::env::args()), begun, took: clock.elapsed(), seed: args.seed, data: facts };
    let report = Report::new(about, &combinations, ended);
    write(&report, &args.out)?;
    match args.format {
        Format::Text => {
            println!("{}\nreport: {}", report.text(width()), args.out.join("report.html").display());
        }
        Format::Json => print!("{}", report.json()),
    }
    let tally = report.tally();
    if stopped {
        return Err(Interrupted.into());
    }
    if tally.failed > 0 {
        bail!("{} of {} runs failed; the table says why", tally.failed, combinations.len());
    }
    Ok(())
}

impl CompareArgs {
    fn dumps(&self) -> anyhow::Result<Dumps> {
        if !(self.test_share > 0.0 && self.test_share < 1.0) {
            bail!("--test-share is {}; wanted a share between 0 and 1, such as 0.2", self.test_share);
        }
        match (&self.dump, &self.train, &self.test) {
            (_, Some(train), Some(test)) => Ok(Dumps::Two { train: Input::parse(train), test: Input::parse(test) }),
            (Some(dump), ..) => {
                let split = self.split.map(|split| match split {
                    SplitFlag::Time => Split::Time,
                    SplitFlag::Random => Split::Random,
                });
                Ok(Dumps::One { dump: Input::parse(dump), split, test_share: self.test_share })
            }
            _ => bail!("no dump to compare on: name one, or --train and --test"),
        }
    }
}

enum Message {
    Grid(Event),
    Interrupt,
    /// The grid has come to its end.
    Done,
}

/// Runs the grid on a thread of its own, so that a signal is heard whatever a library is busy with. Gives the runs that
/// ended, and whether a signal stopped the grid: the process is then about to end, and its thread with it.
fn watch(
    combinations: &[Combination],
    data: Data,
    settings: Settings,
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
            Ok(Message::Grid(Event::Began(name))) => bar.set_prefix(name),
            Ok(Message::Grid(Event::Ended(run))) => {
                if let (Outcome::Finished(finished), Some(tracker)) = (&run.outcome, tracker) {
                    tracker.log(&finished.record);
                }
                tell(&run, ended.len() + 1, combinations.len(), &bar);
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

/// One line on standard error, above the bar where there is one.
fn tell(run: &Run, number: usize, runs: usize, bar: &ProgressBar) {
    let said = match &run.outcome {
        Outcome::Finished(finished) => {
            let record = &finished.record;
            format!("accuracy {:.2} % in {}", record.scores.accuracy * 100.0, seconds(record.duration))
        }
        Outcome::Failed(reason) => format!("failed: {reason}"),
        Outcome::NotAvailable(reason) => format!("not available: {reason}"),
        Outcome::Interrupted => "interrupted".to_owned(),
    };
    let line = format!("{number:>2}/{runs} {:<29} {said}", run.combination.to_string());
    bar.suspend(|| eprintln!("{line}"));
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// On standard error, and only where that is a terminal.
fn bar() -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{spinner} {prefix:29} {bar:30} {pos}/{len} {elapsed}")?;
    let bar = ProgressBar::new(0).with_style(style);
    if std::io::stderr().is_terminal() {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    Ok(bar)
}

/// Sends word of the first interrupt.
fn listen(sender: mpsc::Sender<Message>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        let on = |kind| signal(kind).context("signals cannot be listened for on this system");
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
    let of_terminal = || ratatui::crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns));
    if std::io::stdout().is_terminal() { of_terminal().unwrap_or(WIDE) } else { WIDE }
}

/// The command line as it can be given again. Where runs were tracked is left out: the address may hold a password.
fn command(mut args: impl Iterator<Item = String>) -> String {
    args.next();
    let mut words = vec!["vigie".to_owned()];
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--mlflow" => drop(args.next()),
            arg if arg.starts_with("--mlflow=") => {}
            arg => words.push(quoted(arg)),
        }
    }
    words.join(" ")
}

fn quoted(word: &str) -> String {
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
    fn the_command_can_be_given_again_and_tells_no_address() {
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
