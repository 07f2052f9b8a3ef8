//! [`Reader`]: rows of an input one after another, whatever its layout, encoding and packing.

use std::io::{self, ErrorKind, Read};

use super::csv;
use super::csv::{CsvRows, Places, SENTIMENT140};
use super::error::SourceError;
use super::input::{Input, Progress, Stream};
use super::json::JsonRows;
use super::options::{Layout, Needs, ReadOptions};
use super::record_splitter::Records;
use super::reject::Reject;
use super::row::Row;
use super::row_builder::Rules;

/// White space before the first record that is looked through.
const BLANK: usize = 1 << 16;

/// Streams the rows of an input, in the order and at the pace in which they come.
pub struct Reader {
    name: String,
    records: Records,
    rows: Rows,
    layout: Layout,
}

enum Rows {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
}

impl Reader {
    /// Opens an input and reads as far as its header or first record.
    pub fn open(input: &Input, options: &ReadOptions, needs: Needs) -> Result<Self, SourceError> {
        let (bytes, total) = input.open()?;
        Self::from_bytes(input.to_string(), bytes, total, options, needs)
    }

    /// Reads from a stream of bytes that errors are to call `name`; `total` is their number where it is known.
    pub fn from_bytes(
        name: String,
        bytes: Box<dyn Read + Send>,
        total: Option<u64>,
        options: &ReadOptions,
        needs: Needs,
    ) -> Result<Self, SourceError> {
        options.check()?;
        let stream = Stream::new(bytes, total).map_err(|cause| SourceError::Read { name: name.clone(), cause })?;
        let mut records = Records::new(stream);
        let opened = look_at_start(&mut records).map_err(|cause| broken(&name, &records, cause))?;
        match opened {
            Start::Empty => return Err(SourceError::Empty(name)),
            Start::NotText(found) => return Err(SourceError::NotText { name, found }),
            Start::Text => {}
        }
        let layout = resolve(options, &mut records).map_err(|cause| broken(&name, &records, cause))?;
        let rows = open_rows(&name, layout, options, needs, &mut records).map_err(|error| match error {
            SourceError::Read { cause, .. } => broken(&name, &records, cause),
            other => other,
        })?;
        Ok(Self { name, records, rows, layout })
    }

    /// The next row, or a record that is none. `Ok(None)` is the end of the input; an error ends the reading.
    pub fn next_row(&mut self) -> Result<Option<Result<Row, Reject>>, SourceError> {
        let read = match &mut self.rows {
            Rows::Csv(rows) => rows.next_row(&mut self.records),
            Rows::Json(rows) => rows.next_row(&mut self.records),
        };
        read.map_err(|cause| broken(&self.name, &self.records, cause))
    }

    /// What errors call the input.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The layout that was set or found; never [`Layout::Auto`].
    pub fn layout(&self) -> Layout {
        self.layout
    }

    pub fn progress(&self) -> Progress {
        self.records.stream().progress()
    }

    /// SHA-256 in hex of the input's raw bytes (packed ones where it is packed), once it was read to its end.
    pub fn fingerprint(&self) -> Option<String> {
        self.records.stream().fingerprint()
    }
}

fn broken(name: &str, records: &Records, cause: io::Error) -> SourceError {
    let name = name.to_owned();
    let unpacking = matches!(cause.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof);
    if records.stream().is_gzip() && unpacking {
        SourceError::Gzip { name, cause }
    } else {
        SourceError::Read { name, cause }
    }
}

enum Start {
    Text,
    Empty,
    NotText(&'static str),
}

/// Passes a byte order mark and blanks, and tells text from other things.
fn look_at_start(records: &mut Records) -> io::Result<Start> {
    let start = match records.ahead(4)? {
        [] => Start::Empty,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Start::NotText("UTF-16 text"),
        [b'P', b'K', 3, 4, ..] => Start::NotText("a zip archive (a spreadsheet?)"),
        head if head.contains(&0) => Start::NotText("NUL bytes, binary data or UTF-16"),
        [0xef, 0xbb, 0xbf, ..] => {
            records.discard(3);
            Start::Text
        }
        _ => Start::Text,
    };
    if matches!(start, Start::Text) && first_visible(records)?.is_none() {
        return Ok(Start::Empty);
    }
    Ok(start)
}

/// The first byte that is no white space. `None` where there is none at all.
fn first_visible(records: &mut Records) -> io::Result<Option<u8>> {
    let mut wanted = 1;
    loop {
        let ahead = records.ahead(wanted)?;
        let visible = ahead.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        if visible.is_some() || ahead.len() < wanted {
            return Ok(visible);
        }
        if wanted > BLANK {
            return Ok(ahead.first().copied());
        }
        wanted = ahead.len() + 1;
    }
}

fn resolve(options: &ReadOptions, records: &mut Records) -> io::Result<Layout> {
    if options.layout != Layout::Auto {
        return Ok(options.layout);
    }
    if matches!(first_visible(records)?, Some(b'{' | b'[')) {
        return Ok(Layout::XJsonl);
    }
    let first = csv::first_record(records, b',')?;
    let dump = first.is_some_and(|record| csv::is_sentiment140(&record));
    Ok(if dump { Layout::Sentiment140 } else { Layout::Csv })
}

fn open_rows(
    name: &str,
    layout: Layout,
    options: &ReadOptions,
    needs: Needs,
    records: &mut Records,
) -> Result<Rows, SourceError> {
    let rules = Rules { needs, time_format: options.time_format.clone() };
    let rows = match layout {
        Layout::XJsonl => {
            return Ok(Rows::Json(Box::new(JsonRows::new(options.columns.clone(), options.encoding, rules))));
        }
        Layout::Sentiment140 => {
            let delimiter = options.delimiter_byte().unwrap_or(b',');
            let places = Places::find(&SENTIMENT140, &options.columns, needs).map_err(|missing| {
                let found = SENTIMENT140.iter().map(|column| format!("{column:?}")).collect();
                SourceError::MissingColumn { name: name.to_owned(), missing, found }
            })?;
            CsvRows::new(delimiter, places, options.encoding, rules).or_latin1()
        }
        Layout::Auto | Layout::Csv => {
            let delimiter = match options.delimiter_byte() {
                Some(delimiter) => delimiter,
                None => header_delimiter(name, options, records)?,
            };
            let places = csv::read_header(records, delimiter, name, &options.columns, needs)?;
            CsvRows::new(delimiter, places, options.encoding, rules)
        }
    };
    Ok(Rows::Csv(Box::new(rows)))
}

fn header_delimiter(name: &str, options: &ReadOptions, records: &mut Records) -> Result<u8, SourceError> {
    let header = csv::first_record(records, b',')
        .map_err(|cause| SourceError::Read { name: name.to_owned(), cause })?
        .unwrap_or_default();
    Ok(csv::detect_delimiter(&String::from_utf8_lossy(&header), &options.columns))
}
