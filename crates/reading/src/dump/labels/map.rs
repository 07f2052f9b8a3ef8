//! [`LabelsMap`]: what `--labels-map` says about the values of a label column. Below [`LabelRules`](super::LabelRules).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::words::number;
use crate::dump::options_error::OptionsError;

/// The meaning of each value of a label column, e.g. `{ "0" = "negative", "1" = "positive" }`. A key is a value in any case,
/// `<X`, `<=X`, `>X` or `>=X` for numbers, or `*` for all others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelsMap(BTreeMap<String, MappedLabel>);

/// What a value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MappedLabel {
    Negative,
    Neutral,
    Positive,
    /// The row has no label.
    None,
}

impl MappedLabel {
    pub(super) fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Negative => Some("negative"),
            Self::Neutral => Some("neutral"),
            Self::Positive => Some("positive"),
            Self::None => None,
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "negative" => Self::Negative,
            "neutral" => Self::Neutral,
            "positive" => Self::Positive,
            "none" => Self::None,
            _ => return None,
        })
    }
}

impl LabelsMap {
    /// Parses the flag `--labels-map`: `0=negative,1=positive`.
    pub fn parse(flag: &str) -> Result<Self, OptionsError> {
        let mut map = BTreeMap::new();
        for part in flag.split(',') {
            let invalid = || OptionsError::LabelsMap(part.trim().to_owned());
            // The last sign: a key may be `<=0`.
            let (key, label) = part.rsplit_once('=').ok_or_else(invalid)?;
            let label = MappedLabel::parse(label.trim()).ok_or_else(invalid)?;
            if map.insert(key.trim().to_owned(), label).is_some() {
                return Err(invalid());
            }
        }
        let map = Self(map);
        map.check().map(|()| map)
    }

    /// Returns the first invalid key, if any.
    pub fn check(&self) -> Result<(), OptionsError> {
        let valid = |key: &str| !key.is_empty() && (!key.starts_with(['<', '>']) || bound(key).is_some());
        match self.0.keys().find(|key| !valid(key)) {
            Some(key) => Err(OptionsError::LabelsMap(key.clone())),
            None => Ok(()),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn keys(&self) -> String {
        self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    /// The meaning of a value: its own, that of the closest bound it is within, or that of all others.
    pub(super) fn get(&self, cell: &str) -> Option<MappedLabel> {
        let read = number(cell);
        let same = |key: &str| key.eq_ignore_ascii_case(cell) || (read.is_some() && number(key) == read);
        let exact = self.0.iter().find(|(key, _)| key.as_str() != "*" && same(key));
        let within = || {
            let read = read?;
            let bounds = self.0.iter().filter_map(|(key, label)| Some((bound(key)?, key, label)));
            let around = bounds.filter(|(bound, ..)| bound.contains(read));
            let distance = |bound: &Bound| (bound.limit - read).abs();
            let closest = around.min_by(|(one, ..), (other, ..)| distance(one).total_cmp(&distance(other)));
            closest.map(|(_, key, label)| (key, label))
        };
        exact.or_else(within).map(|(_, label)| *label).or_else(|| self.0.get("*").copied())
    }
}

/// `<=-0.05`.
struct Bound {
    below: bool,
    inclusive: bool,
    limit: f64,
}

impl Bound {
    fn contains(&self, number: f64) -> bool {
        let beyond = if self.below { number < self.limit } else { number > self.limit };
        beyond || (self.inclusive && number == self.limit)
    }
}

fn bound(key: &str) -> Option<Bound> {
    let below = key.starts_with('<');
    let rest = key.strip_prefix(['<', '>'])?;
    let limit = rest.strip_prefix('=').unwrap_or(rest);
    Some(Bound { below, inclusive: limit.len() < rest.len(), limit: number(limit.trim())? })
}
