//! How an input is to be read: [`ReadOptions`] from config or flags, [`Needs`] from the command that reads.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::options_error::OptionsError;

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
            _ => super::timestamp::check_format(self.time_format.as_deref()),
        }
    }

    /// The delimiter as a byte, where one is set.
    pub fn delimiter_byte(&self) -> Option<u8> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
