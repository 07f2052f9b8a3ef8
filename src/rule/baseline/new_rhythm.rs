//! [`NewRhythm`]: when an hour of the day has changed for good. After a change of clocks, or when a brand's habits change, four
//! weeks of the old rhythm would make the new one look strange for weeks.

use serde::{Deserialize, Serialize};

use super::HOUR;

/// Two strange days within this many seconds are a new rhythm; one is an odd day.
const WITHIN: i64 = 4 * 24 * HOUR;

/// Which way an hour strays from what is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Direction {
    /// More votes.
    More,
    Less,
    /// A higher share of negative votes.
    Angrier,
    Calmer,
}

/// Starts of the hours that strayed lately, the hour of the day of each, and where to; the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct NewRhythm(Vec<(i64, u8, Direction)>);

impl NewRhythm {
    /// Notes whether the hour that starts at `start`, in `slot` of the week, strays. True if it did so the same way on one of the
    /// days before. Hours come in order.
    pub(super) fn is_confirmed(&mut self, start: i64, slot: usize, stray: Option<Direction>) -> bool {
        self.0.retain(|(strayed, ..)| start - strayed <= WITHIN);
        let Some(direction) = stray else { return false };
        let hour = u8::try_from(slot % 24).unwrap_or_default();
        let before = self.0.len();
        self.0.retain(|(_, other, way)| (*other, *way) != (hour, direction));
        if self.0.len() < before {
            return true;
        }
        self.0.push((start, hour, direction));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_day_confirms_the_first() {
        let mut rhythm = NewRhythm::default();
        let mut note = |day: i64, hour: usize, way| rhythm.is_confirmed(day * 24 * HOUR, hour, way);
        assert!(!note(0, 8, Some(Direction::More)) && !note(0, 9, Some(Direction::Less)));
        assert!(!note(1, 8, None) && !note(1, 9, Some(Direction::More)), "the other way");
        assert!(note(2, 32, Some(Direction::More)), "the same hour of another day");
        assert!(!note(3, 8, Some(Direction::More)), "it begins again");
        assert!(!note(9, 8, Some(Direction::More)), "too long ago");
    }
}
