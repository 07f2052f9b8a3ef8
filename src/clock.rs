//! [`Clock`]: the time source of long-running code. It has no dependencies; below `pipeline`, most code takes `now` as an
//! argument instead.

use std::sync::Arc;

use jiff::Timestamp;

/// Returns the current time; tests pass their own clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
