//! [`DumpError`]: why an input cannot be read at all. A bad row is a [`Reject`](super::Reject) instead.

use std::io;
use std::path::PathBuf;

use super::columns::Field;
use super::options_error::OptionsError;
use super::reject::RejectReason;

/// Ends the reading of an input. Each message is one line with what was found, what was expected and what to do; it contains
/// no text or author of a post.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    #[error("no such file: {}{}{}", path.display(), looked_for(path), hint.as_deref().unwrap_or_default())]
    Missing { path: PathBuf, hint: Option<String> },
    #[error("{} is a directory: pass one dump in it, a CSV or JSON lines file", .0.display())]
    Directory(PathBuf),
    #[error("cannot open {name}: {cause}")]
    Open { name: String, cause: io::Error },
    #[error("{0} is empty; expected CSV with a header, the Sentiment140 dump, or JSON lines of posts")]
    Empty(String),
    #[error(
        "{name} contains {found}; expected UTF-8 text, CSV or JSON lines (`iconv -f UTF-16 -t UTF-8` converts UTF-16)"
    )]
    NotText { name: String, found: &'static str },
    #[error(
        "{name} starts like gzip but cannot be decompressed: {cause}; it is truncated or damaged: download it again"
    )]
    Gzip { name: String, cause: io::Error },
    #[error("cannot read {name}: {cause}")]
    Read { name: String, cause: io::Error },
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error("{name} has {}; found columns {}", describe_missing(missing), found.join(", "))]
    MissingColumn { name: String, missing: Vec<MissingColumn>, found: Vec<String> },
    #[error("{0}")]
    NoUsableRows(Box<NoUsableRowsError>),
    #[error(
        "cannot write or read the sorted posts in the temp directory {}: {cause}; \
         free space there or set TMPDIR to a directory with space for a copy of the dump", dir.display()
    )]
    Spill { dir: PathBuf, cause: io::Error },
    #[error("cannot write the rejects file {}: {cause}", path.display())]
    Rejects { path: PathBuf, cause: io::Error },
}

/// A required column that the header lacks.
#[derive(Debug, PartialEq, Eq)]
pub struct MissingColumn {
    pub field: Field,
    /// The accepted names.
    pub expected: Vec<String>,
}

/// An input without a usable row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name} has no usable rows: {rows} read{}{}{}",
    by_reason(rejected),
    first_reject(first),
    rejects_path(rejects_file)
)]
pub struct NoUsableRowsError {
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

fn describe_missing(missing: &[MissingColumn]) -> String {
    let parts: Vec<String> = missing
        .iter()
        .map(|column| {
            let names = match column.expected.as_slice() {
                [] => "none is mapped".to_owned(),
                names => format!("expected one of {}", names.join(", ")),
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
    first.as_ref().map_or_else(String::new, |(line, _, detail)| format!("; first at line {line}: {detail}"))
}

fn rejects_path(rejects_file: &Option<PathBuf>) -> String {
    rejects_file.as_ref().map_or_else(String::new, |path| format!("; all rejects: {}", path.display()))
}
