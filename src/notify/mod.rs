//! Telling people: a [`Transition`] goes out through every notifier. Stands after the monitor, whose outbox it empties.

mod json_lines;
mod language;
mod log;

pub use json_lines::JsonLines;
pub use language::Language;
pub use log::Log;

use crate::alert::Transition;

/// Why a notifier could not deliver.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error("standard output was closed")]
    Closed,
    #[error("the alert could not be written: {0}")]
    Write(std::io::Error),
}

impl From<std::io::Error> for NotifyError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Write(error) }
    }
}

/// Delivers transitions to one place. A transition may come twice; [`Transition::key`] tells.
pub trait Notifier {
    /// # Errors
    /// When the transition was not delivered.
    fn notify(&mut self, transition: &Transition) -> Result<(), NotifyError>;
}
