//! [`DigestConfig`]: when alerts of severity `info` are sent. Such an alert is worth reading, but not at once and not at night: it
//! waits for the next reading time, and one message says what still lasts and what has come and gone since the last one.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::matcher::Labels;
use super::time_interval::TimeInterval;

/// `[notify.digest]`. It applies to an alert of severity `info`, unless its route has a matcher on `severity` or its own hours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DigestConfig {
    /// The reading times; empty: alerts of severity `info` are sent like others.
    pub active_times: Vec<TimeInterval>,
    /// Minimum time between two messages about one topic.
    #[serde(with = "crate::duration")]
    pub group_interval: SignedDuration,
    #[serde(with = "crate::duration")]
    pub repeat_interval: SignedDuration,
}

impl Default for DigestConfig {
    fn default() -> Self {
        let times = ["09:00-09:30", "13:00-13:30", "18:00-18:30"];
        Self {
            active_times: times.into_iter().filter_map(|time| time.parse().ok()).collect(),
            group_interval: SignedDuration::from_hours(3),
            repeat_interval: SignedDuration::from_hours(24),
        }
    }
}

impl DigestConfig {
    /// Whether an alert with these labels may wait. Alerts about vigie itself are never only for information.
    pub(super) fn takes(&self, labels: &Labels) -> bool {
        let is_info = labels.get("severity").is_some_and(|severity| severity == "info");
        is_info && !labels.contains_key("component") && !self.active_times.is_empty()
    }
}
