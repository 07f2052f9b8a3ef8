//! [`Log`]: transitions as log events, without texts or authors.

use super::{ObserveError, Observer};
use crate::alert::{Status, Transition};

/// Writes each transition to the log; one about vigie itself with its summary instead of numbers.
#[derive(Debug, Default, Clone, Copy)]
pub struct Log;

impl Observer for Log {
    fn observe(&mut self, transition: &Transition) -> Result<(), ObserveError> {
        let alert = &transition.alert;
        if let Some(component) = alert.labels.get("component") {
            let summary = alert.annotations.get("summary").map_or("", String::as_str);
            match transition.status {
                Status::Firing => tracing::warn!(rule = alert.rule, component, summary, "operational alert fires"),
                Status::Resolved => tracing::info!(rule = alert.rule, component, "operational alert resolved"),
            }
            return Ok(());
        }
        let latest = &alert.latest;
        match transition.status {
            Status::Firing => tracing::info!(
                rule = alert.rule,
                topic = alert.topic,
                fingerprint = %alert.fingerprint,
                at = %transition.at,
                posts = latest.posts,
                negative = latest.negative,
                lower_bound = latest.lower_bound,
                "alert fires"
            ),
            Status::Resolved => tracing::info!(
                rule = alert.rule,
                topic = alert.topic,
                fingerprint = %alert.fingerprint,
                at = %transition.at,
                since = %alert.starts_at,
                "alert resolved"
            ),
        }
        Ok(())
    }
}
