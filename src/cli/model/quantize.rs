//! `vigie model quantize`: a copy of a model that takes half of the disk.

use std::path::PathBuf;

use clap::Args;

use super::{precision, size};
use crate::cli::Format;
use crate::lab::quantize;

/// Write a copy of a model with its weights in 8 bits: half of the size, and loaded faster
///
/// Both models are compared on posts. The copy has another identifier, because its answers differ a little.
#[derive(Debug, Args)]
pub(super) struct QuantizeArgs {
    /// Model directory, or model registry, whose champion is then taken
    #[arg(value_name = "DIR")]
    model: PathBuf,
    /// Model directory to write, or to replace
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Posts to compare both on, instead of a few dozen built-in ones: dumps as `vigie replay` reads them
    #[arg(long, value_name = "FILE")]
    data: Vec<PathBuf>,
    /// `text` for people, `json` prints one object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &QuantizeArgs) -> anyhow::Result<()> {
    let texts = if args.data.is_empty() { Vec::new() } else { precision::read(&args.data)? };
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let report = quantize(&args.model, &args.to, &texts)?;
    if args.format == Format::Json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    let agreement = &report.agreement;
    let [before, after] = report.bytes.map(size);
    println!("wrote {} to {}: weights of {after} instead of {before}", report.id, args.to.display());
    println!(
        "{} of {} texts get another label; the largest difference of a probability is {:.3}",
        agreement.other_labels, agreement.texts, agreement.largest_difference
    );
    Ok(())
}
