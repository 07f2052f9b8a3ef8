//! [`LocalHours`]: which hour of the week a time is in the topic's time zone. People get up by their clocks: in UTC the rhythm of a
//! brand would move by an hour twice a year.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{CELLS, HOUR};

/// A time zone by its IANA name; empty: UTC.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct LocalHours {
    name: String,
    #[serde(skip)]
    zone: Option<TimeZone>,
    /// The offset from UTC in seconds, and the times (Unix seconds) between which it holds: rules ask at every bucket.
    #[serde(skip)]
    offset: Option<(i64, i64, i64)>,
}

/// What is derived from the name does not count.
impl PartialEq for LocalHours {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl LocalHours {
    /// Sets the time zone. An unknown name means UTC. Returns whether it is another one than before.
    pub(super) fn set_zone(&mut self, name: &str) -> bool {
        let name = if name == "UTC" { "" } else { name };
        self.zone = if name.is_empty() { None } else { TimeZone::get(name).ok() };
        self.offset = None;
        let is_other = self.name != name;
        name.clone_into(&mut self.name);
        is_other
    }

    /// Keeps the offset of the time around `time` at hand.
    pub(super) fn prepare(&mut self, time: i64) {
        let Some(zone) = &self.zone else { return };
        if self.offset.is_some_and(|(from, to, _)| (from..to).contains(&time)) {
            return;
        }
        let at = timestamp(time);
        let from = zone.preceding(at).next().map_or(i64::MIN, |transition| transition.timestamp().as_second());
        let to = zone.following(at).next().map_or(i64::MAX, |transition| transition.timestamp().as_second());
        // The change just at `time` precedes it.
        let from = if zone.to_offset(at) == zone.to_offset(timestamp(time - 1)) { from } else { time };
        self.offset = Some((from, to, i64::from(zone.to_offset(at).seconds())));
    }

    /// The hour of the week, from 0. Hour 0 is Thursday 00:00, because 1 January 1970 was a Thursday.
    pub(super) fn slot(&self, time: i64) -> usize {
        usize::try_from((time + self.offset_at(time)).div_euclid(HOUR).rem_euclid(CELLS as i64)).unwrap_or_default()
    }

    /// Local time less UTC at `time`, in seconds.
    pub(super) fn offset_at(&self, time: i64) -> i64 {
        match (&self.zone, self.offset) {
            (None, _) => 0,
            (Some(_), Some((from, to, offset))) if (from..to).contains(&time) => offset,
            (Some(zone), _) => i64::from(zone.to_offset(timestamp(time)).seconds()),
        }
    }
}

fn timestamp(time: i64) -> Timestamp {
    Timestamp::from_second(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn an_hour_of_the_week_keeps_its_place_when_clocks_change() {
        let mut paris = LocalHours::default();
        assert!(paris.set_zone("Europe/Paris") && !paris.set_zone("Europe/Paris"));
        // Thursdays, 08:30 in Paris, before and after 25 October 2026.
        let (summer, winter) = (at("2026-10-22T06:30:00Z"), at("2026-10-29T07:30:00Z"));
        for prepared in [None, Some(summer), Some(winter)] {
            if let Some(time) = prepared {
                paris.prepare(time);
            }
            assert_eq!((paris.slot(summer), paris.slot(winter)), (8, 8));
        }
        let mut kathmandu = LocalHours::default();
        kathmandu.set_zone("Asia/Kathmandu");
        assert_eq!(kathmandu.slot(at("2026-10-22T18:15:00Z")), 24, "five hours and three quarters ahead");
        assert_eq!(LocalHours::default().slot(0), 0);
    }

    #[test]
    fn the_kept_offset_is_right_at_every_hour_of_a_year() {
        let (mut kept, mut fresh) = (LocalHours::default(), LocalHours::default());
        kept.set_zone("America/New_York");
        fresh.set_zone("America/New_York");
        let start = at("2026-01-01T00:00:00Z");
        for time in (start..start + 366 * 24 * HOUR).step_by(1_800) {
            kept.prepare(time);
            assert_eq!(kept.slot(time), fresh.slot(time), "{time}");
        }
    }
}
