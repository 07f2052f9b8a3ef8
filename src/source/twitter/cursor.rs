//! [`Position`]: how far a polled source has read, which is what its cursor holds. It never runs ahead of what was
//! delivered: posts come newest first, so that what lies between them and the last poll is kept as a [`Gap`].
//!
//! ```text
//! last poll's newest            gap: still to be read            delivered
//! -------|=========================================|-----------------------------| newest
//!      since                                     until
//! ```

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::budget::Share;
use super::snowflake;

/// X's index goes back seven days; this much less is asked for, as clocks differ.
const REACH: SignedDuration = SignedDuration::from_secs(7 * 24 * 3600 - 300);
/// X does not take a start time later than this before now.
const FRESH: SignedDuration = SignedDuration::from_secs(30);

/// Where reading begins: behind a post, or at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Since {
    Id(u64),
    Time(Timestamp),
}

/// Posts behind `since` and before the post `until` that are still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gap {
    pub since: Since,
    pub until: u64,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// All before was asked for, while there is no newest post yet.
    pub from: Timestamp,
    pub newest: Option<u64>,
    pub gap: Option<Gap>,
    /// When the overlap was last read again.
    pub reread: Timestamp,
    /// What reading has cost.
    pub paid: Share,
}

impl Since {
    /// The same, but no farther back than `reach` and, for a time, no later than X takes.
    pub(super) fn within(self, reach: Option<SignedDuration>, now: Timestamp) -> Self {
        let earliest = reach.map_or(Timestamp::MIN, |reach| earlier(now, reach));
        match self {
            Self::Id(id) if snowflake::time_of(id).is_some_and(|at| at < earliest) => Self::Time(earliest),
            Self::Id(id) => Self::Id(id),
            Self::Time(at) => Self::Time(at.max(earliest).min(earlier(now, FRESH))),
        }
    }

    pub(super) fn time(self) -> Option<Timestamp> {
        match self {
            Self::Id(id) => snowflake::time_of(id),
            Self::Time(at) => Some(at),
        }
    }

    /// Whether no post can lie behind it and before `until`.
    fn reaches(self, until: u64) -> bool {
        match self {
            Self::Id(id) => id.saturating_add(1) >= until,
            Self::Time(at) => snowflake::time_of(until).is_some_and(|until| at >= until),
        }
    }
}

impl Gap {
    /// None where nothing can be in it.
    pub(super) fn new(since: Since, until: u64) -> Option<Self> {
        (!since.reaches(until)).then_some(Self { since, until })
    }
}

impl Position {
    /// Before anything was read.
    pub(super) fn start(from: Timestamp, now: Timestamp, paid: Share) -> Self {
        Self { from, newest: None, gap: None, reread: now, paid }
    }

    /// Where the next poll begins, and whether it reads the overlap again: that is due when as much time has passed, so
    /// that a post is read about twice at most.
    pub(super) fn since(&self, overlap: SignedDuration, now: Timestamp) -> (Since, bool) {
        let Some(newest) = self.newest else { return (Since::Time(self.from), false) };
        // A clock set back must not put it off.
        let passed = now.duration_since(self.reread);
        if overlap.is_zero() || !(passed.is_negative() || passed >= overlap) {
            return (Since::Id(newest), false);
        }
        let again = snowflake::first_at(earlier(self.reread, overlap)).saturating_sub(1);
        (Since::Id(newest.min(again)), true)
    }

    /// Gives up what X does not give any more: of a gap the older part, or else the gap, or else the newest post. Said
    /// again and again, nothing is left.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        let from = earlier(now, REACH);
        match self.gap.take() {
            Some(Gap { since: Since::Id(_), until }) => self.gap = Gap::new(Since::Time(from), until),
            Some(_) => {}
            None => (self.from, self.newest) = (from, None),
        }
    }
}

/// How far back recent search goes.
pub(super) fn reach_of_search() -> SignedDuration {
    REACH
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

    fn position(newest: Option<u64>) -> Position {
        let paid = serde_json::from_str(
            r#"{"day":"2026-11-23","in_day":{"posts":0,"nanodollars":0},"in_month":{"posts":0,"nanodollars":0}}"#,
        );
        Position { newest, ..Position::start(at(-3600), at(0), paid.unwrap()) }
    }

    #[test]
    fn it_is_read_back_from_its_cursor_to_the_last_digit() {
        let gap = Gap::new(Since::Time(at(-9)), first_at(at(-5)));
        let position = Position { gap, ..position(Some(1_999_999_999_999_999_999)) };
        assert!(gap.is_some());
        assert_eq!(Cursor::new(&position).unwrap().read::<Position>().unwrap(), position);
    }

    #[test]
    fn the_overlap_is_read_again_when_as_much_time_has_passed() {
        let newest = first_at(at(29));
        let position = position(Some(newest));
        assert_eq!(position.since(MINUTE, at(30)), (Since::Id(newest), false));
        assert_eq!(position.since(MINUTE, at(60)), (Since::Id(first_at(at(-60)) - 1), true));
        assert_eq!(
            position.since(MINUTE, at(-900)),
            (Since::Id(first_at(at(-60)) - 1), true),
            "the clock was set back"
        );
        assert_eq!(position.since(SignedDuration::ZERO, at(60)), (Since::Id(newest), false));
        let old = Position { newest: Some(first_at(at(-7_000))), ..position.clone() };
        assert_eq!(old.since(MINUTE, at(60)), (Since::Id(first_at(at(-7_000))), true), "nothing newer to read again");
    }

    #[test]
    fn nothing_older_than_the_index_is_asked_for() {
        let week = SignedDuration::from_hours(7 * 24);
        let old = Since::Id(first_at(at(0)));
        let later = at(0) + week;
        assert_eq!(old.within(Some(REACH), later), Since::Time(later - REACH));
        assert_eq!(old.within(None, later), old);
        assert_eq!(Since::Id(1_000).within(Some(REACH), later), Since::Id(1_000), "no time can be told of it");
        assert_eq!(Since::Time(later).within(Some(REACH), later), Since::Time(later - FRESH));
    }

    #[test]
    fn what_is_given_up_ends_with_nothing() {
        let later = at(0) + SignedDuration::from_hours(7 * 24);
        let gap = Gap::new(Since::Id(first_at(at(-100))), first_at(at(5_000)));
        let mut position = Position { gap, ..position(Some(first_at(at(6_000)))) };
        position.forget_old(later);
        assert_eq!(position.gap, Gap::new(Since::Time(later - REACH), first_at(at(5_000))), "its later part is there");
        position.forget_old(later);
        assert_eq!((position.gap, position.newest), (None, Some(first_at(at(6_000)))));
        position.forget_old(later);
        assert_eq!((position.from, position.newest), (later - REACH, None));
    }

    #[test]
    fn a_gap_without_room_for_a_post_is_none() {
        assert_eq!(Gap::new(Since::Id(999), 1_000), None);
        assert!(Gap::new(Since::Id(998), 1_000).is_some());
        assert_eq!(Gap::new(Since::Time(at(5)), first_at(at(5))), None);
    }
}
