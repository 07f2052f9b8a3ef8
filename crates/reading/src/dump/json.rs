//! The `x_jsonl` layout: posts and pages of X API v2, and plain objects such as vigie itself writes.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::io;

use serde_json::{Map, Value};

use super::columns::{Columns, Field};
use super::framing::JsonFraming;
use super::options::Encoding;
use super::record_splitter::{Cut, Record, Records};
use super::reject::{Fault, Reject, RejectReason};
use super::row::{Row, holds_numerals};
use super::row_builder::{Cells, Rules, decode};

type Object = Map<String, Value>;
/// Usernames by author identifier, from a page's `includes`.
type Users<'a> = HashMap<&'a str, &'a str>;

/// What one object says.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    Post(Row),
    /// The post of this identifier was deleted: `{"delete": {"id": "..."}}`.
    Gone(String),
}

/// Reads rows of JSON lines.
pub struct JsonRows {
    framing: JsonFraming,
    columns: Columns,
    encoding: Encoding,
    rules: Rules,
    /// Deletions are told; otherwise they are posts without a text.
    deletions: bool,
    /// What the last page still holds.
    page: VecDeque<Result<Said, Reject>>,
}

impl JsonRows {
    pub fn new(columns: Columns, encoding: Encoding, rules: Rules) -> Self {
        Self { framing: JsonFraming::default(), columns, encoding, rules, deletions: false, page: VecDeque::new() }
    }

    pub fn with_deletions(self) -> Self {
        Self { deletions: true, ..self }
    }

    /// What is left of the record given last.
    pub fn left(&self) -> usize {
        self.page.len()
    }

    pub fn next_row(&mut self, records: &mut Records) -> io::Result<Option<Result<Row, Reject>>> {
        loop {
            match self.next(records)? {
                Some(Ok(Said::Post(row))) => return Ok(Some(Ok(row))),
                Some(Ok(Said::Gone(_))) => {}
                Some(Err(reject)) => return Ok(Some(Err(reject))),
                None => return Ok(None),
            }
        }
    }

    pub fn next(&mut self, records: &mut Records) -> io::Result<Option<Result<Said, Reject>>> {
        loop {
            if let Some(row) = self.page.pop_front() {
                return Ok(Some(row));
            }
            let Some(record) = records.next(&mut self.framing)? else { return Ok(None) };
            if record.bytes.trim_ascii().is_empty() {
                continue;
            }
            if let Err(fault) = self.read(&record) {
                return Ok(Some(Err(fault.reject(record.line, record.bytes))));
            }
        }
    }

    /// Puts the posts of one record into `self.page`.
    fn read(&mut self, record: &Record<'_>) -> Result<(), Fault> {
        if record.cut == Cut::TooLong {
            let detail = "over 8 MiB, wanted one post or one page a line (`jq -c '.[]'` splits an array)";
            return Err(Fault::new(RejectReason::TooLong, detail));
        }
        let text = decode(record.bytes, self.encoding, false)?;
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| Fault::new(RejectReason::Json, format!("no JSON object on a line: {error}")))?;
        match &value {
            Value::Array(posts) => self.take_posts(posts, &Users::new(), record.line),
            Value::Object(object) => self.take_object(&value, object, record.line),
            other => {
                let detail = format!("{} instead of an object with a post or a page", kind(other));
                return Err(Fault::new(RejectReason::Json, detail));
            }
        }
        Ok(())
    }

    fn take_object(&mut self, value: &Value, object: &Object, line: u64) {
        if self.deletions
            && let Some(delete) = object.get("delete")
        {
            let gone = deleted(delete).map_err(|fault| fault.reject(line, value.to_string().as_bytes()));
            self.page.push_back(gone);
            return;
        }
        let users = users(object);
        match object.get("data") {
            Some(Value::Array(posts)) => self.take_posts(posts, &users, line),
            Some(post @ Value::Object(_)) => self.take_post(post, &users, line),
            _ if is_empty_page(object) => {}
            _ => self.take_post(value, &users, line),
        }
    }

    fn take_posts(&mut self, posts: &[Value], users: &Users<'_>, line: u64) {
        for post in posts {
            self.take_post(post, users, line);
        }
    }

    fn take_post(&mut self, post: &Value, users: &Users<'_>, line: u64) {
        let row = match post {
            Value::Object(object) => self.cells(object, users).and_then(|cells| cells.into_row(line, &self.rules)),
            other => Err(Fault::new(RejectReason::Json, format!("a post is {}, wanted an object", kind(other)))),
        };
        self.page.push_back(row.map(Said::Post).map_err(|fault| fault.reject(line, post.to_string().as_bytes())));
    }

    fn cells<'a>(&self, post: &'a Object, users: &Users<'a>) -> Result<Cells<'a>, Fault> {
        let find = |field| {
            self.columns.names(field).find_map(|name| post.get_key_value(name).filter(|(_, value)| !value.is_null()))
        };
        let cell = |field| find(field).and_then(|(_, value)| scalar(value));
        let text = match note(post).filter(|_| self.columns.text.is_none()) {
            Some(full) => Some(Cow::Borrowed(full)),
            None => match find(Field::Text) {
                Some((_, Value::String(text))) => Some(Cow::Borrowed(text.as_str())),
                Some((_, other)) => {
                    let detail = format!("text is {}, wanted a string", kind(other));
                    return Err(Fault::new(RejectReason::Json, detail));
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
        Ok(Cells {
            id: cell(Field::Id),
            created_at: cell(Field::CreatedAt),
            author,
            text,
            lang: cell(Field::Lang),
            topic: cell(Field::Topic),
            label: cell(Field::Label),
            numerals: find(Field::Label).is_some_and(|(key, _)| holds_numerals(key)),
            reason: cell(Field::Reason),
            incident: cell(Field::Incident),
        })
    }
}

fn deleted(delete: &Value) -> Result<Said, Fault> {
    let id = delete.get("id").and_then(scalar).filter(|id| !id.trim().is_empty());
    let wanted = || Fault::new(RejectReason::Json, r#"a deletion without an id, wanted {"delete": {"id": "..."}}"#);
    id.map(|id| Said::Gone(id.trim().to_owned())).ok_or_else(wanted)
}

/// The full text of a post that is cut in `text` (the specification of late 2026 calls it a note post).
fn note(post: &Object) -> Option<&str> {
    ["note_tweet", "note_post"].iter().find_map(|key| post.get(*key)?.get("text")?.as_str())
}

fn users(page: &Object) -> Users<'_> {
    let users = page.get("includes").and_then(|includes| includes.get("users")).and_then(Value::as_array);
    let pair = |user| Some((Value::get(user, "id")?.as_str()?, user.get("username")?.as_str()?));
    users.into_iter().flatten().filter_map(pair).collect()
}

/// A page without a post, or a message of the stream: only `meta`, `errors` and the like.
fn is_empty_page(object: &Object) -> bool {
    let known = ["meta", "errors", "data", "includes", "matching_rules"];
    (object.contains_key("meta") || object.contains_key("errors"))
        && object.keys().all(|key| known.contains(&key.as_str()))
}

/// The handle in a user object, of X or of the API before it.
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

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
