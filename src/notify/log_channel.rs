//! [`LogChannel`]: notifications as log events, without texts or authors.

use super::context::{Context, Words};
use super::{Kind, Notification, Notifier, NotifyError};

/// See the module.
pub(super) struct LogChannel(Words);

impl LogChannel {
    pub(super) fn new(context: &Context<'_>) -> Self {
        Self(context.words())
    }
}

impl Notifier for LogChannel {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let Notification { incident, receiver, sequence, kind, .. } = notification;
        let (incident, summary) = (&incident.id, self.0.of(notification).summary);
        match kind {
            Kind::Resolved | Kind::Test => tracing::info!(receiver, incident, sequence, ?kind, "{summary}"),
            _ => tracing::warn!(receiver, incident, sequence, ?kind, "{summary}"),
        }
        Ok(())
    }
}
