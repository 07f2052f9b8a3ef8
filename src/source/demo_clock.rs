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
    /// It runs since `begun`, when it stood at `from`.
    Running { from: Timestamp, begun: Instant, speed: f64 },
}

impl DemoClock {
    /// A clock that stands at `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Pace::At(start))))
    }

    pub fn now(&self) -> Timestamp {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Pace::At(time) => *time,
            Pace::Running { from, begun, speed } => {
                let passed = SignedDuration::try_from(begun.elapsed().mul_f64(*speed)).unwrap_or(SignedDuration::MAX);
                from.checked_add(passed).unwrap_or(Timestamp::MAX)
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
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Pace::Running { from, begun: Instant::now(), speed };
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
}
