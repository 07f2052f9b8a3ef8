//! Parses event times in the forms found in dumps. [`TimeRules`] holds what a text does not say: the time zone, and whether
//! the day or the month is first.
//!
//! ```text
//! text -> TimeFormat                                    (--time-format)
//!      \-> unix | CivilTime (iso, twitter, basic, other) -> DateOrder -> Zone -> Timestamp
//! ```

mod civil;
mod cursor;
mod names;
mod order;
mod strptime;
mod unix;
mod windows_zones;
mod zone;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use self::civil::{CivilTime, WrittenDate};
use self::strptime::{FormattedTime, TimeFormat};
use self::zone::Zone;
use super::options_error::OptionsError;

pub use order::{DateDoubt, DateOrder, OrderEvidence};

/// Instants outside 1990 to 2100 come from a wrong unit or column. In milliseconds.
const PLAUSIBLE_RANGE: std::ops::Range<i64> = 631_152_000_000..4_102_444_800_000;

const UNREADABLE: &str = "is not a date with a time (expected e.g. 2015-02-24T11:35:52Z or 2015-02-24 11:35:52 -0800; otherwise set time_format)";
const IMPLAUSIBLE: &str = "is before 1990 or after 2100";
const UNKNOWN_ZONE: &str = "ends in an unknown time zone; expected an offset such as +02:00 or a name such as \
                            Europe/Paris (a column with the offset can be added: --columns created_at=date+time+timezone)";

/// How the times of an input are read.
#[derive(Debug, Clone)]
pub struct TimeRules {
    format: Option<TimeFormat>,
    /// Of times without a zone.
    zone: TimeZone,
    /// A zone was set: it is not guessed from another column.
    zone_is_set: bool,
    /// Of dates such as `04/05/2021`; unset while unknown.
    order: Option<DateOrder>,
}

impl Default for TimeRules {
    fn default() -> Self {
        Self { format: None, zone: TimeZone::UTC, zone_is_set: false, order: None }
    }
}

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedTime {
    /// In whole milliseconds.
    pub instant: Timestamp,
    /// Only a date was written: the instant is its midnight.
    pub date_only: bool,
    /// The civil time, if its zone was absent or an abbreviation or a name: a column with the offset knows better.
    pub civil: Option<DateTime>,
    /// No zone was written.
    pub zone_absent: bool,
}

impl ParsedTime {
    fn exact(instant: Timestamp) -> Self {
        Self { instant, date_only: false, civil: None, zone_absent: false }
    }
}

impl TimeRules {
    /// Reads the options `time_format` and `time_zone`.
    ///
    /// # Errors
    /// When one of them is invalid.
    pub fn new(format: Option<&str>, zone: Option<&str>) -> Result<Self, OptionsError> {
        let format = format.map(TimeFormat::new).transpose()?;
        let unknown = |name: &str| OptionsError::TimeZone(name.to_owned());
        let set = zone.map(|name| zone::find(name).ok_or_else(|| unknown(name))).transpose()?;
        let zone_is_set = set.is_some();
        Ok(Self { format, zone: set.unwrap_or(TimeZone::UTC), zone_is_set, order: None })
    }

    /// The order of dates such as `04/05/2021` in this input.
    pub fn set_order(&mut self, order: Option<DateOrder>) {
        self.order = order;
    }

    /// Parses an instant. `Err` says what is wrong without repeating the text.
    pub fn parse(&self, text: &str) -> Result<ParsedTime, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("is empty");
        }
        if let Some(format) = &self.format {
            return self.resolve_formatted(format, text, "");
        }
        if let Some(civil) = CivilTime::parse_iso(text) {
            return self.resolve(&civil);
        }
        let civil = match text.as_bytes().first() {
            Some(first) if first.is_ascii_digit() => {
                // Eight digits are a date and fourteen a date with a time, unless they are a plausible Unix time.
                let civil = CivilTime::parse_basic(text);
                match unix::parse(text) {
                    Some(Ok(instant)) if civil.is_none() || plausible(instant).is_ok() => {
                        return Ok(ParsedTime::exact(plausible(instant)?));
                    }
                    Some(Err(problem)) if civil.is_none() => return Err(problem),
                    _ => civil.or_else(|| CivilTime::parse(text)),
                }
            }
            _ => CivilTime::parse_twitter(text).or_else(|| CivilTime::parse(text)),
        };
        self.resolve(&civil.ok_or(UNREADABLE)?)
    }

    /// Parses a date and a time in two columns, and an offset in a third one.
    pub fn parse_parts(&self, date: &str, time: &str, zone: Option<&str>) -> Result<ParsedTime, &'static str> {
        if let Some(format) = &self.format {
            let text = format!("{} {}", date.trim(), time.trim());
            return self.resolve_formatted(format, &text, zone.unwrap_or_default());
        }
        let written = CivilTime::parse_basic(date.trim()).or_else(|| CivilTime::parse(date.trim()));
        let written = written.filter(|written| written.time.is_none()).ok_or("has a date that is not a date alone")?;
        let (time, zone_of_time) =
            CivilTime::parse_clock(time.trim()).ok_or("has a time that is not a time of day alone")?;
        let zone = if zone_of_time.is_empty() { zone.map_or("", str::trim) } else { zone_of_time };
        self.resolve(&CivilTime { time: Some(time), zone, ..written })
    }

    /// The instant of a civil time with the offset of another column; `None` if that is not an offset.
    pub fn with_offset(&self, civil: DateTime, offset: &str) -> Option<Timestamp> {
        match Zone::parse(offset)? {
            zone @ (Zone::Offset(_) | Zone::Named(_)) => {
                zone.instant(civil, &self.zone).and_then(|instant| plausible(instant).ok())
            }
            _ => None,
        }
    }

    /// Whether a zone in another column may decide times without one.
    pub fn zone_is_set(&self) -> bool {
        self.zone_is_set
    }

    /// Adds to `evidence` what a time says about the order of day and month.
    pub fn look_at(&self, text: &str, evidence: &mut OrderEvidence) {
        let text = text.trim();
        if self.format.is_some() || CivilTime::parse_iso(text).is_some() {
            return;
        }
        // What has anything else than a zone behind it is a text, which must not be shown as an example.
        if let Some(CivilTime { date: WrittenDate::Numbers { numbers, year }, zone, .. }) = CivilTime::parse(text)
            && Zone::parse(zone).is_some()
        {
            evidence.add(numbers, year, text);
        }
    }

    fn resolve(&self, written: &CivilTime<'_>) -> Result<ParsedTime, &'static str> {
        let civil = civil::join(written.date.resolve(self.order)?, written.time);
        self.place(civil, written.zone).map(|read| ParsedTime { date_only: written.time.is_none(), ..read })
    }

    fn resolve_formatted(&self, format: &TimeFormat, text: &str, zone: &str) -> Result<ParsedTime, &'static str> {
        match format.parse(text).ok_or("does not match time_format")? {
            FormattedTime::Instant(instant) => Ok(ParsedTime::exact(plausible(instant)?)),
            FormattedTime::Civil(civil) => self.place(civil, zone),
        }
    }

    /// The instant of a civil time in the zone that is written with it.
    fn place(&self, civil: DateTime, zone: &str) -> Result<ParsedTime, &'static str> {
        let zone = Zone::parse(zone).ok_or(UNKNOWN_ZONE)?;
        let instant = zone.instant(civil, &self.zone).ok_or(UNREADABLE)?;
        let uncertain = !matches!(zone, Zone::Offset(_));
        Ok(ParsedTime {
            instant: plausible(instant)?,
            date_only: false,
            civil: uncertain.then_some(civil),
            zone_absent: zone == Zone::Absent,
        })
    }
}

/// Cuts an instant to whole milliseconds.
fn plausible(instant: Timestamp) -> Result<Timestamp, &'static str> {
    let millisecond = instant.as_millisecond();
    if !PLAUSIBLE_RANGE.contains(&millisecond) {
        return Err(IMPLAUSIBLE);
    }
    Timestamp::from_millisecond(millisecond).map_err(|_| UNREADABLE)
}

/// Parses an instant in whole milliseconds, with `format` if it is set, otherwise in any of the known forms. UTC if the
/// text has no offset. `Err` says what is wrong without repeating the text.
pub fn parse_timestamp(text: &str, format: Option<&str>) -> Result<Timestamp, &'static str> {
    let rules = TimeRules::new(format, None).map_err(|_| "cannot be read with this time_format")?;
    rules.parse(text).map(|read| read.instant)
}

/// Whether a text has the format of Sentiment140's dates, `Mon Apr 06 22:19:45 PDT 2009`.
pub(super) fn is_twitter_date(text: &str) -> bool {
    CivilTime::parse_twitter(text.trim()).is_some_and(|written| Zone::parse(written.zone).is_some())
}

#[cfg(test)]
mod tests;
