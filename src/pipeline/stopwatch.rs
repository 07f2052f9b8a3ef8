//! [`Stopwatch`]: how long a thread has been at its present task, for the watchdog and readiness. It runs by the real monotonic
//! clock: the wall clock may jump, and the clock of the demo is fast.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Clones measure the same task.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopwatch(Arc<Mutex<Option<Instant>>>);

impl Stopwatch {
    /// Starts at zero, also where it runs already.
    pub(super) fn start(&self) {
        self.set(Some(Instant::now()));
    }

    pub(super) fn stop(&self) {
        self.set(None);
    }

    /// The time since the start; zero while it is stopped.
    pub(super) fn elapsed(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).map_or(Duration::ZERO, |started| started.elapsed())
    }

    fn set(&self, started: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = started;
    }
}
