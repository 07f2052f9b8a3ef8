//! [`Reject`] is a record that could not become a row; [`RejectsFile`] counts such records and writes them to a file.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::{DumpError, NoUsableRowsError};

/// Characters of a rejected record that are kept.
const MAX_ROW_CHARS: usize = 500;

/// Why a record was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// The number of fields differs from the header's.
    FieldCount,
    /// A quote is never closed, or closed only in a later row.
    UnclosedQuote,
    /// Longer than any row of posts can be.
    TooLong,
    Encoding,
    /// A required value is empty or absent.
    MissingField,
    Time,
    EmptyText,
    Label,
    Json,
}

impl RejectReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FieldCount => "field_count",
            Self::UnclosedQuote => "unclosed_quote",
            Self::TooLong => "too_long",
            Self::Encoding => "encoding",
            Self::MissingField => "missing_field",
            Self::Time => "time",
            Self::EmptyText => "empty_text",
            Self::Label => "label",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A record that could not become a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The file of the dump that it is in, if that is known.
    pub file: Option<Arc<str>>,
    /// 1-based line of the input where the record begins.
    pub line: u64,
    pub reason: RejectReason,
    /// What was found and what was expected, without text or author: safe to log.
    pub detail: String,
    /// The first 500 characters of the record. Personal data: only for the rejects file.
    pub row: String,
}

/// Why a record was rejected, before its line is known.
#[derive(Debug, PartialEq, Eq)]
pub struct RowError {
    pub reason: RejectReason,
    pub detail: String,
}

impl RowError {
    pub fn new(reason: RejectReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    pub fn into_reject(self, line: u64, record: &[u8]) -> Reject {
        // A character has at most four bytes, so truncation never splits a character that is kept.
        let head = record.get(..MAX_ROW_CHARS * 4).unwrap_or(record);
        let row = String::from_utf8_lossy(head).chars().take(MAX_ROW_CHARS).collect();
        Reject { file: None, line, reason: self.reason, detail: self.detail, row }
    }
}

/// Counts rejects and writes them to a CSV file `line,reason,detail,row,file`. The first reject creates the file; only its owner
/// may read it.
#[derive(Debug)]
pub struct RejectsFile {
    path: Option<PathBuf>,
    writer: Option<csv::Writer<BufWriter<File>>>,
    counts: BTreeMap<RejectReason, u64>,
    first: Option<(u64, RejectReason, String)>,
    /// The file of the first one.
    first_file: Option<Arc<str>>,
}

impl RejectsFile {
    /// Without a path, rejects are only counted. The first reject overwrites an existing file.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, writer: None, counts: BTreeMap::new(), first: None, first_file: None }
    }

    pub fn add(&mut self, reject: &Reject) -> Result<(), DumpError> {
        *self.counts.entry(reject.reason).or_default() += 1;
        if self.first.is_none() {
            self.first = Some((reject.line, reject.reason, reject.detail.clone()));
            self.first_file.clone_from(&reject.file);
        }
        self.write(reject).map_err(|cause| self.failed(cause))
    }

    /// Flushes the file.
    pub fn finish(&mut self) -> Result<(), DumpError> {
        let flushed = self.writer.as_mut().map_or(Ok(()), csv::Writer::flush);
        flushed.map_err(|cause| self.failed(cause))
    }

    pub fn counts(&self) -> &BTreeMap<RejectReason, u64> {
        &self.counts
    }

    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The file, if anything was written to it.
    pub fn written(&self) -> Option<&Path> {
        self.writer.as_ref().and(self.path.as_deref())
    }

    /// The error for an input without a usable row.
    pub fn no_usable_rows_error(&self, name: impl fmt::Display) -> DumpError {
        let name = name.to_string();
        let file = self.first_file.as_deref().filter(|file| *file != name).map(str::to_owned);
        DumpError::NoUsableRows(Box::new(NoUsableRowsError {
            name,
            file,
            rows: self.total(),
            rejected: self.counts.iter().map(|(reason, rows)| (*reason, *rows)).collect(),
            first: self.first.clone(),
            rejects_file: self.written().map(Path::to_owned),
        }))
    }

    fn write(&mut self, reject: &Reject) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let mut writer = csv::Writer::from_writer(BufWriter::new(create_private(path)?));
                writer.write_record(["line", "reason", "detail", "row", "file"])?;
                none.insert(writer)
            }
        };
        let line = reject.line.to_string();
        let file = reject.file.as_deref().unwrap_or_default();
        Ok(writer.write_record([&line, reject.reason.as_str(), &reject.detail, &reject.row, file])?)
    }

    fn failed(&self, cause: io::Error) -> DumpError {
        DumpError::Rejects { path: self.path.clone().unwrap_or_default(), cause }
    }
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // An existing file keeps its mode when it is opened.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(line: u64, reason: RejectReason) -> Reject {
        RowError::new(reason, "what, and \"why\"").into_reject(line, "a,\"é\nb\"".as_bytes())
    }

    #[test]
    fn rejects_are_counted_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tweets.rejects.csv");
        let mut rejects = RejectsFile::new(Some(path.clone()));
        rejects.finish().unwrap();
        assert!(!path.exists(), "created only when needed");
        rejects.add(&reject(3, RejectReason::Time)).unwrap();
        rejects.add(&reject(5, RejectReason::EmptyText)).unwrap();
        rejects.add(&reject(7, RejectReason::Time)).unwrap();
        rejects.finish().unwrap();
        assert_eq!(rejects.counts(), &BTreeMap::from([(RejectReason::Time, 2), (RejectReason::EmptyText, 1)]));
        assert_eq!((rejects.total(), rejects.written()), (3, Some(path.as_path())));
        let mut reader = csv::Reader::from_path(&path).unwrap();
        assert_eq!(reader.headers().unwrap(), vec!["line", "reason", "detail", "row", "file"]);
        let first = reader.records().next().unwrap().unwrap();
        assert_eq!(first, vec!["3", "time", "what, and \"why\"", "a,\"é\nb\"", ""]);
        let message = rejects.no_usable_rows_error("tweets.csv").to_string();
        let shown = path.display();
        assert_eq!(
            message,
            format!(
                "tweets.csv has no usable rows: 3 read, rejected 2 time, 1 empty_text; \
                 first at line 3: what, and \"why\"; all rejects: {shown}"
            )
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rejects.csv");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        RejectsFile::new(Some(path.clone())).add(&reject(1, RejectReason::Json)).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_unwritable_path_is_named() {
        let mut rejects = RejectsFile::new(Some("/no/such/folder/rejects.csv".into()));
        let error = rejects.add(&reject(1, RejectReason::Json)).unwrap_err().to_string();
        assert!(error.starts_with("cannot write the rejects file /no/such/folder/rejects.csv: "), "{error}");
    }

    #[test]
    fn only_the_start_of_a_record_is_kept() {
        let long = "é".repeat(2000);
        assert_eq!(RowError::new(RejectReason::Json, "").into_reject(1, long.as_bytes()).row, "é".repeat(500));
    }
}
