//! [`wait_until`]: waits for a time of the given clock.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;

/// How often the clock is checked for jumps.
const CLOCK_CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// Returns when the clock reaches `until`, or when the time that was missing at the start has passed: a clock that is set
/// back does not prolong the wait, one that is set forward ends it.
pub(super) async fn wait_until(clock: &Clock, until: Timestamp) {
    let missing = Duration::try_from(until.duration_since(clock())).unwrap_or_default();
    let Some(end) = tokio::time::Instant::now().checked_add(missing) else { return std::future::pending().await };
    loop {
        let left = end.saturating_duration_since(tokio::time::Instant::now());
        if left.is_zero() || clock() >= until {
            return;
        }
        tokio::time::sleep(left.min(CLOCK_CHECK_INTERVAL)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// Whether a wait of `wait` seconds ends within `real` seconds when the clock is set to `to` after one second.
    async fn ends_within(wait: i64, real: u64, to: i64) -> bool {
        let second = Arc::new(AtomicI64::new(1_000));
        let read = second.clone();
        let clock: Clock = Arc::new(move || Timestamp::from_second(read.load(Ordering::Relaxed)).unwrap());
        let until = Timestamp::from_second(1_000 + wait).unwrap();
        let set = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            second.store(to, Ordering::Relaxed);
            std::future::pending::<()>().await;
        };
        let waiting = tokio::time::timeout(Duration::from_secs(real), wait_until(&clock, until));
        tokio::select! { waited = waiting => waited.is_ok(), () = set => false }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_jump_neither_prolongs_the_wait_nor_hides_its_end() {
        assert!(ends_within(60, 61, 1_000).await, "the clock stands still");
        assert!(!ends_within(60, 59, 1_000).await);
        assert!(ends_within(60, 61, 0).await, "set back");
        assert!(ends_within(3_600, 2, 5_000).await, "set forward");
    }
}
