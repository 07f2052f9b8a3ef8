//! [`Rows`]: the rows of one file by its layout. `reader` opens them at the start of the file, `look_ahead` on a sample of it.

use std::io;

use super::csv;
use super::csv::{ColumnIndexes, CsvRows, Dialect, HeaderNames, SENTIMENT140, StartProblem};
use super::error::DumpError;
use super::json;
use super::json::JsonRows;
use super::notes::ReadNotes;
use super::options::{Layout, ReadOptions};
use super::record_splitter::RecordSplitter;
use super::reject::Reject;
use super::row::Row;
use super::row_builder::RowRules;
use super::shape::Shape;

/// Leading white space that is searched for the first record.
const MAX_LEADING_SPACE: usize = 1 << 16;

pub(super) enum Rows {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
}

impl Rows {
    /// Reads the header or first record of a file whose layout is known.
    pub(super) fn open(
        name: &str,
        layout: Layout,
        options: &ReadOptions,
        rules: RowRules,
        splitter: &mut RecordSplitter,
    ) -> Result<Self, DumpError> {
        let required = rules.required;
        let rows = match layout {
            json if json.is_json() => {
                return Ok(Self::Json(Box::new(JsonRows::new(json, options.columns.clone(), options.encoding, rules))));
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
                    .map_err(|cause| DumpError::from_read(name, cause))?
                    .map_err(|problem| start_error(name.to_owned(), problem))?;
                CsvRows::new(start, options.encoding, rules)
            }
        };
        Ok(Self::Csv(Box::new(rows)))
    }

    pub(super) fn next_row(&mut self, splitter: &mut RecordSplitter) -> io::Result<Option<Result<Row, Reject>>> {
        match self {
            Self::Csv(rows) => rows.next_row(splitter),
            Self::Json(rows) => rows.next_row(splitter),
        }
    }

    pub(super) fn shape(&self) -> Shape {
        match self {
            Self::Csv(rows) => rows.shape(),
            Self::Json(rows) => rows.shape(),
        }
    }

    pub(super) fn notes(&self) -> &ReadNotes {
        match self {
            Self::Csv(rows) => rows.notes(),
            Self::Json(rows) => rows.notes(),
        }
    }

    pub(super) fn notes_mut(&mut self) -> &mut ReadNotes {
        match self {
            Self::Csv(rows) => rows.notes_mut(),
            Self::Json(rows) => rows.notes_mut(),
        }
    }

    pub(super) fn rules_mut(&mut self) -> &mut RowRules {
        match self {
            Self::Csv(rows) => rows.rules_mut(),
            Self::Json(rows) => rows.rules_mut(),
        }
    }
}

fn start_error(name: String, problem: StartProblem) -> DumpError {
    match problem {
        StartProblem::Empty => DumpError::Empty(name),
        StartProblem::UnclosedQuote => DumpError::HeaderQuote { name },
        StartProblem::Missing { line, missing, found } => DumpError::MissingColumn { name, missing, found, line },
        StartProblem::Headerless(headerless) => DumpError::Headerless { name, headerless },
    }
}

/// Skips what stands before the first record: a byte order mark, and the lines that the options name. False if nothing but
/// white space follows.
pub(super) fn skip_start(splitter: &mut RecordSplitter, options: &ReadOptions) -> io::Result<bool> {
    if splitter.peek(3)?.starts_with(&[0xef, 0xbb, 0xbf]) {
        splitter.discard(3);
    }
    if first_visible(splitter)?.is_none() {
        return Ok(false);
    }
    csv::skip_lines(splitter, options.skip_lines as usize)?;
    Ok(true)
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

/// The layout that the options name, or that the first record shows.
pub(super) fn resolve_layout(options: &ReadOptions, splitter: &mut RecordSplitter) -> io::Result<Layout> {
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
