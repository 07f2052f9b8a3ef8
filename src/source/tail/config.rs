//! A `[[source]]` of `type = "file"`.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::dump::Columns;

/// Shortest and longest time between two looks at a file.
const POLL: [SignedDuration; 2] = [SignedDuration::from_millis(10), SignedDuration::from_hours(1)];

/// What the file's lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// With a header, read anew at the head of every file.
    Csv,
    /// A post or page of X API v2, or a plain object, a line. `{"delete": {"id": "..."}}` takes a post back.
    Jsonl,
}

/// A `[[source]]` of `type = "file"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub name: String,
    pub path: PathBuf,
    pub layout: Layout,
    /// All posts go to this topic; without it, to those whose keywords and handles they hold.
    pub topic: Option<String>,
    /// Which column holds what, as in `[dump.columns]`.
    #[serde(default)]
    pub columns: Columns,
    /// How often the file is looked at.
    #[serde(default = "default_poll")]
    pub poll: SignedDuration,
    /// It is an alert when nothing is added for this long; unset: never.
    pub stalled_after: Option<SignedDuration>,
}

fn default_poll() -> SignedDuration {
    SignedDuration::from_millis(500)
}

impl Config {
    /// Every fault, each naming its key.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fault = |what: String| faults.push(format!("source {:?}: {what}", self.name));
        if self.name.trim().is_empty() {
            fault("name is empty; wanted a word that labels its metrics, such as \"desk\"".into());
        }
        if self.path.file_name().is_none() {
            fault(format!("path {:?} names no file", self.path.display().to_string()));
        }
        if let Some(packed @ ("gz" | "bz2" | "xz" | "zst")) = self.path.extension().and_then(|suffix| suffix.to_str()) {
            fault(format!("path ends in .{packed}: only plain text can be followed; `vigie replay` reads .gz"));
        }
        if self.topic.as_ref().is_some_and(|topic| topic.trim().is_empty()) {
            fault("topic is empty; leave it out to find each post's topics by their keywords".into());
        }
        let [shortest, longest] = POLL;
        if self.poll < shortest || self.poll > longest {
            fault(format!("poll is {:#}, wanted {shortest:#} to {longest:#}", self.poll));
        }
        if let Some(silence) = self.stalled_after.filter(|silence| *silence <= self.poll) {
            fault(format!("stalled_after is {silence:#}, wanted more than poll, which is {:#}", self.poll));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "name = 'desk'\npath = '/var/spool/posts.jsonl'\nlayout = 'jsonl'\n";

    fn faults(differs: &str) -> Vec<String> {
        let mut table: toml::Table = toml::from_str(SOUND).unwrap();
        table.extend(toml::from_str::<toml::Table>(differs).unwrap());
        table.try_into::<Config>().unwrap().faults()
    }

    #[test]
    fn each_fault_names_its_key_and_the_way_out() {
        assert_eq!(faults("poll = '10ms'\nstalled_after = '1h'\ntopic = 'Air Paradis'"), [""; 0]);
        for (differs, wanted) in [
            ("name = ' '", "source \" \": name is empty; wanted a word that labels its metrics, such as \"desk\""),
            ("path = '/'", "source \"desk\": path \"/\" names no file"),
            (
                "path = 'a.csv.gz'",
                "source \"desk\": path ends in .gz: only plain text can be followed; `vigie replay` reads .gz",
            ),
            (
                "topic = ''",
                "source \"desk\": topic is empty; leave it out to find each post's topics by their keywords",
            ),
            ("poll = '1ms'", "source \"desk\": poll is 1ms, wanted 10ms to 1h"),
            ("poll = '61m'", "source \"desk\": poll is 1h 1m, wanted 10ms to 1h"),
            (
                "stalled_after = '500ms'",
                "source \"desk\": stalled_after is 500ms, wanted more than poll, which is 500ms",
            ),
        ] {
            assert_eq!(faults(differs), [wanted]);
        }
    }
}
