//! [`LogNotifier`]: logs notifications, without texts or authors.

use super::context::{Context, Renderer};
use super::{Kind, Notification, Notifier, NotifyError};

/// See the module.
pub(super) struct LogNotifier(Renderer);

impl LogNotifier {
    pub(super) fn new(context: &Context<'_>) -> Self {
        Self(context.renderer())
    }
}

impl Notifier for LogNotifier {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let Notification { incident, receiver, sequence, kind, .. } = notification;
        let (incident, summary) = (&incident.id, self.0.render(notification).summary);
        match kind {
            Kind::Resolved | Kind::Test => tracing::info!(receiver, incident, sequence, ?kind, "{summary}"),
            _ => tracing::warn!(receiver, incident, sequence, ?kind, "{summary}"),
        }
        Ok(())
    }
}
