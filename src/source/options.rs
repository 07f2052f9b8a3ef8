//! How an input is to be read: [`ReadOptions`] from config or flags, [`Needs`] from the command that reads.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What the reading command cannot do without. A needed column that is absent ends the reading; a needed value that is
/// absent or unreadable rejects its row. What is not needed is `None` then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    pub created_at: bool,
    pub label: bool,
    pub topic: bool,
}

/// How posts are laid out in an input. The default finds all of it out by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadOptions {
    pub layout: Layout,
    pub columns: Columns,
    /// Between fields; found from the header among `,` `;` and tab where unset. ASCII, neither a quote nor a line end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    pub encoding: Encoding,
    /// A strptime format such as `%d/%m/%Y %H:%M`, for times that are in none of the known forms. Without `%z` in it
    /// times are UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_format: Option<String>,
}

impl ReadOptions {
    /// Names the first fault, if any.
    pub fn check(&self) -> Result<(), OptionsError> {
        match self.delimiter {
            Some(found) if !found.is_ascii() || matches!(found, '"' | '\r' | '\n') => {
                Err(OptionsError::Delimiter(found))
            }
            _ => super::time::check_format(self.time_format.as_deref()),
        }
    }

    /// The delimiter as a byte, where one is set.
    pub(super) fn delimiter_byte(&self) -> Option<u8> {
        self.delimiter.and_then(|delimiter| u8::try_from(delimiter).ok())
    }
}

/// The layouts that are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Told apart by the first record.
    #[default]
    Auto,
    /// CSV with a header.
    Csv,
    /// No header; `polarity,id,date,query,user,text`.
    Sentiment140,
    /// JSON lines: posts or pages of X API v2, or plain objects such as vigie writes.
    XJsonl,
}

impl FromStr for Layout {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        match word {
            "auto" => Ok(Self::Auto),
            "csv" => Ok(Self::Csv),
            "sentiment140" => Ok(Self::Sentiment140),
            "x_jsonl" => Ok(Self::XJsonl),
            _ => Err(OptionsError::Layout(word.to_owned())),
        }
    }
}

/// The encodings that are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8; in the Sentiment140 layout a row that is not is read as Latin-1.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "utf-8")]
    Utf8,
    /// Latin-1 in its windows-1252 superset.
    #[serde(rename = "latin-1")]
    Latin1,
}

impl FromStr for Encoding {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        match word {
            "auto" => Ok(Self::Auto),
            "utf-8" => Ok(Self::Utf8),
            "latin-1" => Ok(Self::Latin1),
            _ => Err(OptionsError::Encoding(word.to_owned())),
        }
    }
}

/// A part of a post that a column (of CSV) or a key (of JSON) holds.
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
}

impl Field {
    pub(super) const ALL: [Self; 8] =
        [Self::Id, Self::CreatedAt, Self::Text, Self::Author, Self::Label, Self::Topic, Self::Lang, Self::Reason];

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
        }
    }

    /// Names tried in this order where none is mapped. A topic has none: which column watches a brand is the user's.
    fn known_names(self) -> &'static [&'static str] {
        match self {
            Self::Id => &["id", "tweet_id", "post_id"],
            Self::CreatedAt => &["created_at", "tweet_created", "timestamp", "date", "time"],
            Self::Text => &["text", "tweet", "content", "body", "message", "full_text"],
            Self::Author => &["author", "username", "user", "name", "author_id"],
            Self::Label => &["label", "airline_sentiment", "sentiment", "polarity"],
            Self::Topic => &[],
            Self::Lang => &["lang", "language"],
            Self::Reason => &["negative_reason", "negativereason"],
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which column holds which field. Unset ones are looked for under their known names, in any case.
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
    /// Unlike the others, a topic column that an input lacks is no fault unless [`Needs::topic`] says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Why a post is negative, as crowd workers said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Columns {
    /// Reads the flag `--columns`: `text=body,created_at=when`.
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
                return Err(OptionsError::Twice(field.to_owned()));
            }
        }
        Ok(columns)
    }

    /// `self`, with what `other` sets in its place.
    pub fn overridden_by(mut self, other: &Self) -> Self {
        for field in Field::ALL {
            if let Some(name) = other.mapped(field) {
                *self.slot(field) = Some(name.to_owned());
            }
        }
        self
    }

    /// The name set for a field.
    pub(super) fn mapped(&self, field: Field) -> Option<&str> {
        match field {
            Field::Id => self.id.as_deref(),
            Field::CreatedAt => self.created_at.as_deref(),
            Field::Text => self.text.as_deref(),
            Field::Author => self.author.as_deref(),
            Field::Label => self.label.as_deref(),
            Field::Topic => self.topic.as_deref(),
            Field::Lang => self.lang.as_deref(),
            Field::Reason => self.reason.as_deref(),
        }
    }

    /// The names under which a field is looked for, first come first served.
    pub(super) fn names(&self, field: Field) -> impl Iterator<Item = &str> {
        let mapped = self.mapped(field);
        let known: &'static [&'static str] = if mapped.is_some() { &[] } else { field.known_names() };
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
        }
    }
}

/// A fault in [`ReadOptions`] or in a flag that makes one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    #[error("delimiter {0:?}: wanted one ASCII character that is neither a quote nor a line end, such as \";\"")]
    Delimiter(char),
    #[error("time_format {0:?}: {1}; wanted a strptime format such as \"%d/%m/%Y %H:%M\"")]
    TimeFormat(String, String),
    #[error("layout {0:?}: wanted one of auto, csv, sentiment140, x_jsonl")]
    Layout(String),
    #[error("encoding {0:?}: wanted one of auto, utf-8, latin-1")]
    Encoding(String),
    #[error("columns: {0:?} is no FIELD=COLUMN pair; wanted such as \"text=body,created_at=when\"")]
    Pair(String),
    #[error("columns: unknown field {0:?}; wanted one of id, created_at, text, author, label, topic, lang, reason")]
    Field(String),
    #[error("columns: {0:?} is mapped twice")]
    Twice(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_flag_maps_fields() {
        let columns = Columns::parse("text=body, created_at = when").unwrap();
        assert_eq!((columns.text.as_deref(), columns.created_at.as_deref()), (Some("body"), Some("when")));
        assert_eq!(columns.names(Field::Text).collect::<Vec<_>>(), ["body"]);
        assert_eq!(columns.names(Field::Lang).collect::<Vec<_>>(), ["lang", "language"]);
    }

    #[test]
    fn a_faulty_columns_flag_is_named() {
        assert_eq!(Columns::parse("txt=body"), Err(OptionsError::Field("txt".into())));
        assert!(Columns::parse("txt=body").unwrap_err().to_string().contains("created_at, text, author"));
        for pair in ["text", "", "text=", "text=a,"] {
            assert!(matches!(Columns::parse(pair), Err(OptionsError::Pair(_))), "{pair:?}");
        }
        assert_eq!(Columns::parse("id=a,id=b"), Err(OptionsError::Twice("id".into())));
    }

    #[test]
    fn flags_override_config() {
        let config = Columns { topic: Some("airline".into()), text: Some("body".into()), ..Columns::default() };
        let merged = config.overridden_by(&Columns::parse("text=tweet").unwrap());
        assert_eq!((merged.text.as_deref(), merged.topic.as_deref()), (Some("tweet"), Some("airline")));
    }

    #[test]
    fn config_is_read_and_unknown_keys_are_errors() {
        let read: ReadOptions =
            toml::from_str("layout = 'x_jsonl'\nencoding = 'latin-1'\ncolumns.topic = 'airline'\ndelimiter = ';'")
                .unwrap();
        assert_eq!((read.layout, read.encoding, read.delimiter), (Layout::XJsonl, Encoding::Latin1, Some(';')));
        assert_eq!(read.columns.topic.as_deref(), Some("airline"));
        assert_eq!(toml::from_str::<ReadOptions>("").unwrap(), ReadOptions::default());
        assert!(toml::from_str::<ReadOptions>("colums = {}").is_err());
        assert!(toml::from_str::<ReadOptions>("columns.txt = 'a'").is_err());
        let written = toml::to_string(&read).unwrap();
        assert_eq!(toml::from_str::<ReadOptions>(&written).unwrap(), read);
    }

    #[test]
    fn options_are_checked() {
        let with = |delimiter, format: Option<&str>| ReadOptions {
            delimiter,
            time_format: format.map(str::to_owned),
            ..ReadOptions::default()
        };
        assert_eq!(with(Some(';'), Some("%d/%m/%Y %H:%M")).check(), Ok(()));
        assert_eq!(with(Some('"'), None).check(), Err(OptionsError::Delimiter('"')));
        assert_eq!(with(Some('→'), None).check(), Err(OptionsError::Delimiter('→')));
        assert!(matches!(with(None, Some("%d/%m/%Q")).check(), Err(OptionsError::TimeFormat(..))));
        assert!(matches!("csvv".parse::<Layout>(), Err(OptionsError::Layout(_))));
        assert_eq!("latin-1".parse(), Ok(Encoding::Latin1));
    }
}
