//! Numbers, times and lengths as each language writes them. Rounded so that nothing is claimed that is not so.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::language::Language;

/// U+202F, before `; ! ? %` and within numbers in French.
const THIN: char = '\u{202f}';
/// U+00A0, between a number and its unit.
const FIXED: char = '\u{a0}';

/// Whole numbers in groups of three: `1,234`, `1 234`.
pub(super) fn number(number: u64, language: Language) -> String {
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

/// Whole percents. 100 % and 0 % are said only of all and of none.
pub(super) fn percent(share: f64, language: Language) -> String {
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

/// Two digits that count, and the noun: `12,000 followers`, `1.2 million followers`, `1,2 million d’abonnés`.
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

/// Two digits that count: `12,000`, `1.2 million`.
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

/// What was to be expected, of which the fraction says nothing.
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
pub(super) fn duration(seconds: i64, language: Language) -> String {
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

/// When, as seen from `at`: the time of day, with the day where that is another one. Reads on after "since", "depuis".
pub(super) fn clock(time: Timestamp, at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let (then, now) = (time.to_zoned_datetime(zone.clone()), at.to_zoned_datetime(zone.clone()));
    let utc = if then.offset().seconds() == 0 && zone == &TimeZone::UTC { "\u{a0}UTC" } else { "" };
    let (hour, minute) = (then.hour(), then.minute());
    let day = || {
        let (weekday, month) = (usize::from(then.weekday().to_monday_zero_offset().unsigned_abs()), then.month());
        let names = match language {
            Language::English => (ENGLISH_DAYS, ENGLISH_MONTHS),
            Language::French => (FRENCH_DAYS, FRENCH_MONTHS),
        };
        let month = names.1.get(usize::from(month.unsigned_abs()).wrapping_sub(1)).copied().unwrap_or_default();
        let number = match (language, then.day()) {
            (Language::French, 1) => "1er".to_owned(),
            (_, day) => day.to_string(),
        };
        let year = if then.year() == now.year() { String::new() } else { format!(" {}", then.year()) };
        format!("{} {number}{FIXED}{month}{year}", names.0.get(weekday).copied().unwrap_or_default())
    };
    let same_day = then.date() == now.date();
    match language {
        Language::English if same_day => format!("{hour:02}:{minute:02}{utc}"),
        Language::English => format!("{} at {hour:02}:{minute:02}{utc}", day()),
        Language::French => {
            let time =
                if minute == 0 { format!("{hour}{FIXED}h") } else { format!("{hour}{FIXED}h{FIXED}{minute:02}") };
            if same_day { format!("{time}{utc}") } else { format!("{} à {time}{utc}", day()) }
        }
    }
}

/// [`clock`] with its preposition: `at 14:05`, `on Sunday 22 February at 14:05`; `à 14 h 05`, `dimanche 22 février à 14 h 05`.
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

/// Sentences with the spaces French puts before its marks; other languages as they are.
pub(super) fn typography(text: &str, language: Language) -> String {
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
    fn times_are_told_from_where_the_reader_stands() {
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
    fn french_marks_keep_to_their_words() {
        assert_eq!(
            typography("d'accord : oui ; « non » ?", French),
            "d’accord\u{a0}: oui\u{202f}; «\u{a0}non\u{a0}»\u{202f}?"
        );
        assert_eq!(typography("it's so : yes", English), "it's so : yes");
    }
}
