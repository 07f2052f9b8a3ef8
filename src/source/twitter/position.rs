//! [`PollPosition`]: how far a polled source has read; its cursor. It never runs ahead of what was sent: X returns newest
//! posts first, so the part between them and the last poll is kept as a [`Gap`].
//!
//! ```text
//! newest of last poll           gap: not read yet                sent
//! -------|=========================================|-----------------------------| newest
//!      since                                     until
//! ```

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::budget::SourceSpend;
use super::snowflake;

/// X's index goes back seven days; the margin is for clocks that differ.
const SEARCH_REACH: SignedDuration = SignedDuration::from_secs(7 * 24 * 3600 - 300);
/// X rejects a start time more recent than this.
const MIN_START_AGE: SignedDuration = SignedDuration::from_secs(30);

/// Where reading starts: after a post, or at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Since {
    Id(u64),
    Time(Timestamp),
}

/// Unread posts after `since` and before the post `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gap {
    pub since: Since,
    pub until: u64,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PollPosition {
    /// Where the next poll starts without a newest post.
    pub from: Timestamp,
    pub newest: Option<u64>,
    pub gap: Option<Gap>,
    /// When the overlap was last read again.
    pub overlap_read_at: Timestamp,
    /// What the source has spent.
    pub spend: SourceSpend,
}

impl Since {
    /// Limits the start to what X serves: not older than `reach` and, for a time, not too recent.
    pub(super) fn within(self, reach: Option<SignedDuration>, now: Timestamp) -> Self {
        let earliest = reach.map_or(Timestamp::MIN, |reach| earlier(now, reach));
        match self {
            Self::Id(id) if snowflake::time_of(id).is_some_and(|at| at < earliest) => Self::Time(earliest),
            Self::Id(id) => Self::Id(id),
            Self::Time(at) => Self::Time(at.max(earliest).min(earlier(now, MIN_START_AGE))),
        }
    }

    pub(super) fn time(self) -> Option<Timestamp> {
        match self {
            Self::Id(id) => snowflake::time_of(id),
            Self::Time(at) => Some(at),
        }
    }

    /// Whether no post can lie between the start and `until`.
    fn reaches(self, until: u64) -> bool {
        match self {
            Self::Id(id) => id.saturating_add(1) >= until,
            Self::Time(at) => snowflake::time_of(until).is_some_and(|until| at >= until),
        }
    }
}

impl Gap {
    /// None when no post can lie in it.
    pub(super) fn new(since: Since, until: u64) -> Option<Self> {
        (!since.reaches(until)).then_some(Self { since, until })
    }
}

impl PollPosition {
    /// The position before the first poll.
    pub(super) fn start(from: Timestamp, now: Timestamp, spend: SourceSpend) -> Self {
        Self { from, newest: None, gap: None, overlap_read_at: now, spend }
    }

    /// Where the next poll starts, and whether it reads the overlap again. The overlap is due once per `overlap`, so a post
    /// is read about twice at most.
    pub(super) fn next_start(&self, overlap: SignedDuration, now: Timestamp) -> (Since, bool) {
        let Some(newest) = self.newest else { return (Since::Time(self.from), false) };
        // A clock that was set back must not postpone it.
        let passed = now.duration_since(self.overlap_read_at);
        if overlap.is_zero() || !(passed.is_negative() || passed >= overlap) {
            return (Since::Id(newest), false);
        }
        let overlap_start = snowflake::first_at(earlier(self.overlap_read_at, overlap)).saturating_sub(1);
        (Since::Id(newest.min(overlap_start)), true)
    }

    /// Drops what X no longer serves: the older part of a gap, else the gap, else the newest post. Repeated calls drop
    /// everything.
    pub(super) fn drop_oldest(&mut self, now: Timestamp) {
        let from = earlier(now, SEARCH_REACH);
        match self.gap.take() {
            Some(Gap { since: Since::Id(_), until }) => self.gap = Gap::new(Since::Time(from), until),
            Some(_) => {}
            None => (self.from, self.newest) = (from, None),
        }
    }
}

/// How far back recent search goes.
pub(super) fn reach_of_search() -> SignedDuration {
    SEARCH_REACH
}

pub(super) fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Cursor;
    use crate::source::twitter::snowflake::first_at;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn position(newest: Option<u64>) -> PollPosition {
        let spend = serde_json::from_str(
            r#"{"day":"2026-11-23","in_day":{"posts":0,"nanodollars":0},"in_month":{"posts":0,"nanodollars":0}}"#,
        );
        PollPosition { newest, ..PollPosition::start(at(-3600), at(0), spend.unwrap()) }
    }

    #[test]
    fn it_is_read_back_from_its_cursor_to_the_last_digit() {
        let gap = Gap::new(Since::Time(at(-9)), first_at(at(-5)));
        let position = PollPosition { gap, ..position(Some(1_999_999_999_999_999_999)) };
        assert!(gap.is_some());
        assert_eq!(Cursor::new(&position).unwrap().read::<PollPosition>().unwrap(), position);
    }

    #[test]
    fn the_overlap_is_read_again_when_as_much_time_has_passed() {
        let newest = first_at(at(29));
        let position = position(Some(newest));
        assert_eq!(position.next_start(MINUTE, at(30)), (Since::Id(newest), false));
        assert_eq!(position.next_start(MINUTE, at(60)), (Since::Id(first_at(at(-60)) - 1), true));
        assert_eq!(
            position.next_start(MINUTE, at(-900)),
            (Since::Id(first_at(at(-60)) - 1), true),
            "the clock was set back"
        );
        assert_eq!(position.next_start(SignedDuration::ZERO, at(60)), (Since::Id(newest), false));
        let old = PollPosition { newest: Some(first_at(at(-7_000))), ..position.clone() };
        assert_eq!(
            old.next_start(MINUTE, at(60)),
            (Since::Id(first_at(at(-7_000))), true),
            "nothing newer to read again"
        );
    }

    #[test]
    fn nothing_older_than_the_index_is_requested() {
        let week = SignedDuration::from_hours(7 * 24);
        let old = Since::Id(first_at(at(0)));
        let later = at(0) + week;
        assert_eq!(old.within(Some(SEARCH_REACH), later), Since::Time(later - SEARCH_REACH));
        assert_eq!(old.within(None, later), old);
        assert_eq!(Since::Id(1_000).within(Some(SEARCH_REACH), later), Since::Id(1_000), "an ID without a time");
        assert_eq!(Since::Time(later).within(Some(SEARCH_REACH), later), Since::Time(later - MIN_START_AGE));
    }

    #[test]
    fn repeated_drops_leave_nothing() {
        let later = at(0) + SignedDuration::from_hours(7 * 24);
        let gap = Gap::new(Since::Id(first_at(at(-100))), first_at(at(5_000)));
        let mut position = PollPosition { gap, ..position(Some(first_at(at(6_000)))) };
        position.drop_oldest(later);
        assert_eq!(
            position.gap,
            Gap::new(Since::Time(later - SEARCH_REACH), first_at(at(5_000))),
            "the newer part remains"
        );
        position.drop_oldest(later);
        assert_eq!((position.gap, position.newest), (None, Some(first_at(at(6_000)))));
        position.drop_oldest(later);
        assert_eq!((position.from, position.newest), (later - SEARCH_REACH, None));
    }

    #[test]
    fn a_gap_that_can_hold_no_post_is_none() {
        assert_eq!(Gap::new(Since::Id(999), 1_000), None);
        assert!(Gap::new(Since::Id(998), 1_000).is_some());
        assert_eq!(Gap::new(Since::Time(at(5)), first_at(at(5))), None);
    }
}
