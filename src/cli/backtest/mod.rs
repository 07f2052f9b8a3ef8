//! `vigie backtest`: evaluates alerting rules on a dump, optionally with several values of one of their keys.

mod chart;
mod json;
mod phrases;
mod text;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use jiff::SignedDuration;

use super::progress_bar::ReplayProgressBar;
use super::reader_flags::{ReaderFlags, default_rejects};
use super::replay::{LabelsFlag, LanguageFlag, classifier};
use super::{ConfigFlags, duration_flag};
use crate::dump::Inputs;
use crate::language::Language;
use crate::pipeline::backtest::{Backtest, BacktestResult, Basis, Judgement, Sweep, judge, read_incidents};
use crate::pipeline::replay::Replay;
use crate::rule::Rules;
use phrases::Phrases;

/// Evaluate alerting rules on a dump: alerts, false alarms and detection delay of each rule
///
/// Posts go through the same monitor as in the daemon. The true incidents are those that the dump marks in its column
/// `incident` (as written by `vigie simulate`), or those in the file of --incidents. An alert is true if it fires
/// between the start of an incident and its end, plus the window of the rule; otherwise it is false. Without known
/// incidents, the labels of the dump are used: an alert is true if the labeled share of negative posts exceeds that of
/// all other times by more than --margin (for rules that count posts: more than 1.5 times as many negative posts per
/// hour).
#[derive(Debug, Args)]
pub(super) struct BacktestArgs {
    /// Files of the dump, or folders with them, read as one dump; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    dump: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigFlags,
    /// Rule file; overrides `rules` of the configuration
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Source of sentiments: the `model`, or the label `column` of the dump (to test rules without model errors)
    #[arg(long, value_enum, default_value_t = LabelsFlag::Model)]
    labels: LabelsFlag,
    /// True incidents: a CSV file `start,end[,topic]`, the `column` of the dump, or `none` [default: the column of the
    /// dump, or its labels]
    #[arg(long, value_name = "FILE|column|none")]
    incidents: Option<PathBuf>,
    /// Without incidents: percentage points by which the labeled share must exceed the usual one for a true alert
    #[arg(long, value_name = "POINTS", default_value_t = 5.0)]
    margin: f64,
    /// Split the history into blocks of this length, e.g. 7d, each evaluated by rules trained on up to four weeks
    /// before it
    #[arg(long, value_name = "LENGTH", value_parser = duration_flag::parse)]
    block: Option<SignedDuration>,
    /// Compare several values of a key of all rules, e.g. confidence=0.9,0.95,0.99, or of one rule (Name.margin=...)
    #[arg(long, value_name = "KEY=VALUE,...")]
    sweep: Option<Sweep>,
    /// Chart of --sweep: an .svg or .html file
    #[arg(long, value_name = "FILE", requires = "sweep")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// File for rejected rows [default: FILE.rejects.csv in the working directory]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Language of the output; overrides `language` of the configuration
    #[arg(long, value_enum)]
    language: Option<LanguageFlag>,
    #[command(flatten)]
    reader: ReaderFlags,
}

/// The results of one variant of the rules.
struct VariantResult {
    /// The value of the swept key.
    value: Option<String>,
    judgements: Vec<Judgement>,
}

/// The results of all variants.
struct Findings {
    outcome: BacktestResult,
    basis: Basis,
    sweep: Option<Sweep>,
    results: Vec<VariantResult>,
}

pub(super) fn run(args: BacktestArgs) -> anyhow::Result<()> {
    let mut loaded = args.config.load(args.rules.as_deref())?;
    let topic_required = args.reader.topic_column.is_some();
    args.reader.apply(&mut loaded.config.dump)?;
    let max_rejects = loaded.config.dump.max_rejects;
    let phrases = Phrases(args.language.map_or(loaded.config.language, Language::from));
    if !(0.0..100.0).contains(&args.margin) {
        bail!("--margin: {} is not valid; expected percentage points, from 0 to below 100", args.margin);
    }
    if loaded.rules.rules.is_empty() {
        bail!("no rules to evaluate: set a rule file with --rules FILE");
    }
    let variants = match &args.sweep {
        Some(sweep) => sweep.variants(&loaded.rules, loaded.config.window.bucket)?,
        None => vec![loaded.rules.clone()],
    };
    let chart = args.out.as_deref().map(chart::ChartFormat::of).transpose()?;
    // Before the long run: a list of incidents can be invalid.
    let given = parse_basis(args.incidents.as_deref())?;

    let input = Inputs::expand(&args.dump)?;
    let rejects = args.rejects.unwrap_or_else(|| default_rejects(&input));
    let classifier = classifier(args.labels, &loaded.config.classify)?;
    let given_labels = args.labels == LabelsFlag::Column;
    let replay = Replay { loaded, input, given_labels, topic_required, state: None, rejects };
    let mut bar = ReplayProgressBar::new();
    let outcome = Backtest { replay, variants: variants.clone(), block: args.block }
        .run(classifier, &mut |progress| bar.show(progress));
    bar.clear();
    let findings = judge_variants(outcome?, given, args.margin / 100.0, &variants, args.sweep)?;

    if let (Some(path), Some(kind)) = (&args.out, chart) {
        std::fs::write(path, kind.draw(phrases, &findings))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    if args.json {
        serde_json::to_writer(&mut out, &json::object(&findings)).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    } else {
        text::write(&mut out, phrases, &findings)?;
    }
    out.flush()?;
    // After the output, which can be used all the same.
    Ok(findings.outcome.rejects.check(max_rejects)?)
}

/// The value of `--incidents`.
enum BasisFlag {
    Basis(Basis),
    Column,
    Best,
}

fn parse_basis(incidents: Option<&Path>) -> anyhow::Result<BasisFlag> {
    Ok(match incidents {
        None => BasisFlag::Best,
        Some(word) if word.as_os_str() == "none" => BasisFlag::Basis(Basis::Nothing),
        Some(word) if word.as_os_str() == "column" => BasisFlag::Column,
        Some(path) => BasisFlag::Basis(Basis::Incidents(read_incidents(path)?)),
    })
}

fn judge_variants(
    outcome: BacktestResult,
    given: BasisFlag,
    margin: f64,
    variants: &[Rules],
    sweep: Option<Sweep>,
) -> anyhow::Result<Findings> {
    let basis = match (given, outcome.truth.incidents()) {
        (BasisFlag::Basis(basis), _) => basis,
        (BasisFlag::Column, None) => {
            bail!(
                "the dump has no column `incident`; set it with --columns incident=COLUMN, or list incidents in a file"
            )
        }
        (BasisFlag::Column | BasisFlag::Best, Some(incidents)) => Basis::Incidents(incidents),
        (BasisFlag::Best, None) if outcome.truth.has_labels() => Basis::Labels { margin },
        (BasisFlag::Best, None) => Basis::Nothing,
    };
    let values = sweep.as_ref().map(|sweep| sweep.values.clone()).unwrap_or_default();
    let one = |(i, rules): (usize, &Rules)| VariantResult {
        value: values.get(i).cloned(),
        judgements: judge(rules, &outcome.fired[i], &basis, &outcome.truth, outcome.span.1),
    };
    let results = variants.iter().enumerate().map(one).collect();
    Ok(Findings { outcome, basis, sweep, results })
}
