//! [`Notifier`]: the way to one receiver, and what can go wrong on it.

use std::time::Duration;

use super::Notification;

/// Why a notification did not arrive. The texts go to logs and to `vigie send-test`: they name the receiver's own words,
/// and never a secret, a post or an author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// May pass by itself: no connection, 429, 5xx, greylisting.
    #[error("{reason}")]
    Passing {
        reason: String,
        /// What the receiver asked for.
        retry_after: Option<Duration>,
    },
    /// Will not pass until somebody changes something: 401, 404, an address that does not exist.
    #[error("{reason}")]
    Permanent { reason: String },
}

/// Delivers notifications to one receiver; called on a thread of its own, and may block there up to its timeouts. A
/// notification may come twice: [`Notification::key`] is the same then.
pub trait Notifier: Send {
    /// # Errors
    /// When it was not delivered, as far as can be told.
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError>;

    /// What somebody has to mend although the last notification counts as delivered, such as one bad address among good
    /// ones; as [`NotifyError`], for logs.
    fn complaint(&self) -> Option<String> {
        None
    }
}
