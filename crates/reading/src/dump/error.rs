//! [`DumpError`]: why an input cannot be read at all. A bad row is a [`Reject`](super::Reject) instead.

use std::io;
use std::path::PathBuf;

use super::columns::Field;
use super::csv::Headerless;
use super::input::{Foreign, UnpackError};
use super::labels::ScaleError;
use super::options_error::OptionsError;
use super::reject::RejectReason;
use super::timestamp::DateDoubt;

/// Names that an error shows of many.
const MAX_NAMES: usize = 6;

/// Ends the reading of an input. Each message is one line with what was found, what was expected and what to do; it contains
/// no text or author of a post.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    #[error("no such file: {}{}{}", path.display(), looked_for(path), hint.as_deref().unwrap_or_default())]
    Missing { path: PathBuf, hint: Option<String> },
    #[error("cannot open {name}: {cause}")]
    Open { name: String, cause: io::Error },
    /// A folder or an archive.
    #[error("{name} has no dump; expected CSV or JSON files in it{}", describe_skipped(skipped))]
    NoDumps { name: String, skipped: Vec<String> },
    #[error("{0} is empty; expected CSV with a header, the Sentiment140 dump, or JSON with posts")]
    Empty(String),
    #[error("{name} is {}; {}", found.what(), found.way_out(name))]
    NotADump { name: String, found: Foreign },
    #[error("{name} {cause}")]
    Unpack { name: String, cause: UnpackError },
    #[error("cannot read {name}: {cause}")]
    Read { name: String, cause: io::Error },
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error("{name} has {}; found columns {}{}", describe_missing(missing), found.join(", "), header_line(*line))]
    MissingColumn {
        name: String,
        missing: Vec<MissingColumn>,
        found: Vec<String>,
        /// 1-based line of the header.
        line: u64,
    },
    #[error(
        "{name} {}; its columns are: {}; read it e.g. with `{}`",
        describe_headerless(headerless), headerless.describe(), headerless.flags()
    )]
    Headerless { name: String, headerless: Headerless },
    #[error("{name} has a quote in its header that is not closed; expected one line of column names")]
    HeaderQuote { name: String },
    #[error("{name} has {}; found keys {}", describe_missing_keys(missing), found.join(", "))]
    MissingKey { name: String, missing: Vec<MissingColumn>, found: Vec<String> },
    #[error("{name}: {doubt}")]
    AmbiguousDates { name: String, doubt: Box<DateDoubt> },
    #[error("{name} has {cause}")]
    AmbiguousLabels { name: String, cause: ScaleError },
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

impl DumpError {
    /// An error of reading `name`, or of unpacking it.
    pub(in crate::dump) fn from_read(name: &str, cause: io::Error) -> Self {
        let name = name.to_owned();
        match cause.downcast::<UnpackError>() {
            Ok(cause) => Self::Unpack { name, cause },
            Err(cause) => Self::Read { name, cause },
        }
    }

    /// Whether the file has nothing to read, so that a folder or archive can be read without it.
    pub(in crate::dump) fn is_about_content(&self) -> bool {
        matches!(self, Self::NotADump { .. } | Self::Empty(_) | Self::MissingColumn { .. } | Self::Headerless { .. })
    }
}

/// A required column that the header lacks, or a required key that no object has.
#[derive(Debug, PartialEq, Eq)]
pub struct MissingColumn {
    pub field: Field,
    /// The accepted names.
    pub expected: Vec<String>,
    /// The column that may be meant.
    pub similar: Option<String>,
}

impl MissingColumn {
    /// The accepted names: the first few of many.
    pub fn names(&self) -> String {
        match self.expected.as_slice() {
            [] => "none is mapped".to_owned(),
            [one] => format!("expected {one:?}"),
            names => {
                let shown = names.get(..MAX_NAMES).unwrap_or(names).join(", ");
                let more = if names.len() > MAX_NAMES { ", ..." } else { "" };
                format!("expected one of {shown}{more}")
            }
        }
    }

    /// A question after the column that may be meant.
    pub fn hint(&self) -> String {
        self.similar.as_ref().map_or_else(String::new, |similar| format!("; did you mean {similar:?}?"))
    }

    /// The value that maps the field.
    fn mapping(&self) -> String {
        let name = self.similar.as_deref().unwrap_or("NAME");
        let pair = format!("{}={name}", self.field);
        if pair.contains(char::is_whitespace) { format!("'{pair}'") } else { pair }
    }
}

/// An input without a usable row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name} has no usable rows: {}{}{}{}",
    match rows { 0 => "it is only a header, or an empty list".to_owned(), rows => format!("{rows} read") },
    by_reason(rejected),
    first_reject(first, file),
    rejects_path(rejects_file)
)]
pub struct NoUsableRowsError {
    pub name: String,
    pub rows: u64,
    /// Rejected rows by reason, in the order of the reasons.
    pub rejected: Vec<(RejectReason, u64)>,
    /// Line, reason and detail of the first reject.
    pub first: Option<(u64, RejectReason, String)>,
    /// The file of the first reject, if the dump has several.
    pub file: Option<String>,
    pub rejects_file: Option<PathBuf>,
}

/// Files in a message, at most.
const MAX_LISTED: usize = 5;

/// `; skipped a.md, b.png and 3 more`.
fn describe_skipped(skipped: &[String]) -> String {
    if skipped.is_empty() {
        return String::new();
    }
    format!("; skipped {}", list_files(skipped))
}

/// `a.md, b.png and 3 more`.
pub(in crate::dump) fn list_files(files: &[String]) -> String {
    let listed = files.iter().take(MAX_LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match files.len().saturating_sub(MAX_LISTED) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

fn looked_for(path: &std::path::Path) -> String {
    match std::path::absolute(path) {
        Ok(absolute) if absolute != path => format!(" (looked for {})", absolute.display()),
        _ => String::new(),
    }
}

fn describe_missing(missing: &[MissingColumn]) -> String {
    describe_missing_as("column", missing)
}

fn describe_missing_keys(missing: &[MissingColumn]) -> String {
    describe_missing_as("key", missing)
}

fn describe_missing_as(what: &str, missing: &[MissingColumn]) -> String {
    let parts: Vec<String> = missing
        .iter()
        .map(|column| {
            let (field, names, hint) = (column.field, column.names(), column.hint());
            format!("no {what} for {field} ({names}{hint}; map it with `--columns {}`)", column.mapping())
        })
        .collect();
    parts.join(", ")
}

/// Where the header is, unless it is where one looks for it.
fn header_line(line: u64) -> String {
    if line > 1 { format!(" on line {line}") } else { String::new() }
}

fn describe_headerless(headerless: &Headerless) -> &'static str {
    match headerless.expected {
        true => "is read without a header, and a column is not mapped by its number",
        false => "has no header: its first line looks like a row",
    }
}

fn by_reason(rejected: &[(RejectReason, u64)]) -> String {
    if rejected.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = rejected.iter().map(|(reason, rows)| format!("{rows} {reason}")).collect();
    format!(", rejected {}", parts.join(", "))
}

fn first_reject(first: &Option<(u64, RejectReason, String)>, file: &Option<String>) -> String {
    let of = file.as_ref().map(|file| format!(" of {file}")).unwrap_or_default();
    first.as_ref().map_or_else(String::new, |(line, _, detail)| format!("; first at line {line}{of}: {detail}"))
}

fn rejects_path(rejects_file: &Option<PathBuf>) -> String {
    rejects_file.as_ref().map_or_else(String::new, |path| format!("; all rejects: {}", path.display()))
}
