//! [`DemoClock`]: the clock of `vigie run --demo`. While the past of the dump is read it follows the posts; then it runs, faster
//! than the real time. So a demo has days behind it after some seconds, and an incident takes minutes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Clones share one clock.
#[derive(Debug, Clone)]
pub struct DemoClock(Arc<Mutex<Pace>>);

#[derive(Debug)]
enum Pace {
    /// It stands.
    At(Timestamp),
    /// It runs since `begun`, when it stood at `from`, up to `limit`.
    Running { from: Timestamp, begun: Instant, speed: f64, limit: Timestamp },
}

impl DemoClock {
    /// A clock that stands at `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Pace::At(start))))
    }

    pub fn now(&self) -> Timestamp {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Pace::At(time) => *time,
            Pace::Running { from, begun, speed, limit } => {
                let passed = SignedDuration::try_from(begun.elapsed().mul_f64(*speed)).unwrap_or(SignedDuration::MAX);
                from.checked_add(passed).unwrap_or(Timestamp::MAX).min(*limit)
            }
        }
    }

    /// The time since `start`, for what must not be set back.
    pub fn since(&self, start: Timestamp) -> Duration {
        Duration::try_from(self.now().duration_since(start)).unwrap_or_default()
    }

    /// Moves a clock that stands forward to `time`.
    pub(super) fn advance(&self, time: Timestamp) {
        if let Pace::At(at) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            *at = time.max(*at);
        }
    }

    /// Lets the clock run from `from` on; `speed` is in seconds per real second.
    pub(super) fn run(&self, from: Timestamp, speed: f64) {
        let begun = Instant::now();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Pace::Running { from, begun, speed, limit: Timestamp::MAX };
    }

    /// Lets a running clock not pass `time`, which is not before the present: on a machine that reads more slowly than the clock
    /// runs, hours would look silent whose posts are still to be read.
    pub(super) fn hold_at(&self, time: Timestamp) {
        if let Pace::Running { limit, .. } = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            *limit = time;
        }
    }

    /// Ends [`DemoClock::hold_at`]: the clock runs from where it is, and does not make up for the time that it stood.
    pub(super) fn resume(&self) {
        let now = self.now();
        if let Pace::Running { from, begun, limit, .. } = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            (*from, *begun, *limit) = (now, Instant::now(), Timestamp::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_posts_and_then_runs() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let clock = DemoClock::at(at(100));
        clock.advance(at(500));
        clock.advance(at(400));
        assert_eq!((clock.now(), clock.since(at(100))), (at(500), Duration::from_secs(400)), "it never goes back");
        clock.run(at(600), 1e9);
        std::thread::yield_now();
        assert!(clock.now() > at(600));
        clock.advance(at(1));
        assert!(clock.now() > at(600));
    }

    #[test]
    fn a_clock_that_was_held_does_not_jump() {
        let (start, speed) = (Timestamp::from_second(0).unwrap(), 1e6);
        let clock = DemoClock::at(start);
        let begun = Instant::now();
        clock.run(start, speed);
        let limit = start + SignedDuration::from_secs(100);
        clock.hold_at(limit);
        // A hundred times as long as the clock needs to its limit.
        while begun.elapsed() < Duration::from_millis(10) {
            std::thread::yield_now();
        }
        assert_eq!(clock.now(), limit);
        let resumed = Instant::now();
        clock.resume();
        let passed = Duration::try_from(clock.now().duration_since(limit)).unwrap();
        assert!(passed <= resumed.elapsed().mul_f64(speed), "{passed:?}");
    }
}
