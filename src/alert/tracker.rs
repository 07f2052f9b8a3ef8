//! The life of one rule on one topic: a pure state machine, no clock, no input, no output.
//!
//! ```text
//!                holds                      held `for` long
//!   Inactive ------------> Pending ------------------------------> Firing <--+
//!      ^                      | does not hold                        |       | holds again
//!      |<---------------------+                                      |       |
//!      |                                             does not hold   v       |
//!      +------------ resolved: `keep_firing_for` over ----------- Firing since last held
//!
//!   Firing, still holds after `max_open`: closed ----> Closed ---- has not held for `keep_firing_for` ----> Inactive
//! ```

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a rule stands on a topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlertState {
    #[default]
    Inactive,
    /// The condition holds, but not yet for long enough.
    Pending { since: Timestamp },
    /// The alert fires. `quiet_since`: since when the condition does not hold any more.
    Firing { since: Timestamp, quiet_since: Option<Timestamp> },
    /// The alert ended by `max_open` while its condition held. It does not fire again before the condition has ceased to hold: the
    /// same facts would begin a new alert at once. Both times as above.
    Closed { since: Timestamp, quiet_since: Option<Timestamp> },
}

/// A rule's `for`, `keep_firing_for` and `max_open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    pub hold: SignedDuration,
    pub keep_firing_for: SignedDuration,
    /// None: an alert may stay open for ever.
    pub max_open: Option<SignedDuration>,
}

/// What one evaluation changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    None,
    /// The condition began to hold.
    Began,
    /// The condition stopped holding before the alert fired.
    Lapsed,
    /// The alert fires; its condition first held at `since`.
    Fired {
        since: Timestamp,
    },
    Resolved,
    /// It was open for `max_open`, and its condition still holds.
    Closed,
}

impl Timing {
    /// Whether an alert is open for too long whose condition holds since `since`: it was open only after `for`.
    fn is_over(&self, since: Timestamp, now: Timestamp) -> bool {
        self.max_open.is_some_and(|max_open| now.duration_since(since) >= max_open.saturating_add(self.hold))
    }
}

impl AlertState {
    /// The same state with no moment after `now`, after the clock ran ahead.
    #[must_use]
    pub fn rewound(self, now: Timestamp) -> Self {
        match self {
            Self::Inactive => Self::Inactive,
            Self::Pending { since } => Self::Pending { since: since.min(now) },
            Self::Firing { since, quiet_since } => {
                Self::Firing { since: since.min(now), quiet_since: quiet_since.map(|quiet| quiet.min(now)) }
            }
            Self::Closed { since, quiet_since } => {
                Self::Closed { since: since.min(now), quiet_since: quiet_since.map(|quiet| quiet.min(now)) }
            }
        }
    }

    /// The state after an evaluation at `now`, and what that changed. `now` never goes back between calls.
    #[must_use]
    pub fn step(self, now: Timestamp, holds: bool, timing: Timing) -> (Self, Change) {
        match (self, holds) {
            (Self::Inactive, false) => (Self::Inactive, Change::None),
            (Self::Inactive, true) => match Self::fire_or_wait(now, now, timing) {
                (state, Change::None) => (state, Change::Began),
                fired => fired,
            },
            (Self::Pending { .. }, false) => (Self::Inactive, Change::Lapsed),
            (Self::Pending { since }, true) => Self::fire_or_wait(since, now, timing),
            (Self::Firing { since, .. }, true) if timing.is_over(since, now) => {
                (Self::Closed { since, quiet_since: None }, Change::Closed)
            }
            (Self::Firing { since, .. }, true) => (Self::Firing { since, quiet_since: None }, Change::None),
            (Self::Firing { since, quiet_since }, false) => {
                Self::resolve_or_wait(since, quiet_since.unwrap_or(now), now, timing)
            }
            (Self::Closed { since, .. }, true) => (Self::Closed { since, quiet_since: None }, Change::None),
            (Self::Closed { since, quiet_since }, false) => {
                let quiet = quiet_since.unwrap_or(now);
                let is_over = now.duration_since(quiet) >= timing.keep_firing_for;
                (if is_over { Self::Inactive } else { Self::Closed { since, quiet_since: Some(quiet) } }, Change::None)
            }
        }
    }

    fn fire_or_wait(since: Timestamp, now: Timestamp, timing: Timing) -> (Self, Change) {
        if now.duration_since(since) >= timing.hold {
            (Self::Firing { since, quiet_since: None }, Change::Fired { since })
        } else {
            (Self::Pending { since }, Change::None)
        }
    }

    fn resolve_or_wait(since: Timestamp, quiet_since: Timestamp, now: Timestamp, timing: Timing) -> (Self, Change) {
        if now.duration_since(quiet_since) >= timing.keep_firing_for {
            (Self::Inactive, Change::Resolved)
        } else {
            (Self::Firing { since, quiet_since: Some(quiet_since) }, Change::None)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn timing(hold: i64, keep: i64) -> Timing {
        let (hold, keep_firing_for) = (SignedDuration::from_mins(hold), SignedDuration::from_mins(keep));
        Timing { hold, keep_firing_for, max_open: None }
    }

    /// Minutes at which an alert fired and was resolved, for a condition given minute by minute (`#` holds).
    fn changes(conditions: &str, timing: Timing) -> Vec<(i64, Change)> {
        let mut state = AlertState::default();
        let mut changes = Vec::new();
        for (minute, condition) in conditions.chars().enumerate() {
            let minute = minute as i64;
            let (next, change) = state.step(at(minute), condition == '#', timing);
            state = next;
            if matches!(change, Change::Fired { .. } | Change::Resolved | Change::Closed) {
                changes.push((minute, change));
            }
        }
        changes
    }

    #[test]
    fn timelines() {
        let fired = |since| Change::Fired { since: at(since) };
        assert_eq!(changes("..##..", timing(0, 0)), [(2, fired(2)), (4, Change::Resolved)]);
        assert_eq!(changes("..####.", timing(2, 0)), [(4, fired(2)), (6, Change::Resolved)]);
        assert_eq!(changes(".##.##.", timing(2, 0)), [], "each time too short");
        assert_eq!(changes("##.#.#...", timing(0, 2)), [(0, fired(0)), (8, Change::Resolved)], "no flapping");
    }

    #[test]
    fn what_stays_open_for_too_long_is_closed_and_fires_again_only_after_a_pause() {
        let timing = Timing { max_open: Some(SignedDuration::from_mins(3)), ..timing(0, 2) };
        let fired = |since| Change::Fired { since: at(since) };
        assert_eq!(changes("#######", timing), [(0, fired(0)), (3, Change::Closed)], "once");
        assert_eq!(changes("####.#.##", timing), [(0, fired(0)), (3, Change::Closed)], "the pauses are too short");
        let held = Timing { hold: SignedDuration::from_mins(4), ..timing };
        assert_eq!(changes("########", held), [(4, fired(0)), (7, Change::Closed)], "open only after `for`");
        let again = [(0, fired(0)), (3, Change::Closed), (7, fired(7))];
        assert_eq!(changes("####...#", timing), again, "after a pause it is another alert");
        assert_eq!(
            changes("##....", timing),
            [(0, fired(0)), (4, Change::Resolved)],
            "it ends by evidence, if there is any"
        );
    }

    /// The rules of Prometheus, computed from the whole past instead of a state.
    #[derive(Default)]
    struct Recount {
        past: Vec<(Timestamp, bool)>,
        firing: bool,
    }

    impl Recount {
        fn step(&mut self, now: Timestamp, holds: bool, timing: Timing) -> bool {
            self.past.push((now, holds));
            let run = |expected: bool| {
                let run = self.past.iter().rev().take_while(|(_, held)| *held == expected).last();
                run.map(|(since, _)| now.duration_since(*since))
            };
            if self.firing {
                self.firing = run(false).is_none_or(|quiet| quiet < timing.keep_firing_for);
            } else {
                self.firing = run(true).is_some_and(|held| held >= timing.hold);
            }
            self.firing
        }
    }

    proptest! {
        #[test]
        fn any_sequence_agrees_with_a_recount(
            hold in 0_i64..6,
            keep in 0_i64..6,
            steps in proptest::collection::vec((1_i64..4, any::<bool>()), 1..80),
        ) {
            let timing = timing(hold, keep);
            let (mut state, mut recount, mut minute, mut open) = (AlertState::default(), Recount::default(), 0, false);
            for (minutes, holds) in steps {
                minute += minutes;
                let (next, change) = state.step(at(minute), holds, timing);
                state = next;
                prop_assert_eq!(matches!(state, AlertState::Firing { .. }), recount.step(at(minute), holds, timing));
                match change {
                    Change::Fired { since } => {
                        prop_assert!(!open && at(minute).duration_since(since) >= timing.hold);
                        open = true;
                    }
                    Change::Resolved => {
                        prop_assert!(open && !holds);
                        open = false;
                    }
                    Change::None | Change::Began | Change::Lapsed => {}
                    Change::Closed => prop_assert!(false, "without `max_open`"),
                }
                prop_assert_eq!(open, matches!(state, AlertState::Firing { .. }));
            }
        }
    }
}
