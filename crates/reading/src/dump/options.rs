//! How to read an input: [`ReadOptions`] come from the configuration or from flags, [`RequiredFields`] from the reading
//! command.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::csv_options::{Header, Quote};
use super::labels::LabelsMap;
use super::max_rejects::MaxRejects;
use super::options_error::OptionsError;
use super::timestamp::TimeRules;

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
    /// Field separator; detected from the header and the first rows among `,` `;` tab and `|` if unset. ASCII, except quotes
    /// and line ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// What encloses a field that contains delimiters; `"` if unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// What stands before a quote inside a field, if quotes are not doubled; a backslash is detected if unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape: Option<char>,
    #[serde(skip_serializing_if = "Header::is_default")]
    pub header: Header,
    /// Lines to skip at the start of the file.
    #[serde(skip_serializing_if = "is_zero")]
    pub skip_lines: u32,
    pub encoding: Encoding,
    /// A strptime format such as `%d/%m/%Y %H:%M`, for times in none of the known formats. Without `%z`, times are in
    /// `time_zone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_format: Option<String>,
    /// Zone of times without one: an IANA name such as `Europe/Paris`, or an offset. UTC if unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The meaning of each value of the label column. Empty: words say it themselves, and numbers by the scale they make.
    #[serde(skip_serializing_if = "LabelsMap::is_empty")]
    pub labels_map: LabelsMap,
    /// Rows that a batch command may reject.
    pub max_rejects: MaxRejects,
    /// Use posts dated far outside the rest of the dump as they are.
    pub keep_outliers: bool,
}

impl ReadOptions {
    /// Returns the first problem, if any.
    pub fn check(&self) -> Result<(), OptionsError> {
        let quote = self.quote.unwrap_or_default();
        if let Some(found) = self.delimiter
            && (!found.is_ascii() || matches!(found, '"' | '\r' | '\n'))
        {
            return Err(OptionsError::Delimiter(found));
        }
        if let Some(found) = self.escape
            && (!found.is_ascii_punctuation() || Some(found) == self.delimiter || quote == Quote::Char(found))
        {
            return Err(OptionsError::Escape(found));
        }
        if let Quote::Char(found) = quote
            && Some(found) == self.delimiter
        {
            return Err(OptionsError::Quote(found.to_string()));
        }
        self.labels_map.check()?;
        TimeRules::new(self.time_format.as_deref(), self.time_zone.as_deref()).map(drop)
    }

    /// The escape as a byte, where one is set.
    pub fn escape_byte(&self) -> Option<u8> {
        self.escape.and_then(|escape| u8::try_from(escape).ok())
    }

    /// The delimiter as a byte, where one is set.
    pub fn delimiter_byte(&self) -> Option<u8> {
        self.delimiter.and_then(|delimiter| u8::try_from(delimiter).ok())
    }
}

fn is_zero(lines: &u32) -> bool {
    *lines == 0
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
    /// JSON in any form; the tool that wrote it is detected by its keys.
    Json,
    /// X API v2: posts or pages. Also plain objects such as those that vigie writes.
    #[serde(alias = "x_jsonl")]
    XV2,
    /// X API v1.1.
    XV1,
    /// twarc2: pages with `includes`.
    Twarc2,
    /// `tweets.js` of the archive that X gives its users.
    XArchive,
    /// snscrape, old and new.
    Snscrape,
    Twint,
    /// Comments and submissions of Reddit's API and of Pushshift.
    #[serde(alias = "pushshift")]
    Reddit,
    /// Statuses of Mastodon's API, and its archive.
    Mastodon,
    /// Bluesky: posts, searches, feeds, lines of Jetstream.
    Bluesky,
    /// `result.json` of Telegram's desktop program.
    Telegram,
    /// Facebook's export and Graph API.
    Facebook,
    /// Comments of YouTube's API.
    Youtube,
    /// mongoexport, with extended JSON.
    Mongoexport,
    /// Zeeschuimer and 4CAT.
    #[serde(alias = "4cat")]
    Zeeschuimer,
    /// Hits of Elasticsearch, elasticdump.
    Elasticsearch,
}

impl Layout {
    /// Each layout with its names, the usual one first.
    const NAMES: [(Self, &'static [&'static str]); 19] = [
        (Self::Auto, &["auto"]),
        (Self::Csv, &["csv"]),
        (Self::Sentiment140, &["sentiment140"]),
        (Self::Json, &["json"]),
        (Self::XV2, &["x_v2", "x_jsonl"]),
        (Self::XV1, &["x_v1"]),
        (Self::Twarc2, &["twarc2"]),
        (Self::XArchive, &["x_archive"]),
        (Self::Snscrape, &["snscrape"]),
        (Self::Twint, &["twint"]),
        (Self::Reddit, &["reddit", "pushshift"]),
        (Self::Mastodon, &["mastodon"]),
        (Self::Bluesky, &["bluesky"]),
        (Self::Telegram, &["telegram"]),
        (Self::Facebook, &["facebook"]),
        (Self::Youtube, &["youtube"]),
        (Self::Mongoexport, &["mongoexport"]),
        (Self::Zeeschuimer, &["zeeschuimer", "4cat"]),
        (Self::Elasticsearch, &["elasticsearch"]),
    ];

    /// The name in the configuration and in flags.
    pub fn as_str(self) -> &'static str {
        let names = Self::NAMES.iter().find(|(layout, _)| *layout == self);
        names.and_then(|(_, names)| names.first()).copied().unwrap_or_default()
    }

    /// Whether it is one of the layouts of JSON.
    pub fn is_json(self) -> bool {
        !matches!(self, Self::Auto | Self::Csv | Self::Sentiment140)
    }

    /// Whether it is JSON and nothing else. The other tools write CSV too.
    pub(super) fn is_only_json(self) -> bool {
        matches!(
            self,
            Self::Json | Self::XV2 | Self::XV1 | Self::Twarc2 | Self::XArchive | Self::Telegram | Self::Bluesky
        )
    }
}

impl FromStr for Layout {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        let known = Self::NAMES.iter().find(|(_, names)| names.contains(&word));
        known.map(|(layout, _)| *layout).ok_or_else(|| OptionsError::Layout(word.to_owned()))
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
        let read: ReadOptions = toml::from_str(
            "layout = 'x_jsonl'\nencoding = 'latin-1'\ncolumns.topic = 'airline'\ndelimiter = ';'\n\
                quote = 'none'\nescape = '\\'\nheader = 'none'\nskip_lines = 2",
        )
        .unwrap();
        assert_eq!((read.quote, read.escape, read.header), (Some(Quote::None), Some('\\'), Header::None));
        assert_eq!(read.skip_lines, 2);
        assert!(toml::from_str::<ReadOptions>("quote = 'ab'").is_err());
        assert_eq!((read.layout, read.encoding, read.delimiter), (Layout::XV2, Encoding::Latin1, Some(';')));
        assert_eq!(read.columns.topic.as_deref(), Some("airline"));
        assert_eq!(toml::from_str::<ReadOptions>("").unwrap(), ReadOptions::default());
        assert!(toml::from_str::<ReadOptions>("colums = {}").is_err());
        assert!(toml::from_str::<ReadOptions>("columns.txt = 'a'").is_err());
        let read: ReadOptions = toml::from_str(
            "time_zone = 'Europe/Paris'\nmax_rejects = 0.9\nkeep_outliers = true\nlabels_map = { 0 = 'negative', 1 = 'none' }",
        )
        .unwrap();
        assert_eq!((read.max_rejects, read.keep_outliers), (MaxRejects::Share(900_000), true));
        assert_eq!(read.labels_map, LabelsMap::parse("0=negative,1=none").unwrap());
        assert!(toml::from_str::<ReadOptions>("labels_map = { 0 = 'bad' }").is_err());
        assert!(toml::from_str::<ReadOptions>("max_rejects = 1.5").is_err());
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
        let escaped = |escape| ReadOptions { escape: Some(escape), ..with(Some(';'), None) }.check();
        assert_eq!(escaped('\\'), Ok(()));
        for found in [';', '"', 'n', 'é'] {
            assert_eq!(escaped(found), Err(OptionsError::Escape(found)));
        }
        let quoted = ReadOptions { quote: "'".parse().ok(), ..with(Some('\''), None) };
        assert_eq!(quoted.check(), Err(OptionsError::Quote("'".into())));
        assert!(matches!("csvv".parse::<Layout>(), Err(OptionsError::Layout(_))));
        assert_eq!("latin-1".parse(), Ok(Encoding::Latin1));
    }

    #[test]
    fn layouts_have_one_name_everywhere() {
        let message = OptionsError::Layout("csvv".into()).to_string();
        for (layout, names) in Layout::NAMES {
            assert_eq!(serde_json::to_value(layout).unwrap(), names[0]);
            for name in names {
                assert_eq!(
                    (name.parse(), serde_json::from_value(serde_json::json!(name)).ok()),
                    (Ok(layout), Some(layout))
                );
            }
            assert!(message.contains(names[0]), "{message}");
        }
    }
}
