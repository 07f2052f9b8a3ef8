//! Lengths of time that may be given in days and weeks, as "30d": a day is 24 hours, whatever a clock does.

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const UNITS: [(&str, i64); 2] = [("d", 24), ("w", 7 * 24)];

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let whole = UNITS.iter().find_map(|(unit, hours)| {
        let count: i64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        SignedDuration::try_from_hours(count.checked_mul(*hours)?)
    });
    let wanted =
        || serde::de::Error::custom(format!("{text:?} is not a length of time; wanted such as \"30d\" or \"12h\""));
    whole.map_or_else(|| text.parse().map_err(|_| wanted()), Ok)
}

pub(super) fn serialize<S: Serializer>(length: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    length.serialize(serializer)
}
