//! [`Rows`]: reads the rows of a tailed file with the readers of a replay, opened once the start of the file is written.

use std::io;

use crate::dump::csv;
use crate::dump::csv::{CsvRows, CsvStart, Dialect, StartProblem};
use crate::dump::error::MissingColumn;
use crate::dump::input::not_growing_text;
use crate::dump::json::{JsonRecord, JsonRows};
use crate::dump::options::{Layout, ReadOptions, RequiredFields};
use crate::dump::record_splitter::RecordSplitter;
use crate::dump::reject::Reject;
use crate::dump::row_builder::RowRules;

use super::config::TailLayout;

const NEEDS: RequiredFields = RequiredFields { created_at: true, label: false, topic: false };

/// Bytes by which other formats than text are detected.
const MAGIC_BYTES: usize = 4;
/// Bytes by which other texts than rows are detected, as far as they are there.
const HEAD_BYTES: usize = 512;

/// Reader of the records of one file.
pub(super) enum Rows {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
}

/// Whether a file can be read.
pub(super) enum HeaderStatus {
    /// The rows and their header.
    Ready(Rows, Option<String>),
    /// The start of the file is not written yet.
    Incomplete,
    /// The file cannot be tailed: what was found, what was expected, the remedy.
    Unsupported(String),
}

impl Rows {
    pub(super) fn next(&mut self, records: &mut RecordSplitter) -> io::Result<Option<Result<JsonRecord, Reject>>> {
        match self {
            Self::Csv(rows) => Ok(rows.next_row(records)?.map(|row| row.map(JsonRecord::Post))),
            Self::Json(rows) => rows.next(records),
        }
    }

    /// Rows that remain in the last record.
    pub(super) fn remaining(&self) -> usize {
        match self {
            Self::Csv(_) => 0,
            Self::Json(rows) => rows.remaining(),
        }
    }

    /// Rows of JSON lines, at any position in a file.
    pub(super) fn json(options: &ReadOptions) -> Self {
        let (columns, encoding) = (options.columns.clone(), options.encoding);
        Self::Json(Box::new(JsonRows::new(Layout::Json, columns, encoding, rules(options)).with_deletions()))
    }

    /// Rows of CSV under a known header. `None` if the header does not have the configured columns.
    pub(super) fn csv(header: &str, options: &ReadOptions) -> Option<Self> {
        csv::reopen(header, options, NEEDS).map(|start| Self::after(start, options))
    }

    fn after(start: CsvStart, options: &ReadOptions) -> Self {
        Self::Csv(Box::new(CsvRows::new(start, options.encoding, rules(options))))
    }
}

fn rules(options: &ReadOptions) -> RowRules {
    // Options were validated when the configuration was read.
    RowRules::new(NEEDS, options).unwrap_or_else(|_| RowRules::without_options(NEEDS))
}

/// Opens the rows of a file at its first byte. `ended`: the file no longer grows. `before`: the header of the previous
/// file, for a writer that does not repeat it.
pub(super) fn open(
    layout: TailLayout,
    options: &ReadOptions,
    records: &mut RecordSplitter,
    ended: bool,
    before: Option<&str>,
) -> io::Result<HeaderStatus> {
    records.discard_hole()?;
    let ahead = records.peek(MAGIC_BYTES)?;
    if ahead.is_empty() || (ahead.len() < MAGIC_BYTES && !ended) {
        return Ok(HeaderStatus::Incomplete);
    }
    // Later NUL bytes are a hole, which the rows skip.
    let text =
        ahead.iter().skip(MAGIC_BYTES).position(|byte| *byte == 0).map_or(ahead.len(), |hole| MAGIC_BYTES + hole);
    if let Some(found) = not_growing_text(ahead.get(..text.min(HEAD_BYTES)).unwrap_or(ahead)) {
        return Ok(HeaderStatus::Unsupported(format!(
            "it is {found}; expected UTF-8 text: decompress or convert the file"
        )));
    }
    if ahead.starts_with(&[0xef, 0xbb, 0xbf]) {
        records.discard(3);
    }
    match layout {
        TailLayout::Jsonl => Ok(HeaderStatus::Ready(Rows::json(options), None)),
        TailLayout::Csv => open_csv(options, records, ended, before),
    }
}

fn open_csv(
    options: &ReadOptions,
    records: &mut RecordSplitter,
    ended: bool,
    before: Option<&str>,
) -> io::Result<HeaderStatus> {
    if !ended && !is_header_written(options, records)? {
        return Ok(HeaderStatus::Incomplete);
    }
    csv::skip_lines(records, options.skip_lines as usize)?;
    let Some(first) = csv::peek_record(records, Dialect::of_options(options))? else {
        return Ok(HeaderStatus::Incomplete);
    };
    let first = String::from_utf8_lossy(&first);
    // A writer that does not repeat the header after a rotation: the first line is a row.
    if let Some(before) = before.filter(|before| csv::is_as_wide_as_rows(before, &first, options))
        && csv::reopen(&first, options, NEEDS).is_none()
        && let Some(rows) = Rows::csv(before, options)
    {
        return Ok(HeaderStatus::Ready(rows, Some(before.to_owned())));
    }
    let problem = match csv::open(records, options, NEEDS)? {
        Ok(start) => {
            let header = start.header.clone();
            return Ok(HeaderStatus::Ready(Rows::after(start, options), Some(header)));
        }
        Err(problem) => problem,
    };
    Ok(match problem {
        StartProblem::Empty => HeaderStatus::Incomplete,
        StartProblem::UnclosedQuote => {
            HeaderStatus::Unsupported("its header has an unclosed quote; expected one line of column names".into())
        }
        StartProblem::Missing { missing, found, .. } => HeaderStatus::Unsupported(describe_missing(&missing, &found)),
        StartProblem::Headerless(headerless) => HeaderStatus::Unsupported(format!(
            "it has no header; its columns are: {}; set header = \"none\" and the numbers of the columns in the source, \
             as in `{}`",
            headerless.describe(),
            headerless.flags()
        )),
    })
}

/// Whether the lines before the header are written, and the header itself. Without such lines, the header's own record says so.
fn is_header_written(options: &ReadOptions, records: &mut RecordSplitter) -> io::Result<bool> {
    // What is buffered may be all that was asked for before.
    let buffered = records.peek(1)?.len();
    let ahead = records.peek(buffered + 1)?;
    let has_sep = ahead.trim_ascii_start().get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"sep="));
    let before = options.skip_lines as usize + usize::from(has_sep);
    let mut lines = ahead.split_inclusive(|byte| *byte == b'\n').skip(before);
    // Blank lines may stand before the header.
    let is_complete = |line: &[u8]| line.ends_with(b"\n") && !line.trim_ascii().is_empty();
    Ok(before == 0 || lines.any(is_complete))
}

fn describe_missing(missing: &[MissingColumn], found: &[String]) -> String {
    let missing_columns: Vec<String> = missing
        .iter()
        .map(|column| format!("no column for {} ({}{})", column.field, column.names(), column.hint()))
        .collect();
    let field = missing.first().map_or("text", |column| column.field.as_str());
    format!(
        "its header has {}; found the columns {}; name them in the source, e.g. columns.{field} = \"NAME\"",
        missing_columns.join(", "),
        found.join(", ")
    )
}
