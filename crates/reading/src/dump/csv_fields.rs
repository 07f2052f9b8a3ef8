//! Splits one CSV record into its fields, without an allocation per field.

use std::ops::Range;

/// The fields of the record split last; its memory is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Fields {
    fields: Vec<Place>,
    /// Contents that do not stand in the record as they are, for a quote is doubled in them.
    unquoted: String,
}

#[derive(Debug, Clone)]
enum Place {
    Record(Range<usize>),
    Unquoted(Range<usize>),
}

impl Fields {
    /// Splits a record that has no terminator at its end.
    pub(super) fn split(&mut self, record: &str, delimiter: u8) {
        self.fields.clear();
        self.unquoted.clear();
        let mut at = 0;
        loop {
            let place;
            (place, at) = match record.as_bytes().get(at) {
                Some(b'"') => self.quoted(record, at + 1, delimiter),
                _ => {
                    let end = until(record, at, delimiter);
                    (Place::Record(at..end), end)
                }
            };
            self.fields.push(place);
            if at >= record.len() {
                return;
            }
            at += 1;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The content of a field of the record split last, which is to be handed in again.
    pub(super) fn get<'a>(&'a self, index: usize, record: &'a str) -> Option<&'a str> {
        match self.fields.get(index)? {
            Place::Record(range) => record.get(range.clone()),
            Place::Unquoted(range) => self.unquoted.get(range.clone()),
        }
    }

    /// Reads on behind an opening quote, up to the delimiter or the record's end.
    fn quoted(&mut self, record: &str, start: usize, delimiter: u8) -> (Place, usize) {
        let bytes = record.as_bytes();
        let closing = until(record, start, b'"');
        match bytes.get(closing + 1) {
            None => return (Place::Record(start..closing), record.len()),
            Some(next) if *next == delimiter => return (Place::Record(start..closing), closing + 1),
            Some(_) => {}
        }
        let begin = self.unquoted.len();
        let (mut from, mut quote) = (start, closing);
        while quote < record.len() && bytes.get(quote + 1) == Some(&b'"') {
            self.unquoted.push_str(record.get(from..=quote).unwrap_or_default());
            from = quote + 2;
            quote = until(record, from, b'"');
        }
        self.unquoted.push_str(record.get(from..quote).unwrap_or_default());
        // What stands between a closing quote and the delimiter is part of the field, as the `csv` crate has it.
        let behind = (quote + 1).min(record.len());
        let end = until(record, behind, delimiter);
        self.unquoted.push_str(record.get(behind..end).unwrap_or_default());
        (Place::Unquoted(begin..self.unquoted.len()), end)
    }
}

/// The position of the first such byte from `at` on, else the record's end. An ASCII byte never stands inside a
/// character of several bytes, so it is a character border too.
fn until(record: &str, at: usize, byte: u8) -> usize {
    let rest = record.as_bytes().get(at..).unwrap_or_default();
    rest.iter().position(|other| *other == byte).map_or(record.len(), |found| at + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(record: &str) -> Vec<String> {
        let mut fields = Fields::default();
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
