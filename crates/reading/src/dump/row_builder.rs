//! From the cells of one record, CSV or JSON, to a [`Row`]: the checks that all layouts share.

use std::borrow::Cow;

use super::columns::Field;
use super::options::{Encoding, Needs};
use super::reject::{Fault, RejectReason};
use super::row;
use super::row::Row;
use super::timestamp;

/// What a record must hold, and how its times are written.
#[derive(Debug, Clone)]
pub struct Rules {
    pub needs: Needs,
    pub time_format: Option<String>,
}

/// What a record holds, field by field, as it stands there.
#[derive(Debug, Default)]
pub struct Cells<'a> {
    pub id: Option<Cow<'a, str>>,
    pub created_at: Option<Cow<'a, str>>,
    pub author: Option<Cow<'a, str>>,
    pub text: Option<Cow<'a, str>>,
    pub lang: Option<Cow<'a, str>>,
    pub topic: Option<Cow<'a, str>>,
    pub label: Option<Cow<'a, str>>,
    /// Labels may be the numerals of Sentiment140.
    pub numerals: bool,
    pub reason: Option<Cow<'a, str>>,
    pub incident: Option<Cow<'a, str>>,
}

impl Cells<'_> {
    pub fn into_row(self, line: u64, rules: &Rules) -> Result<Row, Fault> {
        let text = self.text.ok_or_else(|| missing(Field::Text))?;
        if text.trim().is_empty() {
            return Err(Fault::new(RejectReason::EmptyText, "text is empty"));
        }
        let created_at = match trimmed(&self.created_at) {
            None if rules.needs.created_at => return Err(missing(Field::CreatedAt)),
            None => None,
            Some(cell) => match timestamp::read(cell, rules.time_format.as_deref()) {
                Ok(instant) => Some(instant),
                Err(why) if rules.needs.created_at => return Err(time_fault(cell, why)),
                Err(_) => None,
            },
        };
        let label = match trimmed(&self.label) {
            None if rules.needs.label => return Err(missing(Field::Label)),
            None => None,
            Some(cell) => match row::label(cell, self.numerals) {
                None if rules.needs.label => return Err(label_fault(cell, self.numerals)),
                label => label.map(str::to_owned),
            },
        };
        let topic = owned(&self.topic);
        if topic.is_none() && rules.needs.topic {
            return Err(missing(Field::Topic));
        }
        Ok(Row {
            line,
            id: owned(&self.id),
            created_at,
            author: self.author.as_deref().and_then(row::handle).map(str::to_owned),
            text: text.into_owned(),
            lang: owned(&self.lang),
            topic,
            label,
            reason: owned(&self.reason),
            incident: trimmed(&self.incident).and_then(row::mark),
        })
    }
}

/// A record as text. Where it is not valid UTF-8, Latin-1 is tried if asked for or if the layout is known to come so.
pub fn decode(bytes: &[u8], encoding: Encoding, latin_layout: bool) -> Result<Cow<'_, str>, Fault> {
    let latin = |bytes| encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0;
    if encoding == Encoding::Latin1 {
        return Ok(latin(bytes));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(_) if latin_layout && encoding == Encoding::Auto => Ok(latin(bytes)),
        Err(error) => {
            let at = error.valid_up_to() + 1;
            let detail = format!("byte {at} of the row is not UTF-8 (is the file Latin-1? then set encoding latin-1)");
            Err(Fault::new(RejectReason::Encoding, detail))
        }
    }
}

fn trimmed<'a>(cell: &'a Option<Cow<'_, str>>) -> Option<&'a str> {
    cell.as_deref().map(str::trim).filter(|cell| !cell.is_empty())
}

fn owned(cell: &Option<Cow<'_, str>>) -> Option<String> {
    trimmed(cell).map(str::to_owned)
}

fn missing(field: Field) -> Fault {
    Fault::new(RejectReason::MissingField, format!("{field} is missing"))
}

/// The cell is shown where it can be no handle and hardly a text, should the columns be out of step.
fn time_fault(cell: &str, why: &str) -> Fault {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let time_like = cell.len() <= 40 && digits >= 4 && cell.contains([':', '-', '/', '.']);
    let detail = if time_like { format!("created_at {cell:?} {why}") } else { format!("created_at {why}") };
    Fault::new(RejectReason::Time, detail)
}

fn label_fault(cell: &str, numerals: bool) -> Fault {
    let shown = if cell.len() <= 12 && cell.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        format!("{cell:?}")
    } else {
        format!("of {} characters", cell.chars().count())
    };
    let wanted = if numerals { "0, 2, 4, negative, neutral, positive" } else { "negative, neutral, positive" };
    Fault::new(RejectReason::Label, format!("label {shown} is none of {wanted}"))
}
