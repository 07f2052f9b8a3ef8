//! [`Clock`]: where code that runs by itself reads the time. At the ground of the flow; below `pipeline` most code takes
//! `now` as an argument instead.

use std::sync::Arc;

use jiff::Timestamp;

/// Gives the current time; tests pass their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
