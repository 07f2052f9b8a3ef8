//! [`RowBuilder`]: checks the fields of one record, CSV or JSON, and builds a [`Row`]. All layouts share it.

use std::borrow::Cow;

use super::columns::Field;
use super::event_time::TimeCells;
use super::ids;
use super::ids::IdCell;
use super::labels::{LabelCell, LabelRules};
use super::notes::{NoteKind, ReadNotes};
use super::options::{ReadOptions, RequiredFields};
use super::options_error::OptionsError;
use super::reject::{RejectReason, RowError};
use super::row;
use super::row::{Row, UnreadCells};
use super::survey::{Survey, SurveyedCells};
use super::text_repair::repair_text;
use super::timestamp::TimeRules;

/// What a record must contain, and how its cells are read.
#[derive(Debug, Clone, Default)]
pub struct RowRules {
    pub required: RequiredFields,
    pub times: TimeRules,
    pub labels: LabelRules,
    /// All long identifiers were rounded by a spreadsheet.
    pub(super) long_ids_are_rounded: bool,
    /// Looks at each record; only for a first look at an input.
    pub(super) survey: Option<Box<Survey>>,
}

impl RowRules {
    /// Cells are read without options.
    pub fn without_options(required: RequiredFields) -> Self {
        Self { required, ..Self::default() }
    }

    /// # Errors
    /// When an option is invalid.
    pub fn new(required: RequiredFields, options: &ReadOptions) -> Result<Self, OptionsError> {
        let times = TimeRules::new(options.time_format.as_deref(), options.time_zone.as_deref())?;
        Ok(Self { required, times, labels: LabelRules::new(&options.labels_map), ..Self::default() })
    }
}

/// The fields of a record, unmodified.
#[derive(Debug, Default)]
pub struct RowBuilder<'a> {
    pub id: Option<Cow<'a, str>>,
    pub created_at: Option<Cow<'a, str>>,
    /// Date, time of day and offset in columns of their own: see `TimeParts`.
    pub date: Option<Cow<'a, str>>,
    pub time: Option<Cow<'a, str>>,
    pub zone: Option<Cow<'a, str>>,
    pub author: Option<Cow<'a, str>>,
    pub text: Option<Cow<'a, str>>,
    pub lang: Option<Cow<'a, str>>,
    pub topic: Option<Cow<'a, str>>,
    pub label: Option<Cow<'a, str>>,
    pub reason: Option<Cow<'a, str>>,
    pub incident: Option<Cow<'a, str>>,
}

impl RowBuilder<'_> {
    /// Checks the fields, repairs the text and builds the row. Repairs and assumptions are counted in `notes`.
    ///
    /// # Errors
    /// When a required field is missing or unreadable, or the text is empty.
    pub fn build(mut self, line: u64, rules: &mut RowRules, notes: &mut ReadNotes) -> Result<Row, RowError> {
        if let Some(survey) = &mut rules.survey {
            survey.look_at(self.surveyed(), &rules.times);
        }
        let text = self.text.take().ok_or_else(|| missing(Field::Text))?;
        let text = repair_text(text, |kind| notes.count(kind, line));
        if text.trim().is_empty() {
            return Err(RowError::new(RejectReason::EmptyText, "text is empty"));
        }
        let mut unread = None;
        let created_at = self.event_time(line, rules, notes, &mut unread)?;
        let label = self.label(line, rules, notes)?;
        let topic = owned(&self.topic);
        if topic.is_none() && rules.required.topic {
            return Err(missing(Field::Topic));
        }
        let id = trimmed(&self.id).and_then(|cell| match ids::read(cell, rules.long_ids_are_rounded) {
            IdCell::Exact(id) => Some(id.into_owned()),
            IdCell::Rounded => {
                notes.count(NoteKind::RoundedId, line);
                unread.get_or_insert_with(Box::<UnreadCells>::default).id = Some(cell.to_owned());
                None
            }
        });
        Ok(Row {
            line,
            id,
            created_at,
            author: self.author.as_deref().and_then(row::strip_at_sign).map(str::to_owned),
            lang: owned(&self.lang),
            topic,
            label: label.map(str::to_owned),
            reason: owned(&self.reason),
            incident: trimmed(&self.incident).and_then(row::parse_flag),
            unread,
            text: text.into_owned(),
        })
    }

    fn surveyed(&self) -> SurveyedCells<'_> {
        SurveyedCells {
            id: trimmed(&self.id),
            times: self.time_cells(),
            label: trimmed(&self.label),
            author: trimmed(&self.author),
            text: self.text.as_deref().unwrap_or_default(),
        }
    }

    fn time_cells(&self) -> TimeCells<'_> {
        TimeCells {
            created_at: trimmed(&self.created_at),
            date: trimmed(&self.date),
            time: trimmed(&self.time),
            zone: trimmed(&self.zone),
        }
    }

    /// An unreadable time that is not required is kept as it is.
    fn event_time(
        &self,
        line: u64,
        rules: &RowRules,
        notes: &mut ReadNotes,
        unread: &mut Option<Box<UnreadCells>>,
    ) -> Result<Option<jiff::Timestamp>, RowError> {
        let read = match self.time_cells().read(&rules.times) {
            None if rules.required.created_at => return Err(missing(Field::CreatedAt)),
            None => return Ok(None),
            Some(Ok(read)) => read,
            Some(Err((cell, problem))) if rules.required.created_at => return Err(time_error(cell, problem)),
            Some(Err((cell, _))) => {
                unread.get_or_insert_with(Box::default).created_at = Some(cell.to_owned());
                return Ok(None);
            }
        };
        if read.date_only {
            notes.count(NoteKind::DateOnly, line);
        }
        if read.zone_of_column {
            notes.count(NoteKind::ZoneOfColumn, line);
        }
        Ok(Some(read.instant))
    }

    fn label(&self, line: u64, rules: &RowRules, notes: &mut ReadNotes) -> Result<Option<&'static str>, RowError> {
        let required = rules.required.label;
        let Some(cell) = trimmed(&self.label) else {
            return if required { Err(missing(Field::Label)) } else { Ok(None) };
        };
        match rules.labels.read(cell) {
            LabelCell::Label(label) => Ok(Some(label)),
            LabelCell::Mixed => {
                notes.count(NoteKind::MixedLabel, line);
                Ok(Some("neutral"))
            }
            LabelCell::Unlabelled => {
                notes.count(NoteKind::Unlabelled, line);
                let detail = || format!("label {} is not a sentiment: the row is unlabelled", shown(cell));
                if required { Err(RowError::new(RejectReason::Label, detail())) } else { Ok(None) }
            }
            LabelCell::Unknown if required => {
                let detail = format!("label {} is not {}", shown(cell), rules.labels.expected());
                Err(RowError::new(RejectReason::Label, detail))
            }
            LabelCell::Unknown => Ok(None),
        }
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

/// A short word or number; of anything else its length, as it may be a text.
fn shown(cell: &str) -> String {
    let short = cell.chars().count() <= 12 && cell.chars().all(|c| c.is_alphanumeric() || "-+._".contains(c));
    if short { format!("{cell:?}") } else { format!("of {} characters", cell.chars().count()) }
}
