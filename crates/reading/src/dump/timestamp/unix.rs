//! Unix times in seconds, milliseconds, microseconds and nanoseconds, also with a fraction or an exponent.

use jiff::Timestamp;

/// The first number that is in milliseconds, microseconds, nanoseconds: the year 5138 in the unit before.
const MIN_MILLISECONDS: i128 = 100_000_000_000;
const MIN_MICROSECONDS: i128 = 100_000_000_000_000;
const MIN_NANOSECONDS: i128 = 100_000_000_000_000_000;
/// Digits of a number that are read.
const MAX_DIGITS: usize = 25;

pub(super) const ROUNDED: &str =
    "was rounded by a spreadsheet or by pandas; export the column as text or with all its digits";

/// The instant, or an error if its last digits are lost. `None` if it is not a number.
pub(super) fn parse(text: &str) -> Option<Result<Timestamp, &'static str>> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        None => (text, 0),
        Some(at) => {
            let (mantissa, exponent) = text.split_at_checked(at)?;
            let exponent = exponent.get(1..)?;
            (mantissa, exponent.strip_prefix('+').unwrap_or(exponent).parse::<u8>().ok().filter(|found| *found <= 19)?)
        }
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || whole.len() > MAX_DIGITS {
        return None;
    }
    let fraction = fraction.get(..fraction.len().min(MAX_DIGITS - whole.len()))?;
    let digits: i128 = whole.bytes().chain(fraction.bytes()).fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    let scale = i32::from(exponent) - i32::try_from(fraction.len()).ok()?;
    let shifted = |number: i128| match scale {
        0.. => number.checked_mul(10_i128.pow(scale.unsigned_abs())),
        _ => Some(number / 10_i128.pow(scale.unsigned_abs())),
    };
    let (unit, digits_below_second) = match shifted(digits)? {
        ..MIN_MILLISECONDS => (1_000_000_000, 0),
        MIN_MILLISECONDS..MIN_MICROSECONDS => (1_000_000, 3),
        MIN_MICROSECONDS..MIN_NANOSECONDS => (1_000, 6),
        _ => (1, 9),
    };
    // A number such as 1.62016E+09 has lost its last digits; one that ends in a zero or two has not.
    if exponent > 0 && scale - digits_below_second > 2 {
        return Some(Err(ROUNDED));
    }
    let milliseconds = shifted(digits.checked_mul(unit)?)? / 1_000_000;
    let instant = i64::try_from(milliseconds).ok().and_then(|whole| Timestamp::from_millisecond(whole).ok());
    Some(instant.ok_or(super::IMPLAUSIBLE))
}
