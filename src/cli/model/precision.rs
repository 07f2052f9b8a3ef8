//! `vigie model verify --precision`: what each precision costs and gains on this machine.

use std::path::{Path, PathBuf};

use crate::classify::{Agreement, PROBE_TEXTS, compare_precisions, instructions};
use crate::cli::classify::texts::Texts;
use crate::cli::{ConfigFlags, Format};
use crate::dump::Inputs;

/// Built-in texts are repeated this often: too few would not show a rate.
const REPEATS: usize = 10;

pub(super) fn print(dir: &Path, data: &[PathBuf], format: Format) -> anyhow::Result<()> {
    let texts = if data.is_empty() { built_in() } else { read(data)? };
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let reports = compare_precisions(dir, &texts)?;
    if format == Format::Json {
        for report in &reports {
            println!("{}", serde_json::to_string(report)?);
        }
        return Ok(());
    }
    println!("on {}, {} texts:", instructions(), texts.len());
    println!("    {:<10} {:>9} {:>13} {:>19}", "precision", "texts/s", "other labels", "largest difference");
    for report in &reports {
        let note = match (report.chosen, report.accelerated) {
            (true, _) => "  chosen by `auto`",
            (false, false) => "  this machine has no instructions for it that are faster than f32's",
            (false, true) => "",
        };
        let Agreement { other_labels: other, largest_difference: difference, .. } = report.agreement;
        let rate = report.texts_per_second;
        println!("    {:<10} {rate:>9.0} {other:>13} {difference:>19.3}{note}", report.precision);
    }
    Ok(())
}

fn built_in() -> Vec<String> {
    PROBE_TEXTS.iter().cycle().take(REPEATS * PROBE_TEXTS.len()).map(|text| (*text).to_owned()).collect()
}

/// The texts of dumps.
pub(super) fn read(data: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let options = ConfigFlags { config: None, model: None, set: Vec::new() }.load(None)?.config.dump;
    let mut dump = Texts::dump(Inputs::expand(data)?, options, None)?;
    let mut texts = Vec::new();
    loop {
        let items = dump.next_batch()?;
        if items.is_empty() {
            return Ok(texts);
        }
        texts.extend(items.into_iter().map(|item| item.text));
    }
}
