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
use super::reject_summary::RejectSummary;
use super::row::Row;
use super::row_builder::RowRules;
use super::survey::Survey;

/// Bytes of a file that are looked at before it is read.
const LOOK_AHEAD: usize = 1 << 16;
/// Leading white space that is searched for the first record.
const MAX_LEADING_SPACE: usize = 1 << 16;

/// Streams the rows of an input in its order, each as soon as it is complete.
pub struct Reader {
    name: String,
    splitter: RecordSplitter,
    rows: Rows,
    layout: Layout,
    rejects: RejectSummary,
    /// Log the notes and the first reject at the end of the input.
    log_notes: bool,
    /// Whether keys that no object has are an error.
    check_keys: bool,
}

enum Rows {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
}

impl Reader {
    /// Opens an input and reads its header or first record. Its notes are logged at its end. A file is read twice where its
    /// start does not say how to read its dates or labels. JSON in which no object has a field that is mapped or required is an
    /// error at its end, or after many posts.
    pub fn open(input: &Input, options: &ReadOptions, required: RequiredFields) -> Result<Self, DumpError> {
        let (bytes, total) = input.open()?;
        let again = total.is_some().then_some(input);
        let reader = Self::from_start(input.to_string(), bytes, total, options, required, again)?;
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
        Self::from_start(name, bytes, total, options, required, None)
    }

    /// `again`: the input, if it can be read a second time.
    fn from_start(
        name: String,
        bytes: Box<dyn Read + Send>,
        total: Option<u64>,
        options: &ReadOptions,
        required: RequiredFields,
        again: Option<&Input>,
    ) -> Result<Self, DumpError> {
        options.check()?;
        let mut rules = RowRules::new(required, options)?;
        let mut splitter = start(&name, bytes, total, options)?;
        let survey = look_ahead(&name, &mut splitter, options, again)?;
        let layout = resolve_layout(options, &mut splitter).map_err(|cause| read_error(&name, &splitter, cause))?;
        let remarks = survey.decide(&name, layout, &mut rules)?;
        let mut reader = Self::with_rules(name, splitter, layout, options, rules)?;
        remarks.into_iter().for_each(|remark| reader.notes_mut().remark(remark));
        Ok(reader)
    }

    /// Reads the header or first record; no look ahead.
    fn with_rules(
        name: String,
        mut splitter: RecordSplitter,
        layout: Layout,
        options: &ReadOptions,
        rules: RowRules,
    ) -> Result<Self, DumpError> {
        let rows = open_rows(&name, layout, options, rules, &mut splitter).map_err(|error| match error {
            DumpError::Read { cause, .. } => read_error(&name, &splitter, cause),
            other => other,
        })?;
        let rejects = RejectSummary::new(name.clone());
        Ok(Self { name, splitter, rows, layout, rejects, log_notes: false, check_keys: false })
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
        match &row {
            Some(Ok(_)) => self.rejects.add_row(),
            Some(Err(reject)) => self.rejects.add(reject),
            None if std::mem::take(&mut self.log_notes) => {
                self.notes().sentences().iter().for_each(|note| tracing::warn!(file = self.name, "{note}"));
                if self.rejects.rejected() > 0 {
                    tracing::warn!("{}", self.rejects);
                }
            }
            None => {}
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

    /// The rejects so far.
    pub fn rejects(&self) -> &RejectSummary {
        &self.rejects
    }

    /// What was repaired, skipped or guessed so far.
    pub fn notes(&self) -> &ReadNotes {
        match &self.rows {
            Rows::Csv(rows) => rows.notes(),
            Rows::Json(rows) => rows.notes(),
        }
    }

    fn notes_mut(&mut self) -> &mut ReadNotes {
        match &mut self.rows {
            Rows::Csv(rows) => rows.notes_mut(),
            Rows::Json(rows) => rows.notes_mut(),
        }
    }

    fn rules_mut(&mut self) -> &mut RowRules {
        match &mut self.rows {
            Rows::Csv(rows) => rows.rules_mut(),
            Rows::Json(rows) => rows.rules_mut(),
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

/// Opens a stream that begins with text.
fn start(
    name: &str,
    bytes: Box<dyn Read + Send>,
    total: Option<u64>,
    options: &ReadOptions,
) -> Result<RecordSplitter, DumpError> {
    let stream = ByteStream::new(bytes, total).map_err(|cause| DumpError::Read { name: name.to_owned(), cause })?;
    let mut splitter = RecordSplitter::new(stream);
    match inspect_start(&mut splitter).map_err(|cause| read_error(name, &splitter, cause))? {
        InputStart::Empty => return Err(DumpError::Empty(name.to_owned())),
        InputStart::NotText(found) => return Err(DumpError::NotText { name: name.to_owned(), found }),
        InputStart::Text => {}
    }
    csv::skip_lines(&mut splitter, options.skip_lines as usize).map_err(|cause| read_error(name, &splitter, cause))?;
    Ok(splitter)
}

/// Looks at the start of an input: of a file at [`LOOK_AHEAD`] bytes, and at all of it where they leave a doubt; of a pipe at
/// what has arrived, because a row must not wait for later ones.
fn look_ahead(
    name: &str,
    splitter: &mut RecordSplitter,
    options: &ReadOptions,
    again: Option<&Input>,
) -> Result<Survey, DumpError> {
    let wanted = if again.is_some() { LOOK_AHEAD } else { 1 };
    let ahead = splitter.peek(wanted).map_err(|cause| DumpError::Read { name: name.to_owned(), cause })?;
    let is_whole = again.is_some() && ahead.len() < wanted;
    // The last line may not be complete.
    let end = ahead.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).filter(|_| !is_whole).unwrap_or(ahead.len());
    let sample = io::Cursor::new(ahead.get(..end).unwrap_or(ahead).to_vec());
    let survey = survey(name, Box::new(sample), None, options);
    match again {
        Some(input) if !is_whole && survey.leaves_a_doubt() => {
            let (bytes, total) = input.open()?;
            Ok(self::survey(name, bytes, total, options))
        }
        _ => Ok(survey),
    }
}

/// What the rows of a stream say together. Its errors are those of the reader that follows.
fn survey(name: &str, bytes: Box<dyn Read + Send>, total: Option<u64>, options: &ReadOptions) -> Survey {
    let open = || {
        let rules = RowRules::new(RequiredFields::default(), options)?;
        let rules = RowRules { survey: Some(Box::default()), ..rules };
        let mut splitter = start(name, bytes, total, options)?;
        let layout = resolve_layout(options, &mut splitter).map_err(|cause| read_error(name, &splitter, cause))?;
        Reader::with_rules(name.to_owned(), splitter, layout, options, rules)
    };
    let Ok(mut reader) = open() else { return Survey::default() };
    while let Ok(Some(_)) = reader.next_row() {}
    reader.rules_mut().survey.take().map(|survey| *survey).unwrap_or_default()
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
    rules: RowRules,
    splitter: &mut RecordSplitter,
) -> Result<Rows, DumpError> {
    let required = rules.required;
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
