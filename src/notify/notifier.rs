//! [`Notifier`]: delivers notifications to one receiver; [`NotifyError`]: why that fails.

use std::time::Duration;

use super::{Notification, ReportMessage};

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
    /// The receiver accepts nothing until somebody acts: 401, 404, a bad address, a bad certificate.
    #[error("{reason}")]
    Permanent { reason: String },
    /// The receiver refuses this message for its content, and may accept others: 400, 413, 422, 554.
    #[error("{reason}")]
    Rejected { reason: String },
}

/// Delivers notifications to one receiver. It runs on its own thread and may block up to its timeouts. A notification
/// may come twice, with the same [`Notification::key`].
pub trait Notifier: Send {
    /// # Errors
    /// When it was not delivered, as far as is known.
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError>;

    /// Delivers several notifications in one request, where the receiver takes lists. The dispatcher sends more than one
    /// only to such a receiver.
    ///
    /// # Errors
    /// When they were not delivered, as far as is known.
    fn notify_batch(&mut self, batch: &[Notification]) -> Result<(), NotifyError> {
        batch.iter().try_for_each(|notification| self.notify(notification))
    }

    /// Delivers a report. Only receivers whose integration [`takes_reports`](super::IntegrationConfig::takes_reports) get one.
    ///
    /// # Errors
    /// When it was not delivered, as far as is known; always where the integration takes no reports.
    fn send_report(&mut self, report: &ReportMessage) -> Result<(), NotifyError> {
        Err(NotifyError::Permanent {
            reason: format!("this receiver takes no reports: {:?} needs another one", report.name),
        })
    }

    /// Why the last notification, which counts as delivered, did not reach every recipient: one bad address among
    /// others, say. As [`NotifyError`], it is for logs.
    fn partial_failure(&self) -> Option<String> {
        None
    }
}
