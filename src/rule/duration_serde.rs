//! Durations in rule files, such as "30d"; see [`crate::duration`].

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let invalid =
        || serde::de::Error::custom(format!("{text:?} is not a valid duration; expected e.g. \"30d\" or \"12h\""));
    crate::duration::parse(&text).ok_or_else(invalid)
}

pub(super) fn serialize<S: Serializer>(length: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    length.serialize(serializer)
}
