//! Decides what a record is whose quotes do not fit: a text may begin with a quote in a file that does not quote, and then
//! seems to go on to a quote in a later row. No such row may swallow the rows behind it, and no text of several lines may
//! be torn.

use super::dialect::Dialect;
use super::fields::CsvFields;
use super::framing::LineFraming;
use super::headerless::is_sentiment_or_number;
use super::indexes::ColumnIndexes;
use crate::dump::columns::Field;
use crate::dump::decode::decode;
use crate::dump::framing::Framing;
use crate::dump::options::Encoding;
use crate::dump::record_splitter::without_hole;
use crate::dump::reject::{RejectReason, RowError};
use crate::dump::timestamp::TimeRules;

/// Columns from which a line with exactly as many fields is a row, whatever they hold.
const MANY_COLUMNS: usize = 6;
/// The same where the delimiter is rare in texts.
const SOME_COLUMNS: usize = 3;
const MAX_LABEL: usize = 24;
const MAX_ID: usize = 64;

/// What a row of the file looks like.
pub(super) struct RowShape<'a> {
    pub(super) columns: &'a ColumnIndexes,
    pub(super) dialect: Dialect,
    pub(super) times: &'a TimeRules,
}

/// How to split a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Split {
    Lenient,
    AtDelimiters,
}

impl Split {
    pub(super) fn apply(self, fields: &mut CsvFields, record: &str, dialect: Dialect) {
        match self {
            Self::Lenient => fields.split(record, dialect),
            Self::AtDelimiters => fields.split_at_delimiters(record, dialect),
        }
    }
}

/// A record in doubt.
pub(super) struct Doubt<'a> {
    pub(super) bytes: &'a [u8],
    /// Only its first line, because its quote never closes.
    pub(super) unclosed: bool,
    pub(super) encoding: Encoding,
}

/// What a record in doubt is. `end`: where the first line ends, or the whole record.
pub(super) enum Verdict {
    Row { end: usize, split: Split },
    Reject { end: usize, error: RowError },
}

impl Doubt<'_> {
    pub(super) fn judge(&self, shape: &RowShape<'_>, fields: &mut CsvFields) -> Verdict {
        let end = self.bytes.len();
        let reject = |end, error| Verdict::Reject { end, error };
        let text = match decode(without_hole(self.bytes), self.encoding) {
            Ok(decoded) => decoded.text,
            Err(error) => return reject(end, error),
        };
        let hole = self.bytes.len() - without_hole(self.bytes).len();
        let first_end = LineFraming.scan(without_hole(self.bytes)).map(|at| hole + at);
        let Some(first_end) = first_end.filter(|first_end| *first_end < end) else {
            return match shape.split_row(&text, fields) {
                Some(split) => Verdict::Row { end, split },
                None if self.unclosed => reject(end, unclosed_quote()),
                None => reject(end, field_count(&text, shape, fields)),
            };
        };
        let first_line = decode(self.bytes.get(hole..first_end).unwrap_or_default(), self.encoding);
        let first_line = first_line.map(|decoded| decoded.text).unwrap_or_default();
        let first = shape.split_row(first_line.trim_end_matches(['\r', '\n']), fields);
        Split::Lenient.apply(fields, &text, shape.dialect);
        let stray = fields.is_stray();
        let whole = shape.columns.fits(fields, &text).then_some(Split::Lenient);
        match (whole, first) {
            // A quote with something behind it: it may belong to a later row.
            (Some(_), None) if stray && shape.has_row_after_first_line(&text, fields) => {
                reject(first_end, unclosed_quote())
            }
            (Some(split), None) => Verdict::Row { end, split },
            (Some(split), Some(_)) if !shape.hides_rows(&text, fields) => Verdict::Row { end, split },
            // The later lines are rows.
            (Some(_), Some(split)) => Verdict::Row { end: first_end, split },
            (None, Some(split)) if stray || shape.has_row_after_first_line(&text, fields) => {
                Verdict::Row { end: first_end, split }
            }
            // A text of several lines, properly quoted, in a record with too many fields.
            (None, Some(_)) => reject(end, field_count(&text, shape, fields)),
            // The first line is damaged, and the others are not.
            (None, None) if shape.has_row_after_first_line(&text, fields) => reject(first_end, unclosed_quote()),
            (None, None) => reject(end, field_count(&text, shape, fields)),
        }
    }
}

impl RowShape<'_> {
    /// Whether the lines of a record of several lines are separate rows: the first one, and at least one other.
    pub(super) fn hides_rows(&self, record: &str, fields: &mut CsvFields) -> bool {
        let first = record.get(..LineFraming.scan(record.as_bytes()).unwrap_or(record.len())).unwrap_or_default();
        let first = first.trim_end_matches(['\r', '\n']);
        self.is_certain_of_rows(record)
            && self.split_row(first, fields).is_some()
            && self.is_row(first, fields)
            && self.has_row_after_first_line(record, fields)
    }

    /// Whether it can be said which lines are rows. A time says so. Without one, a text of several lines ends where its quote closes: in a
    /// line with an odd number of quotes.
    fn is_certain_of_rows(&self, record: &str) -> bool {
        let last_line = record.trim_end_matches(['\r', '\n']).rsplit(['\r', '\n']).next().unwrap_or(record);
        let quotes = self.dialect.quote.map_or(0, |quote| last_line.bytes().filter(|byte| *byte == quote).count());
        self.columns.index(Field::CreatedAt).is_some() || quotes.is_multiple_of(2)
    }

    fn has_row_after_first_line(&self, record: &str, fields: &mut CsvFields) -> bool {
        let mut rest = record;
        while let Some(behind) = LineFraming.scan(rest.as_bytes()).and_then(|end| rest.get(end..)) {
            let line = behind.get(..LineFraming.scan(behind.as_bytes()).unwrap_or(behind.len())).unwrap_or_default();
            let line = line.trim_end_matches(['\r', '\n']);
            if !line.is_empty() && self.split_row(line, fields).is_some() && self.is_row(line, fields) {
                return true;
            }
            rest = behind;
        }
        false
    }

    /// The way to split a line into the right number of fields, if there is one.
    fn split_row(&self, line: &str, fields: &mut CsvFields) -> Option<Split> {
        [Split::Lenient, Split::AtDelimiters].into_iter().find(|split| {
            split.apply(fields, line, self.dialect);
            self.columns.fits(fields, line)
        })
    }

    /// Whether a line with the right number of fields is a row: its cells are what their columns hold. Without a column
    /// whose cells can be recognised, the number of fields decides.
    fn is_row(&self, line: &str, fields: &CsvFields) -> bool {
        let cell = |field: Field| {
            let index = self.columns.index(field)?;
            fields.get(index, line).map(str::trim)
        };
        if cell(Field::Text).is_none_or(str::is_empty) {
            return false;
        }
        let evidence = [
            cell(Field::CreatedAt).map(|cell| self.judge_time(cell)),
            cell(Field::Id).map(judge_id),
            cell(Field::Label).map(judge_label),
        ];
        if evidence.contains(&Some(Evidence::Against)) {
            return false;
        }
        let width = self.columns.width();
        evidence.contains(&Some(Evidence::For))
            || width >= MANY_COLUMNS
            || (width >= SOME_COLUMNS && self.dialect.is_rare_in_texts())
    }

    fn judge_time(&self, cell: &str) -> Evidence {
        if self.times.parse(cell).is_ok() {
            return Evidence::For;
        }
        // A time in an unknown format has digits too.
        let digits = cell.bytes().filter(u8::is_ascii_digit).count();
        if digits >= 4 { Evidence::Neither } else { Evidence::Against }
    }
}

/// Whether a cell is what its column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evidence {
    For,
    Neither,
    Against,
}

fn judge_id(cell: &str) -> Evidence {
    if cell.is_empty() || cell.len() > MAX_ID || cell.contains(char::is_whitespace) {
        return Evidence::Against;
    }
    if cell.bytes().all(|byte| byte.is_ascii_digit()) { Evidence::For } else { Evidence::Neither }
}

fn judge_label(cell: &str) -> Evidence {
    if is_sentiment_or_number(cell) {
        return Evidence::For;
    }
    if cell.len() > MAX_LABEL || cell.contains('"') { Evidence::Against } else { Evidence::Neither }
}

fn unclosed_quote() -> RowError {
    let detail = "a quote that opens on this line is not closed at the end of a field \
                  (--quote none reads a file that does not quote)";
    RowError::new(RejectReason::UnclosedQuote, detail)
}

fn field_count(record: &str, shape: &RowShape<'_>, fields: &mut CsvFields) -> RowError {
    Split::Lenient.apply(fields, record, shape.dialect);
    let (found, expected) = (fields.len(), shape.columns.width());
    RowError::new(RejectReason::FieldCount, format!("{found} fields; expected {expected}"))
}
