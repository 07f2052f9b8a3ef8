//! [`Notifier`]: delivers notifications to one receiver; [`NotifyError`]: why that fails.

use std::time::Duration;

use super::Notification;

/// Why a notification was not delivered. The text appears in logs and in `vigie send-test`: it quotes the receiver, and
/// never holds a secret, a post or an author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// A retry may succeed: no connection, 429, 5xx, greylisting.
    #[error("{reason}")]
    Transient {
        reason: String,
        /// The receiver's `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// A retry fails until somebody acts: 401, 404, an unknown address.
    #[error("{reason}")]
    Permanent { reason: String },
}

/// Delivers notifications to one receiver. It runs on its own thread and may block up to its timeouts. A notification
/// may come twice, with the same [`Notification::key`].
pub trait Notifier: Send {
    /// # Errors
    /// When it was not delivered, as far as is known.
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError>;

    /// Why the last notification, which counts as delivered, did not reach every recipient: one bad address among
    /// others, say. As [`NotifyError`], it is for logs.
    fn partial_failure(&self) -> Option<String> {
        None
    }
}
