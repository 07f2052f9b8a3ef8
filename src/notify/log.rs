//! [`Log`]: transitions as log events, without texts or authors.

use super::{Notifier, NotifyError};
use crate::alert::{Status, Transition};

/// Writes each transition to the log.
#[derive(Debug, Default, Clone, Copy)]
pub struct Log;

impl Notifier for Log {
    fn notify(&mut self, transition: &Transition) -> Result<(), NotifyError> {
        let alert = &transition.alert;
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
