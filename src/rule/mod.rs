//! Alerting rules: decide when the windows of a topic justify an alert. Between `window`, whose sums it reads, and
//! `alert`, which tracks the state of alerts over time. A rule is a function: [`Evidence`] and the last [`Memory`] in,
//! [`ConditionResult`] out.

pub mod annotation;
mod baseline;
mod bounds_check;
mod condition;
mod defaults;
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
pub use evaluation::{ConditionResult, Measurement, NormalLevel};
pub use events::{EventKind, EventLog, Events};
pub use evidence::Evidence;
pub use explanation::{
    CLOSED_AFTER_HOURS, Explanation, LEARNED_HOURS, LEARNING_HOURS, NEGATIVE_AUTHORS, OTHER_TOPICS_RISING, Reasons,
};
pub use file::Rules;
pub use memory::Memory;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A Prometheus-style rule: a condition that must hold `for` some time before an alert fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertingRule {
    /// Name of the alert: letters, digits and underscores.
    pub name: String,
    pub condition: Condition,
    /// How long the condition must hold before the alert fires.
    #[serde(default, rename = "for", with = "crate::duration")]
    pub hold: SignedDuration,
    /// How long the alert keeps firing after the condition last held.
    #[serde(default, with = "crate::duration")]
    pub keep_firing_for: SignedDuration,
    /// An alert that is still open after this time is closed, and says so. `None`: [`AlertingRule::max_open`] decides.
    #[serde(default, rename = "max_open", with = "crate::duration::optional")]
    pub configured_max_open: Option<SignedDuration>,
    /// Topics to which the rule applies; all topics if empty.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Added to the labels `alertname` and `topic`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Texts for messages: minijinja templates over the numbers of the alert.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// How long an alert about posts stays open at most: as long as its hours are not learned. Later, they are the new normal.
pub const MAX_OPEN: SignedDuration = SignedDuration::from_hours(72);

impl AlertingRule {
    /// How long an alert of this rule may stay open; `None` for ever. Silence and failures are not over because they last.
    pub fn max_open(&self) -> Option<SignedDuration> {
        let is_about_posts = !self.condition.is_silence() && !self.condition.is_topicless();
        let max_open = self.configured_max_open.or(is_about_posts.then_some(MAX_OPEN));
        max_open.filter(|max_open| !max_open.is_zero())
    }

    /// Whether the rule applies to `topic`. A rule about vigie itself applies only to the empty topic name.
    pub fn watches(&self, topic: &str) -> bool {
        if topic.is_empty() || self.condition.is_topicless() {
            return topic.is_empty() && self.condition.is_topicless();
        }
        self.topics.is_empty() || self.topics.iter().any(|watched| watched == topic)
    }

    /// Every problem with its key; `bucket` is the width of a window bucket.
    pub fn validate(&self, bucket: SignedDuration) -> Vec<String> {
        let mut problems = self.condition.validate(bucket);
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.name.is_empty() || !self.name.chars().all(word) {
            problems.push("name: not a valid rule name; expected letters, digits and underscores".into());
        }
        if self.condition.is_topicless() && !self.topics.is_empty() {
            problems.push("topics: not allowed here, because events belong to no topic; remove it".into());
        }
        for (key, value) in [("for", self.hold), ("keep_firing_for", self.keep_firing_for)] {
            if value.is_negative() {
                problems.push(format!("{key}: {value:#} is negative; expected 0s or more"));
            }
        }
        for (name, template) in &self.annotations {
            let problem = annotation::validate(name, template, &self.labels, self.condition.has_normal());
            problems.extend(problem.map(|problem| format!("annotations.{name}: {problem}")));
        }
        for reserved in ["alertname", "topic"] {
            if self.labels.contains_key(reserved) {
                problems.push(format!("labels.{reserved}: reserved label, set by vigie; choose another name"));
            }
        }
        problems.into_iter().map(|problem| format!("rule `{}`: {problem}", self.name)).collect()
    }
}
