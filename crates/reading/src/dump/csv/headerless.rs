//! [`Headerless`]: what the columns of a file without a header hold, by kind, and the flags that read it. It contains no text
//! and no author.

use super::dialect::{Dialect, usual_width};
use super::fields::CsvFields;
use super::sample::Sample;
use crate::dump::columns::Field;
use crate::dump::csv_options::Header;
use crate::dump::options::ReadOptions;
use crate::dump::timestamp::parse_timestamp;

/// Words that stand for a sentiment in public sets.
const SENTIMENTS: [&str; 12] = [
    "negative",
    "neutral",
    "positive",
    "neg",
    "neu",
    "pos",
    "irrelevant",
    "mixed",
    "négatif",
    "neutre",
    "positif",
    "negatif",
];
/// Characters from which a cell is a text and not a name.
const MIN_TEXT: usize = 24;

/// A file without a header, or one that is read without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headerless {
    kinds: Vec<Kind>,
    /// Characters of an average cell.
    lengths: Vec<usize>,
    delimiter: Option<String>,
    time_column: Option<usize>,
    /// The file is read without a header: only columns are missing.
    pub expected: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Empty,
    Number,
    Time,
    Sentiment,
    Handle,
    Text,
    Word,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Number => "number",
            Self::Time => "time",
            Self::Sentiment => "sentiment",
            Self::Handle => "handle",
            Self::Text => "text",
            Self::Word => "word",
        }
    }

    fn of(cell: &str, time_format: Option<&str>) -> Self {
        let cell = cell.trim();
        let digits = cell.bytes().filter(u8::is_ascii_digit).count();
        if cell.is_empty() {
            Self::Empty
        } else if is_number(cell) {
            Self::Number
        } else if digits >= 4 && cell.len() <= 40 && parse_timestamp(cell, time_format).is_ok() {
            Self::Time
        } else if SENTIMENTS.contains(&cell.to_lowercase().as_str()) {
            Self::Sentiment
        } else if cell.chars().count() >= MIN_TEXT || cell.split_whitespace().count() > 3 {
            Self::Text
        } else if cell.starts_with('@') {
            Self::Handle
        } else {
            Self::Word
        }
    }
}

/// Whether a cell is a number; `nan` and `inf` are words here.
fn is_number(cell: &str) -> bool {
    cell.ends_with(|last: char| last.is_ascii_digit()) && cell.parse::<f64>().is_ok()
}

/// Whether a cell holds a sentiment or a number.
pub(super) fn is_sentiment_or_number(cell: &str) -> bool {
    let short = cell.len() <= MIN_TEXT;
    short && (is_number(cell) || SENTIMENTS.contains(&cell.to_lowercase().as_str()))
}

/// Whether a first record looks like a row: a cell is a number, a time, a sentiment, a handle or a long text.
pub(super) fn is_row(record: &str, dialect: Dialect) -> bool {
    let mut fields = CsvFields::default();
    fields.split(record, dialect);
    fields.iter(record).any(|cell| match Kind::of(cell, None) {
        Kind::Number | Kind::Time | Kind::Handle => true,
        Kind::Sentiment => cell.trim().chars().count() > 3,
        // Some exports have questions as names.
        Kind::Text => cell.chars().count() > 40,
        Kind::Empty | Kind::Word => false,
    })
}

impl Headerless {
    pub(super) fn of(sample: &Sample, dialect: Dialect, options: &ReadOptions) -> Self {
        let records = sample.records(dialect);
        let mut fields = CsvFields::default();
        let (width, _) = usual_width(&records, dialect, &mut fields);
        let mut counts = vec![[0_usize; 7]; width];
        let mut lengths = vec![0; width];
        for record in &records {
            fields.split(record, dialect);
            if fields.len() != width {
                continue;
            }
            for ((cell, count), length) in fields.iter(record).zip(&mut counts).zip(&mut lengths) {
                *length += cell.chars().count();
                if let Some(count) = count.get_mut(Kind::of(cell, options.time_format.as_deref()) as usize) {
                    *count += 1;
                }
            }
        }
        let kinds: Vec<Kind> = counts.iter().map(usual_kind).collect();
        let time_column = kinds.iter().position(|kind| *kind == Kind::Time);
        let lengths = lengths.into_iter().map(|length| length / records.len().max(1)).collect();
        let delimiter = options.delimiter.map(|_| dialect.flag());
        Self { kinds, lengths, delimiter, time_column, expected: options.header == Header::None }
    }

    pub(super) fn width(&self) -> usize {
        self.kinds.len()
    }

    /// The columns: `1 number, 2 word, 3 text`.
    pub fn describe(&self) -> String {
        let parts: Vec<String> =
            self.kinds.iter().enumerate().map(|(index, kind)| format!("{} {}", index + 1, kind.as_str())).collect();
        parts.join(", ")
    }

    /// The flags that read the file: `--header none --columns id=1,text=4`.
    pub fn flags(&self) -> String {
        let columns: Vec<String> =
            self.columns().into_iter().map(|(field, index)| format!("{field}={}", index + 1)).collect();
        let delimiter = self.delimiter.as_ref().map_or_else(String::new, |flag| format!(" --delimiter {flag}"));
        format!("--header none{delimiter} --columns {}", columns.join(","))
    }

    /// Likely columns of fields.
    fn columns(&self) -> Vec<(Field, usize)> {
        let first = |kind: Kind| self.kinds.iter().position(|other| *other == kind);
        let text = self.text();
        let candidates = [
            (Field::Id, first(Kind::Number)),
            (Field::CreatedAt, self.time_column),
            (Field::Author, first(Kind::Handle)),
            (Field::Label, first(Kind::Sentiment)),
            (Field::Text, Some(text)),
        ];
        candidates
            .into_iter()
            .filter_map(|(field, index)| Some((field, index?)))
            .filter(|(field, index)| *field == Field::Text || *index != text)
            .collect()
    }

    /// The column with the longest cells among those that may be texts.
    fn text(&self) -> usize {
        let is_text = |index: &usize| matches!(self.kinds.get(*index), Some(Kind::Text | Kind::Word | Kind::Handle));
        let length = |index: &usize| self.lengths.get(*index).copied().unwrap_or(0);
        (0..self.width()).filter(is_text).max_by_key(length).unwrap_or(self.width().saturating_sub(1))
    }
}

/// The most frequent kind; cells without content decide only where there is no other.
fn usual_kind(counts: &[usize; 7]) -> Kind {
    use Kind::{Empty, Handle, Number, Sentiment, Text, Time, Word};
    let kinds = [Number, Time, Sentiment, Handle, Word, Text];
    let count = |kind: &Kind| counts.get(*kind as usize).copied().unwrap_or(0);
    kinds.into_iter().filter(|kind| count(kind) > 0).max_by_key(count).unwrap_or(Empty)
}
