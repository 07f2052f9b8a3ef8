//! [`Reader`]: streams the rows of an input of any layout, encoding and compression.

use std::io::{self, ErrorKind, Read};

use super::csv;
use super::csv::{ColumnIndexes, CsvRows, SENTIMENT140};
use super::error::DumpError;
use super::input::{ByteStream, Input, Progress};
use super::json::JsonRows;
use super::notes::ReadNotes;
use super::options::{Layout, ReadOptions, RequiredFields};
use super::record_splitter::RecordSplitter;
use super::reject::Reject;
use super::row::Row;
use super::row_builder::RowRules;

/// Leading white space that is searched for the first record.
const MAX_LEADING_SPACE: usize = 1 << 16;

/// Streams the rows of an input in its order, each as soon as it is complete.
pub struct Reader {
    name: String,
    splitter: RecordSplitter,
    rows: Rows,
    layout: Layout,
    /// Log the notes at the end of the input.
    log_notes: bool,
}

enum Rows {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
}

impl Reader {
    /// Opens an input and reads its header or first record. Its notes are logged at its end.
    pub fn open(input: &Input, options: &ReadOptions, required: RequiredFields) -> Result<Self, DumpError> {
        let (bytes, total) = input.open()?;
        let reader = Self::from_bytes(input.to_string(), bytes, total, options, required)?;
        Ok(Self { log_notes: true, ..reader })
    }

    /// Reads from a stream of bytes. Errors call it `name`; `total` is the number of bytes if known.
    pub fn from_bytes(
        name: String,
        bytes: Box<dyn Read + Send>,
        total: Option<u64>,
        options: &ReadOptions,
        required: RequiredFields,
    ) -> Result<Self, DumpError> {
        options.check()?;
        let stream = ByteStream::new(bytes, total).map_err(|cause| DumpError::Read { name: name.clone(), cause })?;
        let mut splitter = RecordSplitter::new(stream);
        let opened = inspect_start(&mut splitter).map_err(|cause| read_error(&name, &splitter, cause))?;
        match opened {
            InputStart::Empty => return Err(DumpError::Empty(name)),
            InputStart::NotText(found) => return Err(DumpError::NotText { name, found }),
            InputStart::Text => {}
        }
        let layout = resolve_layout(options, &mut splitter).map_err(|cause| read_error(&name, &splitter, cause))?;
        let rows = open_rows(&name, layout, options, required, &mut splitter).map_err(|error| match error {
            DumpError::Read { cause, .. } => read_error(&name, &splitter, cause),
            other => other,
        })?;
        Ok(Self { name, splitter, rows, layout, log_notes: false })
    }

    /// The next row, or a record that was rejected. `Ok(None)` is the end of the input; after an error reading cannot
    /// continue.
    pub fn next_row(&mut self) -> Result<Option<Result<Row, Reject>>, DumpError> {
        let read = match &mut self.rows {
            Rows::Csv(rows) => rows.next_row(&mut self.splitter),
            Rows::Json(rows) => rows.next_row(&mut self.splitter),
        };
        let row = read.map_err(|cause| read_error(&self.name, &self.splitter, cause))?;
        if row.is_none() && std::mem::take(&mut self.log_notes) {
            self.notes().sentences().iter().for_each(|note| tracing::warn!(file = self.name, "{note}"));
        }
        Ok(row)
    }

    /// The input's name in errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The configured or detected layout; never [`Layout::Auto`].
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// What was repaired, skipped or guessed so far.
    pub fn notes(&self) -> &ReadNotes {
        match &self.rows {
            Rows::Csv(rows) => rows.notes(),
            Rows::Json(rows) => rows.notes(),
        }
    }

    pub fn progress(&self) -> Progress {
        self.splitter.stream().progress()
    }

    /// SHA-256 in hex of the input's raw (still compressed) bytes, after it was read to its end.
    pub fn fingerprint(&self) -> Option<String> {
        self.splitter.stream().fingerprint()
    }
}

fn read_error(name: &str, splitter: &RecordSplitter, cause: io::Error) -> DumpError {
    let name = name.to_owned();
    let unpacking = matches!(cause.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof);
    if splitter.stream().is_gzip() && unpacking {
        DumpError::Gzip { name, cause }
    } else {
        DumpError::Read { name, cause }
    }
}

enum InputStart {
    Text,
    Empty,
    NotText(&'static str),
}

/// Skips a byte order mark and recognises inputs that are empty or not text.
fn inspect_start(splitter: &mut RecordSplitter) -> io::Result<InputStart> {
    let start = match splitter.peek(4)? {
        [] => InputStart::Empty,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => InputStart::NotText("UTF-16 text"),
        [b'P', b'K', 3, 4, ..] => InputStart::NotText("a zip archive (a spreadsheet?)"),
        head if head.contains(&0) => InputStart::NotText("NUL bytes, binary data or UTF-16"),
        [0xef, 0xbb, 0xbf, ..] => {
            splitter.discard(3);
            InputStart::Text
        }
        _ => InputStart::Text,
    };
    if matches!(start, InputStart::Text) && first_visible(splitter)?.is_none() {
        return Ok(InputStart::Empty);
    }
    Ok(start)
}

/// The first byte that is not white space; `None` if there is none.
fn first_visible(splitter: &mut RecordSplitter) -> io::Result<Option<u8>> {
    let mut count = 1;
    loop {
        let ahead = splitter.peek(count)?;
        let visible = ahead.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        if visible.is_some() || ahead.len() < count {
            return Ok(visible);
        }
        if count > MAX_LEADING_SPACE {
            return Ok(ahead.first().copied());
        }
        count = ahead.len() + 1;
    }
}

fn resolve_layout(options: &ReadOptions, splitter: &mut RecordSplitter) -> io::Result<Layout> {
    if options.layout != Layout::Auto {
        return Ok(options.layout);
    }
    if matches!(first_visible(splitter)?, Some(b'{' | b'[')) {
        return Ok(Layout::XJsonl);
    }
    let first = csv::peek_record(splitter, b',')?;
    let is_sentiment140 = first.is_some_and(|record| csv::is_sentiment140(&record));
    Ok(if is_sentiment140 { Layout::Sentiment140 } else { Layout::Csv })
}

fn open_rows(
    name: &str,
    layout: Layout,
    options: &ReadOptions,
    required: RequiredFields,
    splitter: &mut RecordSplitter,
) -> Result<Rows, DumpError> {
    let rules = RowRules { required, time_format: options.time_format.clone() };
    let rows = match layout {
        Layout::XJsonl => {
            return Ok(Rows::Json(Box::new(JsonRows::new(options.columns.clone(), options.encoding, rules))));
        }
        Layout::Sentiment140 => {
            let delimiter = options.delimiter_byte().unwrap_or(b',');
            let columns = ColumnIndexes::find(&SENTIMENT140, &options.columns, required).map_err(|missing| {
                let found = SENTIMENT140.iter().map(|column| format!("{column:?}")).collect();
                DumpError::MissingColumn { name: name.to_owned(), missing, found }
            })?;
            CsvRows::new(delimiter, columns, options.encoding, rules)
        }
        Layout::Auto | Layout::Csv => {
            let delimiter = match options.delimiter_byte() {
                Some(delimiter) => delimiter,
                None => header_delimiter(name, options, splitter)?,
            };
            let columns = csv::read_header(splitter, delimiter, name, &options.columns, required)?;
            CsvRows::new(delimiter, columns, options.encoding, rules)
        }
    };
    Ok(Rows::Csv(Box::new(rows)))
}

fn header_delimiter(name: &str, options: &ReadOptions, splitter: &mut RecordSplitter) -> Result<u8, DumpError> {
    let header = csv::peek_record(splitter, b',')
        .map_err(|cause| DumpError::Read { name: name.to_owned(), cause })?
        .unwrap_or_default();
    Ok(csv::detect_delimiter(&String::from_utf8_lossy(&header), &options.columns))
}
