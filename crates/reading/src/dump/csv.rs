//! The `csv` and `sentiment140` layouts: records by header or by fixed columns.

use std::borrow::Cow;
use std::io;

use super::columns::{Columns, Field};
use super::csv_fields::Fields;
use super::error::{MissingColumn, SourceError};
use super::framing::{CsvFraming, Framing};
use super::options::{Encoding, Needs};
use super::record_splitter::{Cut, Record, Records, first_line_end};
use super::reject::{Fault, Reject, RejectReason};
use super::row::{Row, holds_numerals};
use super::row_builder::{Cells, Rules, decode};
use super::timestamp;

/// The columns of the Sentiment140 dump, which has no header.
pub const SENTIMENT140: [&str; 6] = ["polarity", "id", "date", "query", "user", "text"];

/// Reads rows of CSV.
pub struct CsvRows {
    framing: CsvFraming,
    delimiter: u8,
    places: Places,
    encoding: Encoding,
    latin_layout: bool,
    rules: Rules,
    fields: Fields,
}

impl CsvRows {
    pub fn new(delimiter: u8, places: Places, encoding: Encoding, rules: Rules) -> Self {
        let framing = CsvFraming::new(delimiter);
        Self { framing, delimiter, places, encoding, latin_layout: false, rules, fields: Fields::default() }
    }

    /// Takes rows that are not UTF-8 for Latin-1.
    pub fn or_latin1(self) -> Self {
        Self { latin_layout: true, ..self }
    }

    pub fn next_row(&mut self, records: &mut Records) -> io::Result<Option<Result<Row, Reject>>> {
        loop {
            let Some(record) = records.next(&mut self.framing)? else { return Ok(None) };
            if record.bytes.is_empty() {
                continue;
            }
            let fault = match self.read(&record) {
                Ok(row) => return Ok(Some(Ok(row))),
                Err(fault) => fault,
            };
            if fault.reason == RejectReason::FieldCount
                && let Some(end) = self.line_with_stray_quote(record.bytes)
            {
                let line = record.bytes.get(..end).unwrap_or_default();
                let reject = unclosed_quote().reject(record.line, line.trim_ascii_end());
                records.shorten(end);
                return Ok(Some(Err(reject)));
            }
            return Ok(Some(Err(fault.reject(record.line, record.bytes))));
        }
    }

    fn read(&mut self, record: &Record<'_>) -> Result<Row, Fault> {
        match record.cut {
            Cut::Whole => {}
            Cut::Open => return Err(unclosed_quote()),
            Cut::TooLong => return Err(Fault::new(RejectReason::TooLong, "over 256 KiB without a line's end")),
        }
        let text = decode(record.bytes, self.encoding, self.latin_layout)?;
        self.fields.split(&text, self.delimiter);
        let (found, wanted) = (self.fields.len(), self.places.width);
        if found != wanted {
            return Err(Fault::new(RejectReason::FieldCount, format!("{found} fields, wanted {wanted}")));
        }
        let cell = |field: Field| {
            let index = self.places.at(field)?;
            self.fields.get(index, &text).map(Cow::Borrowed)
        };
        let cells = Cells {
            id: cell(Field::Id),
            created_at: cell(Field::CreatedAt),
            author: cell(Field::Author),
            text: cell(Field::Text),
            lang: cell(Field::Lang),
            topic: cell(Field::Topic),
            label: cell(Field::Label),
            numerals: self.places.numerals,
            reason: cell(Field::Reason),
            incident: cell(Field::Incident),
        };
        cells.into_row(record.line, &self.rules)
    }

    /// Where the first line of a record over several lines ends, if the second line is a good record by itself: then a
    /// stray quote opened in the first, and only that line is to be given up.
    fn line_with_stray_quote(&mut self, record: &[u8]) -> Option<usize> {
        let end = first_line_end(record)?;
        let rest = record.get(end..)?;
        let mut framing = CsvFraming::new(self.delimiter);
        let second = rest.get(..framing.scan(rest).unwrap_or(rest.len()))?;
        let second = decode(second.trim_ascii_end(), self.encoding, true).ok()?;
        self.fields.split(&second, self.delimiter);
        (self.fields.len() == self.places.width).then_some(end)
    }
}

fn unclosed_quote() -> Fault {
    Fault::new(RejectReason::UnclosedQuote, "a quote opens on this line and is not closed as a field's end")
}

/// Which field stands at which column.
#[derive(Debug)]
pub struct Places {
    width: usize,
    at: Vec<(Field, usize)>,
    /// The label column holds Sentiment140's numerals.
    numerals: bool,
}

impl Places {
    /// Finds the columns in a header; what is needed or mapped and not there is named.
    pub fn find(header: &[&str], columns: &Columns, needs: Needs) -> Result<Self, Vec<MissingColumn>> {
        let mut places = Self { width: header.len(), at: Vec::new(), numerals: false };
        let mut missing = Vec::new();
        for field in Field::ALL {
            match position(header, columns, field) {
                Some(index) => places.at.push((field, index)),
                None if is_needed(field, columns, needs) => {
                    let wanted = columns.names(field).map(str::to_owned).collect();
                    missing.push(MissingColumn { field, wanted });
                }
                None => {}
            }
        }
        let label = places.at(Field::Label).and_then(|index| header.get(index));
        places.numerals = label.is_some_and(|name| holds_numerals(name.trim()));
        if missing.is_empty() { Ok(places) } else { Err(missing) }
    }

    fn at(&self, field: Field) -> Option<usize> {
        self.at.iter().find(|(other, _)| *other == field).map(|(_, index)| *index)
    }
}

fn position(header: &[&str], columns: &Columns, field: Field) -> Option<usize> {
    columns.names(field).find_map(|name| header.iter().position(|found| found.trim().eq_ignore_ascii_case(name.trim())))
}

fn is_needed(field: Field, columns: &Columns, needs: Needs) -> bool {
    match field {
        Field::Text => true,
        Field::CreatedAt if needs.created_at => true,
        Field::Label if needs.label => true,
        Field::Topic => needs.topic,
        _ => columns.mapped(field).is_some(),
    }
}

/// The first record, kept for the next reading: the bytes of a header or of a row.
pub fn first_record(records: &mut Records, delimiter: u8) -> io::Result<Option<Vec<u8>>> {
    let mut framing = CsvFraming::new(delimiter);
    loop {
        match records.next(&mut framing)? {
            None => return Ok(None),
            Some(record) if record.bytes.trim_ascii().is_empty() => {}
            Some(record) => {
                let bytes = record.bytes.to_vec();
                records.unread();
                return Ok(Some(bytes));
            }
        }
    }
}

/// Whether a first record is one of the Sentiment140 dump.
pub fn is_sentiment140(record: &[u8]) -> bool {
    let text = String::from_utf8_lossy(record);
    let mut fields = Fields::default();
    fields.split(&text, b',');
    let cell = |index| fields.get(index, &text).unwrap_or_default().trim();
    fields.len() == SENTIMENT140.len() && matches!(cell(0), "0" | "2" | "4") && timestamp::is_words(cell(2))
}

/// The delimiter under which a header names the most known columns, and then has the most columns at all.
pub fn detect_delimiter(header: &str, columns: &Columns) -> u8 {
    let score = |delimiter| {
        let mut fields = Fields::default();
        fields.split(header, delimiter);
        let names: Vec<&str> = (0..fields.len()).filter_map(|index| fields.get(index, header)).collect();
        let known = Field::ALL.into_iter().filter(|field| position(&names, columns, *field).is_some()).count();
        (known, names.len())
    };
    // Of equals `max_by_key` takes the last.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

/// Reads the header and passes it.
pub fn read_header(
    records: &mut Records,
    delimiter: u8,
    name: &str,
    columns: &Columns,
    needs: Needs,
) -> Result<Places, SourceError> {
    let read = |cause| SourceError::Read { name: name.to_owned(), cause };
    let first = first_record(records, delimiter).map_err(read)?.ok_or_else(|| SourceError::Empty(name.to_owned()))?;
    records.next(&mut CsvFraming::new(delimiter)).map_err(read)?;
    let header = decode(&first, Encoding::Auto, true).unwrap_or_default();
    let found = places_of(&header, delimiter, columns, needs);
    found.map_err(|missing| SourceError::MissingColumn {
        name: name.to_owned(),
        missing,
        found: shown_columns(&header, delimiter),
    })
}

/// Where the fields stand under `header`, or what it lacks.
pub fn places_of(header: &str, delimiter: u8, columns: &Columns, needs: Needs) -> Result<Places, Vec<MissingColumn>> {
    let mut fields = Fields::default();
    fields.split(header, delimiter);
    let names: Vec<&str> = (0..fields.len()).filter_map(|index| fields.get(index, header)).collect();
    Places::find(&names, columns, needs)
}

/// The columns of a header, fit for an error.
pub fn shown_columns(header: &str, delimiter: u8) -> Vec<String> {
    let mut fields = Fields::default();
    fields.split(header, delimiter);
    (0..fields.len()).filter_map(|index| fields.get(index, header)).map(shown).collect()
}

/// A column's name; in a file without a header it would be a post's text or author.
fn shown(name: &str) -> String {
    let name = name.trim();
    let length = name.chars().count();
    if length > 32 || name.contains('@') { format!("({length} characters)") } else { format!("{name:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_the_one_that_names_columns() {
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
    fn sentiment140_is_told_by_its_first_row() {
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
        let places = Places::find(&["Tweet", "DATE", "Time", "TEXT "], &Columns::default(), Needs::default()).unwrap();
        assert_eq!((places.at(Field::Text), places.at(Field::CreatedAt)), (Some(3), Some(1)));
        assert_eq!((places.at(Field::Id), places.at(Field::Topic)), (None, None));
    }

    #[test]
    fn a_topic_column_may_be_absent_where_it_is_not_needed() {
        let columns = Columns { topic: Some("airline".into()), ..Columns::default() };
        assert!(Places::find(&["text"], &columns, Needs::default()).is_ok());
        let missing = Places::find(&["text"], &columns, Needs { topic: true, ..Needs::default() }).unwrap_err();
        assert_eq!(missing, [MissingColumn { field: Field::Topic, wanted: vec!["airline".into()] }]);
        let columns = Columns { author: Some("auteur".into()), ..Columns::default() };
        assert!(Places::find(&["text"], &columns, Needs::default()).is_err(), "what is mapped must be there");
    }
}
