//! The rows of a followed file: the readers of a replay, opened as soon as the file's head is there.

use std::io;

use crate::dump::columns::Columns;
use crate::dump::csv;
use crate::dump::csv::{CsvRows, Places};
use crate::dump::error::MissingColumn;
use crate::dump::framing::CsvFraming;
use crate::dump::json::{JsonRows, Said};
use crate::dump::options::{Encoding, Needs};
use crate::dump::record_splitter::{Cut, Records};
use crate::dump::reject::Reject;
use crate::dump::row_builder::{Rules, decode};

use super::config::Layout;

const NEEDS: Needs = Needs { created_at: true, label: false, topic: false };

/// Bytes that tell text from other things.
const MAGIC: usize = 4;

/// Reads what the records of one file say.
pub(super) enum Rows {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
}

/// What came of looking at a file's head.
pub(super) enum Opened {
    /// The rows, and the header they stand under.
    Rows(Rows, Option<String>),
    /// The head is not written yet.
    NotYet,
    /// It cannot be followed: what was found, what was wanted, the way out.
    Refused(String),
}

impl Rows {
    pub(super) fn next(&mut self, records: &mut Records) -> io::Result<Option<Result<Said, Reject>>> {
        match self {
            Self::Csv(rows) => Ok(rows.next_row(records)?.map(|row| row.map(Said::Post))),
            Self::Json(rows) => rows.next(records),
        }
    }

    /// What is left of the record read last.
    pub(super) fn left(&self) -> usize {
        match self {
            Self::Csv(_) => 0,
            Self::Json(rows) => rows.left(),
        }
    }

    /// Of JSON lines, wherever in a file.
    pub(super) fn json(columns: &Columns) -> Self {
        Self::Json(Box::new(JsonRows::new(columns.clone(), Encoding::Auto, rules()).with_deletions()))
    }

    /// Of CSV under a header that was read before. `None` if that is no header under these columns (any more).
    pub(super) fn csv(header: &str, columns: &Columns) -> Option<Self> {
        let delimiter = csv::detect_delimiter(header, columns);
        let places = csv::places_of(header, delimiter, columns, NEEDS).ok()?;
        Some(Self::under(delimiter, places))
    }

    fn under(delimiter: u8, places: Places) -> Self {
        Self::Csv(Box::new(CsvRows::new(delimiter, places, Encoding::Auto, rules())))
    }
}

fn rules() -> Rules {
    Rules { needs: NEEDS, time_format: None }
}

/// Opens the rows of a file at its first byte. `ended`: nothing will be added to it. `before`: the header of the file
/// before it, for a writer that goes on without one.
pub(super) fn open(
    layout: Layout,
    columns: &Columns,
    records: &mut Records,
    ended: bool,
    before: Option<&str>,
) -> io::Result<Opened> {
    let ahead = records.ahead(MAGIC)?;
    if ahead.is_empty() || (ahead.len() < MAGIC && !ended) {
        return Ok(Opened::NotYet);
    }
    if let Some(found) = not_text(ahead) {
        return Ok(Opened::Refused(format!(
            "it holds {found}, wanted UTF-8 text; give the file's unpacked or converted form"
        )));
    }
    if ahead.starts_with(&[0xef, 0xbb, 0xbf]) {
        records.discard(3);
    }
    match layout {
        Layout::Jsonl => Ok(Opened::Rows(Rows::json(columns), None)),
        Layout::Csv => open_csv(columns, records, before),
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

fn open_csv(columns: &Columns, records: &mut Records, before: Option<&str>) -> io::Result<Opened> {
    let Some(first) = csv::first_record(records, b',')? else { return Ok(Opened::NotYet) };
    let delimiter = csv::detect_delimiter(&String::from_utf8_lossy(&first), columns);
    let Some(first) = csv::first_record(records, delimiter)? else { return Ok(Opened::NotYet) };
    let header = decode(&first, Encoding::Auto, true).unwrap_or_default();
    let missing = match csv::places_of(&header, delimiter, columns, NEEDS) {
        Ok(places) => {
            let header = header.into_owned();
            let whole = records.next(&mut CsvFraming::new(delimiter))?.is_some_and(|record| record.cut == Cut::Whole);
            return Ok(match whole {
                true => Opened::Rows(Rows::under(delimiter, places), Some(header)),
                false => Opened::Refused("its header is never closed, wanted one line of column names".into()),
            });
        }
        Err(missing) => missing,
    };
    if let Some(before) = before.filter(|before| has_width_of(&header, before, columns))
        && let Some(rows) = Rows::csv(before, columns)
    {
        return Ok(Opened::Rows(rows, Some(before.to_owned())));
    }
    Ok(Opened::Refused(no_header(&missing, &csv::shown_columns(&header, delimiter))))
}

/// Whether a record has as many fields as a header.
fn has_width_of(record: &str, header: &str, columns: &Columns) -> bool {
    let delimiter = csv::detect_delimiter(header, columns);
    csv::shown_columns(record, delimiter).len() == csv::shown_columns(header, delimiter).len()
}

fn no_header(missing: &[MissingColumn], found: &[String]) -> String {
    let wanted: Vec<String> = missing
        .iter()
        .map(|column| format!("no column for {} (wanted one of {})", column.field, column.wanted.join(", ")))
        .collect();
    let field = missing.first().map_or("text", |column| column.field.as_str());
    format!(
        "its header has {}; found the columns {}; name them in the source, such as columns.{field} = \"NAME\"",
        wanted.join(", "),
        found.join(", ")
    )
}
