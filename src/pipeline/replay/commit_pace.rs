//! [`CommitPace`]: after which chunks a replay commits. A commit writes a few records of every topic that had a post since the
//! last one: with a thousand topics, one after each chunk would write more than the posts themselves many times over.

use std::time::{Duration, Instant};

/// Posts after which a commit is due.
const MAX_POSTS: u64 = 1 << 15;
/// Time after which a commit is due: a replay that is killed repeats no more than this.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// The same where an alert fired or ended: it is delivered after the commit.
const MAX_ALERT_WAIT: Duration = Duration::from_millis(200);

/// See the module.
#[derive(Debug)]
pub(super) struct CommitPace {
    committed: u64,
    at: Instant,
}

impl CommitPace {
    /// `committed`: posts that are committed.
    pub(super) fn new(committed: u64, now: Instant) -> Self {
        Self { committed, at: now }
    }

    /// Whether to commit at `now`, with `done` posts; the caller then does.
    pub(super) fn is_due(&mut self, done: u64, has_transitions: bool, now: Instant) -> bool {
        let waited = now.saturating_duration_since(self.at);
        let due =
            done - self.committed >= MAX_POSTS || waited >= MAX_WAIT || (has_transitions && waited >= MAX_ALERT_WAIT);
        if due {
            *self = Self::new(done, now);
        }
        due
    }

    /// Whether posts are not committed yet.
    pub(super) fn is_behind(&self, done: u64) -> bool {
        done > self.committed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_time_and_alerts_make_a_commit_due() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut pace = CommitPace::new(512, start);
        assert!(!pace.is_due(1_024, false, after(4_999)) && pace.is_behind(1_024));
        assert!(!pace.is_due(1_024, true, after(199)));
        assert!(pace.is_due(1_024, true, after(200)) && !pace.is_behind(1_024));
        assert!(!pace.is_due(1_536, false, after(5_199)) && pace.is_due(1_536, false, after(5_200)));
        assert!(!pace.is_due(1_535 + MAX_POSTS, false, after(5_200)));
        assert!(pace.is_due(1_536 + MAX_POSTS, false, after(5_200)));
    }
}
