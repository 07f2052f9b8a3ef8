//! [`SourceError`]: why an input cannot be read at all. A fault of one row is a [`Reject`](super::Reject) instead.

use std::io;
use std::path::PathBuf;

use super::columns::Field;
use super::options_error::OptionsError;
use super::reject::RejectReason;

/// Ends the reading of an input. Each message is one line naming what was found, what was wanted and the way out, and
/// holds no text or author of a post.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("no such file: {}{}{}", path.display(), looked_for(path), hint.as_deref().unwrap_or_default())]
    Missing { path: PathBuf, hint: Option<String> },
    #[error("{} is a directory: name one dump in it, a CSV or JSON lines file", .0.display())]
    Directory(PathBuf),
    #[error("cannot open {name}: {cause}")]
    Open { name: String, cause: io::Error },
    #[error("{0} is empty: wanted CSV with a header, the Sentiment140 dump, or JSON lines of posts")]
    Empty(String),
    #[error("{name} holds {found}: wanted UTF-8 text, CSV or JSON lines (`iconv -f UTF-16 -t UTF-8` converts UTF-16)")]
    NotText { name: String, found: &'static str },
    #[error("{name} starts like gzip but cannot be unpacked: {cause}; it is cut or damaged, get it again")]
    Gzip { name: String, cause: io::Error },
    #[error("reading {name} failed: {cause}")]
    Read { name: String, cause: io::Error },
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error("{name} has {}; found the columns {}", wanted(missing), found.join(", "))]
    MissingColumn { name: String, missing: Vec<MissingColumn>, found: Vec<String> },
    #[error("{0}")]
    NoUsableRow(Box<NoUsableRow>),
    #[error(
        "writing or reading the sorted posts in the temp directory {} failed: {cause}; \
         make room there or set TMPDIR to a directory with room for a copy of the dump", dir.display()
    )]
    Spill { dir: PathBuf, cause: io::Error },
    #[error("cannot write the rejects file {}: {cause}", path.display())]
    Rejects { path: PathBuf, cause: io::Error },
}

/// A column that is needed and that the header lacks.
#[derive(Debug, PartialEq, Eq)]
pub struct MissingColumn {
    pub field: Field,
    /// The names that would have been taken.
    pub wanted: Vec<String>,
}

/// An input none of whose rows could be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} has no usable row: {rows} seen{}{}{}", by_reason(rejected), first_reject(first), kept(rejects_file))]
pub struct NoUsableRow {
    pub name: String,
    pub rows: u64,
    /// Rejected rows by reason, in the order of the reasons.
    pub rejected: Vec<(RejectReason, u64)>,
    /// Line, reason and detail of the first reject.
    pub first: Option<(u64, RejectReason, String)>,
    pub rejects_file: Option<PathBuf>,
}

fn looked_for(path: &std::path::Path) -> String {
    match std::path::absolute(path) {
        Ok(absolute) if absolute != path => format!(" (looked for {})", absolute.display()),
        _ => String::new(),
    }
}

fn wanted(missing: &[MissingColumn]) -> String {
    let parts: Vec<String> = missing
        .iter()
        .map(|column| {
            let names = match column.wanted.as_slice() {
                [] => "none is mapped".to_owned(),
                wanted => format!("wanted one of {}", wanted.join(", ")),
            };
            format!("no column for {0} ({names}; map it with `--columns {0}=NAME`)", column.field)
        })
        .collect();
    parts.join(", ")
}

fn by_reason(rejected: &[(RejectReason, u64)]) -> String {
    if rejected.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = rejected.iter().map(|(reason, rows)| format!("{rows} {reason}")).collect();
    format!(", rejected {}", parts.join(", "))
}

fn first_reject(first: &Option<(u64, RejectReason, String)>) -> String {
    first.as_ref().map_or_else(String::new, |(line, _, detail)| format!("; the first at line {line}: {detail}"))
}

fn kept(rejects_file: &Option<PathBuf>) -> String {
    rejects_file.as_ref().map_or_else(String::new, |path| format!("; all are in {}", path.display()))
}
