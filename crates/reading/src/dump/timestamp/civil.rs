//! [`CivilTime`]: a date, a time and a zone as written, in the forms that people, spreadsheets and sites use. Below
//! [`TimeRules`](super::TimeRules), which decides what the text does not say.

use jiff::civil::{Date, DateTime, Time};

use super::cursor::{Cursor, time};
use super::names;
use super::order::{DateOrder, DayAndMonth};

/// What was written, before its zone is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CivilTime<'a> {
    pub(super) date: WrittenDate,
    /// `None`: only a date was written.
    pub(super) time: Option<Time>,
    pub(super) zone: &'a str,
}

/// A date that is known, or one whose order the file must decide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum WrittenDate {
    Known(Date),
    Numbers { numbers: DayAndMonth, year: i16 },
}

impl WrittenDate {
    /// The date, with the order of the file where the text does not say.
    pub(super) fn resolve(self, order: Option<DateOrder>) -> Result<Date, &'static str> {
        match self {
            Self::Known(date) => Ok(date),
            Self::Numbers { numbers, year } => {
                let (day, month) = numbers.resolve(order)?;
                Date::new(year, month, day).map_err(|_| super::UNREADABLE)
            }
        }
    }
}

impl<'a> CivilTime<'a> {
    /// `2015-02-24T11:35:52Z` and variants: a space for the `T`, no seconds, a fraction, an offset with or without a space
    /// before it. The most frequent form, so it has its own short path.
    pub(super) fn parse_iso(text: &'a str) -> Option<Self> {
        let mut rest = Cursor::new(text);
        let year = rest.number(4, 4)?;
        rest.eat('-').then_some(())?;
        let month = rest.number(1, 2)?;
        rest.eat('-').then_some(())?;
        let date = date(year, month, rest.number(1, 2)?)?;
        rest.eat_any(&['T', ' ', 't'])?;
        let time = clock_of_iso(&mut rest)?;
        Some(Self { date: WrittenDate::Known(date), time: Some(time), zone: rest.rest().trim() })
            .filter(Self::has_clean_end)
    }

    /// Any other known form.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let rest = Cursor::new(text);
        let mut after_weekday = rest;
        skip_weekday(&mut after_weekday);
        // `Mar` is March or `mardi`: it is a weekday unless it is the month.
        Self::parse_from(rest).or_else(|| Self::parse_from(after_weekday))
    }

    fn parse_from(mut rest: Cursor<'a>) -> Option<Self> {
        // `10:18 PM · May 4, 2021`: the time first, as X shows it.
        let mut clock = clock_first(&mut rest);
        let date = written_date(&mut rest)?;
        if clock.is_none() {
            clock = clock_after_date(&mut rest)?;
        }
        if clock.is_none() && !rest.rest().trim().is_empty() {
            // Text after a date that is not a time: not a date at all.
            return None;
        }
        Some(Self { date, time: clock, zone: rest.rest().trim() }).filter(Self::has_clean_end)
    }

    /// `Mon Apr 06 22:19:45 PDT 2009`, also with a numeric offset or none.
    pub(super) fn parse_twitter(text: &'a str) -> Option<Self> {
        let mut parts = text.split_ascii_whitespace();
        let (weekday, month, day, clock) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (zone, year) = match (parts.next()?, parts.next()) {
            (zone, Some(year)) => (zone, year),
            (year, None) => ("", year),
        };
        if parts.next().is_some() || !weekday.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b',') {
            return None;
        }
        let date = date(integer(year)?, names::month(month.get(..3)?)?, integer(day)?)?;
        let mut rest = Cursor::new(clock);
        let time = rest.clock().filter(|_| rest.rest().is_empty() && clock.len() > "22:19".len())?;
        Some(Self { date: WrittenDate::Known(date), time: Some(time), zone })
    }

    /// `20210504T201804Z`, `20210504 20:18`, `20210504201804`, `20210504`.
    pub(super) fn parse_basic(text: &'a str) -> Option<Self> {
        let mut rest = Cursor::new(text);
        if !matches!(rest.digits(), 8 | 12 | 14) {
            return None;
        }
        let date = WrittenDate::Known(date(rest.number(4, 4)?, rest.number(2, 2)?, rest.number(2, 2)?)?);
        let joined = rest.starts_with_digit();
        if rest.rest().is_empty() {
            return Some(Self { date, time: None, zone: "" });
        }
        if !joined {
            rest.eat_any(&['T', 't', ' ', '-', '_'])?;
        }
        let time = match rest.digits() {
            4 | 6 => basic_clock(&mut rest)?,
            _ if !joined => clock_of_iso(&mut rest)?,
            _ => return None,
        };
        Some(Self { date, time: Some(time), zone: rest.rest().trim() }).filter(Self::has_clean_end)
    }

    /// A time of day alone, with a zone: `20:18:04`, `10:18 PM`.
    pub(super) fn parse_clock(text: &'a str) -> Option<(Time, &'a str)> {
        let mut rest = Cursor::new(text);
        let time = clock(&mut rest)?;
        let zone = rest.rest().trim();
        (!zone.starts_with(['.', ',', ':'])).then_some((time, zone))
    }

    /// Punctuation after a time belongs to no zone.
    fn has_clean_end(&self) -> bool {
        !self.zone.starts_with(['.', ',', ':'])
    }
}

/// The civil time, midnight for a date alone.
pub(super) fn join(date: Date, time: Option<Time>) -> DateTime {
    DateTime::from_parts(date, time.unwrap_or_default())
}

pub(super) fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// `Tue, `, `mardi `, `le mardi `.
fn skip_weekday(rest: &mut Cursor<'_>) {
    for _ in 0..2 {
        let mut after = *rest;
        let word = after.word();
        if names::is_weekday(word) || word.eq_ignore_ascii_case("le") {
            after.eat('.');
            after.eat(',');
            after.skip_spaces();
            *rest = after;
        }
    }
}

fn clock_first(rest: &mut Cursor<'_>) -> Option<Time> {
    let mut after = *rest;
    let time = clock(&mut after)?;
    skip_joint(&mut after);
    *rest = after;
    Some(time)
}

/// The time after a date: `None` inside if there is none; `None` outside if what follows is not a time.
fn clock_after_date(rest: &mut Cursor<'_>) -> Option<Option<Time>> {
    skip_joint(rest);
    if rest.rest().is_empty() {
        return Some(None);
    }
    clock(rest).map(Some)
}

/// What stands between date and time: `T`, a comma, `à`, `at`, `·`.
fn skip_joint(rest: &mut Cursor<'_>) {
    rest.skip_spaces();
    rest.eat_any(&[',', '·', '•', '|', '-', '–', '@']);
    rest.skip_spaces();
    let mut after = *rest;
    let word = after.word();
    if ["T", "at", "à", "um", "kl"].iter().any(|known| known.eq_ignore_ascii_case(word)) || word == "À" {
        *rest = after;
        rest.skip_spaces();
    }
}

/// `20:18[:04[.5]]`, `10:18 PM`, `10 p.m.`, `22h18`, `22 h 18`.
fn clock(rest: &mut Cursor<'_>) -> Option<Time> {
    let mut after = *rest;
    let hour = after.number(1, 2)?;
    // Minutes that cannot be read are not "no minutes".
    let read = if after.eat(':') { Some(after.minutes(hour)?) } else { french_clock(&mut after, hour) };
    let half = half_of_day(&mut after);
    let time = match (read, half) {
        (Some(time), None) => time,
        (read, Some(half)) => {
            let twelve = (1..=12).contains(&hour).then_some(hour % 12 + half)?;
            let (minute, second, fraction) =
                read.map_or((0, 0, 0), |time| (time.minute(), time.second(), time.subsec_nanosecond()));
            time(twelve, minute.into(), second.into(), fraction)?
        }
        // A lone number is a time only with AM or PM.
        (None, None) => return None,
    };
    *rest = after;
    Some(time)
}

/// `20:18[:04[.5]]`, the most frequent form, or with AM or PM.
fn clock_of_iso(rest: &mut Cursor<'_>) -> Option<Time> {
    let before = *rest;
    let time = rest.clock()?;
    if matches!(rest.rest().trim_start().as_bytes().first(), Some(b'a' | b'A' | b'p' | b'P')) {
        *rest = before;
        return clock(rest);
    }
    Some(time)
}

/// `h18`, ` h 18`, `h` after the hour.
fn french_clock(rest: &mut Cursor<'_>, hour: i32) -> Option<Time> {
    let mut after = *rest;
    after.skip_spaces();
    after.eat_any(&['h', 'H'])?;
    let mut minutes = after;
    minutes.skip_spaces();
    let minute = minutes.number(2, 2);
    *rest = if minute.is_some() { minutes } else { after };
    time(hour, minute.unwrap_or_default(), 0, 0)
}

/// Hours that AM or PM adds.
fn half_of_day(rest: &mut Cursor<'_>) -> Option<i32> {
    let mut after = *rest;
    after.skip_spaces();
    // A narrow no-break space comes before PM in times that browsers write.
    after.eat_any(&['\u{202f}', '\u{a0}']);
    let half = match after.eat_any(&['a', 'A', 'p', 'P'])? {
        'a' | 'A' => 0,
        _ => 12,
    };
    let dotted = after.eat('.');
    after.eat_any(&['m', 'M'])?;
    if dotted {
        after.eat('.');
    }
    if after.word().is_empty() {
        *rest = after;
        return Some(half);
    }
    None
}

/// `201804`, `2018`, also with a fraction.
fn basic_clock(rest: &mut Cursor<'_>) -> Option<Time> {
    let (hour, minute) = (rest.number(2, 2)?, rest.number(2, 2)?);
    let second = rest.number(2, 2).unwrap_or_default();
    let fraction = rest.fraction()?;
    time(hour, minute, second, fraction)
}

fn written_date(rest: &mut Cursor<'_>) -> Option<WrittenDate> {
    match rest.digits() {
        0 => month_first_in_words(rest),
        1 | 2 => day_or_month_first(rest),
        4 => year_first(rest),
        _ => None,
    }
}

const SEPARATORS: [char; 4] = ['/', '-', '.', ' '];

/// `2021-05-04`, `2021/5/4`, `2021.05.04`, `2021-May-04`.
fn year_first(rest: &mut Cursor<'_>) -> Option<WrittenDate> {
    let year = rest.number(4, 4)?;
    let separator = rest.eat_any(&SEPARATORS)?;
    let month = match rest.starts_with_digit() {
        true => rest.number(1, 2)?,
        false => names::month(rest.word())?,
    };
    rest.eat(separator).then_some(())?;
    let day = day_of_month(rest)?;
    date(year, month, day).map(WrittenDate::Known)
}

/// `04/05/2021`, `4.5.21`, `4 mai 2021`, `04-May-2021`, `1er mai 2021`.
fn day_or_month_first(rest: &mut Cursor<'_>) -> Option<WrittenDate> {
    let first = rest.number(1, 2)?;
    skip_ordinal(rest);
    let separator = rest.eat_any(&SEPARATORS)?;
    rest.skip_spaces();
    if !rest.starts_with_digit() {
        let word = rest.word();
        let month = names::month(word).or_else(|| {
            // `4 de mayo de 2021`.
            (word.eq_ignore_ascii_case("de") || word.eq_ignore_ascii_case("of")).then(|| {
                rest.skip_spaces();
                names::month(rest.word())
            })?
        })?;
        rest.eat('.');
        rest.eat(',');
        rest.eat_any(&SEPARATORS);
        rest.skip_spaces();
        return date(year(rest)?, month, first).map(WrittenDate::Known);
    }
    let second = rest.number(1, 2)?;
    // Two numbers with a space between them are not a date.
    (separator != ' ' && rest.eat(separator)).then_some(())?;
    let year = year(rest)?.try_into().ok()?;
    let numbers = DayAndMonth::new(first, second, separator == '.')?;
    Some(WrittenDate::Numbers { numbers, year })
}

/// `May 4, 2021`, `May 4 2021`, `mai 4 2021`.
fn month_first_in_words(rest: &mut Cursor<'_>) -> Option<WrittenDate> {
    let month = names::month(rest.word())?;
    rest.eat('.');
    rest.eat_any(&SEPARATORS)?;
    rest.skip_spaces();
    let day = day_of_month(rest)?;
    skip_ordinal(rest);
    rest.eat(',');
    rest.eat_any(&SEPARATORS);
    rest.skip_spaces();
    date(year(rest)?, month, day).map(WrittenDate::Known)
}

fn day_of_month(rest: &mut Cursor<'_>) -> Option<i32> {
    rest.number(1, 2).filter(|_| !rest.starts_with_digit())
}

/// Four digits, or two: 00 to 68 are of this century, as in POSIX.
fn year(rest: &mut Cursor<'_>) -> Option<i32> {
    match rest.digits() {
        4 => rest.number(4, 4),
        2 => rest.number(2, 2).map(|year| if year < 69 { 2000 + year } else { 1900 + year }),
        _ => None,
    }
}

/// `st`, `nd`, `rd`, `th`, `er` after a day.
fn skip_ordinal(rest: &mut Cursor<'_>) {
    let mut after = *rest;
    if ["st", "nd", "rd", "th", "er"].contains(&after.word()) {
        *rest = after;
    }
}

fn integer(text: &str) -> Option<i32> {
    let mut rest = Cursor::new(text);
    let number = rest.number(1, 4)?;
    rest.rest().is_empty().then_some(number)
}
