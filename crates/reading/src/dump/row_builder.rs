//! [`RowBuilder`]: checks the fields of one record, CSV or JSON, and builds a [`Row`]. All layouts share it.

use std::borrow::Cow;

use super::columns::Field;
use super::notes::ReadNotes;
use super::options::RequiredFields;
use super::reject::{RejectReason, RowError};
use super::row;
use super::row::Row;
use super::text_repair::repair_text;
use super::timestamp;

/// What a record must contain and how its times are written.
#[derive(Debug, Clone)]
pub struct RowRules {
    pub required: RequiredFields,
    pub time_format: Option<String>,
}

/// The fields of a record, unmodified.
#[derive(Debug, Default)]
pub struct RowBuilder<'a> {
    pub id: Option<Cow<'a, str>>,
    pub created_at: Option<Cow<'a, str>>,
    pub author: Option<Cow<'a, str>>,
    pub text: Option<Cow<'a, str>>,
    pub lang: Option<Cow<'a, str>>,
    pub topic: Option<Cow<'a, str>>,
    pub label: Option<Cow<'a, str>>,
    /// The label may be one of Sentiment140's numerals.
    pub numeric_labels: bool,
    pub reason: Option<Cow<'a, str>>,
    pub incident: Option<Cow<'a, str>>,
}

impl RowBuilder<'_> {
    /// Checks the fields, repairs the text and builds the row. Repairs are counted in `notes`.
    ///
    /// # Errors
    /// When a required field is missing or unreadable, or the text is empty.
    pub fn build(self, line: u64, rules: &RowRules, notes: &mut ReadNotes) -> Result<Row, RowError> {
        let text = self.text.ok_or_else(|| missing(Field::Text))?;
        let text = repair_text(text, |kind| notes.count(kind, line));
        if text.trim().is_empty() {
            return Err(RowError::new(RejectReason::EmptyText, "text is empty"));
        }
        let created_at = match trimmed(&self.created_at) {
            None if rules.required.created_at => return Err(missing(Field::CreatedAt)),
            None => None,
            Some(cell) => match timestamp::parse_timestamp(cell, rules.time_format.as_deref()) {
                Ok(instant) => Some(instant),
                Err(reason) if rules.required.created_at => return Err(time_error(cell, reason)),
                Err(_) => None,
            },
        };
        let label = match trimmed(&self.label) {
            None if rules.required.label => return Err(missing(Field::Label)),
            None => None,
            Some(cell) => match row::parse_label(cell, self.numeric_labels) {
                None if rules.required.label => return Err(label_error(cell, self.numeric_labels)),
                label => label.map(str::to_owned),
            },
        };
        let topic = owned(&self.topic);
        if topic.is_none() && rules.required.topic {
            return Err(missing(Field::Topic));
        }
        Ok(Row {
            line,
            id: owned(&self.id),
            created_at,
            author: self.author.as_deref().and_then(row::strip_at_sign).map(str::to_owned),
            text: text.into_owned(),
            lang: owned(&self.lang),
            topic,
            label,
            reason: owned(&self.reason),
            incident: trimmed(&self.incident).and_then(row::parse_flag),
        })
    }
}

fn trimmed<'a>(cell: &'a Option<Cow<'_, str>>) -> Option<&'a str> {
    cell.as_deref().map(str::trim).filter(|cell| !cell.is_empty())
}

fn owned(cell: &Option<Cow<'_, str>>) -> Option<String> {
    trimmed(cell).map(str::to_owned)
}

fn missing(field: Field) -> RowError {
    RowError::new(RejectReason::MissingField, format!("{field} is missing"))
}

/// Shows the cell only if it looks like a time: if columns are shifted, it could be an author or a text.
fn time_error(cell: &str, reason: &str) -> RowError {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let time_like = cell.len() <= 40 && digits >= 4 && cell.contains([':', '-', '/', '.']);
    let detail = if time_like { format!("created_at {cell:?} {reason}") } else { format!("created_at {reason}") };
    RowError::new(RejectReason::Time, detail)
}

fn label_error(cell: &str, numerals: bool) -> RowError {
    let shown = if cell.len() <= 12 && cell.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        format!("{cell:?}")
    } else {
        format!("of {} characters", cell.chars().count())
    };
    let expected = if numerals { "0, 2, 4, negative, neutral, positive" } else { "negative, neutral, positive" };
    RowError::new(RejectReason::Label, format!("label {shown} is not one of {expected}"))
}
