//! Opens a CSV file: finds its dialect and its header, after a line `sep=;` and after lines about the file, such as the
//! title of a report. What was found goes to [`CsvRows`](super::CsvRows).
//!
//! A header in the first line that names the text and another field is taken at once, so that a pipe's first row does not
//! wait. Otherwise the first [`MAX_LINES`] lines decide.

use std::io;

use super::dialect::{Dialect, delimiter_of_rows, sep_line};
use super::fields::CsvFields;
use super::find_header::{find_lower_header, header_dialect, is_as_wide};
use super::framing::{CsvFraming, LineFraming};
use super::header_names::HeaderNames;
use super::headerless::{self, Headerless};
use super::indexes::ColumnIndexes;
use super::sample::Sample;
use crate::dump::columns::{Columns, Field};
use crate::dump::csv_options::Header;
use crate::dump::decode::decode;
use crate::dump::error::MissingColumn;
use crate::dump::options::{ReadOptions, RequiredFields};
use crate::dump::record_splitter::{RecordEnd, RecordSplitter, without_hole};

/// Lines that are searched for a header.
pub(super) const MAX_LINES: usize = 50;

/// An opened file: its next record is its first row.
#[derive(Debug)]
pub struct CsvStart {
    pub dialect: Dialect,
    pub columns: ColumnIndexes,
    /// The header, with which [`reopen`] continues the file. Without a header, the numbers of the columns.
    pub header: String,
    /// What was guessed, in sentences.
    pub remarks: Vec<String>,
}

/// Why a file cannot be opened.
#[derive(Debug)]
pub enum StartProblem {
    /// Nothing, or not yet a whole line.
    Empty,
    UnclosedQuote,
    Missing {
        /// 1-based line of the header.
        line: u64,
        missing: Vec<MissingColumn>,
        found: Vec<String>,
    },
    /// The first line is a row.
    Headerless(Headerless),
}

/// Skips lines at the start of a file, and returns the line after them.
///
/// # Errors
/// When the input cannot be read.
pub fn skip_lines(splitter: &mut RecordSplitter, lines: usize) -> io::Result<u64> {
    for _ in 0..lines {
        if splitter.next(&mut LineFraming)?.is_none() {
            break;
        }
    }
    Ok(splitter.consume_last()?.line)
}

/// Opens a file at its start, after a byte order mark and the lines to skip.
///
/// # Errors
/// When the input cannot be read.
pub fn open(
    splitter: &mut RecordSplitter,
    options: &ReadOptions,
    required: RequiredFields,
) -> io::Result<Result<CsvStart, StartProblem>> {
    let sep = read_sep_line(splitter)?;
    let options = match sep {
        Some(delimiter) if options.delimiter.is_none() => {
            &ReadOptions { delimiter: Some(char::from(delimiter)), ..options.clone() }
        }
        _ => options,
    };
    let start = match options.header {
        Header::None => open_headerless(splitter, options, required)?,
        Header::Auto => open_with_header(splitter, options, required)?,
    };
    Ok(start.map(|start| match sep {
        Some(delimiter) => CsvStart { header: format!("sep={}\n{}", char::from(delimiter), start.header), ..start },
        None => start,
    }))
}

/// Continues a file whose header is known. `None` if the header lacks a required column.
pub fn reopen(header: &str, options: &ReadOptions, required: RequiredFields) -> Option<CsvStart> {
    let (sep, names) = match header.split_once('\n').and_then(|(line, rest)| Some((sep_line(line)?, rest))) {
        Some((delimiter, names)) => (Some(delimiter), names),
        None => (None, header),
    };
    let set = options.delimiter_byte().or(sep);
    let dialect = header_dialect(names, set, options);
    let found = HeaderNames::split(names, dialect);
    let columns = ColumnIndexes::find(&found, &options.columns, required).ok()?;
    let columns = if options.header == Header::None { columns.without_names() } else { columns };
    Some(CsvStart { dialect, columns, header: header.to_owned(), remarks: Vec::new() })
}

/// Whether a record has as many fields as a row under a header of [`CsvStart`].
pub fn is_as_wide_as_rows(header: &str, record: &str, options: &ReadOptions) -> bool {
    let Some(start) = reopen(header, options, RequiredFields::default()) else { return false };
    let mut fields = CsvFields::default();
    fields.split(record, start.dialect);
    start.columns.fits(&fields, record)
}

/// Consumes a line `sep=;` and returns its delimiter.
fn read_sep_line(splitter: &mut RecordSplitter) -> io::Result<Option<u8>> {
    let head = splitter.peek(5)?;
    let head = head.strip_prefix(b"\"").unwrap_or(head);
    if !head.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"sep=")) {
        return Ok(None);
    }
    let Some(line) = splitter.next(&mut LineFraming)? else { return Ok(None) };
    let sep = std::str::from_utf8(line.bytes).ok().and_then(sep_line);
    match sep {
        Some(_) => splitter.consume_last().map(drop)?,
        None => splitter.unread(),
    }
    Ok(sep)
}

fn open_headerless(
    splitter: &mut RecordSplitter,
    options: &ReadOptions,
    required: RequiredFields,
) -> io::Result<Result<CsvStart, StartProblem>> {
    let dialect = Dialect::of_options(options);
    if peek_record(splitter, dialect)?.is_none() {
        return Ok(Err(StartProblem::Empty));
    }
    let sample = Sample::read(splitter, options.encoding)?;
    let dialect = match options.delimiter {
        Some(_) => dialect,
        None => delimiter_of_rows(&sample.records(dialect), dialect),
    };
    let headerless = Headerless::of(&sample, dialect, options);
    let delimiter = char::from(dialect.delimiter).to_string();
    let header = (1..=headerless.width()).map(|number| number.to_string()).collect::<Vec<_>>().join(&delimiter);
    let columns = ColumnIndexes::find(&HeaderNames::split(&header, dialect), &options.columns, required);
    Ok(columns
        .map(|columns| CsvStart { dialect, columns: columns.without_names(), header, remarks: Vec::new() })
        .map_err(|_| StartProblem::Headerless(headerless)))
}

fn open_with_header(
    splitter: &mut RecordSplitter,
    options: &ReadOptions,
    required: RequiredFields,
) -> io::Result<Result<CsvStart, StartProblem>> {
    let Some(first) = peek_record(splitter, Dialect::of_options(options))? else { return Ok(Err(StartProblem::Empty)) };
    let first = decode(&first, options.encoding).map(|decoded| decoded.text.into_owned()).unwrap_or_default();
    let dialect = header_dialect(&first, options.delimiter_byte(), options);
    let names = HeaderNames::split(&first, dialect);
    let known = names.known_fields(&options.columns);
    let has_text = names.position(&options.columns, Field::Text).is_some();
    // A number names a column of any line: the line itself must then look like a header.
    let certain = has_text && !names.has_numbered_text(&options.columns) && (known > 1 || names.width() == 1);
    if certain {
        return read_header(splitter, options, required, dialect);
    }
    let sample = Sample::read(splitter, options.encoding)?;
    let lower = find_lower_header(&sample, options).filter(|lower| !lower.is_as_wide_as_row(&first));
    let has_names =
        names.known_fields(&Columns::default()) > 0 || (has_text && !names.has_numbered_text(&options.columns));
    let is_row = !has_names && headerless::is_row(&first, dialect);
    let agrees = || sample.record_after(0, dialect).is_none_or(|next| is_as_wide(&names, &next, dialect));
    let is_header = has_text && !is_row && !names.has_weak_text(&options.columns) && agrees();
    match lower {
        Some(lower) if !is_header => {
            let line = skip_lines(splitter, lower.line_index)?;
            let start = read_header(splitter, options, required, lower.dialect)?;
            Ok(start.map(|mut start| {
                start.remarks.push(format!("the header is on line {line}; the lines before it were skipped"));
                start
            }))
        }
        // Who names columns by number knows that they have no names.
        None if is_row && names.has_numbered_text(&options.columns) => {
            let start = open_headerless(splitter, options, required)?;
            Ok(start.map(|mut start| {
                start
                    .remarks
                    .push("the first line looks like a row and was read as one: the file has no header".into());
                start
            }))
        }
        None if is_row => {
            let dialect = match options.delimiter {
                Some(_) => dialect,
                None => delimiter_of_rows(&sample.records(dialect), dialect),
            };
            Ok(Err(StartProblem::Headerless(Headerless::of(&sample, dialect, options))))
        }
        _ => read_header(splitter, options, required, dialect),
    }
}

/// Reads and consumes the header, in which a required column may be missing.
fn read_header(
    splitter: &mut RecordSplitter,
    options: &ReadOptions,
    required: RequiredFields,
    dialect: Dialect,
) -> io::Result<Result<CsvStart, StartProblem>> {
    let mut framing = CsvFraming::new(dialect);
    let Some(record) = splitter.next(&mut framing)? else { return Ok(Err(StartProblem::Empty)) };
    let decoded = decode(without_hole(record.bytes), options.encoding).map(|decoded| decoded.text).unwrap_or_default();
    let header = decoded.trim_start_matches('\u{feff}').to_owned();
    let (line, end) = (record.line, record.end);
    let names = HeaderNames::split(&header, dialect);
    Ok(match ColumnIndexes::find(&names, &options.columns, required) {
        Err(missing) => Err(StartProblem::Missing { line, missing, found: names.describe() }),
        Ok(_) if end != RecordEnd::Complete => Err(StartProblem::UnclosedQuote),
        Ok(columns) => Ok(CsvStart { dialect, columns, header, remarks: names.remarks(&options.columns) }),
    })
}

/// Returns the first record that is not blank (a header or a row) without consuming it.
///
/// # Errors
/// When the input cannot be read.
pub fn peek_record(splitter: &mut RecordSplitter, dialect: Dialect) -> io::Result<Option<Vec<u8>>> {
    let mut framing = CsvFraming::new(dialect);
    loop {
        match splitter.next(&mut framing)? {
            None => return Ok(None),
            Some(record) if without_hole(record.bytes).trim_ascii().is_empty() => {}
            Some(record) => {
                let bytes = without_hole(record.bytes).to_vec();
                splitter.unread();
                return Ok(Some(bytes));
            }
        }
    }
}
