//! [`SkippedHours`]: bounds for how long hours of incidents are not learned. What comes every day is the new normal, and a
//! baseline that never learned it would raise the same alarm for good.

use serde::{Deserialize, Serialize};

use super::HOUR;

/// An hour of the day is left out at most this many times, once where the whole scale is another one ...
const MAX_SKIPS: usize = 2;
/// ... within this many seconds.
const WITHIN: i64 = 7 * 24 * HOUR;

/// Starts of the hours that were left out lately, with the hour of the day of each; the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SkippedHours(Vec<(i64, u8)>);

impl SkippedHours {
    /// Whether the hour that starts at `start`, in `slot` of the week, may be left out; then it is noted. Hours come in order.
    /// With `once`, an hour of the day may be left out only once.
    pub(super) fn may_skip(&mut self, start: i64, slot: usize, once: bool) -> bool {
        self.0.retain(|(skipped, _)| start - skipped < WITHIN);
        let hour = u8::try_from(slot % 24).unwrap_or_default();
        let limit = if once { 1 } else { MAX_SKIPS };
        let may = self.0.iter().filter(|(_, skipped)| *skipped == hour).count() < limit;
        if may {
            self.0.push((start, hour));
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_hour_is_left_out_on_two_days_of_a_week() {
        let mut skipped = SkippedHours::default();
        let may = |skipped: &mut SkippedHours, day: i64, hour: i64| {
            skipped.may_skip((day * 24 + hour) * HOUR, usize::try_from((day % 7) * 24 + hour).unwrap(), false)
        };
        let days: Vec<bool> = (0..9).map(|day| may(&mut skipped, day, 3)).collect();
        assert_eq!(days, [true, true, false, false, false, false, false, true, true], "{skipped:?}");
        assert!(may(&mut skipped, 9, 4), "another hour");
        assert!(!skipped.may_skip(10 * 24 * HOUR + 4 * HOUR, 4, true), "once is enough where the scale is another one");
        let whole_day: Vec<bool> = (0..24).map(|hour| may(&mut SkippedHours::default(), 20, hour)).collect();
        assert!(whole_day.iter().all(|skips| *skips), "an incident of a day is left out");
    }
}
