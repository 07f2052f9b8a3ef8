//! `vigie clean`: writes a dump with cleaned texts, as CSV that `vigie replay` and `vigie lab` can read.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::output::Output;
use super::reader_flags::{ReaderFlags, default_rejects};
use crate::dump::{DumpReader, Input, Inputs, RejectsFile, RequiredFields, Row, UnreadCells};
use crate::text;
use crate::text::Profile;

/// Clean the texts of a dump for the models, and write it as CSV: id, created_at, author, topic, label, text
///
/// Posts with an empty text after cleaning are skipped and counted. A time or an id that cannot be read is written as it is
/// in the dump, and counted.
#[derive(Debug, Args)]
pub(super) struct CleanArgs {
    /// Files of the dump to clean, or folders with them: CSV or JSON lines, packed or plain; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Output file, readable by its owner only [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Target of the cleaning: TF-IDF and word vectors, or transformers
    #[arg(long, value_enum, default_value_t = ProfileFlag::Classic)]
    profile: ProfileFlag,
    /// Configuration file, for its section `[dump]`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// File for rejected rows [default: FILE.rejects.csv in the working directory]
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
    let mut options = super::config_loader(args.config.clone()).load()?.config.dump;
    args.reader.apply(&mut options)?;
    // Keep the name of the topic column, so that the same configuration can read the cleaned dump.
    let topic = options.columns.topic.clone().unwrap_or_else(|| "topic".into());
    let input = Inputs::expand(&args.files)?;
    let rejects = args.rejects.unwrap_or_else(|| default_rejects(&input));
    // Files that a folder stands for too, however they are written.
    let read = input.iter().filter_map(|input| match input {
        Input::Path(path) => Some(("the dump", path.as_path())),
        Input::Stdin => None,
    });
    let is_rejects = |path: &Path| path == rejects || same_file(path, &rejects);
    for (flag, path) in read.chain(args.output.as_deref().map(|output| ("--output", output))) {
        if is_rejects(path) {
            bail!("{flag} and the rejects file are both {}: set another one with --rejects", rejects.display());
        }
    }
    let mut rejects = RejectsFile::new(Some(rejects));
    let mut reader = DumpReader::open(&input, &options, RequiredFields::default())?;
    let counts = match &args.output {
        None => clean(&mut reader, args.profile.profile(), &topic, io::stdout().lock(), &mut rejects)?,
        Some(path) => {
            let mut output = Output::create(path).with_context(|| cannot_write(path))?;
            let counts = clean(&mut reader, args.profile.profile(), &topic, output.file(), &mut rejects)?;
            output.keep().with_context(|| cannot_write(path))?;
            counts
        }
    };
    eprintln!("vigie: {}", summary(&counts, args.output.as_deref(), &rejects));
    Ok(reader.rejects().check(options.max_rejects)?)
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// Results of the usable rows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    written: u64,
    emptied: u64,
    /// Rows whose time, or whose id, is as in the dump because it could not be read.
    raw_times: u64,
    raw_ids: u64,
}

fn clean(
    reader: &mut DumpReader,
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
                    let unread = row.unread.as_deref();
                    counts.raw_times += u64::from(unread.is_some_and(|unread| unread.created_at.is_some()));
                    counts.raw_ids += u64::from(unread.is_some_and(|unread| unread.id.is_some()));
                    write(&mut out, row, &cleaned).map_err(io::Error::from)?;
                    counts.written += 1;
                }
            },
        }
    }
    rejects.finish()?;
    if counts.written + counts.emptied == 0 {
        return Err(rejects.no_usable_rows_error(reader.name()).into());
    }
    out.flush()?;
    Ok(counts)
}

/// A post without an identifier gets one from its original text: cleaning must not turn two posts into one. What could not be
/// read stays as it was written: it may mean something to the next program.
fn write(out: &mut csv::Writer<impl Write>, row: Row, cleaned: &str) -> csv::Result<()> {
    let UnreadCells { id: raw_id, created_at: raw_time } = row.unread.as_deref().cloned().unwrap_or_default();
    let created_at = row.created_at.map(|at| at.to_string()).or(raw_time);
    let (author, topic, label) = (row.author.clone(), row.topic.clone(), row.label.clone());
    let id = row.id.clone().or(raw_id).or_else(|| row.into_post().map(|post| post.id));
    let fields = [id, created_at, author, topic, label];
    out.write_record(fields.iter().map(|field| field.as_deref().unwrap_or_default()).chain([cleaned]))
}

fn summary(counts: &Counts, output: Option<&Path>, rejects: &RejectsFile) -> String {
    let mut line = format!("{} rows written", counts.written);
    if let Some(path) = output {
        let _ = write!(line, " to {}", path.display());
    }
    let _ = write!(line, ", {} skipped (empty after cleaning), {} rejected", counts.emptied, rejects.total());
    let reasons: Vec<String> = rejects.counts().iter().map(|(reason, rows)| format!("{rows} {reason}")).collect();
    if !reasons.is_empty() {
        let _ = write!(line, " ({})", reasons.join(", "));
    }
    if let Some(path) = rejects.written() {
        let _ = write!(line, ", kept in {}", path.display());
    }
    for (rows, what) in [(counts.raw_times, "times"), (counts.raw_ids, "ids")] {
        if rows > 0 {
            let _ = write!(line, "; {rows} {what} could not be read and are written as they are");
        }
    }
    line
}

#[cfg(test)]
mod tests;
