//! Reports as receivers see them: a `[[report]]` says when one is due and who gets it, [`ReportMessage`] is what is sent. The
//! dispatcher decides by it when to send; what a report says is computed in `crate::report`, above this module.

mod message;
mod schedule;

pub use message::{MessageContents, Picture, ReportMessage};
pub use schedule::{DueReport, ReportPeriod, ReportSpan};

use jiff::civil::Weekday;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use schedule::{parse_time, parse_weekday, weekday_name};

/// A `[[report]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportConfig {
    /// Its state is kept under this name.
    pub name: String,
    pub every: ReportPeriod,
    /// The day of a weekly report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<ReportDay>,
    /// In `notify.time_zone`.
    #[serde(default)]
    pub at: ReportTime,
    pub receivers: Vec<String>,
}

/// A time of day, such as `08:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportTime(pub jiff::civil::Time);

/// A day of the week, such as `mon`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportDay(pub Weekday);

impl Default for ReportTime {
    fn default() -> Self {
        Self(jiff::civil::time(8, 0, 0, 0))
    }
}

impl ReportConfig {
    /// Every problem, each naming its key. Whether the receivers exist is checked with the others.
    pub fn validate(&self) -> Vec<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let mut problems = Vec::new();
        if self.name.is_empty() || !self.name.chars().all(plain) {
            problems.push(format!("name is {:?}: expected letters, digits, - and _, such as \"weekly\"", self.name));
        }
        if self.day.is_some() && self.every == ReportPeriod::Day {
            problems.push("day: only a report with every = \"week\" has a day; remove it".into());
        }
        if self.receivers.is_empty() {
            problems.push("receivers: it is empty; expected e.g. [\"crisis-mail\"]".into());
        }
        problems
    }

    fn weekday(&self) -> Weekday {
        self.day.map_or(Weekday::Monday, |day| day.0)
    }
}

impl Serialize for ReportTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.strftime("%H:%M"))
    }
}

impl<'de> Deserialize<'de> for ReportTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_time(&String::deserialize(deserializer)?).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Serialize for ReportDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(weekday_name(self.0))
    }
}

impl<'de> Deserialize<'de> for ReportDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_weekday(&String::deserialize(deserializer)?).map(Self).map_err(serde::de::Error::custom)
    }
}
