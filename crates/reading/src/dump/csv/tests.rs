//! CSV as people have it: dialects, stray quotes, headers. Bytes in, rows, rejects and notes out.

mod headers;
mod names;
mod quotes;
mod written;

use crate::dump::tests::{NOTHING, REPLAY, drain, open};
use crate::dump::*;

/// The texts of the rows, the reasons of the rejects and the notes.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    texts: Vec<String>,
    rejects: Vec<(u64, RejectReason)>,
    notes: Vec<String>,
}

fn read_by(text: &str, options: &ReadOptions, required: RequiredFields) -> Outcome {
    let mut reader = open(text.as_bytes(), options, required).unwrap();
    let (rows, rejects) = drain(&mut reader);
    Outcome {
        texts: rows.into_iter().map(|row| row.text).collect(),
        rejects: rejects.iter().map(|reject| (reject.line, reject.reason)).collect(),
        notes: reader.notes().sentences(),
    }
}

fn read(text: &str) -> Outcome {
    read_by(text, &ReadOptions::default(), NOTHING)
}

/// The texts of a file that is read without a reject and without a note.
fn texts(text: &str) -> Vec<String> {
    let outcome = read(text);
    assert_eq!((&outcome.rejects[..], &outcome.notes[..]), (&[][..], &[][..]), "{text:?}");
    outcome.texts
}

fn error(text: &str, options: &ReadOptions, required: RequiredFields) -> String {
    open(text.as_bytes(), options, required).err().map(|error| error.to_string()).unwrap_or_default()
}

fn columns(flag: &str) -> ReadOptions {
    ReadOptions { columns: Columns::parse(flag).unwrap(), ..ReadOptions::default() }
}
