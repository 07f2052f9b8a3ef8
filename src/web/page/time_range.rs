//! [`TimeRange`]: the stretch of time that a page shows, as its address says it: `range=24h`, or `since` and `until`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::language::Language;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Ranges that end now: name in addresses, length and step in seconds.
const RANGES: [(&str, i64, i64); 4] =
    [("6h", 6 * HOUR, 600), ("24h", DAY, 1_800), ("7d", 7 * DAY, 3 * HOUR), ("30d", 30 * DAY, 12 * HOUR)];
/// Steps of other ranges, in seconds.
const STEPS: [i64; 9] = [60, 300, 600, 1_800, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY];
/// Steps of a chart at most.
const MAX_STEPS: i64 = 72;
/// Longest range that an address can ask for, in seconds.
const MAX_LENGTH: i64 = 400 * DAY;
/// How long buckets shorter than an hour are kept, in seconds.
const FINE: i64 = DAY;

/// Unix seconds, in whole steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeRange {
    pub(super) since: i64,
    /// Not included.
    pub(super) until: i64,
    /// Length of a step in seconds.
    pub(super) step: i64,
    /// Of one that ends now.
    pub(super) name: Option<&'static str>,
}

impl TimeRange {
    /// What an address asks for, or the last day.
    pub(super) fn read(
        range: Option<&str>,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let now = now.as_second();
        let until_now = |(name, length, step): (&'static str, i64, i64)| {
            let until = now - now.rem_euclid(step) + step;
            Self { since: until - length, until, step, name: Some(name) }
        };
        if let Some(since) = since {
            let since = since.as_second();
            let until = until.map_or(now, Timestamp::as_second).clamp(since + 60, since.saturating_add(MAX_LENGTH));
            let is_fine = since >= now - FINE;
            let fits = |step: &i64| (until - since) / step <= MAX_STEPS && (is_fine || *step >= HOUR);
            let step = STEPS.into_iter().find(fits).unwrap_or((until - since) / MAX_STEPS / DAY * DAY + DAY);
            let end = until - until.rem_euclid(step) + if until.rem_euclid(step) > 0 { step } else { 0 };
            return Self { since: since - since.rem_euclid(step), until: end, step, name: None };
        }
        let named = RANGES.into_iter().find(|(name, ..)| range == Some(name));
        until_now(named.unwrap_or(RANGES[1]))
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        RANGES.into_iter().map(|(name, ..)| name)
    }

    /// Labels of the time axis, `count` of them at equal distances: times of day, or days where the range is longer than two.
    pub(super) fn labels(&self, count: usize, zone: &TimeZone, language: Language) -> Vec<String> {
        let parts = count.saturating_sub(1).max(1) as i64;
        let label = |place: i64| {
            let second = self.since + (self.until - self.since) * place / parts;
            let time = Timestamp::from_second(second).unwrap_or_default().to_zoned_datetime(zone.clone());
            if self.until - self.since <= 2 * DAY {
                return match language {
                    Language::English => time.strftime("%H:%M").to_string(),
                    Language::French => format!("{}\u{a0}h\u{a0}{:02}", time.hour(), time.minute()),
                };
            }
            let month = month(time.month(), language);
            match language {
                Language::English => format!("{} {month}", time.day()),
                Language::French => format!("{}\u{a0}{month}", time.day()),
            }
        };
        (0..=parts).map(label).collect()
    }
}

fn month(number: i8, language: Language) -> &'static str {
    const ENGLISH: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const FRENCH: [&str; 12] =
        ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."];
    let names = if language == Language::French { FRENCH } else { ENGLISH };
    let place = usize::try_from(number - 1).unwrap_or_default();
    names.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_is_in_whole_steps_and_ends_after_now() {
        let now = at("2026-11-29T14:07:00Z");
        let day = TimeRange::read(None, None, None, now);
        assert_eq!((day.name, (day.until - day.since) / day.step), (Some("24h"), 48));
        assert_eq!(day.until, at("2026-11-29T14:30:00Z").as_second());
        assert_eq!(TimeRange::read(Some("30d"), None, None, now).step, 12 * HOUR);
        assert_eq!(TimeRange::read(Some("nonsense"), None, None, now), day);
        let zoomed = TimeRange::read(None, Some(at("2026-11-29T10:00:00Z")), Some(at("2026-11-29T11:00:00Z")), now);
        assert_eq!((zoomed.step, zoomed.name), (60, None));
        let old = TimeRange::read(None, Some(at("2026-11-09T10:00:00Z")), Some(at("2026-11-09T11:00:00Z")), now);
        assert_eq!(old.step, HOUR, "buckets of that day have expired");
    }

    #[test]
    fn any_range_has_few_steps() {
        let now = at("2026-11-29T14:07:00Z");
        for days in [0, 1, 3, 10, 50, 200, 399, 100_000] {
            let since = Timestamp::from_second(now.as_second() - days * DAY).unwrap();
            let range = TimeRange::read(None, Some(since), None, now);
            let steps = (range.until - range.since) / range.step;
            assert!((1..=MAX_STEPS + 1).contains(&steps), "{days} days: {steps} steps");
        }
    }

    #[test]
    fn an_axis_has_times_of_a_day_or_days() {
        let now = at("2026-11-29T14:00:00Z");
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let day = TimeRange::read(Some("24h"), None, None, now);
        assert_eq!(day.labels(3, &paris, Language::English), ["15:30", "03:30", "15:30"]);
        assert_eq!(day.labels(2, &paris, Language::French), ["15\u{a0}h\u{a0}30", "15\u{a0}h\u{a0}30"]);
        let week = TimeRange::read(Some("7d"), None, None, now);
        assert_eq!(week.labels(2, &paris, Language::French), ["22\u{a0}nov.", "29\u{a0}nov."]);
    }
}
