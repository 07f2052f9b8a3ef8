//! `vigie classify`: classifies the sentiment of texts, from arguments, a file, or standard input.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::bail;
use clap::Args;
use serde::Serialize;

use super::reader_flags::ReaderFlags;
use super::{ConfigFlags, Format};
use crate::classify;
use crate::classify::{Classifier, EncoderClassifier, Label, Precision, Prediction, classify_texts};
use crate::dump::Inputs;

pub(super) mod texts;

use texts::{TextItem, Texts};

/// Classify the sentiment of texts: arguments, a file, or standard input
#[derive(Debug, Args)]
pub(super) struct ClassifyArgs {
    /// Texts to classify
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    texts: Vec<String>,
    /// Dump to classify: files of CSV or JSON lines, packed or plain, or folders with them; `-` is standard input
    #[arg(long, value_name = "FILE", num_args = 1..)]
    file: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigFlags,
    /// Output format: one line (`text`) or one JSON object (`json`) per text
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// File for rejected rows of `--file` [default: rejected rows are only counted]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    #[command(flatten)]
    reader: ReaderFlags,
}

/// One line of `--format json`.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    text: &'a str,
    label: Label,
    probabilities: Probabilities,
    /// The reason of a negative text, if the model is confident.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    model: &'a str,
}

#[derive(Serialize)]
struct Probabilities {
    negative: f32,
    neutral: f32,
    positive: f32,
}

pub(super) fn run(args: ClassifyArgs) -> anyhow::Result<()> {
    let mut loaded = args.config.load(None)?;
    args.reader.apply(&mut loaded.config.dump)?;
    let mut classifier = EncoderClassifier::load(&loaded.config.classify.model, loaded.config.classify.precision)?;
    let dump = loaded.config.dump;
    let max_rejects = dump.max_rejects;
    let mut texts = match (args.file.as_slice(), args.texts) {
        (files @ [_, ..], _) => Texts::dump(Inputs::expand(files)?, dump, args.rejects)?,
        ([], texts) if !texts.is_empty() => Texts::from_arguments(texts)?,
        _ if io::stdin().is_terminal() => bail!("no input: pass texts, --file FILE, or lines on standard input"),
        _ => Texts::standard_input(dump, args.rejects)?,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let (start, mut count) = (Instant::now(), 0);
    loop {
        let items = texts.next_batch()?;
        if items.is_empty() {
            break;
        }
        let batch: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
        let predictions = classify_texts(&mut classifier, &batch)?;
        for (item, prediction) in items.iter().zip(predictions) {
            write(&mut out, args.format, item, &prediction, classifier.model())?;
        }
        out.flush()?;
        count += items.len();
    }
    if !args.file.is_empty() {
        eprintln!("vigie: {}", rate(count, start.elapsed().as_secs_f64(), classifier.precision()));
    }
    let Some((rejects, summary)) = texts.rejects().filter(|(rejects, _)| rejects.total() > 0) else { return Ok(()) };
    eprintln!("vigie: {}", super::rejected_line(rejects));
    Ok(summary.check(max_rejects)?)
}

/// How fast the texts were read, and by what arithmetic.
#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: usize, seconds: f64, precision: Precision) -> String {
    let rate = count as f64 / seconds.max(0.001);
    format!("{count} texts in {seconds:.1} s, {rate:.0} a second, in {precision} on {}", classify::instructions())
}

fn write(out: &mut impl Write, format: Format, item: &TextItem, read: &Prediction, model: &str) -> anyhow::Result<()> {
    let [negative, neutral, positive] = read.probabilities;
    let reason = read.confident_reason().map(|reason| &*reason.name);
    match format {
        Format::Text => {
            let probability = read.probabilities[read.label as usize] * 100.0;
            let reason = reason.map(|reason| format!("  ({})", reason.replace('_', " "))).unwrap_or_default();
            let text = super::printable(&item.text, usize::MAX);
            writeln!(out, "{:<8} {probability:>3.0}%  {text}{reason}", read.label.as_str())?;
        }
        Format::Json => {
            let probabilities = Probabilities { negative, neutral, positive };
            let line = Line { id: &item.id, text: &item.text, label: read.label, probabilities, reason, model };
            serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(())
}
