//! `vigie replay`: replays a dump through the pipeline of the daemon, in event time.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::progress_bar::ReplayProgressBar;
use super::reader_flags::{ReaderFlags, default_rejects};
use super::summary::Summary;
use super::timeline;
use super::{ConfigFlags, Format, report};
use crate::classify;
use crate::classify::{CachedClassifier, Classifier, DatasetLabelClassifier, EncoderClassifier};
use crate::dump::Inputs;
use crate::language::Language;
use crate::notify::{JsonLines, Log, TransitionSink};
use crate::pipeline::assembly;
use crate::pipeline::replay::Replay;

/// Replay a dump of posts through the whole pipeline, in event time, and print the alerts
///
/// A dump is CSV (with a header, or in the layout of Sentiment140) or JSON lines of X API v2, in any order; plain, packed
/// (gzip, zstd, xz, bzip2) or in an archive (zip, tar). Several files are one dump, and so is a folder. Unusable rows are
/// written to a rejects file.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Files of the dump, or folders with them, read as one dump; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    dump: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigFlags,
    /// Rule file; overrides `rules` of the configuration
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Output format: a timeline per topic (`text`), or one JSON object per alert and a last one with the summary
    /// (`json`)
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Source of sentiments: the `model`, or the label `column` of the dump (to test rules without model errors)
    #[arg(long, value_enum, default_value_t = LabelsFlag::Model)]
    labels: LabelsFlag,
    /// State directory, so that an interrupted replay can be resumed [default: no state is kept]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// File for rejected rows [default: FILE.rejects.csv in the working directory]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Notify the configured receivers as the daemon would have, in event time and without waiting
    #[arg(long)]
    notify: bool,
    /// Language of the timeline; overrides `language` of the configuration
    #[arg(long, value_enum)]
    language: Option<LanguageFlag>,
    /// Also write a report of the last days of the dump, against the periods before, as one HTML file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Days of the report
    #[arg(long, value_name = "N", requires = "report", default_value_t = 7, value_parser = clap::value_parser!(i32).range(1..=400))]
    report_days: i32,
    #[command(flatten)]
    reader: ReaderFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LabelsFlag {
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
    let max_rejects = loaded.config.dump.max_rejects;
    let language = args.language.map_or(loaded.config.language, Language::from);

    let input = Inputs::expand(&args.dump)?;
    let rejects = args.rejects.unwrap_or_else(|| default_rejects(&input));
    let classifier = classifier(args.labels, &loaded.config.classify)?;
    let mut notifiers: Vec<Box<dyn TransitionSink>> = vec![Box::new(Log)];
    if args.format == Format::Json {
        notifiers.push(Box::new(JsonLines(io::stdout())));
    }
    let clock: crate::clock::Clock = std::sync::Arc::new(jiff::Timestamp::now);
    let receivers = args.notify.then(|| assembly::receivers(&loaded, &clock)).transpose()?;
    let given_labels = args.labels == LabelsFlag::Column;
    let config = loaded.config.clone();
    // A report reads the posts, which a replay without a state does not keep.
    let temporary = (args.report.is_some() && args.state.is_none()).then(tempfile::tempdir).transpose()?;
    let state = args.state.or_else(|| temporary.as_ref().map(|directory| directory.path().to_owned()));
    let replay = Replay { loaded, input, given_labels, topic_required, state: state.clone(), rejects };
    let mut bar = ReplayProgressBar::new();
    let outcome =
        replay.run_with_receivers(classifier, &mut notifiers, receivers, &mut |progress| bar.show(progress))?;
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
    out.flush()?;
    if let Some((file, state)) = args.report.zip(state) {
        let alerts = outcome.report.topics.iter().flat_map(|topic| &topic.alerts);
        let firing = alerts.filter(|alert| alert.ends_at.is_none()).cloned().collect();
        let page = report::of_replay(&state, &config, args.report_days, firing, language)?;
        report::write(&file, &page)?;
    }
    // After the output, which can be used all the same.
    Ok(outcome.rejects.check(max_rejects)?)
}

impl From<LanguageFlag> for Language {
    fn from(flag: LanguageFlag) -> Self {
        match flag {
            LanguageFlag::En => Self::English,
            LanguageFlag::Fr => Self::French,
        }
    }
}

pub(super) fn classifier(labels: LabelsFlag, config: &classify::Config) -> anyhow::Result<Box<dyn Classifier>> {
    Ok(match labels {
        LabelsFlag::Model => {
            CachedClassifier::around(Box::new(EncoderClassifier::load(&config.model, config.precision)?), config.cache)
        }
        LabelsFlag::Column => Box::new(DatasetLabelClassifier),
    })
}
