//! [`GuardedClock`]: the wall clock, held against a clock that cannot be set. One place decides what a jump means.
//!
//! A step of the wall clock that the steady clock does not confirm is not believed for [`TRIAL`]: most are mended by then,
//! and windows that had followed would have let go of their baselines. After that it is the time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Time since some fixed moment, which nobody can set.
pub type Steady = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The system's own steady clock.
pub fn steady() -> Steady {
    let started = Instant::now();
    Arc::new(move || started.elapsed())
}

/// A difference between the two clocks that is a jump and no drift.
const JUMP: SignedDuration = SignedDuration::from_mins(2);
/// How long a jump has to last to be believed.
const TRIAL: SignedDuration = SignedDuration::from_mins(10);

/// What a reading came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Time(Timestamp),
    /// The wall clock is off by `by` and not believed; `time` is what the steady clock makes of it.
    Doubted {
        time: Timestamp,
        by: SignedDuration,
    },
    /// A jump has lasted and is believed from here on: `time` is the wall clock's.
    Jumped {
        time: Timestamp,
        by: SignedDuration,
    },
}

/// Turns readings of the wall clock and of a steady clock into the time.
#[derive(Debug)]
pub(super) struct GuardedClock {
    /// Wall and steady clock when they were last believed together.
    wall: Timestamp,
    steady: Duration,
    doubted_since: Option<Duration>,
}

impl GuardedClock {
    pub(super) fn new(wall: Timestamp, steady: Duration) -> Self {
        Self { wall, steady, doubted_since: None }
    }

    /// `steady` is the time since any fixed moment, and never goes back.
    pub(super) fn read(&mut self, wall: Timestamp, steady: Duration) -> Reading {
        let passed = SignedDuration::try_from(steady.saturating_sub(self.steady)).unwrap_or(SignedDuration::MAX);
        let projected = self.wall.checked_add(passed).unwrap_or(Timestamp::MAX);
        let by = wall.duration_since(projected);
        if by.abs() <= JUMP {
            self.believe(wall, steady);
            return Reading::Time(wall);
        }
        let since = *self.doubted_since.get_or_insert(steady);
        if SignedDuration::try_from(steady.saturating_sub(since)).is_ok_and(|doubted| doubted < TRIAL) {
            return Reading::Doubted { time: projected, by };
        }
        self.believe(wall, steady);
        Reading::Jumped { time: wall, by }
    }

    fn believe(&mut self, wall: Timestamp, steady: Duration) {
        (self.wall, self.steady, self.doubted_since) = (wall, steady, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn steady(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn drift_is_followed() {
        let mut clock = GuardedClock::new(at(1_000), steady(0));
        for (wall, second) in [(1_060, 60), (1_119, 120), (1_239, 180), (1_180, 240)] {
            assert_eq!(clock.read(at(wall), steady(second)), Reading::Time(at(wall)));
        }
    }

    #[test]
    fn a_jump_that_is_mended_never_was() {
        for wrong in [1_000_000, -1_000_000] {
            let mut clock = GuardedClock::new(at(0), steady(0));
            let Reading::Doubted { time, by } = clock.read(at(60 + wrong), steady(60)) else { panic!("believed") };
            assert_eq!((time, by.as_secs()), (at(60), wrong));
            assert_eq!(clock.read(at(600), steady(600)), Reading::Time(at(600)));
        }
    }

    #[test]
    fn a_jump_that_lasts_is_the_time() {
        for jump in [86_400, -86_400] {
            let mut clock = GuardedClock::new(at(0), steady(0));
            assert!(matches!(clock.read(at(jump + 1), steady(1)), Reading::Doubted { .. }));
            assert!(matches!(clock.read(at(jump + 600), steady(600)), Reading::Doubted { .. }));
            assert!(matches!(clock.read(at(jump + 601), steady(601)), Reading::Jumped { .. }));
            assert_eq!(clock.read(at(jump + 602), steady(602)), Reading::Time(at(jump + 602)));
        }
    }
}
