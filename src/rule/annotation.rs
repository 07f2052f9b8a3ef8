//! Annotations: the sentences of a rule file, filled in with an alert's numbers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::{Measured, Normal};

/// What a template knows.
#[derive(Debug, Serialize)]
pub struct Values<'a> {
    topic: &'a str,
    rule: &'a str,
    labels: &'a BTreeMap<String, String>,
    posts: u64,
    negative: u64,
    rate: f64,
    lower_bound: f64,
    threshold: Option<f64>,
    normal: Option<f64>,
    corrected: Option<f64>,
    starts_at: String,
}

impl<'a> Values<'a> {
    pub fn new(
        topic: &'a str,
        rule: &'a str,
        labels: &'a BTreeMap<String, String>,
        measured: &Measured,
        starts_at: Timestamp,
    ) -> Self {
        let Measured { posts, negative, rate, lower_bound, threshold, normal, corrected } = *measured;
        let (normal, starts_at) = (normal.map(|normal| normal.value), starts_at.to_string());
        Self { topic, rule, labels, posts, negative, rate, lower_bound, threshold, normal, corrected, starts_at }
    }
}

/// The annotation filled in, or, where that fails, what is wrong: an alert never waits for a sentence.
pub fn render(template: &str, values: &Values<'_>) -> String {
    try_render(template, values).unwrap_or_else(|error| format!("(annotation failed: {error})"))
}

/// What is wrong with a template of a rule that knows a normal, or does not.
pub(super) fn fault(template: &str, labels: &BTreeMap<String, String>, has_normal: bool) -> Option<String> {
    let normal = has_normal.then_some(Normal { value: 0.5, posts: 100 });
    let (threshold, corrected) = (Some(0.3), None);
    let measured = Measured { posts: 20, negative: 10, rate: 0.5, lower_bound: 0.4, threshold, normal, corrected };
    let values = Values::new("topic", "rule", labels, &measured, Timestamp::UNIX_EPOCH);
    try_render(template, &values).err().map(|error| error.to_string())
}

fn try_render(template: &str, values: &Values<'_>) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    // A misspelt name is to be told when the file is read, not to leave a hole in a sentence.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("percent", |share: f64| format!("{:.0} %", share * 100.0));
    environment.add_filter("whole", |number: f64| format!("{number:.0}"));
    environment.render_str(template, Serde(values))
}
