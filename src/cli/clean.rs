//! `vigie clean`: a dump's posts with their texts cleaned, as CSV that `vigie replay` and `vigie lab` read again.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::output::Output;
use super::reader_flags::{ReaderFlags, default_rejects};
use crate::dump::{Input, Needs, Reader, RejectsFile, Row};
use crate::text;
use crate::text::Profile;

/// Clean a dump's texts, as the models read them, and write it as CSV: id, created_at, author, topic, label, text
///
/// Posts whose text is empty once cleaned are left out and counted.
#[derive(Debug, Args)]
pub(super) struct CleanArgs {
    /// Dump to clean: CSV or JSON lines; `-` is standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// Where the cleaned dump goes, readable by its owner only [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// What the texts are cleaned for: TF-IDF and word vectors, or transformers
    #[arg(long, value_enum, default_value_t = ProfileFlag::Classic)]
    profile: ProfileFlag,
    /// Configuration, whose `[dump]` says how the dump is read
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// File for rows that cannot be used [default: FILE.rejects.csv in the working directory]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    #[command(flatten)]
    reader: ReaderFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProfileFlag {
    Classic,
    Words,
    Transformer,
}

impl ProfileFlag {
    fn profile(self) -> Profile {
        match self {
            Self::Classic => Profile::Classic,
            Self::Words => Profile::Words,
            Self::Transformer => Profile::Transformer,
        }
    }
}

pub(super) fn run(args: CleanArgs) -> anyhow::Result<()> {
    let mut options = super::over_environment(args.config.clone()).load()?.config.dump;
    args.reader.apply(&mut options)?;
    // Under the topic column's own name, so that the same configuration finds the topics in the cleaned dump.
    let topic = options.columns.topic.clone().unwrap_or_else(|| "topic".into());
    let input = Input::parse(&args.file);
    let rejects = args.rejects.unwrap_or_else(|| default_rejects(&input));
    for (flag, path) in [("the dump", Some(Path::new(&args.file))), ("--output", args.output.as_deref())] {
        if path == Some(rejects.as_path()) {
            bail!("{flag} and the rejects file are both {}: name another with --rejects", rejects.display());
        }
    }
    let mut rejects = RejectsFile::new(Some(rejects));
    let reader = Reader::open(&input, &options, Needs::default())?;
    let counts = match &args.output {
        None => clean(reader, args.profile.profile(), &topic, io::stdout().lock(), &mut rejects)?,
        Some(path) => {
            let mut output = Output::create(path).with_context(|| cannot_write(path))?;
            let counts = clean(reader, args.profile.profile(), &topic, output.file(), &mut rejects)?;
            output.keep().with_context(|| cannot_write(path))?;
            counts
        }
    };
    eprintln!("vigie: {}", summary(&counts, args.output.as_deref(), &rejects));
    Ok(())
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// What became of the usable rows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    written: u64,
    emptied: u64,
}

fn clean(
    mut reader: Reader,
    profile: Profile,
    topic: &str,
    out: impl Write,
    rejects: &mut RejectsFile,
) -> anyhow::Result<Counts> {
    let mut out = csv::Writer::from_writer(BufWriter::with_capacity(1 << 16, out));
    out.write_record(["id", "created_at", "author", topic, "label", "text"]).map_err(io::Error::from)?;
    let mut counts = Counts::default();
    while let Some(read) = reader.next_row()? {
        match read {
            Err(reject) => rejects.add(&reject)?,
            Ok(row) => match text::clean(profile, &row.text) {
                cleaned if cleaned.is_empty() => counts.emptied += 1,
                cleaned => {
                    write(&mut out, row, &cleaned).map_err(io::Error::from)?;
                    counts.written += 1;
                }
            },
        }
    }
    rejects.finish()?;
    if counts == Counts::default() {
        return Err(rejects.no_usable_row(reader.name()).into());
    }
    out.flush()?;
    Ok(counts)
}

/// A post without an identifier gets that of its text as posted: what was two posts must not become one by cleaning.
fn write(out: &mut csv::Writer<impl Write>, row: Row, cleaned: &str) -> csv::Result<()> {
    let created_at = row.created_at.map(|at| at.to_string());
    let (author, topic, label) = (row.author.clone(), row.topic.clone(), row.label.clone());
    let id = if row.id.is_some() { row.id } else { row.into_post().map(|post| post.id) };
    let fields = [id, created_at, author, topic, label];
    out.write_record(fields.iter().map(|field| field.as_deref().unwrap_or_default()).chain([cleaned]))
}

fn summary(counts: &Counts, output: Option<&Path>, rejects: &RejectsFile) -> String {
    let mut line = format!("{} rows written", counts.written);
    if let Some(path) = output {
        let _ = write!(line, " to {}", path.display());
    }
    let _ = write!(line, ", {} emptied by cleaning and left out, {} rejected", counts.emptied, rejects.total());
    let reasons: Vec<String> = rejects.counts().iter().map(|(reason, rows)| format!("{rows} {reason}")).collect();
    if !reasons.is_empty() {
        let _ = write!(line, " ({})", reasons.join(", "));
    }
    if let Some(path) = rejects.written() {
        let _ = write!(line, ", kept in {}", path.display());
    }
    line
}

#[cfg(test)]
mod tests;
