//! [`Language`]: the language of texts for end users.

use serde::{Deserialize, Serialize};

/// English or French.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "fr")]
    French,
}
