//! The type of the records of each table, by which `vigie store` reads and writes any record.
//!
//! An export is JSON lines: first `{"vigie_store": LAYOUT, ...}`, then for each record `{"table", "key", "value"}`, so that a
//! store can be read without vigie.

use std::io::{BufRead, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::StoredPost;
use super::super::dead_letters::DeadLetter;
use super::super::feedback::Feedback;
use super::super::posts;
use super::super::posts::index::Posting;
use super::super::privacy::erase::Receipt;
use super::super::privacy::retention::RewriteSchedule;
use super::super::privacy::tombstones::Tombstone;
use super::super::rule_state::RuleState;
use super::report::Totals;
use crate::alert::{Alert, Transition};
use crate::rule::Baseline;
use crate::store::{Batch, Key, Part, SCHEMA, Store, StoreError, Table};
use crate::window::{Counts, HourRecord, KnownPost, Sample, WordBaseline, WordSlot};

/// Records per batch of an import.
const BATCH_RECORDS: usize = 1_000;

/// Reads and writes the values of a kind of records as JSON.
#[derive(Clone, Copy)]
pub(in crate::monitor) struct Shape {
    pub(in crate::monitor) to_json: fn(&[u8]) -> Result<Value, String>,
    from_json: fn(Value) -> Result<Vec<u8>, String>,
}

impl Shape {
    fn of<V: Serialize + DeserializeOwned>() -> Self {
        Self {
            to_json: |bytes| {
                let (value, rest) = postcard::take_from_bytes::<V>(bytes).map_err(|error| error.to_string())?;
                if !rest.is_empty() {
                    return Err(format!("{} bytes too many", rest.len()));
                }
                serde_json::to_value(&value).map_err(|error| error.to_string())
            },
            from_json: |json| {
                let value: V = serde_json::from_value(json).map_err(|error| error.to_string())?;
                postcard::to_stdvec(&value).map_err(|error| error.to_string())
            },
        }
    }

    /// The shape of the record under `key`. Private types of other modules are given by their parts.
    pub(in crate::monitor) fn at(table: Table, key: &Key) -> Self {
        match (table, key.first_text().as_str()) {
            (Table::Meta, "schema") => Self::of::<u32>(),
            (Table::Meta, "tombstones") => Self::of::<[u8; 16]>(),
            (Table::Meta, "rewrite") => Self::of::<RewriteSchedule>(),
            // The identity of a replay: dump, model, settings.
            (Table::Meta, _) => Self::of::<(String, String, String)>(),
            // A replay's progress: posts done, and whether it finished. Any other cursor is JSON, written by its source.
            (Table::Cursor, "replay") => Self::of::<(u64, bool)>(),
            (Table::Cursor, _) => Self::of::<String>(),
            (Table::Totals, _) => Self::of::<Totals>(),
            (Table::Bucket, _) => Self::of::<Vec<(i64, Counts)>>(),
            (Table::Seen, _) => Self::of::<(i64, Vec<u64>)>(),
            (Table::Author, _) => Self::of::<(u64, Vec<(i64, u64, bool)>)>(),
            (Table::Sample, _) => Self::of::<Vec<Sample>>(),
            (Table::History, _) => Self::of::<HourRecord>(),
            (Table::RuleState, _) => Self::of::<RuleState>(),
            (Table::Alert | Table::OperationalAlert | Table::IncidentAlert, _) => Self::of::<Alert>(),
            (Table::Outbox, _) => Self::of::<Transition>(),
            // Since when it is known, and its newest event time.
            (Table::Topic, _) => Self::of::<(i64, Option<i64>)>(),
            (Table::Tombstone, _) => Self::of::<Tombstone>(),
            (Table::Receipt, _) => Self::of::<Receipt>(),
            (Table::DeadLetter, _) => Self::of::<DeadLetter>(),
            (Table::Baseline, _) => Self::of::<Baseline>(),
            (Table::Late, _) => Self::of::<Counts>(),
            (Table::Cascade, _) => Self::of::<Vec<(u64, KnownPost)>>(),
            (Table::Words, _) => Self::of::<WordSlot>(),
            (Table::WordBaseline, _) => Self::of::<WordBaseline>(),
            (Table::Word, _) => Self::of::<String>(),
            (Table::Event, _) => Self::of::<Vec<i64>>(),
            (Table::Feedback, _) => Self::of::<Feedback>(),
            (Table::Post, _) => Self {
                to_json: |bytes| {
                    let posts = posts::block::decode(bytes).map_err(|error| error.to_string())?;
                    serde_json::to_value(&posts).map_err(|error| error.to_string())
                },
                from_json: |json| {
                    let posts: Vec<StoredPost> = serde_json::from_value(json).map_err(|error| error.to_string())?;
                    let block = posts::block::of_posts(&posts).ok_or("expected at least one post")?;
                    block.encode().map_err(|error| error.to_string())
                },
            },
            (Table::PostLabel, _) => Self::of::<u32>(),
            (Table::PostTerm, _) => Self::of::<Vec<Posting>>(),
            // JSON, written by the dispatcher.
            (Table::Dispatch, _) => Self::of::<String>(),
        }
    }
}

/// Why a store was not exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the record {key} cannot be read: {reason}; `vigie store repair` moves it to a file")]
    Unreadable { key: String, reason: String },
    #[error("the export cannot be written: {0}")]
    Write(std::io::Error),
    #[error("line {line}: {reason}; expected a line of `vigie store export`")]
    Line { line: usize, reason: String },
    #[error("the export has layout version {found}, expected {SCHEMA}: export it again with this vigie")]
    Version { found: u64 },
    #[error("the store already holds records; import into an empty directory")]
    NotEmpty,
}

#[derive(Serialize, Deserialize)]
struct Line {
    table: String,
    key: Vec<Part>,
    value: Value,
}

/// Writes every record as JSON, without texts and authors where `posts` is false. Returns how many.
///
/// # Errors
/// When a record cannot be read, or the output not written.
pub fn export(store: &Store, out: &mut impl Write, posts: bool) -> Result<u64, ExportError> {
    let mut write = |line: &Value| {
        serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
        out.write_all(b"\n")
    };
    write(&json!({"vigie_store": SCHEMA, "posts": posts})).map_err(ExportError::Write)?;
    let mut records = 0;
    for record in store.records() {
        let (key, bytes) = record?;
        // Without its posts the table and its indexes are empty.
        if !posts && matches!(key.table(), Some(Table::Post | Table::PostLabel | Table::PostTerm)) {
            continue;
        }
        let (table, parts, mut value) =
            read(&key, &bytes).map_err(|reason| ExportError::Unreadable { key: shown(&key), reason })?;
        if !posts {
            remove_posts(table, &mut value);
        }
        write(&json!({"table": table.name(), "key": parts, "value": value})).map_err(ExportError::Write)?;
        records += 1;
    }
    out.flush().map_err(ExportError::Write)?;
    Ok(records)
}

/// Reads an export into an empty store, which is unusable after an error. Returns how many records.
///
/// # Errors
/// When the store is not empty, a line is not as it should be, or the disk refuses.
pub fn import(store: &Store, input: impl BufRead) -> Result<u64, ExportError> {
    let schema = Key::new(Table::Meta).text("schema");
    let keys: Vec<Key> = store.keys(&Key::new(Table::Meta)).take(2).collect::<Result<_, _>>()?;
    if keys != [schema] || store.records().count() > 1 {
        return Err(ExportError::NotEmpty);
    }
    let (mut batch, mut records) = (Batch::default(), 0_u64);
    for (number, line) in (1..).zip(input.lines()) {
        let wrong = |reason: String| ExportError::Line { line: number, reason };
        let line = line.map_err(|error| wrong(error.to_string()))?;
        let line: Value = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        if number == 1 {
            let found = line["vigie_store"].as_u64().ok_or_else(|| wrong("no layout version".into()))?;
            if found != u64::from(SCHEMA) {
                return Err(ExportError::Version { found });
            }
            continue;
        }
        let (key, value) = written(line).map_err(wrong)?;
        batch.put_raw(&key, value);
        records += 1;
        if records.is_multiple_of(BATCH_RECORDS as u64) {
            store.commit(std::mem::take(&mut batch))?;
        }
    }
    store.commit(batch)?;
    store.flush()?;
    Ok(records)
}

fn written(line: Value) -> Result<(Key, Vec<u8>), String> {
    let line: Line = serde_json::from_value(line).map_err(|error| error.to_string())?;
    let table = Table::named(&line.table).ok_or_else(|| format!("unknown table {:?}", line.table))?;
    let key = Key::from_parts(table, &line.key).ok_or("its key does not have the form of the table's keys")?;
    Ok((key.clone(), (Shape::at(table, &key).from_json)(line.value)?))
}

/// A record as its table defines it, or its problem.
pub(in crate::monitor) fn read(key: &Key, value: &[u8]) -> Result<(Table, Vec<Part>, Value), String> {
    let table = key.table().ok_or("unknown table")?;
    let parts = key.parts().ok_or("its key does not have the form of the table's keys")?;
    let value = (Shape::at(table, key).to_json)(value)?;
    Ok((table, parts, value))
}

/// A key for people: its parts, or its bytes where it has none.
pub(in crate::monitor) fn shown(key: &Key) -> String {
    let Some((table, parts)) = key.table().zip(key.parts()) else { return hex(key.as_bytes()) };
    let parts = parts.iter().map(|part| match part {
        Part::Text(text) => format!("{text:?}"),
        Part::Time(number) => number.to_string(),
        Part::Number(number) => number.to_string(),
    });
    std::iter::once(table.name()).chain(parts).collect::<Vec<_>>().join(" ")
}

pub(in crate::monitor) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn remove_posts(table: Table, value: &mut Value) {
    match table {
        Table::Sample => *value = json!([]),
        Table::Alert | Table::OperationalAlert | Table::IncidentAlert => remove_quotes(value),
        Table::Outbox => remove_quotes(&mut value["alert"]),
        Table::RuleState if !value["alert"].is_null() => remove_quotes(&mut value["alert"]),
        Table::Word => *value = json!(""),
        Table::Feedback => (value["by"], value["post"]) = (Value::Null, json!(Sample::default())),
        Table::DeadLetter => value["unusable"]["raw"] = json!(""),
        _ => {}
    }
}

/// The parts of an alert that people wrote.
fn remove_quotes(alert: &mut Value) {
    alert["samples"] = json!([]);
    alert["context"]["words"] = json!([]);
}

#[cfg(test)]
mod tests;
