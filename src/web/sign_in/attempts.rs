//! [`Attempts`]: slows down guessing. Each failed sign-in of a name doubles the pause before its next one.

use std::collections::HashMap;

use jiff::Timestamp;

/// Failures without a pause.
const FREE: u32 = 3;
/// Longest pause, in seconds.
const MAX_PAUSE: i64 = 900;
/// Names that are remembered.
const MAX_NAMES: usize = 10_000;

/// Failed sign-ins by name.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failures: HashMap<String, (u32, Timestamp)>,
}

impl Attempts {
    /// Seconds until `name` may try again.
    pub(super) fn pause(&self, name: &str, now: Timestamp) -> Option<i64> {
        let (failures, last) = self.failures.get(&name.to_lowercase())?;
        let doublings = failures.checked_sub(FREE)?;
        let pause = 1_i64.checked_shl(doublings).filter(|pause| (0..MAX_PAUSE).contains(pause)).unwrap_or(MAX_PAUSE);
        let left = pause - now.duration_since(*last).as_secs().max(0);
        (left > 0).then_some(left)
    }

    pub(super) fn record_failure(&mut self, name: &str, now: Timestamp) {
        if self.failures.len() >= MAX_NAMES {
            self.failures.retain(|_, (_, last)| now.duration_since(*last).as_secs() < MAX_PAUSE);
        }
        // Somebody who tries that many names gets no memory for more.
        if self.failures.len() < MAX_NAMES {
            let (failures, last) = self.failures.entry(name.to_lowercase()).or_insert((0, now));
            (*failures, *last) = (*failures + 1, now);
        }
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.failures.remove(&name.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_its_longest_and_ends_with_a_success() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut attempts = Attempts::default();
        for _ in 0..2 {
            attempts.record_failure("Ann", at(0));
        }
        assert_eq!(attempts.pause("ann", at(0)), None);
        attempts.record_failure("ann", at(0));
        assert_eq!(attempts.pause("ANN", at(0)), Some(1));
        assert_eq!(attempts.pause("ann", at(1)), None);
        for _ in 0..4 {
            attempts.record_failure("ann", at(1));
        }
        assert_eq!(attempts.pause("ann", at(1)), Some(16));
        for _ in 0..100 {
            attempts.record_failure("ann", at(1));
        }
        assert_eq!(attempts.pause("ann", at(1)), Some(MAX_PAUSE));
        assert_eq!(attempts.pause("bob", at(1)), None);
        attempts.forget("Ann");
        assert_eq!(attempts.pause("ann", at(1)), None);
    }
}
