//! [`HeaderNames`]: the names in a header, and which of them is which field.

use super::dialect::Dialect;
use super::fields::CsvFields;
use super::similar::most_similar;
use crate::dump::columns::{Columns, Field};
use crate::dump::error::MissingColumn;
use crate::dump::known_names::{comparable_name, is_weak_text_name};

/// The names in a header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderNames {
    names: Vec<String>,
    comparable: Vec<String>,
}

impl HeaderNames {
    /// Splits a header.
    pub fn split(header: &str, dialect: Dialect) -> Self {
        let mut fields = CsvFields::default();
        fields.split(header, dialect);
        Self::of(fields.iter(header))
    }

    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<String> = names.into_iter().map(|name| name.trim().to_owned()).collect();
        let comparable = names.iter().map(|name| comparable_name(name)).collect();
        Self { names, comparable }
    }

    /// Number of columns, without unnamed ones at the end; never 0.
    pub fn width(&self) -> usize {
        self.names.iter().rposition(|name| !name.is_empty()).map_or(1, |last| last + 1)
    }

    /// The names as written.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of columns as written, unnamed ones included.
    pub fn written_width(&self) -> usize {
        self.names.len()
    }

    /// The columns, safe to show in an error.
    pub fn describe(&self) -> Vec<String> {
        self.names.iter().take(self.width()).map(|name| describe_column(name)).collect()
    }

    /// How many fields have a column.
    pub fn known_fields(&self, columns: &Columns) -> usize {
        Field::ALL.into_iter().filter(|field| self.position(columns, *field).is_some()).count()
    }

    /// The column of a field, by its mapped or its known names.
    pub fn position(&self, columns: &Columns, field: Field) -> Option<usize> {
        match columns.mapped(field) {
            Some(mapped) => self.named(mapped),
            None => columns.names(field).find_map(|name| {
                let name = comparable_name(name);
                self.comparable.iter().position(|found| *found == name)
            }),
        }
    }

    /// The column that a user names: as it is written, in any spelling, or by its number.
    pub(super) fn named(&self, mapped: &str) -> Option<usize> {
        let mapped = mapped.trim();
        let spelling = comparable_name(mapped);
        let exact = self.names.iter().position(|found| found.eq_ignore_ascii_case(mapped));
        let similar = || self.comparable.iter().position(|found| !spelling.is_empty() && *found == spelling);
        exact.or_else(similar).or_else(|| self.numbered(mapped))
    }

    fn numbered(&self, mapped: &str) -> Option<usize> {
        let index = mapped.parse::<usize>().ok()?.checked_sub(1)?;
        (index < self.names.len()).then_some(index)
    }

    /// Whether a text column is mapped by a number and not by a name.
    pub fn has_numbered_text(&self, columns: &Columns) -> bool {
        let Some(mapped) = columns.mapped(Field::Text) else { return false };
        mapped.trim().parse::<usize>().is_ok() && !self.names.iter().any(|name| name == mapped.trim())
    }

    /// Whether the text column has a name that also names other things.
    pub fn has_weak_text(&self, columns: &Columns) -> bool {
        let text = self.position(columns, Field::Text).and_then(|index| self.names.get(index));
        columns.mapped(Field::Text).is_none() && text.is_some_and(|name| is_weak_text_name(name))
    }

    /// What was decided between columns, in sentences.
    pub fn remarks(&self, columns: &Columns) -> Vec<String> {
        let same_name = Field::ALL.into_iter().filter_map(|field| self.remark_on_same_name(columns, field));
        let other_name = [Field::Text, Field::Label].into_iter().filter_map(|f| self.remark_on_other_names(columns, f));
        same_name.chain(other_name).collect()
    }

    fn remark_on_same_name(&self, columns: &Columns, field: Field) -> Option<String> {
        let found = self.position(columns, field)?;
        let name = self.comparable.get(found).filter(|name| !name.is_empty())?;
        let count = self.comparable.iter().filter(|other| *other == name).count();
        let (shown, number) = (describe_column(self.names.get(found)?), found + 1);
        (count > 1).then(|| {
            format!(
                "{count} columns are named {shown}; {field} is read from the first, column {number} \
                 (--columns {field}=NUMBER decides)"
            )
        })
    }

    fn remark_on_other_names(&self, columns: &Columns, field: Field) -> Option<String> {
        if columns.mapped(field).is_some() {
            return None;
        }
        let found = self.position(columns, field)?;
        let known: Vec<String> =
            columns.names(field).filter(|name| !is_weak_text_name(name)).map(comparable_name).collect();
        let is_other =
            |index: usize| Some(index) != Some(found) && self.comparable.get(index) != self.comparable.get(found);
        let others: Vec<String> = (0..self.names.len())
            .filter(|index| is_other(*index) && self.comparable.get(*index).is_some_and(|name| known.contains(name)))
            .filter_map(|index| self.names.get(index).map(|name| describe_column(name)))
            .collect();
        let shown = describe_column(self.names.get(found)?);
        (!others.is_empty()).then(|| {
            format!("{field} is read from {shown}, not from {} (--columns {field}=NAME decides)", others.join(", "))
        })
    }

    /// The error for a field without a column.
    pub(super) fn missing(&self, columns: &Columns, field: Field) -> MissingColumn {
        let expected: Vec<String> = columns.names(field).map(str::to_owned).collect();
        let candidates = self.names.iter().take(self.width()).map(String::as_str);
        let similar = most_similar(candidates, &expected).filter(|name| is_shown(name)).map(str::to_owned);
        MissingColumn { field, expected, similar }
    }
}

/// Hides a long name or one with `@`: in a file without a header it would be a post's text or author.
pub(in crate::dump) fn describe_column(name: &str) -> String {
    if is_shown(name) { format!("{name:?}") } else { format!("({} characters)", name.chars().count()) }
}

pub(in crate::dump) fn is_shown(name: &str) -> bool {
    name.chars().count() <= 32 && !name.contains('@')
}
