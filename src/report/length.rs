//! [`ReportLength`]: how long the time of a report is, and with which periods it is compared.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::notify::ReportSpan;

const HOUR: i64 = 3_600;

/// How long the time of a report is, which decides what it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportLength {
    /// Compared with the seven days before.
    Day,
    /// Compared with the four weeks before.
    Week,
    /// Whole days; compared with the four periods before.
    Days(i32),
    /// Any time; compared with the four periods of the same length before.
    Hours(i64),
}

impl ReportLength {
    /// Whole days from midnight to midnight, or hours.
    pub fn of(span: ReportSpan, zone: &TimeZone) -> Self {
        let [since, until] = [span.since, span.until].map(|time| time.to_zoned_datetime(zone.clone()));
        let days = until.date().since(since.date()).map_or(0, |days| days.get_days());
        let is_whole = ReportSpan::days_before(until.date(), days, zone) == Some(span);
        match days {
            1 if is_whole => Self::Day,
            7 if is_whole => Self::Week,
            days if is_whole && days > 0 => Self::Days(days),
            _ => Self::Hours((span.until.as_second() - span.since.as_second() + HOUR - 1) / HOUR),
        }
    }

    /// The periods to compare with, the newest first.
    pub fn before(self, span: ReportSpan, zone: &TimeZone) -> Vec<ReportSpan> {
        match self {
            Self::Day => span.earlier(1, 7, zone),
            Self::Week => span.earlier(7, 4, zone),
            Self::Days(days) => span.earlier(days, 4, zone),
            Self::Hours(hours) => {
                let length = SignedDuration::from_hours(hours.max(1));
                let earlier = |back: i32| {
                    let until = span.since.checked_sub(length.checked_mul(back)?).ok()?;
                    Some(ReportSpan { since: until.checked_sub(length).ok()?, until })
                };
                (0..4).filter_map(earlier).collect()
            }
        }
    }
}
