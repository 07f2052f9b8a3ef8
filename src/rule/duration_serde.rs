//! Lengths of time that may be given in days and weeks, as "30d": a day is 24 hours, whatever a clock does.

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
    let wanted =
        || serde::de::Error::custom(format!("{text:?} is not a length of time; wanted such as \"30d\" or \"12h\""));
    whole.map_or_else(|| text.parse().map_err(|_| wanted()), Ok)
}

pub(super) fn serialize<S: Serializer>(length: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    length.serialize(serializer)
}
