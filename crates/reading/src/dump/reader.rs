//! [`Reader`]: streams the rows of one file of any layout and encoding. `DumpReader` reads the files of a dump with it.

use std::io::Read;

use super::error::DumpError;
use super::input::ByteStream;
use super::input::members::Role;
use super::input::parts::{OpenInput, Part, Parts};
use super::input::raw::{Progress, Tally, hex};
use super::look_ahead::look_ahead;
use super::notes::ReadNotes;
use super::options::{Encoding, Layout, ReadOptions, RequiredFields};
use super::record_splitter::RecordSplitter;
use super::reject::Reject;
use super::row::Row;
use super::row_builder::RowRules;
use super::rows::{Rows, resolve_layout, skip_start};
use super::shape::Shape;

/// Streams the rows of an input in its order, each as soon as it is complete.
pub struct Reader {
    name: String,
    splitter: RecordSplitter,
    rows: Rows,
    layout: Layout,
    /// Whether keys that no object has are an error.
    check_keys: bool,
}

impl Reader {
    /// Reads from a stream of bytes, which may be packed. Errors call it `name`; `total` is the number of bytes if known. Of
    /// an archive it reads the first file.
    pub fn from_bytes(
        name: String,
        bytes: Box<dyn Read + Send>,
        total: Option<u64>,
        options: &ReadOptions,
        required: RequiredFields,
    ) -> Result<Self, DumpError> {
        let tally = Tally::new(Progress::new(total));
        let mut parts = Parts::new(name.clone(), Role::Named, OpenInput { bytes, path: None }, tally);
        match parts.next()? {
            Some(part) => Ok(Self { check_keys: false, ..Self::from_part(part, options, required)? }),
            None => Err(DumpError::NoDumps { name, skipped: parts.take_skipped() }),
        }
    }

    /// Reads plain text that others send: nothing is unpacked, so that a few bytes do not become gigabytes, and nothing is decided
    /// by the rows together, because those of one request say nothing about those of the next.
    pub fn row_by_row(
        name: String,
        text: Box<dyn Read + Send>,
        options: &ReadOptions,
        required: RequiredFields,
    ) -> Result<Self, DumpError> {
        let part = Part { name, stream: ByteStream::tailed(text), role: Role::Named, again: None };
        Ok(Self { check_keys: false, ..Self::open(part, options, required, false)? })
    }

    /// Reads a file, or the first file of an archive.
    #[cfg(test)]
    pub(in crate::dump) fn of_file(
        path: &std::path::Path,
        options: &ReadOptions,
        required: RequiredFields,
    ) -> Result<Self, DumpError> {
        let input = super::input::Input::Path(path.to_owned());
        let mut parts = Parts::new(input.to_string(), Role::Named, input.open()?, Tally::default());
        Self::from_part(parts.next()?.expect("a file"), options, required)
    }

    /// Looks at the start of a file, and reads its header or first record. A file is read twice where its start does not say
    /// how to read its dates or labels. JSON in which no object has a field that is mapped or required is an error at its
    /// end, or after many posts.
    pub(in crate::dump) fn from_part(
        part: Part,
        options: &ReadOptions,
        required: RequiredFields,
    ) -> Result<Self, DumpError> {
        Self::open(part, options, required, true)
    }

    fn open(part: Part, options: &ReadOptions, required: RequiredFields, looks_ahead: bool) -> Result<Self, DumpError> {
        options.check()?;
        let Part { name, stream, again, .. } = part;
        if let Some(found) = stream.foreign() {
            return Err(DumpError::NotADump { name, found });
        }
        // What was converted is UTF-8, whatever the encoding of the other files is.
        let converted = stream.is_converted().then(|| ReadOptions { encoding: Encoding::Utf8, ..options.clone() });
        let options = converted.as_ref().unwrap_or(options);
        let mut rules = RowRules::new(required, options)?;
        let mut splitter = RecordSplitter::new(stream);
        let read_error = |cause| DumpError::from_read(&name, cause);
        if !skip_start(&mut splitter, options).map_err(read_error)? {
            return Err(DumpError::Empty(name));
        }
        let layout = resolve_layout(options, &mut splitter).map_err(read_error)?;
        let look = || look_ahead(&name, &mut splitter, layout, options, again.as_ref());
        let survey = looks_ahead.then(look).transpose()?.unwrap_or_default();
        let remarks = survey.decide(&name, layout, &mut rules)?;
        let mut rows = Rows::open(&name, layout, options, rules, &mut splitter)?;
        remarks.into_iter().for_each(|remark| rows.notes_mut().remark(remark));
        Ok(Self { name, splitter, rows, layout, check_keys: true })
    }

    /// The next row, or a record that was rejected. `Ok(None)` is the end of the input; after an error reading cannot
    /// continue.
    pub fn next_row(&mut self) -> Result<Option<Result<Row, Reject>>, DumpError> {
        let read = self.rows.next_row(&mut self.splitter);
        let row = read.map_err(|cause| DumpError::from_read(&self.name, cause))?;
        if let Rows::Json(rows) = &self.rows
            && self.check_keys
            && let Some((missing, found)) = rows.missing_keys(row.is_none())
        {
            return Err(DumpError::MissingKey { name: self.name.clone(), missing, found });
        }
        Ok(row)
    }

    /// The input's name in errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The configured or detected layout; never [`Layout::Auto`]. JSON is [`Layout::Json`] until its first post shows which
    /// tool wrote it.
    pub fn layout(&self) -> Layout {
        match &self.rows {
            Rows::Json(rows) if self.layout == Layout::Json => rows.detected().unwrap_or(Layout::Json),
            _ => self.layout,
        }
    }

    /// How the file is read; for JSON, by the posts so far.
    pub fn shape(&self) -> Shape {
        let shape = self.rows.shape();
        match self.layout {
            Layout::Sentiment140 => Shape { format: "Sentiment140 (CSV without a header)".into(), ..shape },
            _ => shape,
        }
    }

    /// What was repaired, skipped or guessed so far.
    pub fn notes(&self) -> ReadNotes {
        let mut notes = self.rows.notes().clone();
        self.splitter.stream().notes().into_iter().for_each(|note| notes.remark(note));
        notes
    }

    pub fn progress(&self) -> Progress {
        self.splitter.stream().tally().progress()
    }

    /// SHA-256 in hex of the input's raw (still compressed) bytes, after it was read to its end.
    pub fn fingerprint(&self) -> Option<String> {
        self.splitter.stream().tally().digest().map(|digest| hex(&digest))
    }
}
