//! When a report is due, and which days it is about. Pure: time is an argument. Days begin at midnight in the operator's time
//! zone, so a day has 23 or 25 hours where the clocks change.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, ZonedDateTime};
use serde::{Deserialize, Serialize};

use super::ReportConfig;

/// Counts are kept by the hour: a period begins and ends at a full hour (UTC), also where the time zone is half an hour off.
const HOUR: i64 = 3_600;
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// How often a report comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportPeriod {
    /// About the day before.
    Day,
    /// About the seven days before.
    Week,
}

/// What a report is about: from `since` up to, and not including, `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSpan {
    pub since: Timestamp,
    pub until: Timestamp,
}

/// A report that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueReport {
    /// Of its `[[report]]`.
    pub name: String,
    pub every: ReportPeriod,
    /// When it is due.
    pub at: Timestamp,
    pub span: ReportSpan,
}

impl ReportPeriod {
    pub fn days(self) -> i32 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
        }
    }
}

impl ReportSpan {
    /// The `days` days before midnight of `date`; none beyond the range of time.
    pub fn days_before(date: Date, days: i32, zone: &TimeZone) -> Option<Self> {
        let midnight =
            |date: Date| date.to_zoned_datetime(zone.clone()).ok().and_then(|midnight| full_hour(midnight.timestamp()));
        let first = date.checked_sub(days.days()).ok()?;
        Some(Self { since: midnight(first)?, until: midnight(date)? })
    }

    /// The `count` spans of `days` days before this one, the newest first.
    pub fn earlier(&self, days: i32, count: usize, zone: &TimeZone) -> Vec<Self> {
        let mut spans = Vec::new();
        let mut until = self.since.to_zoned_datetime(zone.clone());
        for _ in 0..count {
            // In days of the calendar: a week in which the clocks change has 167 or 169 hours.
            let Ok(since) = until.checked_sub(days.days()) else { break };
            let hours = [&since, &until].map(|end: &ZonedDateTime| full_hour(end.timestamp()));
            let [Some(first), Some(last)] = hours else { break };
            spans.push(Self { since: first, until: last });
            until = since;
        }
        spans
    }

    /// The full hours that it lies in: counts are kept by the hour.
    pub fn in_hours(self) -> Option<Self> {
        let until = self.until.checked_add(SignedDuration::from_secs(HOUR - 1)).ok()?;
        Some(Self { since: full_hour(self.since)?, until: full_hour(until)? })
    }

    pub fn contains(&self, time: Timestamp) -> bool {
        (self.since..self.until).contains(&time)
    }
}

impl ReportConfig {
    /// The report that was due last, at `now` or before; none beyond the range of time.
    pub fn last_due(&self, now: Timestamp, zone: &TimeZone) -> Option<DueReport> {
        let mut date = now.to_zoned_datetime(zone.clone()).date();
        // Today, or up to a week back.
        for _ in 0..=self.every.days() {
            if let Some(due) = self.due_on(date, zone).filter(|due| due.at <= now) {
                return Some(due);
            }
            date = date.yesterday().ok()?;
        }
        None
    }

    /// The report that is due next, after `now`.
    pub fn next_due(&self, now: Timestamp, zone: &TimeZone) -> Option<DueReport> {
        let mut date = now.to_zoned_datetime(zone.clone()).date();
        for _ in 0..=self.every.days() {
            if let Some(due) = self.due_on(date, zone).filter(|due| due.at > now) {
                return Some(due);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn due_on(&self, date: Date, zone: &TimeZone) -> Option<DueReport> {
        if self.every == ReportPeriod::Week && date.weekday() != self.weekday() {
            return None;
        }
        // A time that the clocks skip becomes a later one, and of a time that comes twice the first counts.
        let at = date.to_datetime(self.at.0).to_zoned_datetime(zone.clone()).ok()?.timestamp();
        let span = ReportSpan::days_before(date, self.every.days(), zone)?;
        Some(DueReport { name: self.name.clone(), every: self.every, at, span })
    }
}

fn full_hour(time: Timestamp) -> Option<Timestamp> {
    let second = time.as_second();
    Timestamp::from_second(second - second.rem_euclid(HOUR)).ok()
}

pub(super) fn parse_time(text: &str) -> Result<Time, String> {
    let time = text.split_once(':').and_then(|(hour, minute)| {
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let (hour, minute) = (digits(hour).then(|| hour.parse().ok())??, digits(minute).then(|| minute.parse().ok())??);
        Time::new(hour, minute, 0, 0).ok()
    });
    time.ok_or_else(|| format!("{text:?} is not a time of day; expected e.g. \"08:00\""))
}

pub(super) fn parse_weekday(text: &str) -> Result<Weekday, String> {
    let day = DAYS.iter().find(|(name, _)| *name == text).map(|(_, day)| *day);
    day.ok_or_else(|| format!("{text:?} is not a day; expected mon, tue, wed, thu, fri, sat or sun"))
}

pub(super) fn weekday_name(day: Weekday) -> &'static str {
    DAYS.iter().find(|(_, known)| *known == day).map_or("mon", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> ReportConfig {
        toml::from_str(&format!("name = 'r'\nreceivers = ['desk']\n{text}")).unwrap()
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn paris() -> TimeZone {
        TimeZone::get("Europe/Paris").unwrap()
    }

    #[test]
    fn a_daily_report_is_about_yesterday_and_a_weekly_one_about_seven_days() {
        let daily = report("every = 'day'").last_due(time("2026-11-30T07:00:00Z"), &paris()).unwrap();
        assert_eq!(daily.at, time("2026-11-30T07:00:00Z"));
        assert_eq!(daily.span, ReportSpan { since: time("2026-11-28T23:00:00Z"), until: time("2026-11-29T23:00:00Z") });
        let before = report("every = 'day'").last_due(time("2026-11-30T06:59:59Z"), &paris()).unwrap();
        assert_eq!(before.at, time("2026-11-29T07:00:00Z"));
        // 30 November 2026 is a Monday.
        let weekly = report("every = 'week'\nday = 'tue'\nat = '17:30'");
        let due = weekly.last_due(time("2026-11-30T12:00:00Z"), &paris()).unwrap();
        assert_eq!(due.at, time("2026-11-24T16:30:00Z"));
        assert_eq!(due.span, ReportSpan { since: time("2026-11-16T23:00:00Z"), until: time("2026-11-23T23:00:00Z") });
        let next = weekly.next_due(time("2026-11-30T12:00:00Z"), &paris()).unwrap();
        assert_eq!(next.at, time("2026-12-01T16:30:00Z"));
    }

    /// The whole year, every ten minutes: each day's report is due once, and their spans leave no gap, also where a day has 23
    /// or 25 hours.
    #[test]
    fn no_day_is_missed_or_repeated_when_the_clocks_change() {
        for at in ["00:00", "02:30", "08:00", "23:50"] {
            let daily = report(&format!("every = 'day'\nat = '{at}'"));
            let mut seen: Vec<DueReport> = Vec::new();
            let mut now = time("2026-01-01T00:00:00Z");
            while now < time("2027-01-01T00:00:00Z") {
                let due = daily.last_due(now, &paris()).unwrap();
                assert!(due.at <= now);
                if seen.last() != Some(&due) {
                    seen.push(due);
                }
                now += SignedDuration::from_mins(10);
            }
            assert!((365..=366).contains(&seen.len()), "{at}: {}", seen.len());
            for pair in seen.windows(2) {
                assert_eq!(pair[0].span.until, pair[1].span.since, "{at}");
            }
            let hours = |date: &str| {
                let due = seen.iter().find(|due| due.span.since == time(date)).unwrap();
                due.span.until.duration_since(due.span.since).as_hours()
            };
            assert_eq!((hours("2026-03-28T23:00:00Z"), hours("2026-10-24T22:00:00Z")), (23, 25));
        }
    }

    #[test]
    fn earlier_weeks_follow_the_calendar() {
        let span = ReportSpan { since: time("2026-11-01T23:00:00Z"), until: time("2026-11-08T23:00:00Z") };
        let earlier = span.earlier(7, 2, &paris());
        assert_eq!(earlier[0], ReportSpan { since: time("2026-10-25T23:00:00Z"), until: time("2026-11-01T23:00:00Z") });
        // Summer time ended on 25 October.
        assert_eq!(earlier[1], ReportSpan { since: time("2026-10-18T22:00:00Z"), until: time("2026-10-25T23:00:00Z") });
    }

    #[test]
    fn a_time_zone_of_half_an_hour_is_cut_at_full_hours() {
        let kolkata = TimeZone::get("Asia/Kolkata").unwrap();
        let due = report("every = 'day'").last_due(time("2026-11-30T12:00:00Z"), &kolkata).unwrap();
        assert_eq!(due.at, time("2026-11-30T02:30:00Z"));
        assert_eq!(due.span, ReportSpan { since: time("2026-11-28T18:00:00Z"), until: time("2026-11-29T18:00:00Z") });
    }

    #[test]
    fn what_is_not_a_time_or_a_day_is_refused_by_name() {
        for (text, expected) in [
            ("every = 'day'\nat = '8'", "\"8\" is not a time of day; expected e.g. \"08:00\""),
            ("every = 'day'\nat = '24:00'", "\"24:00\" is not a time of day"),
            ("every = 'week'\nday = 'monday'", "\"monday\" is not a day; expected mon, tue"),
            ("every = 'month'", "unknown variant `month`"),
        ] {
            let error = toml::from_str::<ReportConfig>(&format!("name = 'r'\nreceivers = ['d']\n{text}")).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert_eq!(report("every = 'day'\nday = 'mon'").validate().len(), 1);
        assert!(report("every = 'week'\nday = 'sun'").validate().is_empty());
        let again: ReportConfig =
            toml::from_str(&toml::to_string(&report("every = 'week'\nday = 'sun'")).unwrap()).unwrap();
        assert_eq!(again, report("every = 'week'\nday = 'sun'"));
    }
}
