//! Durations in rule files that may be given in days and weeks, such as "30d". A day is always 24 hours.

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const DAY: i64 = 24 * 3_600;
const UNITS: [(&str, i64); 2] = [("d", DAY), ("w", 7 * DAY)];

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let whole = UNITS.iter().find_map(|(unit, seconds)| {
        let count: i64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        Some(SignedDuration::from_secs(count.checked_mul(*seconds)?))
    });
    let invalid =
        || serde::de::Error::custom(format!("{text:?} is not a valid duration; expected e.g. \"30d\" or \"12h\""));
    whole.map_or_else(|| text.parse().map_err(|_| invalid()), Ok)
}

pub(super) fn serialize<S: Serializer>(length: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    length.serialize(serializer)
}
