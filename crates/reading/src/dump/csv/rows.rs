//! [`CsvRows`]: reads rows of CSV under known columns. After `header`, before `RowBuilder`.

use std::borrow::Cow;
use std::io;
use std::mem;

use memchr::memchr2;

use super::dialect::Dialect;
use super::fields::CsvFields;
use super::framing::CsvFraming;
use super::header::CsvStart;
use super::indexes::ColumnIndexes;
use super::stray_quotes::{Doubt, RowShape, Verdict};
use crate::dump::columns::Field;
use crate::dump::decode::decode;
use crate::dump::notes::{NoteKind, ReadNotes};
use crate::dump::options::Encoding;
use crate::dump::record_splitter::{Record, RecordEnd, RecordSplitter, without_hole};
use crate::dump::reject::{Reject, RejectReason, RowError};
use crate::dump::row::Row;
use crate::dump::row_builder::{RowBuilder, RowRules};
use crate::dump::shape::Shape;

/// Reads rows of CSV.
pub struct CsvRows {
    framing: CsvFraming,
    columns: ColumnIndexes,
    encoding: Encoding,
    rules: RowRules,
    fields: CsvFields,
    /// For lines inside a record.
    line_fields: CsvFields,
    notes: ReadNotes,
}

/// What a record is.
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack: a box would be an allocation for each row")]
enum Reading {
    Row(Result<Row, RowError>),
    /// The header again, or a row without any content.
    Skipped,
    /// Its quotes or its number of fields do not fit: it must be looked at more closely.
    Doubtful,
}

impl CsvRows {
    pub fn new(start: CsvStart, encoding: Encoding, rules: RowRules) -> Self {
        let mut rows = Self::with_columns(start.dialect, start.columns, encoding, rules);
        start.remarks.into_iter().for_each(|remark| rows.notes.remark(remark));
        rows
    }

    /// Reads a file without a header whose columns are known.
    pub fn with_columns(dialect: Dialect, columns: ColumnIndexes, encoding: Encoding, rules: RowRules) -> Self {
        let (fields, line_fields, notes) = Default::default();
        Self { framing: CsvFraming::new(dialect), columns, encoding, rules, fields, line_fields, notes }
    }

    /// What was done to the rows so far.
    pub fn notes(&self) -> &ReadNotes {
        &self.notes
    }

    /// How the file is read.
    pub(in crate::dump) fn shape(&self) -> Shape {
        let delimiter = match self.framing.dialect().delimiter {
            b'\t' => "tab".to_owned(),
            other => format!("`{}`", char::from(other)),
        };
        let header = if self.columns.has_names() { "" } else { ", without a header" };
        let (fields, unused) = self.columns.describe();
        Shape { format: format!("CSV, delimiter {delimiter}{header}"), fields, unused }
    }

    pub(in crate::dump) fn notes_mut(&mut self) -> &mut ReadNotes {
        &mut self.notes
    }

    pub(in crate::dump) fn rules_mut(&mut self) -> &mut RowRules {
        &mut self.rules
    }

    /// The next row or reject; `None` at the end of the input.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn next_row(&mut self, splitter: &mut RecordSplitter) -> io::Result<Option<Result<Row, Reject>>> {
        loop {
            let Some(record) = splitter.next(&mut self.framing)? else { return Ok(None) };
            if without_hole(record.bytes).is_empty() {
                continue;
            }
            match self.read(&record) {
                Reading::Row(Ok(row)) => return Ok(Some(Ok(row))),
                Reading::Row(Err(error)) => return Ok(Some(Err(error.into_reject(record.line, record.bytes)))),
                Reading::Skipped => {}
                Reading::Doubtful => {
                    let has_escapes = self.framing.dialect().may_be_escaped(record.bytes);
                    if let Some(row) = self.read_doubtful(splitter, has_escapes)? {
                        return Ok(Some(row));
                    }
                }
            }
        }
    }

    fn read(&mut self, record: &Record<'_>) -> Reading {
        match record.end {
            RecordEnd::Complete => {}
            RecordEnd::Unclosed => return Reading::Doubtful,
            RecordEnd::TooLong => {
                return Reading::Row(Err(RowError::new(RejectReason::TooLong, "longer than 256 KiB")));
            }
        }
        let decoded = match decode(without_hole(record.bytes), self.encoding) {
            Ok(decoded) => decoded,
            Err(error) => return Reading::Row(Err(error)),
        };
        let text = decoded.text;
        self.fields.split(&text, self.framing.dialect());
        if self.fields.is_stray() || !self.columns.fits(&self.fields, &text) {
            return Reading::Doubtful;
        }
        let several_lines = self.fields.is_quoted() && memchr2(b'\n', b'\r', text.as_bytes()).is_some();
        if several_lines && self.hides_rows(&text) {
            return Reading::Doubtful;
        }
        if decoded.guessed {
            self.notes.count(NoteKind::Windows1252, record.line);
        }
        self.build(&text, record.line)
    }

    /// Whether a field of several lines is rows that a stray quote has joined.
    fn hides_rows(&mut self, record: &str) -> bool {
        let mut fields = mem::take(&mut self.line_fields);
        let hides = self.row_shape().hides_rows(record, &mut fields);
        self.line_fields = fields;
        hides
    }

    fn row_shape(&self) -> RowShape<'_> {
        RowShape { columns: &self.columns, dialect: self.framing.dialect(), times: &self.rules.times }
    }

    /// Builds the row from the fields that were split last.
    fn build(&mut self, text: &str, line: u64) -> Reading {
        if self.columns.is_header(&self.fields, text) {
            self.notes.count(NoteKind::RepeatedHeader, line);
            return Reading::Skipped;
        }
        let cell = |field: Field| {
            let index = self.columns.index(field)?;
            self.fields.get(index, text).map(Cow::Borrowed)
        };
        let part = |index: Option<usize>| self.fields.get(index?, text).map(Cow::Borrowed);
        let [date, time, zone] = self.columns.time_parts();
        let row = RowBuilder {
            id: cell(Field::Id),
            created_at: cell(Field::CreatedAt),
            date: part(date),
            time: part(time),
            zone: part(zone),
            author: cell(Field::Author),
            text: cell(Field::Text),
            lang: cell(Field::Lang),
            topic: cell(Field::Topic),
            label: cell(Field::Label),
            reason: cell(Field::Reason),
            incident: cell(Field::Incident),
        };
        let row = row.build(line, &mut self.rules, &mut self.notes);
        // A spreadsheet writes its empty rows as delimiters.
        if row.is_err() && self.fields.len() > 1 && self.fields.iter(text).all(|cell| cell.trim().is_empty()) {
            return Reading::Skipped;
        }
        Reading::Row(row)
    }

    /// Reads the last record again, more closely. `None` if it is to be skipped.
    fn read_doubtful(
        &mut self,
        splitter: &mut RecordSplitter,
        has_escapes: bool,
    ) -> io::Result<Option<Result<Row, Reject>>> {
        splitter.unread();
        if has_escapes && let Some(row) = self.read_with_escapes(splitter)? {
            return Ok(Some(row));
        }
        let Some(record) = splitter.next(&mut self.framing)? else { return Ok(None) };
        let doubt = Doubt { bytes: record.bytes, unclosed: record.end == RecordEnd::Unclosed, encoding: self.encoding };
        let mut fields = mem::take(&mut self.line_fields);
        let verdict = doubt.judge(&self.row_shape(), &mut fields);
        self.line_fields = fields;
        let (line, length) = (record.line, record.bytes.len());
        let end = match verdict {
            Verdict::Row { end, .. } | Verdict::Reject { end, .. } => end,
        };
        let bytes = trim_line_end(without_hole(record.bytes.get(..end).unwrap_or_default())).to_vec();
        if end < length {
            splitter.shorten(end);
        }
        let split = match verdict {
            Verdict::Row { split, .. } => split,
            Verdict::Reject { error, .. } => return Ok(Some(Err(error.into_reject(line, &bytes)))),
        };
        let decoded = match decode(&bytes, self.encoding) {
            Ok(decoded) => decoded,
            Err(error) => return Ok(Some(Err(error.into_reject(line, &bytes)))),
        };
        if decoded.guessed {
            self.notes.count(NoteKind::Windows1252, line);
        }
        split.apply(&mut self.fields, &decoded.text, self.framing.dialect());
        if self.fields.is_stray() {
            self.notes.count(NoteKind::StrayQuote, line);
        }
        Ok(match self.build(&decoded.text, line) {
            Reading::Row(row) => Some(row.map_err(|error| error.into_reject(line, &bytes))),
            Reading::Skipped | Reading::Doubtful => None,
        })
    }

    /// Reads a record in which a backslash stands before a quote as one with escapes. If it then is a row, so are the records
    /// after it. `None`: it is not, and the record is unread.
    fn read_with_escapes(&mut self, splitter: &mut RecordSplitter) -> io::Result<Option<Result<Row, Reject>>> {
        let dialect = self.framing.dialect();
        let mut escaped = CsvFraming::new(Dialect { escape: Some(b'\\'), ..dialect });
        if let Some(record) = splitter.next(&mut escaped)?
            && record.end == RecordEnd::Complete
        {
            let before = mem::replace(&mut self.framing, escaped);
            if let Reading::Row(Ok(row)) = self.read(&record) {
                self.notes.remark(ESCAPED_QUOTES);
                return Ok(Some(Ok(row)));
            }
            self.framing = before;
        }
        splitter.unread();
        Ok(None)
    }
}

const ESCAPED_QUOTES: &str = "quotes inside fields are escaped by a backslash; the file is read as with --escape '\\'";

fn trim_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}
