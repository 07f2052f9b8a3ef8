//! [`ColumnIndexes`]: which column of a CSV file holds which field, found in its header.

use std::ops::RangeInclusive;

use super::fields::CsvFields;
use super::header_names::HeaderNames;
use crate::dump::columns::{Columns, Field};
use crate::dump::error::MissingColumn;
use crate::dump::options::RequiredFields;
use crate::dump::row::has_numeric_labels;

/// The column index of each field.
#[derive(Debug)]
pub struct ColumnIndexes {
    indexes: [Option<usize>; Field::ALL.len()],
    /// Numbers of fields that a row may have: columns without a name at the end may be absent.
    widths: RangeInclusive<usize>,
    /// The names of the header; empty without one.
    names: Vec<String>,
    /// The label column contains Sentiment140's numerals.
    numeric_labels: bool,
}

impl ColumnIndexes {
    /// Finds the columns in a header. A required or mapped column that is missing is an error.
    pub fn find(header: &HeaderNames, columns: &Columns, required: RequiredFields) -> Result<Self, Vec<MissingColumn>> {
        let mut indexes = [None; Field::ALL.len()];
        let mut missing = Vec::new();
        for (slot, field) in indexes.iter_mut().zip(Field::ALL) {
            *slot = header.position(columns, field);
            if slot.is_none() && is_required(field, columns, required) {
                missing.push(header.missing(columns, field));
            }
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        let used = indexes.iter().flatten().max().map_or(1, |last| last + 1);
        let width = header.width().max(used);
        let mut found = Self {
            indexes,
            widths: width..=header.written_width().max(width),
            names: header.names().to_vec(),
            numeric_labels: false,
        };
        let label = found.index(Field::Label).and_then(|index| header.names().get(index));
        found.numeric_labels = label.is_some_and(|name| has_numeric_labels(name));
        Ok(found)
    }

    /// The same columns, for a file that does not contain the header.
    #[must_use]
    pub fn without_names(self) -> Self {
        Self { names: Vec::new(), ..self }
    }

    pub fn index(&self, field: Field) -> Option<usize> {
        self.indexes.get(field as usize).copied().flatten()
    }

    pub fn numeric_labels(&self) -> bool {
        self.numeric_labels
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        *self.widths.start()
    }

    /// Whether a record has the number of fields of a row. More fields are allowed where they are empty.
    pub(super) fn fits(&self, fields: &CsvFields, record: &str) -> bool {
        let (found, most) = (fields.len(), *self.widths.end());
        self.widths.contains(&found)
            || (found > most && fields.iter(record).skip(most).all(|surplus| surplus.trim().is_empty()))
    }

    /// Whether a record is the header again, as in files that were joined.
    pub(super) fn is_header(&self, fields: &CsvFields, record: &str) -> bool {
        // The text decides for almost every row.
        let Some(text) = self.index(Field::Text) else { return false };
        // Behind the byte order mark of a joined file, quotes are not read as quotes.
        let same = |name: &str, cell: &str| {
            let cell = cell.trim();
            cell == name || cell.strip_prefix('\u{feff}').is_some_and(|cell| cell.trim_matches('"') == name)
        };
        match (self.names.get(text), fields.get(text, record)) {
            (Some(name), Some(cell)) if same(name, cell) => {
                fields.len() >= self.width()
                    && self.names.iter().zip(fields.iter(record)).all(|(name, cell)| same(name, cell))
            }
            _ => false,
        }
    }
}

fn is_required(field: Field, columns: &Columns, required: RequiredFields) -> bool {
    match field {
        Field::Text => true,
        Field::CreatedAt if required.created_at => true,
        Field::Label if required.label => true,
        Field::Topic => required.topic,
        _ => columns.mapped(field).is_some(),
    }
}
