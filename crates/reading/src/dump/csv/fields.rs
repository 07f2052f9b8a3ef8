//! [`CsvFields`]: splits one CSV record into its fields, without an allocation per field.

use std::ops::Range;

use memchr::memchr;

use super::dialect::Dialect;
use super::framing::is_before_word;

/// The fields of the last record; the memory is reused for the next.
#[derive(Debug, Default)]
pub(crate) struct CsvFields {
    spans: Vec<FieldSpan>,
    /// Contents that differ from the record because they contain a doubled quote or an escape.
    unescaped: String,
    quoted: bool,
    stray: bool,
}

/// Where a field's content is.
#[derive(Debug, Clone)]
enum FieldSpan {
    Record(Range<usize>),
    Unescaped(Range<usize>),
}

/// How the quoted field that begins at a quote ends.
enum Closing {
    /// At the closing quote. `changed`: with doubled quotes or escapes inside.
    Closed {
        at: usize,
        changed: bool,
    },
    /// A quote with something behind it that is neither a delimiter nor a quote: the field is not quoted.
    Stray {
        behind: usize,
    },
    Unclosed,
}

impl CsvFields {
    /// Splits a record, which must not include its terminator. A field whose quote does not close before a delimiter or the
    /// end is literal, its quotes included; [`CsvFields::is_stray`] reports it.
    pub(crate) fn split(&mut self, record: &str, dialect: Dialect) {
        self.split_by(record, dialect, false);
    }

    /// As [`CsvFields::split`], but a field that is not quoted properly ends at its first delimiter, even one between two
    /// quotes: the second way to read a record that the first way gives too few fields.
    pub(crate) fn split_at_delimiters(&mut self, record: &str, dialect: Dialect) {
        self.split_by(record, dialect, true);
    }

    fn split_by(&mut self, record: &str, dialect: Dialect, literal: bool) {
        self.spans.clear();
        self.unescaped.clear();
        (self.quoted, self.stray) = (false, false);
        let bytes = record.as_bytes();
        let mut at = 0;
        loop {
            let span;
            (span, at) = match bytes.get(at) {
                Some(byte) if dialect.quote == Some(*byte) => self.quoted_field(record, at, dialect, literal),
                _ if dialect.escape.is_some() => self.escaped_field(record, at, dialect),
                _ => {
                    let end = find_or_end(bytes, at, dialect.delimiter);
                    (FieldSpan::Record(at..end), end)
                }
            };
            self.spans.push(span);
            if at >= record.len() {
                return;
            }
            at += 1;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether a field was quoted properly; only then can the record have several lines.
    pub(crate) fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// Whether a field begins with a quote that does not close.
    pub(crate) fn is_stray(&self) -> bool {
        self.stray
    }

    /// The content of a field; `record` must be the record that was split last.
    pub(crate) fn get<'a>(&'a self, index: usize, record: &'a str) -> Option<&'a str> {
        match self.spans.get(index)? {
            FieldSpan::Record(range) => record.get(range.clone()),
            FieldSpan::Unescaped(range) => self.unescaped.get(range.clone()),
        }
    }

    /// The contents of all fields.
    pub(crate) fn iter<'a>(&'a self, record: &'a str) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(|index| self.get(index, record).unwrap_or_default())
    }

    /// Reads the field whose opening quote is at `start`, up to the delimiter or the record's end.
    fn quoted_field(&mut self, record: &str, start: usize, dialect: Dialect, literal: bool) -> (FieldSpan, usize) {
        let bytes = record.as_bytes();
        let behind = match find_closing(bytes, start, dialect, literal) {
            Closing::Closed { at, changed } => {
                self.quoted = true;
                let content = start + 1..at;
                let span = if changed { self.unescape(record, content, dialect) } else { FieldSpan::Record(content) };
                return (span, at + 1);
            }
            Closing::Stray { behind } if !literal => behind,
            Closing::Stray { .. } | Closing::Unclosed => start,
        };
        self.stray = true;
        let end = find_or_end(bytes, behind, dialect.delimiter);
        (FieldSpan::Record(start..end), end)
    }

    /// Reads a field that is not quoted, where an escape may stand before a delimiter.
    fn escaped_field(&mut self, record: &str, start: usize, dialect: Dialect) -> (FieldSpan, usize) {
        let bytes = record.as_bytes();
        let (mut end, mut changed) = (start, false);
        while let Some(byte) = bytes.get(end).filter(|byte| **byte != dialect.delimiter) {
            let escaped = dialect.escape == Some(*byte);
            changed |= escaped;
            end += 1 + usize::from(escaped);
        }
        let content = start..end.min(bytes.len());
        // MySQL writes NULL as `\N`.
        let null = changed && content.len() == 2 && bytes.get(start + 1) == Some(&b'N');
        let span = match changed && !null {
            true => self.unescape(record, content.clone(), dialect),
            false => FieldSpan::Record(if null { start..start } else { content.clone() }),
        };
        (span, content.end)
    }

    /// Copies a content without its escapes and with single quotes for doubled ones.
    fn unescape(&mut self, record: &str, content: Range<usize>, dialect: Dialect) -> FieldSpan {
        let begin = self.unescaped.len();
        let mut rest = record.get(content).unwrap_or_default().chars().peekable();
        let is = |character: char, byte: Option<u8>| byte.is_some_and(|byte| char::from(byte) == character);
        while let Some(character) = rest.next() {
            if is(character, dialect.escape) {
                self.unescaped.extend(rest.next().map(unescaped_character));
                continue;
            }
            if is(character, dialect.quote) {
                rest.next_if_eq(&character);
            }
            self.unescaped.push(character);
        }
        FieldSpan::Unescaped(begin..self.unescaped.len())
    }
}

/// What a character means behind an escape.
fn unescaped_character(character: char) -> char {
    match character {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        other => other,
    }
}

/// `strict`: an undoubled quote inside the field is always stray.
fn find_closing(bytes: &[u8], start: usize, dialect: Dialect, strict: bool) -> Closing {
    let Some(quote) = dialect.quote else { return Closing::Unclosed };
    let (mut at, mut changed, mut inner) = (start + 1, false, false);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let found = match dialect.escape {
            None => memchr(quote, rest),
            Some(escape) => memchr::memchr2(quote, escape, rest),
        };
        let Some(found) = found.map(|found| at + found) else { return Closing::Unclosed };
        // Before the quote's own meaning: pandas and others escape by the quote itself.
        if bytes.get(found) != Some(&quote) {
            (at, changed) = (found + 2, true);
            continue;
        }
        match bytes.get(found + 1).copied() {
            None => return Closing::Closed { at: found, changed },
            Some(next) if next == dialect.delimiter => return Closing::Closed { at: found, changed },
            Some(next) if next == quote => (at, changed) = (found + 2, true),
            _ if inner => (at, inner) = (found + 1, false),
            Some(next) => {
                let opens = bytes.get(found - 1).copied().is_some_and(is_before_word) && !next.is_ascii_whitespace();
                if strict || !opens {
                    return Closing::Stray { behind: found + 1 };
                }
                (at, inner) = (found + 1, true);
            }
        }
    }
}

/// The position of the first `byte` from `at` on, otherwise the record's end. An ASCII byte never occurs inside a
/// multi-byte character, so the position is always a character boundary.
fn find_or_end(record: &[u8], at: usize, byte: u8) -> usize {
    let rest = record.get(at..).unwrap_or_default();
    memchr(byte, rest).map_or(record.len(), |found| at + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_in(record: &str, dialect: Dialect) -> (Vec<String>, bool) {
        let mut fields = CsvFields::default();
        fields.split(record, dialect);
        (fields.iter(record).map(str::to_owned).collect(), fields.is_stray())
    }

    fn split(record: &str) -> Vec<String> {
        split_in(record, Dialect::default()).0
    }

    #[test]
    fn fields_are_split_and_unquoted() {
        assert_eq!(split("a,b,,d"), ["a", "b", "", "d"]);
        assert_eq!(split("a,"), ["a", ""]);
        assert_eq!(split(r#""a,b","c""d","","""""#), ["a,b", r#"c"d"#, "", r#"""#]);
        assert_eq!(split(r#"5" tall,"é ""x"" é",ü"#), [r#"5" tall"#, r#"é "x" é"#, "ü"]);
    }

    #[test]
    fn a_quote_that_does_not_close_is_text() {
        for (record, expected) in [
            (r#""a"b,c"#, &[r#""a"b"#, "c"][..]),
            (r#""open, and"#, &[r#""open"#, " and"]),
            (r#"1,"soon" they say"#, &["1", r#""soon" they say"#]),
            (r#""late, again" she said,neg"#, &[r#""late, again" she said"#, "neg"]),
            (r#"""x"" they",neg"#, &[r#"""x"" they""#, "neg"]),
        ] {
            assert_eq!(
                split_in(record, Dialect::default()),
                (expected.iter().map(|s| (*s).to_owned()).collect(), true)
            );
        }
    }

    #[test]
    fn a_quotation_inside_a_quoted_field_need_not_be_doubled() {
        let (fields, stray) = split_in(r#""he said "hi" to me, twice",neg"#, Dialect::default());
        assert_eq!((fields, stray), (vec![r#"he said "hi" to me, twice"#.into(), "neg".into()], false));
    }

    #[test]
    fn quotes_and_delimiters_may_be_escaped() {
        let escaped = Dialect { escape: Some(b'\\'), ..Dialect::default() };
        assert_eq!(split_in(r#""a \"b\", \\",c\,d,\N,e\nf"#, escaped).0, [r#"a "b", \"#, "c,d", "", "e\nf"]);
        let single = Dialect { quote: Some(b'\''), ..Dialect::default() };
        assert_eq!(split_in(r#"'it''s, "x"',b"#, single).0, [r#"it's, "x""#, "b"]);
        let unquoted = Dialect { quote: None, ..Dialect::default() };
        assert_eq!(split_in(r#""a",b""#, unquoted), (vec![r#""a""#.into(), r#"b""#.into()], false));
    }
}
