//! Annotations: the text templates of a rule file, rendered with the numbers of an alert.

use std::collections::BTreeMap;

use jiff::Timestamp;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::{Measurement, NormalLevel};

/// The variables of a template.
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
        measured: &Measurement,
        starts_at: Timestamp,
    ) -> Self {
        let Measurement { posts, negative, rate, lower_bound, threshold, normal, corrected } = *measured;
        let (normal, starts_at) = (normal.map(|normal| normal.value), starts_at.to_string());
        Self { topic, rule, labels, posts, negative, rate, lower_bound, threshold, normal, corrected, starts_at }
    }
}

/// The rendered annotation `name`. If rendering fails, the text of the error: a broken template must not hold back an
/// alert.
pub fn render(name: &str, template: &str, values: &Values<'_>) -> String {
    try_render(name, template, values).unwrap_or_else(|error| format!("(annotation failed: {error})"))
}

/// The problem with a template, if any. `has_normal` says whether the rule compares with what is normal for the topic.
pub(super) fn validate(
    name: &str,
    template: &str,
    labels: &BTreeMap<String, String>,
    has_normal: bool,
) -> Option<String> {
    let normal = has_normal.then_some(NormalLevel { value: 0.5, posts: 100 });
    let (threshold, corrected) = (Some(0.3), None);
    let measured = Measurement { posts: 20, negative: 10, rate: 0.5, lower_bound: 0.4, threshold, normal, corrected };
    let values = Values::new("topic", "rule", labels, &measured, Timestamp::UNIX_EPOCH);
    try_render(name, template, &values).err().map(|error| error.to_string())
}

fn try_render(name: &str, template: &str, values: &Values<'_>) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    // A misspelt name must fail when the file is read; by default it would render as nothing.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // French puts a no-break space before the sign; an annotation such as `summary_fr` is in French.
    let sign = if name.ends_with("_fr") { "\u{a0}%" } else { "%" };
    environment.add_filter("percent", move |share: f64| format!("{:.0}{sign}", share * 100.0));
    environment.add_filter("whole", |number: f64| format!("{number:.0}"));
    environment.render_str(template, Serde(values))
}
