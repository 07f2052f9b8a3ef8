//! Durations as people write them: `90s`, `12h`, and days and weeks, `14d`, `1d 12h`, `2w`. A day is always 24 hours. For flags,
//! and with `#[serde(with = "crate::duration")]` for every duration of the configuration and the rules.

use std::fmt;

use jiff::SignedDuration;
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serialize, Serializer};

const UNITS: [(char, i64); 2] = [('w', 7 * 24 * 3_600), ('d', 24 * 3_600)];

/// Parses a duration, which may be negative; none for any other text.
pub fn parse(text: &str) -> Option<SignedDuration> {
    let text = text.trim();
    let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (mut total, mut has_days) = (SignedDuration::ZERO, false);
    for (unit, seconds) in UNITS {
        // Weeks come first, then days; the rest is hours and less.
        if let Some((count, after)) = rest.split_once(unit)
            && let Ok(count) = count.trim().parse::<i64>()
        {
            total = total.checked_add(SignedDuration::from_secs(count.checked_mul(seconds)?))?;
            (rest, has_days) = (after.trim(), true);
        }
    }
    let rest: SignedDuration = if has_days && rest.is_empty() { SignedDuration::ZERO } else { rest.parse().ok()? };
    // A second sign would be a typing error.
    (!rest.is_negative()).then_some(())?;
    total.checked_add(rest)?.checked_mul(sign)
}

/// Reads a duration of zero or more.
///
/// # Errors
/// For anything else.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    deserializer.deserialize_str(Text)
}

/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(length: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    length.serialize(serializer)
}

struct Text;

impl Visitor<'_> for Text {
    type Value = SignedDuration;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a duration, e.g. \"30s\", \"12h\" or \"14d\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SignedDuration, E> {
        match parse(text) {
            Some(length) if length.is_negative() => {
                Err(E::custom(format!("{text:?} is negative; expected 0s or more, e.g. \"30s\" or \"14d\"")))
            }
            Some(length) => Ok(length),
            None => Err(E::custom(format!("{text:?} is not valid; expected {}", &self as &dyn serde::de::Expected))),
        }
    }
}

/// The same for a duration that may be unset; the field needs `default` too.
pub mod optional {
    use super::{Deserializer, Serialize, Serializer, SignedDuration};

    /// # Errors
    /// As [`super::deserialize`].
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SignedDuration>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }

    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(length: &Option<SignedDuration>, serializer: S) -> Result<S::Ok, S::Error> {
        length.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weeks_are_lengths_too() {
        let seconds = |text| parse(text).map(|length| length.as_secs());
        for (text, expected) in [
            ("30s", 30),
            ("1h 30m", 5_400),
            ("14d", 14 * 86_400),
            ("1d 12h", 36 * 3_600),
            ("1d12h", 36 * 3_600),
            ("2w", 14 * 86_400),
            ("1w 1d", 8 * 86_400),
            ("-5s", -5),
            ("-2d", -2 * 86_400),
            ("0d", 0),
            ("0w 5s", 5),
            ("PT1M", 60),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in ["", "d", "5", "soon", "1.5d", "--5s", "1d -2h", "9999999999999999d"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
