//! [`ReadNotes`]: what the reader repaired, skipped or guessed in an input, in sentences for the user. A reader that guesses
//! says so; nothing is changed without a word.

use std::collections::BTreeMap;

/// Something that the reader did to single records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// The record was not valid UTF-8.
    Windows1252,
}

impl NoteKind {
    /// What happened to `rows`, as in "3 rows ...".
    fn sentence(self, rows: u64) -> String {
        let (rows_are, rows_were) = match rows {
            1 => ("1 row is".to_owned(), "it was"),
            rows => (format!("{rows} rows are"), "they were"),
        };
        match self {
            Self::Windows1252 => {
                format!("{rows_are} not valid UTF-8; {rows_were} read as windows-1252 (--encoding decides)")
            }
        }
    }
}

/// What the reader did to an input so far.
#[derive(Debug, Clone, Default)]
pub struct ReadNotes {
    /// Number of records and the line of the first one.
    counted: BTreeMap<NoteKind, (u64, u64)>,
    /// About the input as a whole, in the order of their occurrence.
    remarks: Vec<String>,
}

impl ReadNotes {
    /// Counts a record that begins at `line`.
    pub fn count(&mut self, kind: NoteKind, line: u64) {
        self.counted.entry(kind).or_insert((0, line)).0 += 1;
    }

    /// Adds a sentence about the input as a whole, once. It must not contain a text or an author.
    pub fn remark(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.remarks.contains(&sentence) {
            self.remarks.push(sentence);
        }
    }

    /// One sentence each, without a period, safe to log.
    pub fn sentences(&self) -> Vec<String> {
        let counted = self.counted.iter().map(|(kind, (rows, line))| match rows {
            1 => format!("{}: line {line}", kind.sentence(1)),
            rows => format!("{}: first at line {line}", kind.sentence(*rows)),
        });
        self.remarks.iter().cloned().chain(counted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_counted_and_name_their_first_line() {
        let mut notes = ReadNotes::default();
        notes.count(NoteKind::Windows1252, 7);
        assert_eq!(
            notes.sentences(),
            ["1 row is not valid UTF-8; it was read as windows-1252 (--encoding decides): line 7"]
        );
        notes.count(NoteKind::Windows1252, 9);
        notes.remark("the header is on line 3");
        notes.remark("the header is on line 3");
        assert_eq!(
            notes.sentences(),
            [
                "the header is on line 3",
                "2 rows are not valid UTF-8; they were read as windows-1252 (--encoding decides): first at line 7"
            ]
        );
    }
}
