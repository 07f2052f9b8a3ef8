//! [`RestartPolicy`]: decides whether a failed task is restarted or the process ends.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// This many failures of one task ...
const MAX_FAILURES: usize = 3;
/// ... within this time end the process: systemd restarts it.
const WITHIN: SignedDuration = SignedDuration::from_mins(5);
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RestartDecision {
    RestartAfter(Duration),
    /// It failed too often.
    GiveUp,
}

/// The recent failures of one task.
#[derive(Debug, Default)]
pub(super) struct RestartPolicy(VecDeque<Timestamp>);

impl RestartPolicy {
    /// Records a failure at `now`. The task restarts one second after the first, two after the next.
    pub(super) fn record_failure(&mut self, now: Timestamp) -> RestartDecision {
        while self.0.front().is_some_and(|failure| now.duration_since(*failure) > WITHIN) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        if self.0.len() >= MAX_FAILURES {
            return RestartDecision::GiveUp;
        }
        RestartDecision::RestartAfter(FIRST_WAIT * 2_u32.pow(self.0.len() as u32 - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_five_minutes_are_too_many() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut policy = RestartPolicy::default();
        let wait = |seconds| RestartDecision::RestartAfter(Duration::from_secs(seconds));
        assert_eq!(policy.record_failure(at(0)), wait(1));
        assert_eq!(policy.record_failure(at(200)), wait(2));
        assert_eq!(policy.record_failure(at(301)), wait(2), "the first is forgotten");
        assert_eq!(policy.record_failure(at(400)), RestartDecision::GiveUp);
    }
}
