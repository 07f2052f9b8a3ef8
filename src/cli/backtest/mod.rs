//! `vigie backtest`: what rules would have done on a dump, and what another value of one of their keys would trade.

mod chart;
mod json;
mod text;
mod words;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use jiff::SignedDuration;

use super::bar::Bar;
use super::reader_flags::{ReaderFlags, default_rejects};
use super::replay::{Labels, LanguageFlag, classifier};
use super::{ConfigFlags, span};
use crate::dump::Input;
use crate::language::Language;
use crate::pipeline::backtest::{Backtest, Basis, Judgement, Outcome, Sweep, judge, read_incidents};
use crate::pipeline::replay::Replay;
use crate::rule::Rules;
use words::Words;

/// Replay a dump and judge the alerting rules: how often each would have fired, how often for nothing, and how late
///
/// Posts go through the very monitor that the daemon has. Alerts are judged by the incidents that the dump marks in its
/// column `incident` (as `vigie simulate` writes it) or that --incidents lists. An alert is right when it fires from an
/// incident's beginning to its end, or so much later as the rule's window is long; one that fired before is false. Where no
/// incident is known, labels judge: an alert is right when the dump's own labels have a share of negative posts more than
/// --margin above that of all other times (for rules that count posts: more than 1.5 times as many negative posts an hour).
#[derive(Debug, Args)]
pub(super) struct BacktestArgs {
    /// The dump; `-` is standard input
    #[arg(value_name = "DUMP")]
    dump: String,
    #[command(flatten)]
    config: ConfigFlags,
    /// Alerting rules, instead of the configuration's
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Where sentiment comes from: the `model` reads it, or the dump's label `column` has it
    #[arg(long, value_enum, default_value_t = Labels::Model)]
    labels: Labels,
    /// What alerts are judged by: a CSV file `start,end[,topic]`, the dump's `column`, or `none` [default: the dump's column,
    /// or else its labels, if it has them]
    #[arg(long, value_name = "FILE|column|none")]
    incidents: Option<PathBuf>,
    /// By how many points labels must exceed the usual share for an alert to be right
    #[arg(long, value_name = "POINTS", default_value_t = 5.0)]
    margin: f64,
    /// Cut history into blocks of this length, such as 7d, each judged by fresh rules that saw at most four weeks before it
    #[arg(long, value_name = "LENGTH", value_parser = span::parse)]
    block: Option<SignedDuration>,
    /// Try several values of a key of the rules, such as confidence=0.9,0.95,0.99; with a rule's name before the key
    /// (Name.margin=...) of that rule alone
    #[arg(long, value_name = "KEY=VALUE,...")]
    sweep: Option<Sweep>,
    /// Where --sweep draws its chart: a file .svg or .html
    #[arg(long, value_name = "FILE", requires = "sweep")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// File for rows that cannot be used [default: DUMP.rejects.csv in the working directory]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Language of what is printed, instead of the configuration's
    #[arg(long, value_enum)]
    language: Option<LanguageFlag>,
    #[command(flatten)]
    reader: ReaderFlags,
}

/// What the rules of one variant came to.
struct Tried {
    /// The swept key's value.
    value: Option<String>,
    judgements: Vec<Judgement>,
}

/// Everything there is to tell.
struct Findings {
    outcome: Outcome,
    basis: Basis,
    sweep: Option<Sweep>,
    tried: Vec<Tried>,
}

pub(super) fn run(args: BacktestArgs) -> anyhow::Result<()> {
    let mut loaded = args.config.load(args.rules.as_deref())?;
    let topic_required = args.reader.topic_column.is_some();
    args.reader.apply(&mut loaded.config.dump)?;
    let words = Words(args.language.map_or(loaded.config.language, Language::from));
    if !(0.0..100.0).contains(&args.margin) {
        bail!("--margin is {}; wanted points of a share, from 0 to below 100", args.margin);
    }
    if loaded.rules.rules.is_empty() {
        bail!("there is no rule to judge: name a file with rules, --rules FILE");
    }
    let variants = match &args.sweep {
        Some(sweep) => sweep.variants(&loaded.rules, loaded.config.window.bucket)?,
        None => vec![loaded.rules.clone()],
    };
    let chart = args.out.as_deref().map(chart::Kind::of).transpose()?;
    // Whatever is wrong with a list is told before a long run.
    let given = given_basis(args.incidents.as_deref())?;

    let input = Input::parse(&args.dump);
    let rejects = args.rejects.unwrap_or_else(|| default_rejects(&input));
    let classifier = classifier(args.labels, &loaded.config.classify.model)?;
    let given_labels = args.labels == Labels::Column;
    let replay = Replay { loaded, input, given_labels, topic_required, state: None, rejects };
    let mut bar = Bar::new();
    let outcome = Backtest { replay, variants: variants.clone(), block: args.block }
        .run(classifier, &mut |progress| bar.show(progress));
    bar.clear();
    let findings = judged(outcome?, given, args.margin / 100.0, &variants, args.sweep)?;

    if let (Some(path), Some(kind)) = (&args.out, chart) {
        std::fs::write(path, kind.draw(words, &findings))
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    if args.json {
        serde_json::to_writer(&mut out, &json::object(&findings)).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    } else {
        text::write(&mut out, words, &findings)?;
    }
    Ok(out.flush()?)
}

/// What `--incidents` asks for.
enum Given {
    Basis(Basis),
    Column,
    Best,
}

fn given_basis(incidents: Option<&Path>) -> anyhow::Result<Given> {
    Ok(match incidents {
        None => Given::Best,
        Some(word) if word.as_os_str() == "none" => Given::Basis(Basis::Nothing),
        Some(word) if word.as_os_str() == "column" => Given::Column,
        Some(path) => Given::Basis(Basis::Incidents(read_incidents(path)?)),
    })
}

fn judged(
    outcome: Outcome,
    given: Given,
    margin: f64,
    variants: &[Rules],
    sweep: Option<Sweep>,
) -> anyhow::Result<Findings> {
    let basis = match (given, outcome.truth.incidents()) {
        (Given::Basis(basis), _) => basis,
        (Given::Column, None) => {
            bail!(
                "the dump marks no incidents: it has no column `incident`; name it by --columns incident=COLUMN, or list them in a file"
            )
        }
        (Given::Column | Given::Best, Some(incidents)) => Basis::Incidents(incidents),
        (Given::Best, None) if outcome.truth.has_labels() => Basis::Labels { margin },
        (Given::Best, None) => Basis::Nothing,
    };
    let values = sweep.as_ref().map(|sweep| sweep.values.clone()).unwrap_or_default();
    let one = |(i, rules): (usize, &Rules)| Tried {
        value: values.get(i).cloned(),
        judgements: judge(rules, &outcome.fired[i], &basis, &outcome.truth, outcome.span.1),
    };
    let tried = variants.iter().enumerate().map(one).collect();
    Ok(Findings { outcome, basis, sweep, tried })
}
