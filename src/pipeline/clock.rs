//! [`JumpGuardedClock`]: the wall clock, checked against the monotonic clock. One place decides what a jump means.
//!
//! A step of the wall clock that the monotonic clock does not confirm is ignored for [`TRIAL`]: most are corrected by then, and
//! windows that followed it would lose their baselines. After that it is accepted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Time since a fixed moment; cannot be set.
pub type MonotonicClock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The system's own monotonic clock.
pub fn monotonic() -> MonotonicClock {
    let started = Instant::now();
    Arc::new(move || started.elapsed())
}

/// A larger difference between the two clocks is a jump, a smaller one is drift.
const JUMP: SignedDuration = SignedDuration::from_mins(2);
/// A jump that lasts this long is accepted.
const TRIAL: SignedDuration = SignedDuration::from_mins(10);

/// A reading of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Time(Timestamp),
    /// The wall clock is off by `by` and ignored; `time` is extrapolated with the monotonic clock.
    Suspect {
        time: Timestamp,
        by: SignedDuration,
    },
    /// A jump has lasted and is accepted from here on: `time` is the wall clock's.
    Jumped {
        time: Timestamp,
        by: SignedDuration,
    },
}

/// Derives the time from readings of the wall clock and of a monotonic clock.
#[derive(Debug)]
pub(super) struct JumpGuardedClock {
    /// Wall and monotonic clock when they last agreed.
    wall: Timestamp,
    monotonic: Duration,
    doubted_since: Option<Duration>,
}

impl JumpGuardedClock {
    pub(super) fn new(wall: Timestamp, monotonic: Duration) -> Self {
        Self { wall, monotonic, doubted_since: None }
    }

    /// `monotonic` is the time since any fixed moment, and never goes back.
    pub(super) fn read(&mut self, wall: Timestamp, monotonic: Duration) -> Reading {
        let passed = SignedDuration::try_from(monotonic.saturating_sub(self.monotonic)).unwrap_or(SignedDuration::MAX);
        let projected = self.wall.checked_add(passed).unwrap_or(Timestamp::MAX);
        let by = wall.duration_since(projected);
        if by.abs() <= JUMP {
            self.believe(wall, monotonic);
            return Reading::Time(wall);
        }
        let since = *self.doubted_since.get_or_insert(monotonic);
        if SignedDuration::try_from(monotonic.saturating_sub(since)).is_ok_and(|suspect_jump| suspect_jump < TRIAL) {
            return Reading::Suspect { time: projected, by };
        }
        self.believe(wall, monotonic);
        Reading::Jumped { time: wall, by }
    }

    fn believe(&mut self, wall: Timestamp, monotonic: Duration) {
        (self.wall, self.monotonic, self.doubted_since) = (wall, monotonic, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn monotonic(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn drift_is_followed() {
        let mut clock = JumpGuardedClock::new(at(1_000), monotonic(0));
        for (wall, second) in [(1_060, 60), (1_119, 120), (1_239, 180), (1_180, 240)] {
            assert_eq!(clock.read(at(wall), monotonic(second)), Reading::Time(at(wall)));
        }
    }

    #[test]
    fn a_jump_that_is_mended_never_was() {
        for wrong in [1_000_000, -1_000_000] {
            let mut clock = JumpGuardedClock::new(at(0), monotonic(0));
            let Reading::Suspect { time, by } = clock.read(at(60 + wrong), monotonic(60)) else { panic!("believed") };
            assert_eq!((time, by.as_secs()), (at(60), wrong));
            assert_eq!(clock.read(at(600), monotonic(600)), Reading::Time(at(600)));
        }
    }

    #[test]
    fn a_jump_that_lasts_is_the_time() {
        for jump in [86_400, -86_400] {
            let mut clock = JumpGuardedClock::new(at(0), monotonic(0));
            assert!(matches!(clock.read(at(jump + 1), monotonic(1)), Reading::Suspect { .. }));
            assert!(matches!(clock.read(at(jump + 600), monotonic(600)), Reading::Suspect { .. }));
            assert!(matches!(clock.read(at(jump + 601), monotonic(601)), Reading::Jumped { .. }));
            assert_eq!(clock.read(at(jump + 602), monotonic(602)), Reading::Time(at(jump + 602)));
        }
    }
}
