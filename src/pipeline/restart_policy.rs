//! [`Deaths`]: when what has died is started again, and when the whole process is to end instead.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// As many deaths of one task ...
const MOST: usize = 3;
/// ... within this time end the process: systemd starts it afresh.
const WITHIN: SignedDuration = SignedDuration::from_mins(5);
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// What is to follow a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    RestartAfter(Duration),
    /// It died too often.
    GiveUp,
}

/// The recent deaths of one task.
#[derive(Debug, Default)]
pub(super) struct Deaths(VecDeque<Timestamp>);

impl Deaths {
    /// Notes a death at `now`. The first is followed by a restart after a second, the next by one after two.
    pub(super) fn note(&mut self, now: Timestamp) -> Verdict {
        while self.0.front().is_some_and(|death| now.duration_since(*death) > WITHIN) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        if self.0.len() >= MOST {
            return Verdict::GiveUp;
        }
        Verdict::RestartAfter(FIRST_WAIT * 2_u32.pow(self.0.len() as u32 - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_deaths_in_five_minutes_are_too_many() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut deaths = Deaths::default();
        let wait = |seconds| Verdict::RestartAfter(Duration::from_secs(seconds));
        assert_eq!(deaths.note(at(0)), wait(1));
        assert_eq!(deaths.note(at(200)), wait(2));
        assert_eq!(deaths.note(at(301)), wait(2), "the first is forgotten");
        assert_eq!(deaths.note(at(400)), Verdict::GiveUp);
    }
}
