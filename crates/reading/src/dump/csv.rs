//! The `csv` and `sentiment140` layouts: columns from a header, or fixed columns.

use std::borrow::Cow;
use std::io;

use super::columns::{Columns, Field};
use super::csv_fields::CsvFields;
use super::decode::decode;
use super::error::{DumpError, MissingColumn};
use super::framing::{CsvFraming, Framing};
use super::notes::{NoteKind, ReadNotes};
use super::options::{Encoding, RequiredFields};
use super::record_splitter::{Record, RecordEnd, RecordSplitter, first_line_end, without_hole};
use super::reject::{Reject, RejectReason, RowError};
use super::row::{Row, has_numeric_labels};
use super::row_builder::{RowBuilder, RowRules};
use super::timestamp;

/// The columns of the Sentiment140 dump, which has no header.
pub const SENTIMENT140: [&str; 6] = ["polarity", "id", "date", "query", "user", "text"];

/// Reads rows of CSV.
pub struct CsvRows {
    framing: CsvFraming,
    delimiter: u8,
    columns: ColumnIndexes,
    encoding: Encoding,
    rules: RowRules,
    fields: CsvFields,
    notes: ReadNotes,
}

impl CsvRows {
    pub fn new(delimiter: u8, columns: ColumnIndexes, encoding: Encoding, rules: RowRules) -> Self {
        let framing = CsvFraming::new(delimiter);
        let (fields, notes) = (CsvFields::default(), ReadNotes::default());
        Self { framing, delimiter, columns, encoding, rules, fields, notes }
    }

    /// What was done to the rows so far.
    pub fn notes(&self) -> &ReadNotes {
        &self.notes
    }

    pub fn next_row(&mut self, splitter: &mut RecordSplitter) -> io::Result<Option<Result<Row, Reject>>> {
        loop {
            let Some(record) = splitter.next(&mut self.framing)? else { return Ok(None) };
            if without_hole(record.bytes).is_empty() {
                continue;
            }
            let error = match self.parse(&record) {
                Ok(row) => return Ok(Some(Ok(row))),
                Err(error) => error,
            };
            if error.reason == RejectReason::FieldCount
                && let Some(end) = self.end_of_line_with_stray_quote(record.bytes)
            {
                let line = record.bytes.get(..end).unwrap_or_default();
                let reject = unclosed_quote().into_reject(record.line, line.trim_ascii_end());
                splitter.shorten(end);
                return Ok(Some(Err(reject)));
            }
            return Ok(Some(Err(error.into_reject(record.line, record.bytes))));
        }
    }

    fn parse(&mut self, record: &Record<'_>) -> Result<Row, RowError> {
        match record.end {
            RecordEnd::Complete => {}
            RecordEnd::Unclosed => return Err(unclosed_quote()),
            RecordEnd::TooLong => return Err(RowError::new(RejectReason::TooLong, "longer than 256 KiB")),
        }
        let decoded = decode(without_hole(record.bytes), self.encoding)?;
        if decoded.guessed {
            self.notes.count(NoteKind::Windows1252, record.line);
        }
        let text = decoded.text;
        self.fields.split(&text, self.delimiter);
        let (found, expected) = (self.fields.len(), self.columns.width);
        if found != expected {
            return Err(RowError::new(RejectReason::FieldCount, format!("{found} fields; expected {expected}")));
        }
        let cell = |field: Field| {
            let index = self.columns.index(field)?;
            self.fields.get(index, &text).map(Cow::Borrowed)
        };
        let row = RowBuilder {
            id: cell(Field::Id),
            created_at: cell(Field::CreatedAt),
            author: cell(Field::Author),
            text: cell(Field::Text),
            lang: cell(Field::Lang),
            topic: cell(Field::Topic),
            label: cell(Field::Label),
            numeric_labels: self.columns.numeric_labels,
            reason: cell(Field::Reason),
            incident: cell(Field::Incident),
        };
        row.build(record.line, &self.rules)
    }

    /// Where the first line of a multi-line record ends, if its second line alone has the right number of fields: then the
    /// first line has a stray quote, and only that line is rejected.
    fn end_of_line_with_stray_quote(&mut self, record: &[u8]) -> Option<usize> {
        let end = first_line_end(record)?;
        let rest = record.get(end..)?;
        let mut framing = CsvFraming::new(self.delimiter);
        let second = rest.get(..framing.scan(rest).unwrap_or(rest.len()))?;
        let second = decode(second.trim_ascii_end(), Encoding::Auto).ok()?.text;
        self.fields.split(&second, self.delimiter);
        (self.fields.len() == self.columns.width).then_some(end)
    }
}

fn unclosed_quote() -> RowError {
    RowError::new(RejectReason::UnclosedQuote, "a quote that opens on this line is not closed at the end of a field")
}

/// The column index of each field.
#[derive(Debug)]
pub struct ColumnIndexes {
    width: usize,
    indexes: Vec<(Field, usize)>,
    /// The label column contains Sentiment140's numerals.
    numeric_labels: bool,
}

impl ColumnIndexes {
    /// Finds the columns in a header. A required or mapped column that is missing is an error.
    pub fn find(header: &[&str], columns: &Columns, required: RequiredFields) -> Result<Self, Vec<MissingColumn>> {
        let mut found = Self { width: header.len(), indexes: Vec::new(), numeric_labels: false };
        let mut missing = Vec::new();
        for field in Field::ALL {
            match position(header, columns, field) {
                Some(index) => found.indexes.push((field, index)),
                None if is_required(field, columns, required) => {
                    let expected = columns.names(field).map(str::to_owned).collect();
                    missing.push(MissingColumn { field, expected });
                }
                None => {}
            }
        }
        let label = found.index(Field::Label).and_then(|index| header.get(index));
        found.numeric_labels = label.is_some_and(|name| has_numeric_labels(name.trim()));
        if missing.is_empty() { Ok(found) } else { Err(missing) }
    }

    fn index(&self, field: Field) -> Option<usize> {
        self.indexes.iter().find(|(other, _)| *other == field).map(|(_, index)| *index)
    }
}

fn position(header: &[&str], columns: &Columns, field: Field) -> Option<usize> {
    columns.names(field).find_map(|name| header.iter().position(|found| found.trim().eq_ignore_ascii_case(name.trim())))
}

fn is_required(field: Field, columns: &Columns, required: RequiredFields) -> bool {
    match field {
        Field::Text => true,
        Field::CreatedAt if required.created_at => true,
        Field::Label if required.label => true,
        Field::Topic => required.topic,
        _ => columns.mapped(field).is_some(),
    }
}

/// Returns the first record (a header or a row) without consuming it.
pub fn peek_record(splitter: &mut RecordSplitter, delimiter: u8) -> io::Result<Option<Vec<u8>>> {
    let mut framing = CsvFraming::new(delimiter);
    loop {
        match splitter.next(&mut framing)? {
            None => return Ok(None),
            Some(record) if record.bytes.trim_ascii().is_empty() => {}
            Some(record) => {
                let bytes = record.bytes.to_vec();
                splitter.unread();
                return Ok(Some(bytes));
            }
        }
    }
}

/// Whether a first record has the form of a Sentiment140 row.
pub fn is_sentiment140(record: &[u8]) -> bool {
    let text = String::from_utf8_lossy(record);
    let mut fields = CsvFields::default();
    fields.split(&text, b',');
    let cell = |index| fields.get(index, &text).unwrap_or_default().trim();
    fields.len() == SENTIMENT140.len() && matches!(cell(0), "0" | "2" | "4") && timestamp::is_twitter_date(cell(2))
}

/// The delimiter with which a header has the most known columns; of equals, the one with the most columns.
pub fn detect_delimiter(header: &str, columns: &Columns) -> u8 {
    let score = |delimiter| {
        let mut fields = CsvFields::default();
        fields.split(header, delimiter);
        let names: Vec<&str> = (0..fields.len()).filter_map(|index| fields.get(index, header)).collect();
        let known = Field::ALL.into_iter().filter(|field| position(&names, columns, *field).is_some()).count();
        (known, names.len())
    };
    // Of equals `max_by_key` returns the last.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

/// Reads and consumes the header.
pub fn read_header(
    splitter: &mut RecordSplitter,
    delimiter: u8,
    name: &str,
    columns: &Columns,
    required: RequiredFields,
) -> Result<ColumnIndexes, DumpError> {
    let error = |cause| DumpError::Read { name: name.to_owned(), cause };
    let first = peek_record(splitter, delimiter).map_err(error)?.ok_or_else(|| DumpError::Empty(name.to_owned()))?;
    splitter.next(&mut CsvFraming::new(delimiter)).map_err(error)?;
    let header = decode(&first, Encoding::Auto).map_or(Cow::Borrowed(""), |decoded| decoded.text);
    let found = find_columns(&header, delimiter, columns, required);
    found.map_err(|missing| DumpError::MissingColumn {
        name: name.to_owned(),
        missing,
        found: describe_columns(&header, delimiter),
    })
}

/// Finds the columns in an unsplit header.
pub fn find_columns(
    header: &str,
    delimiter: u8,
    columns: &Columns,
    required: RequiredFields,
) -> Result<ColumnIndexes, Vec<MissingColumn>> {
    let mut fields = CsvFields::default();
    fields.split(header, delimiter);
    let names: Vec<&str> = (0..fields.len()).filter_map(|index| fields.get(index, header)).collect();
    ColumnIndexes::find(&names, columns, required)
}

/// The column names of a header, safe to show in an error.
pub fn describe_columns(header: &str, delimiter: u8) -> Vec<String> {
    let mut fields = CsvFields::default();
    fields.split(header, delimiter);
    (0..fields.len()).filter_map(|index| fields.get(index, header)).map(describe_column).collect()
}

/// Hides a long name or one with `@`: in a file without a header it would be a post's text or author.
fn describe_column(name: &str) -> String {
    let name = name.trim();
    let length = name.chars().count();
    if length > 32 || name.contains('@') { format!("({length} characters)") } else { format!("{name:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_the_one_that_yields_known_columns() {
        let detect = |header: &str| char::from(detect_delimiter(header, &Columns::default()));
        assert_eq!(detect("id,created_at,text"), ',');
        assert_eq!(detect("id;created_at;text"), ';');
        assert_eq!(detect("id\tcreated_at\ttext"), '\t');
        assert_eq!(detect("a,b;text;id"), ';');
        assert_eq!(detect("text"), ',');
        let mapped = Columns { text: Some("corps".into()), ..Columns::default() };
        assert_eq!(char::from(detect_delimiter("a,b,c;corps", &mapped)), ';');
    }

    #[test]
    fn sentiment140_is_detected_by_its_first_row() {
        let rows = [
            (r#""0","1","Mon Apr 06 22:19:45 PDT 2009","NO_QUERY","u","hi, you""#, true),
            ("4,1,Mon Apr 06 22:19:45 PDT 2009,NO_QUERY,u,hi", true),
            ("4,1,Mon Apr 06 22:19:45 PDT 2009,NO_QUERY,u,hi, you", false),
            ("3,1,Mon Apr 06 22:19:45 PDT 2009,NO_QUERY,u,hi", false),
            ("4,1,2009-04-06T22:19:45Z,NO_QUERY,u,hi", false),
            ("polarity,id,date,query,user,text", false),
        ];
        for (row, expected) in rows {
            assert_eq!(is_sentiment140(row.as_bytes()), expected, "{row}");
        }
    }

    #[test]
    fn columns_are_found_in_any_case_by_the_first_known_name() {
        let indexes =
            ColumnIndexes::find(&["Tweet", "DATE", "Time", "TEXT "], &Columns::default(), RequiredFields::default())
                .unwrap();
        assert_eq!((indexes.index(Field::Text), indexes.index(Field::CreatedAt)), (Some(3), Some(1)));
        assert_eq!((indexes.index(Field::Id), indexes.index(Field::Topic)), (None, None));
    }

    #[test]
    fn a_topic_column_may_be_absent_unless_required() {
        let columns = Columns { topic: Some("airline".into()), ..Columns::default() };
        assert!(ColumnIndexes::find(&["text"], &columns, RequiredFields::default()).is_ok());
        let missing =
            ColumnIndexes::find(&["text"], &columns, RequiredFields { topic: true, ..RequiredFields::default() })
                .unwrap_err();
        assert_eq!(missing, [MissingColumn { field: Field::Topic, expected: vec!["airline".into()] }]);
        let columns = Columns { author: Some("auteur".into()), ..Columns::default() };
        assert!(
            ColumnIndexes::find(&["text"], &columns, RequiredFields::default()).is_err(),
            "a mapped column must exist"
        );
    }
}
