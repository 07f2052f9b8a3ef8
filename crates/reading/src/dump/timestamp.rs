//! Parses event times in the formats found in dumps: RFC 3339 and looser variants, Twitter's old format, Unix times.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;
use jiff::{Timestamp, civil};

use super::options_error::OptionsError;

/// Instants outside 1990 to 2100 come from a wrong unit or column. In milliseconds.
const PLAUSIBLE_RANGE: std::ops::Range<i64> = 631_152_000_000..4_102_444_800_000;
/// Unix times of at least this value are in milliseconds.
const MIN_UNIX_MILLISECONDS: i64 = 100_000_000_000;

const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// Zone abbreviations found in Twitter dumps, in hours east of UTC.
const ZONES: [(&str, i32); 15] = [
    ("Z", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("PST", -8),
    ("PDT", -7),
    ("MST", -7),
    ("MDT", -6),
    ("CST", -6),
    ("CDT", -5),
    ("EST", -5),
    ("EDT", -4),
    ("BST", 1),
    ("CET", 1),
    ("CEST", 2),
    ("WET", 0),
];

/// Parses an instant in whole milliseconds, with `format` if it is set, otherwise in any of the known formats. UTC if the
/// text has no offset. `Err` says what is wrong without repeating the text.
pub fn parse_timestamp(text: &str, format: Option<&str>) -> Result<Timestamp, &'static str> {
    let text = text.trim();
    let instant = match format {
        Some(format) => parse_with_format(text, format).ok_or("does not match time_format")?,
        None => match text.as_bytes().first() {
            None => return Err("is empty"),
            Some(first) if first.is_ascii_alphabetic() => parse_twitter_date(text).ok_or(UNREADABLE)?,
            Some(_) => parse_unix(text).or_else(|| parse_iso(text)).ok_or(UNREADABLE)?,
        },
    };
    let millisecond = instant.as_millisecond();
    if !PLAUSIBLE_RANGE.contains(&millisecond) {
        return Err("is before 1990 or after 2100");
    }
    Timestamp::from_millisecond(millisecond).map_err(|_| UNREADABLE)
}

const UNREADABLE: &str = "is not a date with a time (expected e.g. 2015-02-24T11:35:52Z or 2015-02-24 11:35:52 -0800; otherwise set time_format)";

/// Checks that a time written in this format can be parsed again.
pub(super) fn check_format(format: Option<&str>) -> Result<(), OptionsError> {
    let Some(format) = format else { return Ok(()) };
    let error = |cause: jiff::Error| OptionsError::TimeFormat(format.to_owned(), cause.to_string());
    let sample = civil::datetime(2015, 2, 24, 11, 35, 52, 0);
    let sample = Offset::UTC.to_timestamp(sample).map_err(error)?;
    let written = BrokenDownTime::from(sample).to_string(format).map_err(error)?;
    let read = BrokenDownTime::parse(format, written).map_err(error)?;
    read.to_timestamp().map(|_| ()).or_else(|_| read.to_date().map(|_| ())).map_err(error)
}

fn parse_with_format(text: &str, format: &str) -> Option<Timestamp> {
    let read = BrokenDownTime::parse(format, text).ok()?;
    if let Ok(instant) = read.to_timestamp() {
        return Some(instant);
    }
    let civil = read.to_datetime().or_else(|_| read.to_date().map(DateTime::from)).ok()?;
    Offset::UTC.to_timestamp(civil).ok()
}

/// Whether a text has the format of Sentiment140's dates, `Mon Apr 06 22:19:45 PDT 2009`.
pub(super) fn is_twitter_date(text: &str) -> bool {
    parse_twitter_date(text.trim()).is_some()
}

/// `Mon Apr 06 22:19:45 PDT 2009`, also with a numeric offset or none.
fn parse_twitter_date(text: &str) -> Option<Timestamp> {
    let mut parts = text.split_ascii_whitespace();
    let (weekday, month, day, clock) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (zone, year) = match (parts.next()?, parts.next()) {
        (zone, Some(year)) => (zone, year),
        (year, None) => ("", year),
    };
    if parts.next().is_some() || !weekday.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b',') {
        return None;
    }
    let month = month.get(..3)?.as_bytes();
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
    let date = Date::new(integer(year, 4)?, i8::try_from(month).ok()?, integer(day, 2)?).ok()?;
    let mut rest = Digits(clock.as_bytes());
    let time = rest.clock(true)?;
    rest.0.is_empty().then_some(())?;
    instant(date, time, zone)
}

/// `2015-02-24T11:35:52Z` and variants: a space for the `T`, no seconds, a fraction, `+01`, `+0100`, `+01:00` or a zone's
/// abbreviation, with or without a space before it.
fn parse_iso(text: &str) -> Option<Timestamp> {
    let mut rest = Digits(text.as_bytes());
    let year = rest.number(4, 4)?;
    rest.eat(b'-')?;
    let month = rest.number(1, 2)?;
    rest.eat(b'-')?;
    let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, rest.number(1, 2)?.try_into().ok()?).ok()?;
    rest.eat(b'T').or_else(|| rest.eat(b't')).or_else(|| rest.eat(b' '))?;
    let time = rest.clock(false)?;
    instant(date, time, text.get(text.len() - rest.0.len()..)?.trim_ascii())
}

/// Seconds or milliseconds since 1970; seconds may have a fraction.
fn parse_unix(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() > 15 {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    if whole >= MIN_UNIX_MILLISECONDS {
        return Timestamp::from_millisecond(whole).ok();
    }
    let nanoseconds = Digits(fraction.as_bytes()).fraction();
    Timestamp::new(whole, nanoseconds).ok()
}

fn instant(date: Date, time: Time, zone: &str) -> Option<Timestamp> {
    Offset::from_seconds(offset_seconds(zone)?).ok()?.to_timestamp(DateTime::from_parts(date, time)).ok()
}

fn offset_seconds(zone: &str) -> Option<i32> {
    let sign = match zone.as_bytes().first() {
        None => return Some(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => {
            return ZONES.iter().find(|(name, _)| name.eq_ignore_ascii_case(zone)).map(|(_, hours)| hours * 3600);
        }
    };
    let mut rest = Digits(zone.as_bytes().get(1..)?);
    let hours = rest.number(2, 2)?;
    let _ = rest.eat(b':');
    let minutes = if rest.0.is_empty() { 0 } else { rest.number(2, 2)? };
    (rest.0.is_empty() && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn integer<T: TryFrom<i32>>(text: &str, max_digits: usize) -> Option<T> {
    let mut rest = Digits(text.as_bytes());
    let number = rest.number(1, max_digits)?;
    rest.0.is_empty().then_some(())?;
    T::try_from(number).ok()
}

/// Parses a time from left to right; holds the rest.
struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    /// A number with `min` to `max` digits.
    fn number(&mut self, min: usize, max: usize) -> Option<i32> {
        let digits = self.0.iter().take(max).take_while(|byte| byte.is_ascii_digit()).count();
        if digits < min {
            return None;
        }
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        Some(number.iter().fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')))
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    /// `11:35[:52[.123]]`
    fn clock(&mut self, seconds_required: bool) -> Option<Time> {
        let hour = self.number(1, 2)?;
        self.eat(b':')?;
        let minute = self.number(2, 2)?;
        let (mut second, mut nanosecond) = (0, 0);
        if self.eat(b':').is_some() {
            // A leap second is treated as the second before it.
            second = match self.number(2, 2)? {
                60 => 59,
                other => other,
            };
            if self.eat(b'.').or_else(|| self.eat(b',')).is_some() {
                self.0.first().filter(|byte| byte.is_ascii_digit())?;
                nanosecond = self.fraction();
            }
        } else if seconds_required {
            return None;
        }
        Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?, nanosecond).ok()
    }

    /// The digits of a fraction of a second, in nanoseconds.
    fn fraction(&mut self) -> i32 {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at_checked(digits).unwrap_or_default();
        self.0 = rest;
        let padded = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        padded.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'))
    }
}

#[cfg(test)]
mod tests;
