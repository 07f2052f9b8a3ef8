//! [`JsonRows`]: the rows of an input of JSON.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;

use serde_json::Value;

use super::framing::JsonFraming;
use super::includes::Includes;
use super::keys::KeySample;
use super::path::{find, scalar, type_name};
use super::post::FieldFinder;
use super::repair::{is_python, repair};
use super::skipped::Event;
use super::wrappers::{Item, PostIn, visit};
use super::{Object, outline, preset};
use crate::dump::columns::Columns;
use crate::dump::decode::decode;
use crate::dump::error::MissingColumn;
use crate::dump::notes::{NoteKind, ReadNotes};
use crate::dump::options::{Encoding, Layout};
use crate::dump::record_splitter::{Record, RecordEnd, RecordSplitter};
use crate::dump::reject::{Reject, RejectReason, RowError};
use crate::dump::row::Row;
use crate::dump::row_builder::RowRules;
use crate::dump::shape::Shape;

/// One object of the input.
#[derive(Debug, PartialEq, Eq)]
pub enum JsonRecord {
    Post(Row),
    /// The post with this identifier was deleted: `{"delete": {"id": "..."}}`.
    Deleted(String),
}

/// Records in a row that were cut and could not be read as a whole, after which this is not tried any more.
const MAX_FAILED_WHOLES: u32 = 100;

/// Reads rows of JSON.
pub struct JsonRows {
    framing: JsonFraming,
    finder: FieldFinder,
    encoding: Encoding,
    rules: RowRules,
    /// Whether deletions are returned; otherwise they are rejected or counted.
    deletions: bool,
    /// The remaining posts of the last record.
    page: VecDeque<Result<JsonRecord, Reject>>,
    notes: ReadNotes,
    keys: KeySample,
    /// The tool that wrote the first post.
    detected: Option<Layout>,
    failed_wholes: u32,
}

impl JsonRows {
    /// `layout`: the tool whose names are tried first; [`Layout::Auto`] for none.
    pub fn new(layout: Layout, columns: Columns, encoding: Encoding, rules: RowRules) -> Self {
        Self {
            framing: JsonFraming::default(),
            finder: FieldFinder { columns, layout },
            encoding,
            rules,
            deletions: false,
            page: VecDeque::new(),
            notes: ReadNotes::default(),
            keys: KeySample::default(),
            detected: None,
            failed_wholes: 0,
        }
    }

    /// Returns deletions too.
    #[must_use]
    pub fn with_deletions(self) -> Self {
        Self { deletions: true, ..self }
    }

    /// What was done to the records so far.
    pub fn notes(&self) -> &ReadNotes {
        &self.notes
    }

    /// How the file is read, by its first posts.
    pub(in crate::dump) fn shape(&self) -> Shape {
        let tool = match self.finder.layout {
            Layout::Auto | Layout::Json => self.detected,
            set => Some(set),
        };
        let (fields, unused) = self.keys.describe();
        let format = tool.map_or_else(|| "JSON".to_owned(), |tool| format!("JSON, layout {}", tool.as_str()));
        Shape { format, fields, unused }
    }

    pub(in crate::dump) fn notes_mut(&mut self) -> &mut ReadNotes {
        &mut self.notes
    }

    pub(in crate::dump) fn rules_mut(&mut self) -> &mut RowRules {
        &mut self.rules
    }

    /// The tool that wrote the posts; `None` before the first one.
    pub fn detected(&self) -> Option<Layout> {
        self.detected
    }

    /// The fields that no object has although they are mapped or required, and the keys that are there. `ended`: there are
    /// no more objects; before that, only the absence in many objects counts.
    pub fn missing_keys(&self, ended: bool) -> Option<(Vec<MissingColumn>, Vec<String>)> {
        self.keys.missing(&self.finder.columns, self.rules.required, ended)
    }

    /// Number of posts remaining from the last record.
    pub fn remaining(&self) -> usize {
        self.page.len()
    }

    pub fn next_row(&mut self, splitter: &mut RecordSplitter) -> io::Result<Option<Result<Row, Reject>>> {
        loop {
            match self.next(splitter)? {
                Some(Ok(JsonRecord::Post(row))) => return Ok(Some(Ok(row))),
                Some(Ok(JsonRecord::Deleted(_))) => {}
                Some(Err(reject)) => return Ok(Some(Err(reject))),
                None => return Ok(None),
            }
        }
    }

    pub fn next(&mut self, splitter: &mut RecordSplitter) -> io::Result<Option<Result<JsonRecord, Reject>>> {
        loop {
            if let Some(row) = self.page.pop_front() {
                return Ok(Some(row));
            }
            let Some(record) = splitter.next(&mut self.framing)? else { return Ok(None) };
            if self.framing.is_separator() && record.end == RecordEnd::Complete {
                self.framing.accept();
                continue;
            }
            if let Some(levels) = self.framing.long_page() {
                self.framing.open_page(levels);
                self.framing.accept();
                self.notes.remark("a page is longer than 8 MiB: its posts are read one by one, without its `includes`");
                continue;
            }
            let (line, bytes) = object_of(&record, &self.framing);
            let Err(error) = self.queue_record(line, bytes, record.end) else {
                self.framing.accept();
                continue;
            };
            if self.framing.was_cut()
                && let Some(page) = outline::page_head(bytes)
            {
                self.notes.remark("a page has a post a line: its posts are read one by one, without its `includes`");
                self.framing.open_page(page.levels);
                self.framing.accept();
                continue;
            }
            let reject = error.into_reject(line, bytes);
            if self.framing.was_cut() && self.reads_whole(splitter)? {
                continue;
            }
            self.framing.accept();
            return Ok(Some(Err(reject)));
        }
    }

    /// Tries to read a record that was cut by the rules for lines as if lines had no meaning: a text with a line end in it,
    /// or an object whose braces all begin lines. If it cannot be read that way, the record is as before.
    fn reads_whole(&mut self, splitter: &mut RecordSplitter) -> io::Result<bool> {
        if self.failed_wholes >= MAX_FAILED_WHOLES {
            return Ok(false);
        }
        let mut whole = self.framing.whole();
        splitter.unread();
        let read = match splitter.next(&mut whole)? {
            Some(record) if record.end == RecordEnd::Complete => {
                let (line, bytes) = object_of(&record, &whole);
                self.queue_record(line, bytes, record.end).is_ok()
            }
            _ => false,
        };
        if read {
            (self.framing, self.failed_wholes) = (whole.into_lines(), 0);
            self.framing.accept();
        } else {
            self.failed_wholes += 1;
            splitter.unread();
            splitter.next(&mut self.framing)?;
        }
        Ok(read)
    }

    /// Queues the posts of one record in `self.page`. An error changes nothing.
    fn queue_record(&mut self, line: u64, bytes: &[u8], end: RecordEnd) -> Result<(), RowError> {
        if end == RecordEnd::TooLong {
            let detail = "longer than 8 MiB; expected one post or one page per line (`jq -c '.[]'` splits an array)";
            return Err(RowError::new(RejectReason::TooLong, detail));
        }
        let decoded = decode(bytes, self.encoding)?;
        let value = self.parse(&decoded.text, line)?;
        if !matches!(value, Value::Object(_) | Value::Array(_)) {
            let detail = format!("found {}; expected an object with a post or a page", type_name(&value));
            return Err(RowError::new(RejectReason::Json, detail));
        }
        if decoded.guessed {
            self.notes.count(NoteKind::Windows1252, line);
        }
        let mapped = self.finder.columns.text.clone();
        let mut includes = Includes::default();
        visit(&value, mapped.as_deref(), &mut |item| match item {
            Item::Post(at, text) => {
                includes.update(&at);
                self.queue_post(&at, text, &includes, line);
            }
            Item::Event(event, object) => self.queue_event(event, object, line),
            Item::Other(other) => {
                let detail = format!("found {}; expected an object with a post", type_name(other));
                let error = RowError::new(RejectReason::Json, detail);
                self.page.push_back(Err(error.into_reject(line, other.to_string().as_bytes())));
            }
        });
        Ok(())
    }

    fn parse(&mut self, text: &str, line: u64) -> Result<Value, RowError> {
        let error = match serde_json::from_str(text) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if let Some(repaired) = repair(text)
            && let Ok(value) = serde_json::from_str(&repaired.text)
        {
            repaired.kinds.into_iter().for_each(|kind| self.notes.count(kind, line));
            return Ok(value);
        }
        let detail = if is_python(text) {
            "found what Python prints for a dictionary; expected JSON; convert it with `python3 -c 'import ast,json,sys; \
             [print(json.dumps(ast.literal_eval(line))) for line in sys.stdin]' < FILE > FILE.jsonl`"
                .to_owned()
        } else {
            format!("invalid JSON: {error}")
        };
        Err(RowError::new(RejectReason::Json, detail))
    }

    fn queue_post<'a>(&mut self, at: &PostIn<'a>, text: Option<Cow<'a, str>>, includes: &Includes<'a>, line: u64) {
        self.detected.get_or_insert_with(|| preset::detect(at));
        let builder = self.finder.row_builder(at, text, includes);
        self.keys.add(at, builder.as_ref().ok());
        self.keys.add_paths(self.finder.paths(at));
        let row = builder.and_then(|builder| builder.build(line, &mut self.rules, &mut self.notes));
        let row = row.map(JsonRecord::Post);
        let reject = |error: RowError| error.into_reject(line, Value::Object(at.post.clone()).to_string().as_bytes());
        self.page.push_back(row.map_err(reject));
    }

    fn queue_event(&mut self, event: Event<'_>, object: &Object, line: u64) {
        let kind = match event {
            Event::Skip(kind) => kind,
            Event::Deleted(id) if self.deletions => return self.page.push_back(Ok(JsonRecord::Deleted(id))),
            Event::Deleted(_) => NoteKind::Deletion,
            Event::Delete(delete) => {
                let id = ["id", "status.id_str", "status.id"]
                    .iter()
                    .find_map(|path| scalar(find(delete.as_object()?, path)?));
                let id = id.filter(|id| !id.trim().is_empty());
                match id {
                    Some(id) if self.deletions => {
                        return self.page.push_back(Ok(JsonRecord::Deleted(id.trim().to_owned())));
                    }
                    // A deletion in X's stream, which a dump keeps among its posts.
                    Some(_) if delete.get("status").is_some() => NoteKind::Deletion,
                    _ => {
                        let detail = match self.deletions {
                            true => r#"a deletion without an id; expected {"delete": {"id": "..."}}"#,
                            false => "found a deletion; expected a post (only a source of type file accepts deletions)",
                        };
                        let error = RowError::new(RejectReason::Json, detail);
                        let object = Value::Object(object.clone()).to_string();
                        return self.page.push_back(Err(error.into_reject(line, object.as_bytes())));
                    }
                }
            }
        };
        self.notes.count(kind, line);
    }
}

/// The object of a record and its line, without what separates it from others; all of the record if it has none.
fn object_of<'a>(record: &Record<'a>, framing: &JsonFraming) -> (u64, &'a [u8]) {
    let (start, end) = match framing.object() {
        Some((start, end)) if end > start => (start, end),
        // Cut: up to the end of the record.
        Some((start, _)) => (start, record.bytes.len()),
        None => (0, record.bytes.len()),
    };
    let (before, _) = record.bytes.split_at_checked(start).unwrap_or((record.bytes, &[]));
    let lines = before.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
    let bytes = record.bytes.get(start..end.min(record.bytes.len())).unwrap_or_default();
    (record.line + lines, bytes.trim_ascii())
}
