//! Splits one CSV record into its fields, without an allocation per field.

use std::ops::Range;

/// The fields of the last record; the memory is reused for the next.
#[derive(Debug, Default)]
pub(super) struct CsvFields {
    spans: Vec<FieldSpan>,
    /// Contents that differ from the record because they contain a doubled quote.
    unquoted: String,
}

/// Where a field's content is.
#[derive(Debug, Clone)]
enum FieldSpan {
    Record(Range<usize>),
    Unquoted(Range<usize>),
}

impl CsvFields {
    /// Splits a record, which must not include its terminator.
    pub(super) fn split(&mut self, record: &str, delimiter: u8) {
        self.spans.clear();
        self.unquoted.clear();
        let mut at = 0;
        loop {
            let span;
            (span, at) = match record.as_bytes().get(at) {
                Some(b'"') => self.quoted(record, at + 1, delimiter),
                _ => {
                    let end = find_or_end(record, at, delimiter);
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

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The content of a field; `record` must be the record that was split last.
    pub(super) fn get<'a>(&'a self, index: usize, record: &'a str) -> Option<&'a str> {
        match self.spans.get(index)? {
            FieldSpan::Record(range) => record.get(range.clone()),
            FieldSpan::Unquoted(range) => self.unquoted.get(range.clone()),
        }
    }

    /// Reads a quoted field from after its opening quote up to the delimiter or the record's end.
    fn quoted(&mut self, record: &str, start: usize, delimiter: u8) -> (FieldSpan, usize) {
        let bytes = record.as_bytes();
        let closing = find_or_end(record, start, b'"');
        match bytes.get(closing + 1) {
            None => return (FieldSpan::Record(start..closing), record.len()),
            Some(next) if *next == delimiter => return (FieldSpan::Record(start..closing), closing + 1),
            Some(_) => {}
        }
        let begin = self.unquoted.len();
        let (mut from, mut quote) = (start, closing);
        while quote < record.len() && bytes.get(quote + 1) == Some(&b'"') {
            self.unquoted.push_str(record.get(from..=quote).unwrap_or_default());
            from = quote + 2;
            quote = find_or_end(record, from, b'"');
        }
        self.unquoted.push_str(record.get(from..quote).unwrap_or_default());
        // Text between a closing quote and the delimiter is part of the field, as in the `csv` crate.
        let after = (quote + 1).min(record.len());
        let end = find_or_end(record, after, delimiter);
        self.unquoted.push_str(record.get(after..end).unwrap_or_default());
        (FieldSpan::Unquoted(begin..self.unquoted.len()), end)
    }
}

/// The position of the first `byte` from `at` on, otherwise the record's end. An ASCII byte never occurs inside a
/// multi-byte character, so the position is always a character boundary.
fn find_or_end(record: &str, at: usize, byte: u8) -> usize {
    let rest = record.as_bytes().get(at..).unwrap_or_default();
    rest.iter().position(|other| *other == byte).map_or(record.len(), |found| at + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(record: &str) -> Vec<String> {
        let mut fields = CsvFields::default();
        fields.split(record, b',');
        (0..fields.len()).map(|index| fields.get(index, record).unwrap().to_owned()).collect()
    }

    #[test]
    fn fields_are_split_and_unquoted() {
        assert_eq!(split("a,b,,d"), ["a", "b", "", "d"]);
        assert_eq!(split("a,"), ["a", ""]);
        assert_eq!(split(r#""a,b","c""d","","""""#), ["a,b", r#"c"d"#, "", r#"""#]);
        assert_eq!(split(r#"5" tall,"é ""x"" é",ü"#), [r#"5" tall"#, r#"é "x" é"#, "ü"]);
        assert_eq!(split(r#""a"b,c"#), ["ab", "c"]);
        assert_eq!(split(r#""open, and"#), ["open, and"]);
    }
}
