//! [`ColumnIndexes`]: which column of a CSV file holds which field, found in its header.

use std::ops::RangeInclusive;

use super::fields::CsvFields;
use super::header_names::{HeaderNames, describe_column};
use crate::dump::columns::{Columns, Field};
use crate::dump::error::MissingColumn;
use crate::dump::options::RequiredFields;
use crate::dump::time_parts::TimeParts;

/// The column index of each field.
#[derive(Debug)]
pub struct ColumnIndexes {
    indexes: [Option<usize>; Field::ALL.len()],
    /// Numbers of fields that a row may have: columns without a name at the end may be absent.
    widths: RangeInclusive<usize>,
    /// The names of the header; empty without one.
    names: Vec<String>,
    /// Of a date, a time of day and an offset: see [`TimeParts`].
    time_parts: [Option<usize>; 3],
}

impl ColumnIndexes {
    /// Finds the columns in a header. A required or mapped column that is missing is an error.
    pub fn find(header: &HeaderNames, columns: &Columns, required: RequiredFields) -> Result<Self, Vec<MissingColumn>> {
        let mut indexes = [None; Field::ALL.len()];
        let mut missing = Vec::new();
        let parts = TimeParts::of(columns);
        let part = |name: &str| header.named(name);
        let time_parts = [part(parts.date), part(parts.time), parts.zone.and_then(part)];
        for (slot, field) in indexes.iter_mut().zip(Field::ALL) {
            if field == Field::CreatedAt && parts.mapped {
                let absent = parts.names().filter(|name| part(name).is_none());
                let expected: Vec<String> = absent.map(str::to_owned).collect();
                if !expected.is_empty() {
                    missing.push(MissingColumn { field, expected, similar: None });
                }
                continue;
            }
            *slot = header.position(columns, field);
            if slot.is_none() && is_required(field, columns, required) {
                missing.push(header.missing(columns, field));
            }
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        let used = indexes.iter().chain(&time_parts).flatten().max().map_or(1, |last| last + 1);
        let width = header.width().max(used);
        Ok(Self {
            indexes,
            time_parts,
            widths: width..=header.written_width().max(width),
            names: header.names().to_vec(),
        })
    }

    /// The same columns, for a file that does not contain the header.
    #[must_use]
    pub fn without_names(self) -> Self {
        Self { names: Vec::new(), ..self }
    }

    pub fn index(&self, field: Field) -> Option<usize> {
        self.indexes.get(field as usize).copied().flatten()
    }

    /// The columns of a date, a time of day and an offset.
    pub(super) fn time_parts(&self) -> [Option<usize>; 3] {
        self.time_parts
    }

    /// Whether the file has a header.
    pub(super) fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// The column of each field, by its name or else its number; and the other columns.
    pub(super) fn describe(&self) -> (Vec<(Field, String)>, Vec<String>) {
        let name = |index: usize| match self.names.get(index) {
            Some(name) => describe_column(name),
            None => format!("column {}", index + 1),
        };
        let fields = Field::ALL.into_iter().filter_map(|field| Some((field, name(self.index(field)?))));
        let parts = self.time_parts.iter().flatten();
        let is_used = |index: &usize| self.indexes.contains(&Some(*index)) || parts.clone().any(|part| part == index);
        let unused = (0..self.width()).filter(|index| !is_used(index)).map(name).collect();
        (fields.collect(), unused)
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
