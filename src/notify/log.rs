//! [`Log`]: transitions as log events, without texts or authors.

use super::{SinkError, TransitionSink};
use crate::alert::{Transition, TransitionKind};

/// Logs each transition; operational alerts with their summary instead of numbers.
#[derive(Debug, Default, Clone, Copy)]
pub struct Log;

impl TransitionSink for Log {
    fn write(&mut self, transition: &Transition) -> Result<(), SinkError> {
        let alert = &transition.alert;
        if let Some(component) = alert.labels.get("component") {
            let summary = alert.annotations.get("summary").map_or("", String::as_str);
            match transition.status {
                TransitionKind::Firing => {
                    tracing::warn!(rule = alert.rule, component, summary, "operational alert firing");
                }
                TransitionKind::Resolved => tracing::info!(rule = alert.rule, component, "operational alert resolved"),
            }
            return Ok(());
        }
        let latest = &alert.latest;
        match transition.status {
            TransitionKind::Firing => tracing::info!(
                rule = alert.rule,
                topic = alert.topic,
                fingerprint = %alert.fingerprint,
                at = %transition.at,
                posts = latest.posts,
                negative = latest.negative,
                lower_bound = latest.lower_bound,
                "alert firing"
            ),
            TransitionKind::Resolved => tracing::info!(
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
