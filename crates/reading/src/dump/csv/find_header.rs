//! Finds a header below lines about the file, and the delimiter of a header.

use super::dialect::{DELIMITERS, Dialect};
use super::fields::CsvFields;
use super::header_names::HeaderNames;
use super::headerless;
use super::sample::{Sample, SampleRecord};
use crate::dump::columns::Field;
use crate::dump::options::ReadOptions;

/// A header that is not in the first line.
pub(super) struct LowerHeader {
    /// Number of lines before it.
    pub(super) line_index: usize,
    width: usize,
    pub(super) dialect: Dialect,
}

impl LowerHeader {
    /// Whether a first line is a row under this header: in files that were joined, rows are not lines about the file.
    pub(super) fn is_as_wide_as_row(&self, first: &str) -> bool {
        let mut fields = CsvFields::default();
        fields.split(first, self.dialect);
        fields.len() == self.width && self.width > 2 && headerless::is_row(first, self.dialect)
    }
}

/// The first line after the first one that names the text and another field, or the best one that names two other fields. The
/// record after it is as wide.
pub(super) fn find_lower_header(sample: &Sample, options: &ReadOptions) -> Option<LowerHeader> {
    let mut without_text = None;
    for (line_index, line) in sample.lines().iter().enumerate().skip(1) {
        let dialect = header_dialect(line, options.delimiter_byte(), options);
        let names = HeaderNames::split(line, dialect);
        if names.has_numbered_text(&options.columns) || names.known_fields(&options.columns) < 2 {
            continue;
        }
        let next = sample.record_after(line_index, dialect);
        if !next.is_none_or(|next| is_as_wide(&names, &next, dialect)) {
            continue;
        }
        let found = LowerHeader { line_index, width: names.width(), dialect };
        if names.position(&options.columns, Field::Text).is_some() {
            return Some(found);
        }
        without_text.get_or_insert(found);
    }
    // Its error names the columns that are there.
    without_text
}

/// Whether a record has as many fields as a header, or more that are empty.
pub(super) fn is_as_wide(names: &HeaderNames, record: &SampleRecord<'_>, dialect: Dialect) -> bool {
    let mut fields = CsvFields::default();
    fields.split(record, dialect);
    fields.len() >= names.width()
        && fields.iter(record).skip(names.width().max(names.written_width())).all(|surplus| surplus.trim().is_empty())
}

/// The dialect of a header: the delimiter, if none is set, with which it has the most known columns; of equals, the one with
/// the most columns.
pub(super) fn header_dialect(header: &str, delimiter: Option<u8>, options: &ReadOptions) -> Dialect {
    let dialect = Dialect::of_options(options);
    if let Some(delimiter) = delimiter {
        return dialect.with_delimiter(delimiter);
    }
    let score = |delimiter: u8| {
        let names = HeaderNames::split(header, dialect.with_delimiter(delimiter));
        (names.known_fields(&options.columns), names.written_width())
    };
    // Of equals `max_by_key` returns the last, the likeliest.
    let best = DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',');
    match score(best) {
        // No delimiter in it: the rows are texts, in which commas separate nothing.
        (_, 1) => dialect.with_one_column(),
        _ => dialect.with_delimiter(best),
    }
}
