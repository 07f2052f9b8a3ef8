//! `vigie replay`: a dump through the very pipeline the daemon runs, in the posts' own time.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::bar::Bar;
use super::reader_flags::{ReaderFlags, default_rejects};
use super::summary::Summary;
use super::timeline;
use super::{ConfigFlags, Format};
use crate::classify::{Classifier, ColumnClassifier, DistilBertClassifier};
use crate::dump::Input;
use crate::language::Language;
use crate::notify::{JsonLines, Log, Observer};
use crate::pipeline::assembly;
use crate::pipeline::replay::Replay;

/// Replay a dump of posts through the whole pipeline, in event time, and print when it would have alerted
///
/// Posts are read from CSV (with a header, or as the Sentiment140 dump), or from JSON lines of X API v2, packed by gzip or
/// not, in any order. Rows that cannot be used are set aside in a rejects file.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The dump; `-` is standard input
    #[arg(value_name = "DUMP")]
    dump: String,
    #[command(flatten)]
    config: ConfigFlags,
    /// Alerting rules, instead of the configuration's
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// `text` prints a timeline per topic, `json` a line per alert and a last one with the summary
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where sentiment comes from: the `model` reads it, or the dump's label `column` has it
    #[arg(long, value_enum, default_value_t = Labels::Model)]
    labels: Labels,
    /// Directory that keeps the state, so that a replay goes on where it was killed; without it nothing is kept
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// File for rows that cannot be used [default: DUMP.rejects.csv in the working directory]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Tell the configured receivers as the daemon would have, in the dump's own time and without waiting
    #[arg(long)]
    notify: bool,
    /// Language of the timeline, instead of the configuration's
    #[arg(long, value_enum)]
    language: Option<LanguageFlag>,
    #[command(flatten)]
    reader: ReaderFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Labels {
    Model,
    Column,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LanguageFlag {
    En,
    Fr,
}

pub(super) fn run(args: ReplayArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut loaded = args.config.load(args.rules.as_deref())?;
    let topic_required = args.reader.topic_column.is_some();
    args.reader.apply(&mut loaded.config.dump)?;
    let model = loaded.config.classify.model.clone();
    let language = args.language.map_or(loaded.config.language, Language::from);

    let input = Input::parse(&args.dump);
    let rejects = args.rejects.unwrap_or_else(|| default_rejects(&input));
    let classifier = classifier(args.labels, &model)?;
    let mut notifiers: Vec<Box<dyn Observer>> = vec![Box::new(Log)];
    if args.format == Format::Json {
        notifiers.push(Box::new(JsonLines(io::stdout())));
    }
    let clock: crate::clock::Clock = std::sync::Arc::new(jiff::Timestamp::now);
    let receivers = args.notify.then(|| assembly::receivers(&loaded, &clock)).transpose()?;
    let given_labels = args.labels == Labels::Column;
    let replay = Replay { loaded, input, given_labels, topic_required, state: args.state, rejects };
    let mut bar = Bar::new();
    let outcome = replay.run_telling(classifier, &mut notifiers, receivers, &mut |progress| bar.show(progress))?;
    bar.clear();

    let summary = Summary::new(&outcome, started.elapsed().as_secs_f64());
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Text => timeline::write(&mut out, language, &outcome.report, &summary)?,
        Format::Json => {
            serde_json::to_writer(&mut out, &summary).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(out.flush()?)
}

impl From<LanguageFlag> for Language {
    fn from(flag: LanguageFlag) -> Self {
        match flag {
            LanguageFlag::En => Self::English,
            LanguageFlag::Fr => Self::French,
        }
    }
}

pub(super) fn classifier(labels: Labels, model: &Path) -> anyhow::Result<Box<dyn Classifier>> {
    Ok(match labels {
        Labels::Model => Box::new(DistilBertClassifier::load(model)?),
        Labels::Column => Box::new(ColumnClassifier),
    })
}
