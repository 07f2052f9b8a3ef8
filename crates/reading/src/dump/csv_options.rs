//! [`Quote`] and [`Header`]: the options of [`ReadOptions`](super::ReadOptions) that only concern CSV.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::options_error::OptionsError;

/// What encloses a field that contains delimiters, quotes or line ends. Written as the character, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Quote {
    /// Quotes are part of the text, and each line is a row.
    None,
    Char(char),
}

impl Default for Quote {
    fn default() -> Self {
        Self::Char('"')
    }
}

impl Quote {
    pub(super) fn as_byte(self) -> Option<u8> {
        match self {
            Self::None => None,
            Self::Char(character) => u8::try_from(character).ok(),
        }
    }
}

impl FromStr for Quote {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        let mut characters = word.chars();
        match (word, characters.next(), characters.next()) {
            ("none", ..) => Ok(Self::None),
            (_, Some(character), None) if character.is_ascii_punctuation() => Ok(Self::Char(character)),
            _ => Err(OptionsError::Quote(word.to_owned())),
        }
    }
}

impl fmt::Display for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Char(character) => write!(f, "{character}"),
        }
    }
}

impl From<Quote> for String {
    fn from(quote: Quote) -> Self {
        quote.to_string()
    }
}

impl TryFrom<String> for Quote {
    type Error = OptionsError;

    fn try_from(word: String) -> Result<Self, OptionsError> {
        word.parse()
    }
}

/// Where the names of the columns are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// In the first line, or in the first one that looks like a header after lines about the file.
    #[default]
    Auto,
    /// Nowhere: columns are mapped by their numbers.
    None,
}

impl Header {
    // serde passes a reference.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::Auto
    }
}

impl FromStr for Header {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        match word {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::None),
            _ => Err(OptionsError::Header(word.to_owned())),
        }
    }
}
