//! [`TimeInterval`]: a part of the week, such as `mon-fri 08:00-20:00`.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const DAY: i32 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Days of the week, and hours on each of them. Hours that end before they begin extend into the next day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeInterval {
    /// From Monday.
    days: [bool; 7],
    /// Minutes of the day, `to` excluded.
    from: i32,
    to: i32,
    text: String,
}

/// A text that is not a [`TimeInterval`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time interval; expected days, hours, or both, such as \"mon-fri 08:00-20:00\" or \"sat,sun\"")]
pub struct TimeIntervalError(String);

impl TimeInterval {
    /// Whether `now` is within the interval, in `zone`.
    pub fn contains(&self, now: Timestamp, zone: &TimeZone) -> bool {
        let local = now.to_zoned_datetime(zone.clone());
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let today = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
        let is = |day: usize| self.days.get(day % 7).copied().unwrap_or_default();
        if self.from < self.to {
            return is(today) && (self.from..self.to).contains(&minute);
        }
        (is(today) && minute >= self.from) || (is(today + 6) && minute < self.to)
    }
}

/// The first whole minute from `now` on at which `is` holds, within eight days.
pub(super) fn first_minute(now: Timestamp, is: impl Fn(Timestamp) -> bool) -> Option<Timestamp> {
    if is(now) {
        return Some(now);
    }
    let start = now.as_second() - now.as_second().rem_euclid(60) + 60;
    let minute = |number: i64| Timestamp::from_second(start).ok()?.checked_add(SignedDuration::from_mins(number)).ok();
    (0..8 * i64::from(DAY)).filter_map(minute).find(|minute| is(*minute))
}

impl FromStr for TimeInterval {
    type Err = TimeIntervalError;

    fn from_str(text: &str) -> Result<Self, TimeIntervalError> {
        let invalid = || TimeIntervalError(text.to_owned());
        let mut words = text.split_whitespace();
        let first = words.next().ok_or_else(invalid)?;
        let (days, time) = match (days_of(first), words.next()) {
            (Some(days), time) => (days, time),
            (None, None) => ([true; 7], Some(first)),
            (None, Some(_)) => return Err(invalid()),
        };
        if words.next().is_some() {
            return Err(invalid());
        }
        let (from, to) = match time {
            Some(time) => time_of(time).ok_or_else(invalid)?,
            None => (0, DAY),
        };
        Ok(Self { days, from, to, text: text.to_owned() })
    }
}

fn days_of(text: &str) -> Option<[bool; 7]> {
    let day = |name: &str| DAYS.iter().position(|day| name.eq_ignore_ascii_case(day));
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut at, last) = (day(first)?, day(last)?);
        loop {
            *days.get_mut(at)? = true;
            if at == last {
                break;
            }
            at = (at + 1) % 7;
        }
    }
    Some(days)
}

fn time_of(text: &str) -> Option<(i32, i32)> {
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute): (i32, i32) = (hour.parse().ok()?, minute.parse().ok()?);
        let sound = (0..24).contains(&hour) && (0..60).contains(&minute) || (hour, minute) == (24, 0);
        sound.then_some(hour * 60 + minute)
    };
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minute(from)?, minute(to)?);
    (from != to && from < DAY).then_some((from, to))
}

impl fmt::Display for TimeInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for TimeInterval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeInterval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_follow_the_clock_of_their_zone() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let hold =
            |hours: &str, time: &str| hours.parse::<TimeInterval>().unwrap().contains(time.parse().unwrap(), &paris);
        // 24 November 2026 is a Tuesday; Paris is an hour ahead of UTC in winter and two in summer.
        for (hours, time, holds) in [
            ("mon-fri 08:00-20:00", "2026-11-24T07:00:00Z", true),
            ("mon-fri 08:00-20:00", "2026-11-24T06:59:00Z", false),
            ("mon-fri 08:00-20:00", "2026-07-14T06:00:00Z", true),
            ("mon-fri 08:00-20:00", "2026-11-24T19:00:00Z", false),
            ("mon-fri 08:00-20:00", "2026-11-28T10:00:00Z", false),
            ("sat,sun", "2026-11-28T10:00:00Z", true),
            ("fri-mon", "2026-11-24T10:00:00Z", false),
            ("fri-mon", "2026-11-23T10:00:00Z", true),
            ("fri 22:00-06:00", "2026-11-28T04:59:00Z", true),
            ("fri 22:00-06:00", "2026-11-28T05:00:00Z", false),
            ("fri 22:00-06:00", "2026-11-27T04:00:00Z", false),
            ("00:00-24:00", "2026-11-27T04:00:00Z", true),
        ] {
            assert_eq!(hold(hours, time), holds, "{hours} at {time}");
        }
    }

    #[test]
    fn a_text_that_is_not_an_interval_is_rejected() {
        for wrong in ["", "mon-fry", "8-20", "mon 08:00", "mon 25:00-26:00", "mon 08:00-08:00", "mon tue 08:00-09:00"] {
            assert!(wrong.parse::<TimeInterval>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_next_morning_is_found() {
        let hours: TimeInterval = "mon-fri 08:00-20:00".parse().unwrap();
        let friday: Timestamp = "2026-11-27T20:00:30Z".parse().unwrap();
        let next = first_minute(friday, |now| hours.contains(now, &TimeZone::UTC)).unwrap();
        assert_eq!(next.to_string(), "2026-11-30T08:00:00Z");
        assert_eq!(first_minute(friday, |_| false), None);
    }
}
