//! The filters of the templates, in one language and one zone.

use jiff::Timestamp;
use minijinja::value::Value;
use minijinja::{Environment, Error, State};

use super::format;
use super::templates::Style;
use crate::language::Language;

/// Adds the filters to `environment`:
///
/// | filter | writes |
/// |---|---|
/// | `number` | `1,234` |
/// | `expected` | an expected number, rounded: `22`, `hardly any` |
/// | `percent`, `percent_low` | `78%`, or rounded down |
/// | `percent_range(high)` | `72–84%` |
/// | `rough("followers")` | `1.2 million followers` |
/// | `plural("post", "posts")` | one of them |
/// | `duration` | of seconds: `2 h 10 min` |
/// | `clock`, `at_clock` | of Unix seconds: `14:05`, `at 14:05`; with the day if it is not that of the message |
/// | `period(end)` | of Unix seconds: `14:05 to 16:35`; with the days if they are not that of the message |
/// | `plain` | any number, with at most one decimal |
pub(crate) fn add(environment: &mut Environment<'_>, language: Language, style: &Style) {
    let share = move |share: f64| format::percent(share, language);
    environment.add_filter("number", move |count: Value| Ok::<_, Error>(format::number(whole(&count)?, language)));
    environment.add_filter("expected", move |normal: f64| format::expected(normal, language));
    environment.add_filter("percent", share);
    environment.add_filter("percent_low", move |low: f64| share((low * 100.0).floor() / 100.0));
    environment.add_filter("percent_range", move |low: f64, high: f64| format::percent_range(low, high, language));
    environment.add_filter("rough", move |count: u64, noun: String| format::rough(count, &noun, language));
    environment.add_filter("plural", move |count: f64, one: String, many: String| match language {
        Language::English if count == 1.0 => one,
        Language::French if count < 2.0 => one,
        _ => many,
    });
    environment.add_filter("duration", move |seconds: f64| format::duration(seconds as i64, language));
    let zone = style.zone.clone();
    environment.add_filter("clock", move |state: &State<'_, '_>, time: f64| {
        Ok::<_, Error>(format::clock(instant(time), at(state)?, &zone, language))
    });
    let zone = style.zone.clone();
    environment.add_filter("at_clock", move |state: &State<'_, '_>, time: f64| {
        Ok::<_, Error>(format::at_clock(instant(time), at(state)?, &zone, language))
    });
    let zone = style.zone.clone();
    environment.add_filter("period", move |state: &State<'_, '_>, from: f64, to: f64| {
        Ok::<_, Error>(format::period(instant(from), instant(to), at(state)?, &zone, language))
    });
    environment.add_filter("plain", move |number: f64| plain(number, language));
}

/// A count. The numbers of a condition hold it as a float.
fn whole(count: &Value) -> Result<u64, Error> {
    match u64::try_from(count.clone()) {
        Ok(count) => Ok(count),
        Err(_) => Ok(f64::try_from(count.clone())?.round() as u64),
    }
}

/// The time, or the nearest one that can be represented.
fn instant(seconds: f64) -> Timestamp {
    Timestamp::from_second(seconds as i64).unwrap_or(if seconds < 0.0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The time of the message.
fn at(state: &State<'_, '_>) -> Result<Timestamp, Error> {
    Ok(instant(f64::try_from(state.lookup("now").unwrap_or_default())?))
}

fn plain(number: f64, language: Language) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        let sign = if number < 0.0 { "-" } else { "" };
        return format!("{sign}{}", format::number(number.abs() as u64, language));
    }
    let digits = format!("{number:.1}");
    let digits = digits.trim_end_matches(".0");
    if language == Language::French { digits.replace('.', ",") } else { digits.into() }
}
