//! [`MaxRejects`]: how many rows a batch command may reject before it fails. A dump whose rows are mostly rejected was read
//! wrongly, and what its other rows say must not pass for a result.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::options_error::OptionsError;

const MILLION: u32 = 1_000_000;

/// The limit of rejected rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxRejects {
    /// Of the rows read, in millionths.
    Share(u32),
    /// Rows.
    Count(u64),
}

impl Default for MaxRejects {
    /// Half of the rows.
    fn default() -> Self {
        Self::Share(MILLION / 2)
    }
}

impl MaxRejects {
    /// Whether more rows were rejected than allowed. `rows` includes the rejected ones.
    pub fn is_exceeded(self, rejected: u64, rows: u64) -> bool {
        match self {
            Self::Share(share) => u128::from(rejected) * u128::from(MILLION) > u128::from(rows) * u128::from(share),
            Self::Count(count) => rejected > count,
        }
    }

    fn of_share(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then(|| Self::Share((share * f64::from(MILLION)).round() as u32))
    }
}

impl FromStr for MaxRejects {
    type Err = OptionsError;

    /// `0.9`, `90%` or `1000`.
    fn from_str(word: &str) -> Result<Self, OptionsError> {
        let word = word.trim();
        let read = match word.strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().ok().and_then(|percent| Self::of_share(percent / 100.0)),
            None => match word.parse() {
                Ok(count) => Some(Self::Count(count)),
                Err(_) => word.parse().ok().and_then(Self::of_share),
            },
        };
        read.ok_or_else(|| OptionsError::MaxRejects(word.to_owned()))
    }
}

impl fmt::Display for MaxRejects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => write!(f, "{}%", f64::from(*share) / f64::from(MILLION / 100)),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

impl Serialize for MaxRejects {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MaxRejects {
    /// A string, a share or a number of rows.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Count(u64),
            Share(f64),
            Word(String),
        }
        let word = match Written::deserialize(deserializer)? {
            Written::Count(count) => return Ok(Self::Count(count)),
            Written::Share(share) => format!("{}%", share * 100.0),
            Written::Word(word) => word,
        };
        word.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_counts_are_read() {
        for (word, expected) in [
            ("0.9", MaxRejects::Share(900_000)),
            ("90%", MaxRejects::Share(900_000)),
            ("1.0", MaxRejects::Share(1_000_000)),
            ("0", MaxRejects::Count(0)),
            ("1000", MaxRejects::Count(1000)),
        ] {
            assert_eq!(word.parse(), Ok(expected), "{word}");
            assert_eq!(expected.to_string().parse(), Ok(expected), "{word}");
        }
        for word in ["", "-1", "1.5", "101%", "most", "nan"] {
            assert!(word.parse::<MaxRejects>().is_err(), "{word:?}");
        }
    }

    #[test]
    fn more_than_the_limit_is_too_many() {
        let half = MaxRejects::default();
        assert!(!half.is_exceeded(0, 0) && !half.is_exceeded(5, 10) && half.is_exceeded(6, 10));
        assert!(!MaxRejects::Count(3).is_exceeded(3, 3) && MaxRejects::Count(3).is_exceeded(4, 1000));
        assert!(!MaxRejects::Share(1_000_000).is_exceeded(10, 10));
    }
}
