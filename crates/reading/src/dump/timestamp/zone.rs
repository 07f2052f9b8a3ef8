//! [`Zone`]: what stands after a time: an offset, an abbreviation, an IANA or a Windows name. Below the parsers of times.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::cursor::Cursor;
use super::windows_zones::WINDOWS_ZONES;

/// Abbreviations found in dumps, in minutes east of UTC. Those that stand for zones on several continents and that Twitter
/// did not write (IST, AST, GST) are left out: a guess would move a post by hours.
const ABBREVIATIONS: [(&str, i32); 41] = [
    ("Z", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("UT", 0),
    ("PST", -480),
    ("PDT", -420),
    ("MST", -420),
    ("MDT", -360),
    ("CST", -360),
    ("CDT", -300),
    ("EST", -300),
    ("EDT", -240),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
    ("ADT", -180),
    ("NST", -210),
    ("NDT", -150),
    ("BRT", -180),
    ("ART", -180),
    ("BST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("MEZ", 60),
    ("MESZ", 120),
    ("WET", 0),
    ("WEST", 60),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("TRT", 180),
    ("WAT", 60),
    ("CAT", 120),
    ("SAST", 120),
    ("EAT", 180),
    ("PKT", 300),
    ("SGT", 480),
    ("HKT", 480),
    ("JST", 540),
    ("KST", 540),
    ("AEST", 600),
];

/// A zone as written after a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Zone {
    /// Nothing was written.
    Absent,
    /// Written as a number, `Z`, or a name with a number: certain.
    Offset(Offset),
    /// An abbreviation, which other countries may use too.
    Abbreviation(Offset),
    /// A name with rules for summer time.
    Named(TimeZone),
}

impl Zone {
    /// Reads all of `text`; `None` if it is not a zone.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.as_bytes().first() {
            None => Some(Self::Absent),
            Some(b'+' | b'-') => offset_and_name(text).map(Self::Offset),
            Some(b'[') => named(text.strip_prefix('[')?.strip_suffix(']')?),
            Some(_) => abbreviation(text).or_else(|| utc_offset(text).map(Self::Offset)).or_else(|| named(text)),
        }
    }

    /// The instant of a civil time here, or in `default` if nothing was written.
    ///
    /// A time that a change of the clocks makes twice is the first of the two; one that it skips is moved by the length of
    /// the gap: what RFC 5545 and most software do.
    pub(super) fn instant(&self, civil: DateTime, default: &TimeZone) -> Option<Timestamp> {
        let in_zone = |zone: &TimeZone| zone.to_ambiguous_timestamp(civil).compatible().ok();
        match self {
            Self::Offset(offset) | Self::Abbreviation(offset) => offset.to_timestamp(civil).ok(),
            Self::Named(zone) => in_zone(zone),
            Self::Absent if *default == TimeZone::UTC => Offset::UTC.to_timestamp(civil).ok(),
            Self::Absent => in_zone(default),
        }
    }
}

/// `+02`, `+0200`, `+02:00`, `+02:00:00`, also with what Go, JavaScript and RFC 9557 write after it: `+0000 UTC`,
/// `+0200 (CEST)`, `+02:00[Europe/Paris]`. The number decides.
fn offset_and_name(text: &str) -> Option<Offset> {
    let mut rest = Cursor::new(text);
    let offset = offset(&mut rest, 2)?;
    let name = rest.rest().trim();
    let is_name = |name: &str| {
        name.chars().all(|c| c.is_alphabetic() || c.is_ascii_digit() || " /_+-.,'’".contains(c)) && name.len() <= 64
    };
    let bracketed = |open: char, close: char| name.strip_prefix(open)?.strip_suffix(close);
    let inner = bracketed('(', ')').or_else(|| bracketed('[', ']'));
    let plain = rest.rest().starts_with(' ') && name.len() <= 5;
    match inner {
        _ if name.is_empty() => Some(offset),
        Some(inner) => is_name(inner).then_some(offset),
        None => (plain && is_name(name)).then_some(offset),
    }
}

/// `GMT+0200`, `UTC+2`, `UTC+05:30`.
fn utc_offset(text: &str) -> Option<Offset> {
    let (name, number) = text.split_at_checked(3)?;
    let known = name.eq_ignore_ascii_case("UTC") || name.eq_ignore_ascii_case("GMT");
    if !known || !number.starts_with(['+', '-']) {
        return None;
    }
    let mut rest = Cursor::new(number);
    match offset(&mut rest, 1) {
        Some(offset) if rest.rest().is_empty() => Some(offset),
        _ => offset_and_name(number),
    }
}

/// Consumes a sign and hours with minutes. `min_digits` of the hours.
fn offset(rest: &mut Cursor<'_>, min_digits: usize) -> Option<Offset> {
    let sign = if rest.eat('+') { 1 } else { rest.eat('-').then_some(-1)? };
    let hours = rest.number(min_digits, 2)?;
    let (mut minutes, mut seconds) = (0, 0);
    if rest.eat(':') || rest.starts_with_digit() {
        minutes = rest.number(2, 2)?;
        if rest.eat(':') {
            seconds = rest.number(2, 2)?;
        }
    }
    if rest.starts_with_digit() || minutes > 59 || seconds > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60 + seconds)).ok()
}

fn abbreviation(text: &str) -> Option<Zone> {
    let (name, minutes) = ABBREVIATIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text))?;
    let offset = Offset::from_seconds(minutes * 60).ok()?;
    let certain = matches!(*name, "Z" | "UTC" | "GMT" | "UT");
    Some(if certain { Zone::Offset(offset) } else { Zone::Abbreviation(offset) })
}

fn named(text: &str) -> Option<Zone> {
    if text.contains('/') {
        return TimeZone::get(text).ok().map(Zone::Named);
    }
    windows_zone(text).and_then(|name| TimeZone::get(name).ok()).map(Zone::Named)
}

/// The IANA name of `Romance Standard Time`, or of `Romance Daylight Time`.
fn windows_zone(text: &str) -> Option<&'static str> {
    let found = [" Daylight Time", " Summer Time"].iter().find_map(|part| text.split_once(part));
    let same = |known: &str| {
        if known.eq_ignore_ascii_case(text) {
            return true;
        }
        let known = known.split_once(" Standard Time").unwrap_or((known, ""));
        found.is_some_and(|found| known.0.eq_ignore_ascii_case(found.0) && known.1.eq_ignore_ascii_case(found.1))
    };
    WINDOWS_ZONES.iter().find(|(known, _)| same(known)).map(|(_, zone)| *zone)
}

/// Reads `--time-zone`.
pub(super) fn find(name: &str) -> Option<TimeZone> {
    match Zone::parse(name)? {
        Zone::Named(zone) => Some(zone),
        Zone::Offset(offset) => Some(offset.to_time_zone()),
        Zone::Abbreviation(_) | Zone::Absent => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(civil: &str, zone: &str) -> Option<String> {
        let civil: DateTime = civil.parse().unwrap();
        Zone::parse(zone)?.instant(civil, &TimeZone::UTC).map(|instant| instant.to_string())
    }

    #[test]
    fn zones_are_read_in_the_forms_that_dumps_have() {
        for zone in [
            "+02",
            "+0200",
            "+02:00",
            "+02:00:00",
            "+0200 CEST",
            "+0200 (CEST)",
            "+02:00[Europe/Paris]",
            "CEST",
            "Europe/Paris",
            "[Europe/Paris]",
            "europe/paris",
            "GMT+0200 (heure d’été d’Europe centrale)",
            "UTC+2",
            "UTC+02:00",
            "Romance Standard Time",
            "Romance Daylight Time",
            "W. Europe Standard Time",
        ] {
            assert_eq!(at("2021-05-04T22:18:04", zone).as_deref(), Some("2021-05-04T20:18:04Z"), "{zone}");
        }
        for zone in ["", "Z", "UTC", "gmt", "+0000 UTC", "-00:00", "UTC+0"] {
            assert_eq!(at("2021-05-04T22:18:04", zone).as_deref(), Some("2021-05-04T22:18:04Z"), "{zone}");
        }
        assert_eq!(at("2021-05-05T01:48:04", "India Standard Time").as_deref(), Some("2021-05-04T20:18:04Z"));
        for zone in ["IST", "XYZ", "+2", "+02000", "+02:75", "Europe/Nowhere", "Nowhere Standard Time", "+0200 CEST x"]
        {
            assert_eq!(at("2021-05-04T22:18:04", zone), None, "{zone}");
        }
    }

    #[test]
    fn times_at_a_change_of_the_clocks_are_the_first_of_two_or_after_the_gap() {
        assert_eq!(at("2021-10-31T02:30:00", "Europe/Paris").as_deref(), Some("2021-10-31T00:30:00Z"));
        assert_eq!(at("2021-03-28T02:30:00", "Europe/Paris").as_deref(), Some("2021-03-28T01:30:00Z"));
    }

    #[test]
    fn each_windows_zone_is_an_iana_zone() {
        for (name, zone) in WINDOWS_ZONES {
            assert!(TimeZone::get(zone).is_ok(), "{name}: {zone}");
        }
    }
}
