//! [`Dialect`]: delimiter, quote and escape of a CSV file, as set or as detected.

use super::fields::CsvFields;
use crate::dump::csv_options::Quote;
use crate::dump::options::ReadOptions;

/// Delimiters that are tried, the likeliest first.
pub(super) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// The delimiter of a file with one column: the unit separator of ASCII, which no text contains.
const NO_DELIMITER: u8 = 0x1f;

/// How the fields of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    pub delimiter: u8,
    /// `None`: quotes are part of the text.
    pub quote: Option<u8>,
    /// Stands before a quote, a delimiter or a line end that is part of the text.
    pub escape: Option<u8>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: Some(b'"'), escape: None }
    }
}

impl Dialect {
    /// What `options` set; a comma, double quotes and no escape where they set nothing.
    pub fn of_options(options: &ReadOptions) -> Self {
        let default = Self::default();
        let quote = options.quote.map_or(default.quote, Quote::as_byte);
        Self { delimiter: options.delimiter_byte().unwrap_or(default.delimiter), quote, escape: options.escape_byte() }
    }

    #[must_use]
    pub(super) fn with_delimiter(self, delimiter: u8) -> Self {
        Self { delimiter, ..self }
    }

    /// For a file whose lines have one column.
    #[must_use]
    pub(super) fn with_one_column(self) -> Self {
        self.with_delimiter(NO_DELIMITER)
    }

    /// Whether no escape is set, and a backslash stands before a quote of the record.
    pub(super) fn may_be_escaped(self, record: &[u8]) -> bool {
        let Some(quote) = self.quote.filter(|_| self.escape.is_none()) else { return false };
        record.windows(2).any(|pair| pair == [b'\\', quote])
    }

    /// A delimiter that texts hardly contain: a line with the right number of them is a row.
    pub(super) fn is_rare_in_texts(self) -> bool {
        matches!(self.delimiter, b'\t' | b'|')
    }

    /// The value of `--delimiter` that sets this delimiter.
    pub(super) fn flag(self) -> String {
        match self.delimiter {
            b'\t' => "tab".to_owned(),
            other => format!("'{}'", char::from(other)),
        }
    }
}

/// The delimiter in a line `sep=;`, by which Excel is told what follows.
pub(super) fn sep_line(line: &str) -> Option<u8> {
    let line = line.trim_matches('"');
    let (key, value) = line.split_at_checked(4)?;
    if !key.eq_ignore_ascii_case("sep=") {
        return None;
    }
    match value.trim_matches('"').as_bytes() {
        [delimiter, ..] if value.trim_end_matches(['\r', '\n', ',', ';']).len() <= 1 => {
            (delimiter.is_ascii() && !delimiter.is_ascii_alphanumeric()).then_some(*delimiter)
        }
        _ => None,
    }
}

/// The delimiter that splits most of the rows into the same number of fields, more than one; otherwise none. `rows`: some
/// records of the file, without a header.
pub(super) fn delimiter_of_rows(rows: &[&str], dialect: Dialect) -> Dialect {
    let mut fields = CsvFields::default();
    let score = |delimiter: u8, fields: &mut CsvFields| {
        let dialect = dialect.with_delimiter(delimiter);
        let (width, share) = usual_width(rows, dialect, fields);
        (width > 1 && share * 5 >= rows.len() * 4).then_some((share, width))
    };
    let best = DELIMITERS.iter().rev().filter_map(|delimiter| Some((score(*delimiter, &mut fields)?, *delimiter)));
    // Of equals `max_by_key` returns the last, the likeliest.
    best.max_by_key(|(score, _)| *score)
        .map_or_else(|| dialect.with_one_column(), |(_, delimiter)| dialect.with_delimiter(delimiter))
}

/// The most frequent number of fields, and how many rows have it.
pub(super) fn usual_width(rows: &[&str], dialect: Dialect, fields: &mut CsvFields) -> (usize, usize) {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    for row in rows {
        fields.split(row, dialect);
        *counts.entry(fields.len()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, rows)| *rows).unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sep_line_names_its_delimiter() {
        for (line, expected) in [
            ("sep=;", Some(b';')),
            ("SEP=\t", Some(b'\t')),
            ("\"sep=|\"", Some(b'|')),
            ("sep=^", Some(b'^')),
            ("sep=,", Some(b',')),
            ("sep=;;;;", Some(b';')),
            ("sep=", None),
            ("sep=ab", None),
            ("separate;text", None),
            ("sé", None),
        ] {
            assert_eq!(sep_line(line), expected, "{line:?}");
        }
    }

    #[test]
    fn rows_show_their_delimiter() {
        let of = |rows: &[&str]| delimiter_of_rows(rows, Dialect::default()).delimiter;
        assert_eq!(of(&["1,neg,\"late, again\"", "2,pos,nice", "3,neu,a;b"]), b',');
        assert_eq!(of(&["1\ta, b", "2\tc", "3\td, e, f"]), b'\t');
        assert_eq!(of(&["1|a", "2|b, c"]), b'|');
        assert_eq!(of(&["late, very late", "good", "again, and again, and again"]), NO_DELIMITER);
        assert_eq!(of(&["1;2,5;a", "2;3,5;b"]), b';');
    }
}
