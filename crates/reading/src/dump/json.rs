//! The `x_jsonl` layout: posts and pages of X API v2, and plain objects such as those that vigie writes.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::io;

use serde_json::{Map, Value};

use super::columns::{Columns, Field};
use super::decode::decode;
use super::framing::JsonFraming;
use super::notes::{NoteKind, ReadNotes};
use super::options::Encoding;
use super::record_splitter::{Record, RecordEnd, RecordSplitter, without_hole};
use super::reject::{Reject, RejectReason, RowError};
use super::row::{Row, has_numeric_labels};
use super::row_builder::{RowBuilder, RowRules};

type Object = Map<String, Value>;
/// Usernames by author identifier, from a page's `includes`.
type Usernames<'a> = HashMap<&'a str, &'a str>;

/// One object of the input.
#[derive(Debug, PartialEq, Eq)]
pub enum JsonRecord {
    Post(Row),
    /// The post with this identifier was deleted: `{"delete": {"id": "..."}}`.
    Deleted(String),
}

/// Reads rows of JSON lines.
pub struct JsonRows {
    framing: JsonFraming,
    columns: Columns,
    encoding: Encoding,
    rules: RowRules,
    /// Whether deletions are returned; otherwise they are rejected as posts without a text.
    deletions: bool,
    /// The remaining posts of the last record.
    page: VecDeque<Result<JsonRecord, Reject>>,
    notes: ReadNotes,
}

impl JsonRows {
    pub fn new(columns: Columns, encoding: Encoding, rules: RowRules) -> Self {
        let (framing, page, notes) = (JsonFraming::default(), VecDeque::new(), ReadNotes::default());
        Self { framing, columns, encoding, rules, deletions: false, page, notes }
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
            if without_hole(record.bytes).trim_ascii().is_empty() {
                continue;
            }
            if let Err(error) = self.queue_record(&record) {
                return Ok(Some(Err(error.into_reject(record.line, record.bytes))));
            }
        }
    }

    /// Queues the posts of one record in `self.page`.
    fn queue_record(&mut self, record: &Record<'_>) -> Result<(), RowError> {
        if record.end == RecordEnd::TooLong {
            let detail = "longer than 8 MiB; expected one post or one page per line (`jq -c '.[]'` splits an array)";
            return Err(RowError::new(RejectReason::TooLong, detail));
        }
        let decoded = decode(without_hole(record.bytes), self.encoding)?;
        if decoded.guessed {
            self.notes.count(NoteKind::Windows1252, record.line);
        }
        let value: Value = serde_json::from_str(&decoded.text)
            .map_err(|error| RowError::new(RejectReason::Json, format!("invalid JSON: {error}")))?;
        match &value {
            Value::Array(posts) => self.queue_posts(posts, &Usernames::new(), record.line),
            Value::Object(object) => self.queue_object(&value, object, record.line),
            other => {
                let detail = format!("found {}; expected an object with a post or a page", type_name(other));
                return Err(RowError::new(RejectReason::Json, detail));
            }
        }
        Ok(())
    }

    fn queue_object(&mut self, value: &Value, object: &Object, line: u64) {
        if self.deletions
            && let Some(delete) = object.get("delete")
        {
            let deletion =
                parse_deletion(delete).map_err(|error| error.into_reject(line, value.to_string().as_bytes()));
            self.page.push_back(deletion);
            return;
        }
        let users = usernames(object);
        match object.get("data") {
            Some(Value::Array(posts)) => self.queue_posts(posts, &users, line),
            Some(post @ Value::Object(_)) => self.queue_post(post, &users, line),
            _ if is_empty_page(object) => {}
            _ => self.queue_post(value, &users, line),
        }
    }

    fn queue_posts(&mut self, posts: &[Value], users: &Usernames<'_>, line: u64) {
        for post in posts {
            self.queue_post(post, users, line);
        }
    }

    fn queue_post(&mut self, post: &Value, users: &Usernames<'_>, line: u64) {
        let row = match post {
            Value::Object(object) => {
                self.row_builder(object, users).and_then(|builder| builder.build(line, &self.rules))
            }
            other => Err(RowError::new(
                RejectReason::Json,
                format!("found {}; expected an object with a post", type_name(other)),
            )),
        };
        self.page
            .push_back(row.map(JsonRecord::Post).map_err(|error| error.into_reject(line, post.to_string().as_bytes())));
    }

    fn row_builder<'a>(&self, post: &'a Object, users: &Usernames<'a>) -> Result<RowBuilder<'a>, RowError> {
        let find = |field| {
            self.columns.names(field).find_map(|name| post.get_key_value(name).filter(|(_, value)| !value.is_null()))
        };
        let cell = |field| find(field).and_then(|(_, value)| scalar(value));
        let text = match full_text(post).filter(|_| self.columns.text.is_none()) {
            Some(full) => Some(Cow::Borrowed(full)),
            None => match find(Field::Text) {
                Some((_, Value::String(text))) => Some(Cow::Borrowed(text.as_str())),
                Some((_, other)) => {
                    let detail = format!("text is {}; expected a string", type_name(other));
                    return Err(RowError::new(RejectReason::Json, detail));
                }
                None => None,
            },
        };
        let author = match find(Field::Author) {
            Some((key, Value::String(id))) if key == "author_id" => {
                Some(Cow::Borrowed(users.get(id.as_str()).copied().unwrap_or(id)))
            }
            Some((_, Value::Object(user))) => handle_of(user).map(Cow::Borrowed),
            other => other.and_then(|(_, value)| scalar(value)),
        };
        Ok(RowBuilder {
            id: cell(Field::Id),
            created_at: cell(Field::CreatedAt),
            author,
            text,
            lang: cell(Field::Lang),
            topic: cell(Field::Topic),
            label: cell(Field::Label),
            numeric_labels: find(Field::Label).is_some_and(|(key, _)| has_numeric_labels(key)),
            reason: cell(Field::Reason),
            incident: cell(Field::Incident),
        })
    }
}

fn parse_deletion(delete: &Value) -> Result<JsonRecord, RowError> {
    let id = delete.get("id").and_then(scalar).filter(|id| !id.trim().is_empty());
    let error = || RowError::new(RejectReason::Json, r#"a deletion without an id; expected {"delete": {"id": "..."}}"#);
    id.map(|id| JsonRecord::Deleted(id.trim().to_owned())).ok_or_else(error)
}

/// The full text of a long post, which `text` truncates (a note post in the specification of late 2026).
fn full_text(post: &Object) -> Option<&str> {
    ["note_tweet", "note_post"].iter().find_map(|key| post.get(*key)?.get("text")?.as_str())
}

fn usernames(page: &Object) -> Usernames<'_> {
    let users = page.get("includes").and_then(|includes| includes.get("users")).and_then(Value::as_array);
    let pair = |user| Some((Value::get(user, "id")?.as_str()?, user.get("username")?.as_str()?));
    users.into_iter().flatten().filter_map(pair).collect()
}

/// A page without posts, or a message of the stream: only `meta`, `errors` and similar keys.
fn is_empty_page(object: &Object) -> bool {
    let known = ["meta", "errors", "data", "includes", "matching_rules"];
    (object.contains_key("meta") || object.contains_key("errors"))
        && object.keys().all(|key| known.contains(&key.as_str()))
}

/// The handle in a user object of API v2 or v1.1.
fn handle_of(user: &Object) -> Option<&str> {
    ["username", "screen_name"].iter().find_map(|key| user.get(*key)?.as_str())
}

fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
