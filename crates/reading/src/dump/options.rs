//! How to read an input: [`ReadOptions`] come from the configuration or from flags, [`RequiredFields`] from the reading
//! command.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::options_error::OptionsError;

/// The fields that the reading command requires. A missing required column is an error; a missing or unreadable required
/// value rejects its row. A missing or unreadable optional value is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequiredFields {
    pub created_at: bool,
    pub label: bool,
    pub topic: bool,
}

/// The format of an input. The default detects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadOptions {
    pub layout: Layout,
    pub columns: Columns,
    /// Field separator; detected from the header among `,` `;` and tab if unset. ASCII, except quotes and line ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    pub encoding: Encoding,
    /// A strptime format such as `%d/%m/%Y %H:%M`, for times in none of the known formats. Without `%z`, times are UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_format: Option<String>,
}

impl ReadOptions {
    /// Returns the first problem, if any.
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

/// The supported layouts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Detected by the first record.
    #[default]
    Auto,
    /// CSV with a header.
    Csv,
    /// No header; `polarity,id,date,query,user,text`.
    Sentiment140,
    /// JSON lines: posts or pages of X API v2, or plain objects such as those that vigie writes.
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

/// The supported encodings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// Row by row: UTF-8, or windows-1252 where a row is not valid UTF-8.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "utf-8")]
    Utf8,
    /// Latin-1, decoded as its superset windows-1252.
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
