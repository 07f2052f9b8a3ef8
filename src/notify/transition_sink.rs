//! [`TransitionSink`]: receives every transition, ungrouped: the log, and the output of a replay.

use crate::alert::Transition;

/// Why a transition could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    #[error("standard output was closed")]
    Closed,
    #[error("cannot write the alert: {0}")]
    Write(std::io::Error),
}

impl From<std::io::Error> for SinkError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Write(error) }
    }
}

/// Writes transitions. One may come twice, with the same [`Transition::key`].
pub trait TransitionSink {
    /// # Errors
    /// When the transition could not be written.
    fn write(&mut self, transition: &Transition) -> Result<(), SinkError>;
}
