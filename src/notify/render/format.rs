//! Numbers, times and durations as each language writes them. Rounding never overstates.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use crate::language::Language;

/// U+202F, before `; ! ? %` and within numbers in French.
const THIN: char = '\u{202f}';
/// U+00A0, between a number and its unit.
const FIXED: char = '\u{a0}';

/// Whole numbers in groups of three: `1,234`, `1 234`.
pub(crate) fn number(number: u64, language: Language) -> String {
    let separator = match language {
        Language::English => ',',
        Language::French => THIN,
    };
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(separator);
        }
        grouped.push(digit);
    }
    grouped
}

/// Whole percents. 100 % and 0 % mean all and none, never almost.
pub(crate) fn percent(share: f64, language: Language) -> String {
    let whole = (share * 100.0).round();
    let words = match () {
        () if !share.is_finite() => "?".into(),
        () if share > 0.0 && whole < 1.0 => "< 1".into(),
        () if share < 1.0 && whole > 99.0 => "> 99".into(),
        () => format!("{:.0}", whole.clamp(0.0, 100.0)),
    };
    let space = if words.starts_with(['<', '>']) { words.replace(' ', &FIXED.to_string()) } else { words };
    match language {
        Language::English => format!("{space}%"),
        Language::French => format!("{space}{THIN}%"),
    }
}

/// From `low`, rounded down, to `high`, rounded up: `72–84%`, `72 à 84 %`.
pub(crate) fn percent_range(low: f64, high: f64, language: Language) -> String {
    let (low, high) = ((low * 100.0).floor() / 100.0, (high * 100.0).ceil() / 100.0);
    let high = percent(high, language);
    let low = percent(low, language);
    let low = low.trim_end_matches('%').trim_end_matches(THIN);
    match language {
        Language::English => format!("{low}–{high}"),
        Language::French => format!("{low} à {high}"),
    }
}

/// Two significant digits, and the noun: `12,000 followers`, `1.2 million followers`, `1,2 million d’abonnés`.
pub(super) fn rough(count: u64, noun: &str, language: Language) -> String {
    let number = rough_number(count, language);
    let of = match language {
        Language::French if number.contains("illi") => {
            if noun.starts_with(['a', 'e', 'é', 'i', 'o', 'u', 'h']) {
                " d’"
            } else {
                " de "
            }
        }
        Language::French | Language::English => "\u{a0}",
    };
    format!("{number}{of}{noun}")
}

/// Two significant digits: `12,000`, `1.2 million`.
pub(super) fn rough_number(count: u64, language: Language) -> String {
    let size = count.checked_ilog10().unwrap_or(0);
    let step = 10_u64.pow(size.saturating_sub(1));
    // Below a thousand the number itself is as short.
    let rounded = if count < 1_000 { count } else { (count / step + u64::from(count % step >= step / 2)) * step };
    let (unit, [english, singular, plural]) = match rounded {
        0..1_000_000 => return number(rounded, language),
        1_000_000..1_000_000_000 => (1e6, ["million", "million", "millions"]),
        _ => (1e9, ["billion", "milliard", "milliards"]),
    };
    let value = rounded as f64 / unit;
    let digits = if value < 9.95 { format!("{value:.1}") } else { number(value.round() as u64, language) };
    let digits = digits.trim_end_matches(".0");
    match language {
        Language::English => format!("{digits}{FIXED}{english}"),
        Language::French => {
            format!("{}{FIXED}{}", digits.replace('.', ","), if value < 2.0 { singular } else { plural })
        }
    }
}

/// An expected number, rounded: its fraction means nothing to a reader.
pub(super) fn expected(normal: f64, language: Language) -> String {
    if normal.is_finite() && normal >= 0.5 {
        return number(normal.round() as u64, language);
    }
    match language {
        Language::English => "hardly any".into(),
        Language::French => "presque aucun".into(),
    }
}

/// The two largest units: `2 h 10 min`, `3 d 4 h`.
pub(crate) fn duration(seconds: i64, language: Language) -> String {
    let day = match language {
        Language::English => "d",
        Language::French => "j",
    };
    let minutes = seconds.max(0) / 60;
    if minutes == 0 {
        return match language {
            Language::English => "less than a minute".into(),
            Language::French => "moins d’une minute".into(),
        };
    }
    let (days, hours, rest) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    let parts = if days > 0 { [(days, day), (hours, "h")] } else { [(hours, "h"), (rest, "min")] };
    let shown: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{FIXED}{unit}")).collect();
    shown.join(&FIXED.to_string())
}

/// When, as seen from `at`: the time of day, and the day if it is another one. Fits after "since", "depuis".
pub(crate) fn clock(time: Timestamp, at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let (then, now) = (time.to_zoned_datetime(zone.clone()), at.to_zoned_datetime(zone.clone()));
    let clock = format!("{}{}", time_of_day(&then, language), utc(&then, zone));
    if then.date() == now.date() {
        return clock;
    }
    format!("{} {} {clock}", day(&then, true, then.year() != now.year(), language), at_word(language))
}

/// [`clock`] with its preposition: `at 14:05`, `on Sunday 22 February at 14:05`; `à 14 h 05`, `dimanche 22 février à 14
/// h 05`.
pub(super) fn at_clock(time: Timestamp, at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let same_day = time.to_zoned_datetime(zone.clone()).date() == at.to_zoned_datetime(zone.clone()).date();
    let before = match (language, same_day) {
        (Language::English, true) => "at ",
        (Language::English, false) => "on ",
        (Language::French, true) => "à ",
        (Language::French, false) => "",
    };
    format!("{before}{}", clock(time, at, zone, language))
}

/// A period, as seen from `at`: `14:05 to 16:35`; `du samedi 21 février à 16 h 23 au dimanche 22 à 6 h 56`.
pub(super) fn period(from: Timestamp, to: Timestamp, at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let [first, last, now] = [from, to, at].map(|time| time.to_zoned_datetime(zone.clone()));
    let [start, end] = [&first, &last].map(|time| time_of_day(time, language));
    let (year, utc) = (last.year() != now.year(), utc(&first, zone));
    if first.date() == last.date() {
        let day = if first.date() == now.date() { String::new() } else { day(&first, true, year, language) + ", " };
        return match language {
            Language::English => format!("{day}{start} to {end}{utc}"),
            Language::French => format!("{day}de {start} à {end}{utc}"),
        };
    }
    // The month is not repeated: "du samedi 21 février au dimanche 22".
    let same_month = (first.year(), first.month()) == (last.year(), last.month());
    let first_day = day(&first, true, first.year() != last.year() || (same_month && year), language);
    let last_day = day(&last, !same_month, !same_month && year, language);
    let at = at_word(language);
    match language {
        Language::English => format!("{first_day} {at} {start} to {last_day} {at} {end}{utc}"),
        Language::French => format!("du {first_day} {at} {start} au {last_day} {at} {end}{utc}"),
    }
}

/// Whole days from `first` to `last`, both included: `Sunday 22 February`; `Monday 16 to Sunday 22 February`; `lundi 16 au
/// dimanche 22 février 2015`.
pub(crate) fn days(first: &ZonedDateTime, last: &ZonedDateTime, with_year: bool, language: Language) -> String {
    let end = day(last, true, with_year, language);
    if first.date() == last.date() {
        return end;
    }
    let same_month = (first.year(), first.month()) == (last.year(), last.month());
    let start = day(first, !same_month, first.year() != last.year(), language);
    match language {
        Language::English => format!("{start} to {end}"),
        Language::French => format!("{start} au {end}"),
    }
}

fn at_word(language: Language) -> &'static str {
    match language {
        Language::English => "at",
        Language::French => "à",
    }
}

fn time_of_day(time: &ZonedDateTime, language: Language) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    match language {
        Language::English => format!("{hour:02}:{minute:02}"),
        Language::French if minute == 0 => format!("{hour}{FIXED}h"),
        Language::French => format!("{hour}{FIXED}h{FIXED}{minute:02}"),
    }
}

fn utc(time: &ZonedDateTime, zone: &TimeZone) -> &'static str {
    if time.offset().seconds() == 0 && zone == &TimeZone::UTC { "\u{a0}UTC" } else { "" }
}

/// `Sunday 22 February`, with or without the month and the year.
fn day(time: &ZonedDateTime, with_month: bool, with_year: bool, language: Language) -> String {
    let (days, months) = match language {
        Language::English => (ENGLISH_DAYS, ENGLISH_MONTHS),
        Language::French => (FRENCH_DAYS, FRENCH_MONTHS),
    };
    let weekday = usize::from(time.weekday().to_monday_zero_offset().unsigned_abs());
    let weekday = days.get(weekday).copied().unwrap_or_default();
    let number = match (language, time.day()) {
        (Language::French, 1) => "1er".to_owned(),
        (_, day) => day.to_string(),
    };
    let month = usize::from(time.month().unsigned_abs()).wrapping_sub(1);
    let month = months.get(month).filter(|_| with_month).map(|month| format!("{FIXED}{month}")).unwrap_or_default();
    let year = if with_year { format!(" {}", time.year()) } else { String::new() };
    format!("{weekday} {number}{month}{year}")
}

/// Sentences with the spaces French puts before its marks; other languages as they are.
pub(crate) fn typography(text: &str, language: Language) -> String {
    if language == Language::English {
        return text.into();
    }
    let mut set = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, chars.peek()) {
            (' ', Some(';' | '!' | '?' | '%')) => set.push(THIN),
            (' ', Some(':' | '»')) => set.push(FIXED),
            ('«', Some(' ')) => {
                chars.next();
                set.extend(['«', FIXED]);
            }
            ('\'', _) => set.push('’'),
            _ => set.push(char),
        }
    }
    set
}

const ENGLISH_DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const FRENCH_DAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const FRENCH_MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

#[cfg(test)]
mod tests {
    use Language::{English, French};

    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(1_234_567, English), "1,234,567");
        assert_eq!(number(1_234, French), "1\u{202f}234");
        assert_eq!(number(999, French), "999");
        assert_eq!(expected(0.2, English), "hardly any");
        assert_eq!(expected(21.6, English), "22");
    }

    #[test]
    fn shares_are_never_rounded_to_all_or_none() {
        assert_eq!(percent(0.784, English), "78%");
        assert_eq!(percent(0.784, French), "78\u{202f}%");
        assert_eq!(percent(0.9999, English), ">\u{a0}99%");
        assert_eq!(percent(0.0001, English), "<\u{a0}1%");
        assert_eq!((percent(0.0, English), percent(1.0, English)), ("0%".into(), "100%".into()));
        assert_eq!(percent(f64::NAN, English), "?%");
    }

    #[test]
    fn large_counts_are_as_rough_as_they_are_known() {
        let english = |count| rough(count, "followers", English).replace('\u{a0}', " ");
        let french = |count| rough(count, "abonnés", French).replace(['\u{a0}', '\u{202f}'], " ");
        assert_eq!(english(850), "850 followers");
        assert_eq!(english(12_345), "12,000 followers");
        assert_eq!(english(996_000), "1 million followers");
        assert_eq!(english(1_249_000), "1.2 million followers");
        assert_eq!(english(34_900_000), "35 million followers");
        assert_eq!(english(u64::MAX), "18,000,000,000 billion followers");
        assert_eq!(french(12_345), "12 000 abonnés");
        assert_eq!(french(1_249_000), "1,2 million d’abonnés");
        assert_eq!(french(2_000_000), "2 millions d’abonnés");
        assert_eq!(french(3_400_000_000), "3,4 milliards d’abonnés");
    }

    #[test]
    fn lengths() {
        let plain = |seconds, language| duration(seconds, language).replace('\u{a0}', " ");
        assert_eq!(plain(7_800, English), "2 h 10 min");
        assert_eq!(plain(59, English), "less than a minute");
        assert_eq!(plain(-5, French), "moins d’une minute");
        assert_eq!(plain(86_400 * 3 + 4 * 3_600 + 90, French), "3 j 4 h");
        assert_eq!(plain(3_600, French), "1 h");
    }

    #[test]
    fn times_are_relative_to_the_message() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let [time, soon, later]: [Timestamp; 3] =
            ["2015-02-22T13:05:00Z", "2015-02-22T14:00:00Z", "2016-03-01T09:00:00Z"].map(|time| time.parse().unwrap());
        let plain = |text: String| text.replace('\u{a0}', " ");
        assert_eq!(plain(clock(time, soon, &paris, English)), "14:05");
        assert_eq!(plain(clock(time, soon, &TimeZone::UTC, English)), "13:05 UTC");
        assert_eq!(plain(at_clock(time, soon, &paris, French)), "à 14 h 05");
        assert_eq!(plain(clock(soon, time, &paris, French)), "15 h");
        assert_eq!(plain(at_clock(time, later, &paris, English)), "on Sunday 22 February 2015 at 14:05");
        assert_eq!(plain(at_clock(time, later, &paris, French)), "dimanche 22 février 2015 à 14 h 05");
        assert_eq!(plain(clock(later, time, &paris, French)), "mardi 1er mars 2016 à 10 h");
    }

    #[test]
    fn periods_name_their_days_once() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let [from, to, next, at, new_year]: [Timestamp; 5] = [
            "2015-02-21T15:23:00Z",
            "2015-02-21T16:00:00Z",
            "2015-02-22T05:56:00Z",
            "2015-02-22T06:00:00Z",
            "2016-01-01T06:00:00Z",
        ]
        .map(|time| time.parse().unwrap());
        let plain = |from, to, at, language| period(from, to, at, &paris, language).replace('\u{a0}', " ");
        assert_eq!(plain(from, to, to, French), "de 16 h 23 à 17 h");
        assert_eq!(plain(from, to, to, English), "16:23 to 17:00");
        assert_eq!(plain(from, to, at, French), "samedi 21 février, de 16 h 23 à 17 h");
        assert_eq!(plain(from, next, at, French), "du samedi 21 février à 16 h 23 au dimanche 22 à 6 h 56");
        assert_eq!(plain(from, next, at, English), "Saturday 21 February at 16:23 to Sunday 22 at 06:56");
        assert_eq!(plain(from, next, new_year, French), "du samedi 21 février 2015 à 16 h 23 au dimanche 22 à 6 h 56");
        assert_eq!(
            plain(from, new_year, new_year, English),
            "Saturday 21 February 2015 at 16:23 to Friday 1 January at 07:00"
        );
    }

    #[test]
    fn days_are_named_once() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let day =
            |date: &str| format!("{date}T12:00:00Z").parse::<Timestamp>().unwrap().to_zoned_datetime(paris.clone());
        let plain = |first: &str, last: &str, with_year, language| {
            days(&day(first), &day(last), with_year, language).replace('\u{a0}', " ")
        };
        assert_eq!(plain("2015-02-16", "2015-02-22", false, English), "Monday 16 to Sunday 22 February");
        assert_eq!(plain("2015-02-16", "2015-02-22", true, French), "lundi 16 au dimanche 22 février 2015");
        assert_eq!(plain("2015-02-22", "2015-02-22", false, French), "dimanche 22 février");
        assert_eq!(plain("2015-12-28", "2016-01-03", false, English), "Monday 28 December 2015 to Sunday 3 January");
    }

    #[test]
    fn intervals_round_outwards() {
        assert_eq!(percent_range(0.7249, 0.8301, English), "72–84%");
        assert_eq!(percent_range(0.7249, 0.8301, French), "72 à 84\u{202f}%");
    }

    #[test]
    fn french_marks_keep_to_their_words() {
        assert_eq!(
            typography("d'accord : oui ; « non » ?", French),
            "d’accord\u{a0}: oui\u{202f}; «\u{a0}non\u{a0}»\u{202f}?"
        );
        assert_eq!(typography("it's so : yes", English), "it's so : yes");
    }
}
