//! Rules: when are the windows of a topic worth an alert? Stands between `window`, whose sums it reads, and `alert`, which
//! keeps the state over time. A rule keeps no state of its own: [`Evidence`] and the [`Memory`] of the last time in,
//! [`Evaluation`] out.

pub mod annotation;
mod baseline;
mod bound;
mod condition;
mod defaults;
mod duration_serde;
mod evaluation;
mod events;
mod evidence;
mod explanation;
mod file;
mod memory;
mod negative_rate;
mod negative_volume;
mod no_data;
mod rising;
mod spike;
pub mod volume;

pub use baseline::{Baseline, ExpectedRate, ExpectedVolume};
pub use condition::Condition;
pub use evaluation::{Evaluation, Measured, Normal};
pub use events::{EventKind, EventLog, Events};
pub use evidence::Evidence;
pub use explanation::{Explanation, Reasons};
pub use file::Rules;
pub use memory::Memory;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A rule as Prometheus has it: a condition that must hold `for` some time before an alert fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertingRule {
    /// Names the alert: letters, digits and underscores.
    pub name: String,
    pub condition: Condition,
    /// How long the condition must hold before the alert fires.
    #[serde(default, rename = "for")]
    pub hold: SignedDuration,
    /// How long the alert goes on firing after the condition last held.
    #[serde(default)]
    pub keep_firing_for: SignedDuration,
    /// Topics the rule watches; all of them when empty.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Added to the labels `alertname` and `topic`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Sentences for people; templates (minijinja) over the alert.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl AlertingRule {
    /// Whether the rule judges `topic`; one that is about vigie alone judges none, which has an empty name.
    pub fn watches(&self, topic: &str) -> bool {
        if topic.is_empty() || self.condition.is_of_no_topic() {
            return topic.is_empty() && self.condition.is_of_no_topic();
        }
        self.topics.is_empty() || self.topics.iter().any(|watched| watched == topic)
    }

    /// Every fault, each naming its key; `bucket` is the width of a window bucket.
    pub fn faults(&self, bucket: SignedDuration) -> Vec<String> {
        let mut faults = self.condition.faults(bucket);
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.name.is_empty() || !self.name.chars().all(word) {
            faults.push("name: letters, digits and underscores are wanted".into());
        }
        if self.condition.is_of_no_topic() && !self.topics.is_empty() {
            faults.push("topics: events belong to no topic; leave it out".into());
        }
        for (key, value) in [("for", self.hold), ("keep_firing_for", self.keep_firing_for)] {
            if value.is_negative() {
                faults.push(format!("{key}: {value:#} is negative"));
            }
        }
        for (name, template) in &self.annotations {
            let fault = annotation::fault(template, &self.labels, self.condition.has_normal());
            faults.extend(fault.map(|fault| format!("annotations.{name}: {fault}")));
        }
        for reserved in ["alertname", "topic"] {
            if self.labels.contains_key(reserved) {
                faults.push(format!("labels.{reserved}: this label is set by vigie"));
            }
        }
        faults.into_iter().map(|fault| format!("rule `{}`: {fault}", self.name)).collect()
    }
}
