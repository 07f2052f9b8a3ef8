//! `vigie inspect`: what a command would read of a dump, in one screen, before anything is done with it.

mod findings;
mod screen;

use std::io::{self, BufWriter, Write};

use clap::Args;

use super::ConfigFlags;
use super::reader_flags::ReaderFlags;
use crate::dump::{DumpReader, Inputs, RequiredFields};
use crate::post::Topics;
use findings::Findings;
use screen::Screen;

/// Show what would be read of a dump: format, columns, first posts, rejects, times, labels, topics, and every doubt
///
/// Takes the same flags as the commands that read dumps, and reads the whole dump. Nothing is written.
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Files and folders with posts, read as one dump; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    reader: ReaderFlags,
}

pub(super) fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let mut loaded = args.config.load(None)?;
    args.reader.apply(&mut loaded.config.dump)?;
    let inputs = Inputs::expand(&args.files)?;
    let options = &loaded.config.dump;
    let unmatched = Some(loaded.config.unmatched_topic.as_str()).filter(|name| !name.is_empty());
    let mut topics = Topics::new(&loaded.config.topics, unmatched)?;
    let mut reader = DumpReader::open(&inputs, options, RequiredFields::default())?.with_read_files();
    let mut findings = Findings::default();
    while let Some(row) = reader.next_row()? {
        // Rejects are counted by the reader.
        if let Ok(row) = row {
            findings.add(&row, &mut topics);
        }
    }
    let mut out = BufWriter::new(io::stdout().lock());
    Screen { reader: &reader, findings: &findings, options }.write(&mut out)?;
    Ok(out.flush()?)
}
