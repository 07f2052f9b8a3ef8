//! [`Reader`]: streams the rows of an input of any layout, encoding and compression.

use std::io::{self, ErrorKind, Read};

use super::csv;
use super::csv::{ColumnIndexes, CsvRows, Dialect, HeaderNames, SENTIMENT140, StartProblem};
use super::error::DumpError;
use super::input::{ByteStream, Input, Progress};
use super::json;
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
    /// Whether keys that no object has are an error.
    check_keys: bool,
}

enum Rows {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
}

impl Reader {
    /// Opens an input and reads its header or first record. Its notes are logged at its end. JSON in which no object has a
    /// field that is mapped or required is an error at its end, or after many posts.
    pub fn open(input: &Input, options: &ReadOptions, required: RequiredFields) -> Result<Self, DumpError> {
        let (bytes, total) = input.open()?;
        let reader = Self::from_bytes(input.to_string(), bytes, total, options, required)?;
        Ok(Self { log_notes: true, check_keys: true, ..reader })
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
        csv::skip_lines(&mut splitter, options.skip_lines as usize)
            .map_err(|cause| read_error(&name, &splitter, cause))?;
        let layout = resolve_layout(options, &mut splitter).map_err(|cause| read_error(&name, &splitter, cause))?;
        let rows = open_rows(&name, layout, options, required, &mut splitter).map_err(|error| match error {
            DumpError::Read { cause, .. } => read_error(&name, &splitter, cause),
            other => other,
        })?;
        Ok(Self { name, splitter, rows, layout, log_notes: false, check_keys: false })
    }

    /// The next row, or a record that was rejected. `Ok(None)` is the end of the input; after an error reading cannot
    /// continue.
    pub fn next_row(&mut self) -> Result<Option<Result<Row, Reject>>, DumpError> {
        let read = match &mut self.rows {
            Rows::Csv(rows) => rows.next_row(&mut self.splitter),
            Rows::Json(rows) => rows.next_row(&mut self.splitter),
        };
        let row = read.map_err(|cause| read_error(&self.name, &self.splitter, cause))?;
        if let Rows::Json(rows) = &self.rows
            && self.check_keys
            && let Some((missing, found)) = rows.missing_keys(row.is_none())
        {
            return Err(DumpError::MissingKey { name: self.name.clone(), missing, found });
        }
        if row.is_none() && std::mem::take(&mut self.log_notes) {
            self.notes().sentences().iter().for_each(|note| tracing::warn!(file = self.name, "{note}"));
        }
        Ok(row)
    }

    /// The input's name in errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The configured or detected layout; never [`Layout::Auto`]. JSON is [`Layout::Json`] until its first post tells which
    /// tool wrote it.
    pub fn layout(&self) -> Layout {
        match &self.rows {
            Rows::Json(rows) if self.layout == Layout::Json => rows.detected().unwrap_or(Layout::Json),
            _ => self.layout,
        }
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
        head if is_binary(head) => InputStart::NotText("NUL bytes, binary data or UTF-16"),
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

/// Whether NUL bytes are more than a few strays: at the very start, or more than one byte in ten.
fn is_binary(head: &[u8]) -> bool {
    let start = head.get(..4).unwrap_or(head);
    let head = head.get(..MAX_LEADING_SPACE).unwrap_or(head);
    start.contains(&0) || head.iter().filter(|byte| **byte == 0).count() * 10 > head.len()
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
    let is_certain = !options.layout.is_json() || options.layout.is_only_json();
    if options.layout != Layout::Auto && is_certain {
        return Ok(options.layout);
    }
    let json = if options.layout == Layout::Auto { Layout::Json } else { options.layout };
    if matches!(first_visible(splitter)?, Some(b'{' | b'[' | 0x1e)) {
        return Ok(json);
    }
    let first = csv::peek_record(splitter, Dialect::of_options(options))?;
    if first.as_deref().is_some_and(json::starts_like_json) {
        return Ok(json);
    }
    // The same tools write CSV.
    if options.layout != Layout::Auto {
        return Ok(Layout::Csv);
    }
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
        json if json.is_json() => {
            return Ok(Rows::Json(Box::new(JsonRows::new(json, options.columns.clone(), options.encoding, rules))));
        }
        Layout::Sentiment140 => {
            let header = HeaderNames::of(SENTIMENT140);
            let columns = ColumnIndexes::find(&header, &options.columns, required).map_err(|missing| {
                DumpError::MissingColumn { name: name.to_owned(), missing, found: header.describe(), line: 1 }
            })?;
            CsvRows::with_columns(Dialect::of_options(options), columns.without_names(), options.encoding, rules)
        }
        _ => {
            let start = csv::open(splitter, options, required)
                .map_err(|cause| DumpError::Read { name: name.to_owned(), cause })?
                .map_err(|problem| start_error(name.to_owned(), problem))?;
            CsvRows::new(start, options.encoding, rules)
        }
    };
    Ok(Rows::Csv(Box::new(rows)))
}

fn start_error(name: String, problem: StartProblem) -> DumpError {
    match problem {
        StartProblem::Empty => DumpError::Empty(name),
        StartProblem::UnclosedQuote => DumpError::HeaderQuote { name },
        StartProblem::Missing { line, missing, found } => DumpError::MissingColumn { name, missing, found, line },
        StartProblem::Headerless(headerless) => DumpError::Headerless { name, headerless },
    }
}
