//! [`Rows`]: reads the rows of a tailed file with the readers of a replay, opened once the start of the file is written.

use std::io;

use crate::dump::columns::Columns;
use crate::dump::csv;
use crate::dump::csv::{ColumnIndexes, CsvRows};
use crate::dump::decode::decode;
use crate::dump::error::MissingColumn;
use crate::dump::framing::CsvFraming;
use crate::dump::json::{JsonRecord, JsonRows};
use crate::dump::options::{Encoding, RequiredFields};
use crate::dump::record_splitter::{RecordEnd, RecordSplitter};
use crate::dump::reject::Reject;
use crate::dump::row_builder::RowRules;

use super::config::TailLayout;

const NEEDS: RequiredFields = RequiredFields { created_at: true, label: false, topic: false };

/// Bytes by which other formats than text are detected.
const MAGIC_BYTES: usize = 4;

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
    pub(super) fn json(columns: &Columns) -> Self {
        Self::Json(Box::new(JsonRows::new(columns.clone(), Encoding::Auto, rules()).with_deletions()))
    }

    /// Rows of CSV under a known header. `None` if the header does not have the configured columns.
    pub(super) fn csv(header: &str, columns: &Columns) -> Option<Self> {
        let delimiter = csv::detect_delimiter(header, columns);
        let places = csv::find_columns(header, delimiter, columns, NEEDS).ok()?;
        Some(Self::under(delimiter, places))
    }

    fn under(delimiter: u8, places: ColumnIndexes) -> Self {
        Self::Csv(Box::new(CsvRows::new(delimiter, places, Encoding::Auto, rules())))
    }
}

fn rules() -> RowRules {
    RowRules { required: NEEDS, time_format: None }
}

/// Opens the rows of a file at its first byte. `ended`: the file no longer grows. `before`: the header of the previous
/// file, for a writer that does not repeat it.
pub(super) fn open(
    layout: TailLayout,
    columns: &Columns,
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
    if let Some(found) = not_text(ahead.get(..MAGIC_BYTES).unwrap_or(ahead)) {
        return Ok(HeaderStatus::Unsupported(format!(
            "it contains {found}; expected UTF-8 text: decompress or convert the file"
        )));
    }
    if ahead.starts_with(&[0xef, 0xbb, 0xbf]) {
        records.discard(3);
    }
    match layout {
        TailLayout::Jsonl => Ok(HeaderStatus::Ready(Rows::json(columns), None)),
        TailLayout::Csv => open_csv(columns, records, before),
    }
}

fn not_text(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        [b'P', b'K', 3, 4, ..] => Some("a zip archive"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16 text"),
        head if head.contains(&0) => Some("NUL bytes"),
        _ => None,
    }
}

fn open_csv(columns: &Columns, records: &mut RecordSplitter, before: Option<&str>) -> io::Result<HeaderStatus> {
    let Some(first) = csv::peek_record(records, b',')? else { return Ok(HeaderStatus::Incomplete) };
    let delimiter = csv::detect_delimiter(&String::from_utf8_lossy(&first), columns);
    let Some(first) = csv::peek_record(records, delimiter)? else { return Ok(HeaderStatus::Incomplete) };
    let header = decode(&first, Encoding::Auto).map(|decoded| decoded.text).unwrap_or_default();
    let missing = match csv::find_columns(&header, delimiter, columns, NEEDS) {
        Ok(places) => {
            let header = header.into_owned();
            let complete =
                records.next(&mut CsvFraming::new(delimiter))?.is_some_and(|record| record.end == RecordEnd::Complete);
            return Ok(match complete {
                true => HeaderStatus::Ready(Rows::under(delimiter, places), Some(header)),
                false => HeaderStatus::Unsupported(
                    "its header has an unclosed quote; expected one line of column names".into(),
                ),
            });
        }
        Err(missing) => missing,
    };
    if let Some(before) = before.filter(|before| has_width_of(&header, before, columns))
        && let Some(rows) = Rows::csv(before, columns)
    {
        return Ok(HeaderStatus::Ready(rows, Some(before.to_owned())));
    }
    Ok(HeaderStatus::Unsupported(describe_missing(&missing, &csv::describe_columns(&header, delimiter))))
}

/// Whether a record has as many fields as a header.
fn has_width_of(record: &str, header: &str, columns: &Columns) -> bool {
    let delimiter = csv::detect_delimiter(header, columns);
    csv::describe_columns(record, delimiter).len() == csv::describe_columns(header, delimiter).len()
}

fn describe_missing(missing: &[MissingColumn], found: &[String]) -> String {
    let missing_columns: Vec<String> = missing
        .iter()
        .map(|column| format!("no column for {} (expected one of {})", column.field, column.expected.join(", ")))
        .collect();
    let field = missing.first().map_or("text", |column| column.field.as_str());
    format!(
        "its header has {}; found the columns {}; name them in the source, e.g. columns.{field} = \"NAME\"",
        missing_columns.join(", "),
        found.join(", ")
    )
}
