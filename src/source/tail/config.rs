//! A `[[source]]` of `type = "file"`.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::dump::{Columns, Encoding, Header, Quote, ReadOptions};

/// Minimum and maximum of `poll`.
const POLL_RANGE: [SignedDuration; 2] = [SignedDuration::from_millis(10), SignedDuration::from_hours(1)];

/// Format of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TailLayout {
    /// With a header, which is read at the start of each file, or with `header = "none"` and columns by number.
    Csv,
    /// Posts or pages in JSON, best one object a line, as in a replay. `{"delete": {"id": "..."}}` deletes a post.
    Jsonl,
}

/// A `[[source]]` of `type = "file"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub name: String,
    pub path: PathBuf,
    pub layout: TailLayout,
    /// Topic of all posts; without it, each post goes to the topics whose keywords and handles it contains.
    pub topic: Option<String>,
    /// Names of the columns, as in `[dump.columns]`.
    #[serde(default)]
    pub columns: Columns,
    /// Of CSV; detected when unset, as in `[dump]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escape: Option<char>,
    #[serde(default)]
    pub header: Header,
    /// Lines to skip at the start of each file.
    #[serde(default)]
    pub skip_lines: u32,
    /// As in `[dump]`.
    #[serde(default)]
    pub encoding: Encoding,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// How often the file is checked.
    #[serde(default = "default_poll", with = "crate::duration")]
    pub poll: SignedDuration,
    /// Raises an alert when no line is added for this long; unset: never.
    #[serde(default, with = "crate::duration::optional")]
    pub stalled_after: Option<SignedDuration>,
}

fn default_poll() -> SignedDuration {
    SignedDuration::from_millis(500)
}

impl Config {
    /// How the rows of the file are read.
    pub(super) fn read_options(&self) -> ReadOptions {
        ReadOptions {
            columns: self.columns.clone(),
            delimiter: self.delimiter,
            quote: self.quote,
            escape: self.escape,
            header: self.header,
            skip_lines: self.skip_lines,
            encoding: self.encoding,
            time_format: self.time_format.clone(),
            time_zone: self.time_zone.clone(),
            ..ReadOptions::default()
        }
    }

    /// Finds every problem and names its key.
    pub fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut problem = |what: String| problems.push(format!("source {:?}: {what}", self.name));
        if self.name.trim().is_empty() {
            problem("name is empty; expected a word for metric labels, e.g. \"desk\"".into());
        }
        if self.path.file_name().is_none() {
            problem(format!("path {:?} does not name a file", self.path.display().to_string()));
        }
        if let Some(packed @ ("gz" | "bz2" | "xz" | "zst")) = self.path.extension().and_then(|suffix| suffix.to_str()) {
            problem(format!("path ends in .{packed}: only plain text can be tailed; `vigie replay` reads .gz"));
        }
        if self.topic.as_ref().is_some_and(|topic| topic.trim().is_empty()) {
            problem("topic is empty; omit it to match topics by their keywords".into());
        }
        if let Err(error) = self.read_options().check() {
            problem(error.to_string());
        }
        if self.header == Header::None && self.columns.text.is_none() {
            problem("header is \"none\" and no column is mapped; expected numbers, e.g. columns.text = \"4\"".into());
        }
        let [min, max] = POLL_RANGE;
        if self.poll < min || self.poll > max {
            problem(format!("poll is {:#}; expected {min:#} to {max:#}", self.poll));
        }
        if let Some(silence) = self.stalled_after.filter(|silence| *silence <= self.poll) {
            problem(format!("stalled_after is {silence:#}; expected more than poll, which is {:#}", self.poll));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "name = 'desk'\npath = '/var/spool/posts.jsonl'\nlayout = 'jsonl'\n";

    fn problems(differs: &str) -> Vec<String> {
        let mut table: toml::Table = toml::from_str(SOUND).unwrap();
        table.extend(toml::from_str::<toml::Table>(differs).unwrap());
        table.try_into::<Config>().unwrap().validate()
    }

    #[test]
    fn each_problem_names_its_key_and_the_remedy() {
        assert_eq!(problems("poll = '10ms'\nstalled_after = '1h'\ntopic = 'Air Paradis'"), [""; 0]);
        for (differs, expected) in [
            ("name = ' '", "source \" \": name is empty; expected a word for metric labels, e.g. \"desk\""),
            ("path = '/'", "source \"desk\": path \"/\" does not name a file"),
            (
                "path = 'a.csv.gz'",
                "source \"desk\": path ends in .gz: only plain text can be tailed; `vigie replay` reads .gz",
            ),
            ("topic = ''", "source \"desk\": topic is empty; omit it to match topics by their keywords"),
            (
                "escape = 'n'",
                "source \"desk\": escape 'n': expected one ASCII punctuation mark that is neither quote nor \
                 delimiter, e.g. \"\\\\\"",
            ),
            (
                "header = 'none'",
                "source \"desk\": header is \"none\" and no column is mapped; expected numbers, \
                 e.g. columns.text = \"4\"",
            ),
            (
                "time_zone = 'Mars'",
                "source \"desk\": time_zone \"Mars\": expected the name of a time zone, e.g. \"Europe/Paris\", or an \
                 offset, e.g. \"+02:00\"",
            ),
            ("poll = '1ms'", "source \"desk\": poll is 1ms; expected 10ms to 1h"),
            ("poll = '61m'", "source \"desk\": poll is 1h 1m; expected 10ms to 1h"),
            (
                "stalled_after = '500ms'",
                "source \"desk\": stalled_after is 500ms; expected more than poll, which is 500ms",
            ),
        ] {
            assert_eq!(problems(differs), [expected]);
        }
    }
}
