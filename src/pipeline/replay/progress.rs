//! [`ReplayStage`]: the progress of a replay.

/// Reported from time to time while a replay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayStage {
    /// Bytes of the dump read, and its size where that is known.
    Reading { bytes: u64, total: Option<u64> },
    /// Posts committed, and how many there are.
    Replaying { done: u64, total: u64 },
}
