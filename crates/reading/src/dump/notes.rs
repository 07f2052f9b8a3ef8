//! [`ReadNotes`]: what the reader repaired, skipped or guessed in an input, in sentences for the user. A reader that guesses
//! says so; nothing is changed without a word.

use std::collections::BTreeMap;

const NO_QUOTES: &str = "--quote none for a file that does not quote";

/// Something that the reader did to single records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// The record was not valid UTF-8.
    Windows1252,
    /// A field of the record begins with a quote that does not close.
    StrayQuote,
    /// The record is the header again.
    RepeatedHeader,
    /// JSON: `NaN` or `Infinity` in the place of a value.
    NotANumber,
    /// JSON: half a surrogate pair.
    LoneSurrogate,
    /// JSON: control characters, NUL bytes or byte order marks in an object.
    ControlCharacter,
    /// JSON: trailing commas, unknown escapes, literals of Python.
    LooseJson,
    /// The text was HTML.
    Html,
    /// The text was UTF-8, and the program that wrote the file read it as windows-1252.
    Mojibake,
    /// The text was a bytes literal of Python.
    BytesLiteral,
    /// What is left of a deleted post.
    RemovedPost,
    /// A deletion of another post.
    Deletion,
    /// A message of the platform, such as "joined the group".
    ServiceMessage,
    /// Another record of a stream: a like, a follow, a boost by its address.
    OtherRecord,
    /// A post with only pictures.
    WithoutText,
    /// The identifier lost its last digits.
    RoundedId,
    /// Only a date was written.
    DateOnly,
    /// A time without a zone, read with the offset of another column.
    ZoneOfColumn,
    /// Labelled as positive and negative at once.
    MixedLabel,
    /// Labelled with a word that is not a sentiment, such as `irrelevant`.
    Unlabelled,
}

impl NoteKind {
    /// What happened to `rows`, as in "3 rows ...".
    fn sentence(self, rows: u64) -> String {
        let (rows_are, rows_were) = match rows {
            1 => ("1 row is".to_owned(), "it was"),
            rows => (format!("{rows} rows are"), "they were"),
        };
        let they_are = if rows == 1 { "it is" } else { "they are" };
        let has = if rows == 1 { "1 row has".to_owned() } else { format!("{rows} rows have") };
        match self {
            Self::RoundedId => format!(
                "{has} an id that a spreadsheet or pandas rounded, e.g. 7.91557E+17; {they_are} identified by author, time and \
                 text instead (export the column as text, or map another one with --columns id=NAME)"
            ),
            Self::DateOnly => format!("{has} a date without a time; midnight is used"),
            Self::ZoneOfColumn => {
                format!(
                    "{has} a time without a zone; the offset of the column `timezone` is used (--time-zone decides)"
                )
            }
            Self::MixedLabel => format!("{has} the label `mixed`; {they_are} read as neutral (--labels-map decides)"),
            Self::Unlabelled => {
                format!(
                    "{has} a label such as `irrelevant` that is not a sentiment; {they_are} unlabelled (--labels-map decides)"
                )
            }
            Self::Windows1252 => {
                format!("{rows_are} not valid UTF-8; {rows_were} read as windows-1252 (--encoding decides)")
            }
            Self::StrayQuote => format!("{has} a quote that does not close; it was kept as text ({NO_QUOTES})"),
            Self::RepeatedHeader if rows == 1 => "1 row repeats the header; it was skipped".to_owned(),
            Self::RepeatedHeader => format!("{rows} rows repeat the header; they were skipped"),
            Self::NotANumber => format!("{has} NaN or Infinity, which is not JSON; read as null"),
            Self::LoneSurrogate => format!("{has} half a character (a lone surrogate); it was dropped, the post stays"),
            Self::ControlCharacter => format!("{has} raw control characters or NUL bytes, which is not JSON; repaired"),
            Self::LooseJson => format!("{has} trailing commas, unknown escapes or literals of Python; repaired"),
            Self::Html => format!("{has} HTML in the text; read as plain text"),
            Self::Mojibake => format!("{has} a text that was decoded twice (mojibake such as \"Ã©\"); repaired"),
            Self::BytesLiteral => format!("{has} a text written as Python bytes (b'...'); decoded"),
            Self::RemovedPost => format!("{rows_are} only the stub of a deleted post; skipped"),
            Self::Deletion => format!("{rows_are} the deletion of another post; skipped"),
            Self::ServiceMessage => format!("{rows_are} a message of the platform, not a post; skipped"),
            Self::OtherRecord => format!("{rows_are} another record than a post (a like, a follow, ...); skipped"),
            Self::WithoutText => format!("{rows_are} a post without a text; skipped"),
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
