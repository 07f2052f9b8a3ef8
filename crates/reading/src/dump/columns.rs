//! Which column of a CSV file, or key of a JSON object, contains which field of a post.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::known_names::known_names;
use super::options_error::OptionsError;

/// A field of a post, as a column (CSV) or a key (JSON).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Id,
    CreatedAt,
    Text,
    Author,
    Label,
    Topic,
    Lang,
    Reason,
    Incident,
}

impl Field {
    pub const ALL: [Self; 9] = [
        Self::Id,
        Self::CreatedAt,
        Self::Text,
        Self::Author,
        Self::Label,
        Self::Topic,
        Self::Lang,
        Self::Reason,
        Self::Incident,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::CreatedAt => "created_at",
            Self::Text => "text",
            Self::Author => "author",
            Self::Label => "label",
            Self::Topic => "topic",
            Self::Lang => "lang",
            Self::Reason => "reason",
            Self::Incident => "incident",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The column of each field. Unset fields are found by their known names, in any case. In CSV, a number that is not a name is
/// the column with this number, from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Unlike other mapped columns, a missing topic column is an error only if
    /// [`RequiredFields::topic`](super::RequiredFields::topic) is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Why a post is negative, as crowd workers said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether a post was written during an incident, as `vigie simulate` marks it; a backtest is evaluated against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
}

impl Columns {
    /// Parses the flag `--columns`: `text=body,created_at=when`.
    pub fn parse(flag: &str) -> Result<Self, OptionsError> {
        let mut columns = Self::default();
        for part in flag.split(',') {
            let (field, name) = part.split_once('=').ok_or_else(|| OptionsError::Pair(part.to_owned()))?;
            let (field, name) = (field.trim(), name.trim());
            let known = Field::ALL.into_iter().find(|known| known.as_str() == field);
            let slot = columns.slot(known.ok_or_else(|| OptionsError::Field(field.to_owned()))?);
            if name.is_empty() {
                return Err(OptionsError::Pair(part.to_owned()));
            }
            if slot.replace(name.to_owned()).is_some() {
                return Err(OptionsError::Duplicate(field.to_owned()));
            }
        }
        Ok(columns)
    }

    /// `self`, overridden by what `other` sets.
    pub fn overridden_by(mut self, other: &Self) -> Self {
        for field in Field::ALL {
            if let Some(name) = other.mapped(field) {
                *self.slot(field) = Some(name.to_owned());
            }
        }
        self
    }

    /// The name set for a field.
    pub fn mapped(&self, field: Field) -> Option<&str> {
        match field {
            Field::Id => self.id.as_deref(),
            Field::CreatedAt => self.created_at.as_deref(),
            Field::Text => self.text.as_deref(),
            Field::Author => self.author.as_deref(),
            Field::Label => self.label.as_deref(),
            Field::Topic => self.topic.as_deref(),
            Field::Lang => self.lang.as_deref(),
            Field::Reason => self.reason.as_deref(),
            Field::Incident => self.incident.as_deref(),
        }
    }

    /// The accepted names of a field, in order of precedence.
    pub fn names(&self, field: Field) -> impl Iterator<Item = &str> {
        let mapped = self.mapped(field);
        let known: &'static [&'static str] = if mapped.is_some() { &[] } else { known_names(field) };
        mapped.into_iter().chain(known.iter().copied())
    }

    fn slot(&mut self, field: Field) -> &mut Option<String> {
        match field {
            Field::Id => &mut self.id,
            Field::CreatedAt => &mut self.created_at,
            Field::Text => &mut self.text,
            Field::Author => &mut self.author,
            Field::Label => &mut self.label,
            Field::Topic => &mut self.topic,
            Field::Lang => &mut self.lang,
            Field::Reason => &mut self.reason,
            Field::Incident => &mut self.incident,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_flag_maps_fields() {
        let columns = Columns::parse("text=body, created_at = when").unwrap();
        assert_eq!((columns.text.as_deref(), columns.created_at.as_deref()), (Some("body"), Some("when")));
        assert_eq!(columns.names(Field::Text).collect::<Vec<_>>(), ["body"]);
        assert_eq!(columns.names(Field::Lang).take(2).collect::<Vec<_>>(), ["lang", "language"]);
    }

    #[test]
    fn a_faulty_columns_flag_is_named() {
        assert_eq!(Columns::parse("txt=body"), Err(OptionsError::Field("txt".into())));
        assert!(Columns::parse("txt=body").unwrap_err().to_string().contains("created_at, text, author"));
        for pair in ["text", "", "text=", "text=a,"] {
            assert!(matches!(Columns::parse(pair), Err(OptionsError::Pair(_))), "{pair:?}");
        }
        assert_eq!(Columns::parse("id=a,id=b"), Err(OptionsError::Duplicate("id".into())));
    }

    #[test]
    fn flags_override_config() {
        let config = Columns { topic: Some("airline".into()), text: Some("body".into()), ..Columns::default() };
        let merged = config.overridden_by(&Columns::parse("text=tweet").unwrap());
        assert_eq!((merged.text.as_deref(), merged.topic.as_deref()), (Some("tweet"), Some("airline")));
    }
}
