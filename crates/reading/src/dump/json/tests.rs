//! JSON as tools write it, from bytes to rows.

mod framing;
mod presets;
mod problems;

use std::io::Cursor;

use crate::dump::columns::Columns;
use crate::dump::tests::{NOTHING, REPLAY, drain};
use crate::dump::{Layout, ReadOptions, Reader, Row};

fn open(bytes: &[u8], options: &ReadOptions) -> Reader {
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    Reader::from_bytes("posts.json".into(), stream, None, options, NOTHING).unwrap()
}

/// Rows without a reject, and the notes.
fn read(text: &str) -> (Vec<Row>, Vec<String>) {
    let mut reader = open(text.as_bytes(), &ReadOptions::default());
    let (rows, rejects) = drain(&mut reader);
    assert!(rejects.is_empty(), "{rejects:?}");
    (rows, reader.notes().sentences())
}

fn texts(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.text.as_str()).collect()
}

/// The row of one post, its time in seconds, and the detected layout.
fn one(text: &str) -> (Row, Option<i64>, Layout) {
    let mut reader = open(text.as_bytes(), &ReadOptions::default());
    let (mut rows, rejects) = drain(&mut reader);
    assert!(rejects.is_empty() && rows.len() == 1, "{rejects:?} {rows:?}");
    let row = rows.remove(0);
    let at = row.created_at.map(jiff::Timestamp::as_second);
    (row, at, reader.layout())
}
