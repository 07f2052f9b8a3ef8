//! [`Observer`]: whoever follows every transition as it comes, ungrouped: the log, and the output of a replay.

use crate::alert::Transition;

/// Why a transition could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    #[error("standard output was closed")]
    Closed,
    #[error("the alert could not be written: {0}")]
    Write(std::io::Error),
}

impl From<std::io::Error> for ObserveError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Write(error) }
    }
}

/// Follows transitions. One may come twice; [`Transition::key`] tells.
pub trait Observer {
    /// # Errors
    /// When the transition could not be written.
    fn observe(&mut self, transition: &Transition) -> Result<(), ObserveError>;
}
