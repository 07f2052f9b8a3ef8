//! Annotations: the sentences of a rule file, filled in with an alert's numbers.

use minijinja::{Environment, context};

use super::Alert;

/// The rendered annotation, or, where the template fails on this alert, what is wrong with it: an alert never waits for a
/// sentence.
pub fn render(template: &str, alert: &Alert) -> String {
    let measured = alert.fired_on;
    let context = context! {
        topic => &alert.topic,
        rule => &alert.rule,
        labels => &alert.labels,
        posts => measured.posts,
        negative => measured.negative,
        rate => measured.rate,
        lower_bound => measured.lower_bound,
        threshold => measured.threshold,
        normal => measured.normal.map(|normal| normal.value),
        starts_at => alert.starts_at.to_string(),
    };
    environment().render_str(template, context).unwrap_or_else(|error| format!("(annotation failed: {error})"))
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.add_filter("percent", |share: f64| format!("{:.0} %", share * 100.0));
    environment.add_filter("whole", |number: f64| format!("{number:.0}"));
    environment
}
