//! [`Unusable`]: what a live source read and could not turn into a post. Kept in the store by the monitor.

use serde::{Deserialize, Serialize};

/// Something that could not become a post. Its raw form may hold personal data: it is kept in the store only, for
/// `retention`, and never logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unusable {
    /// A word for metrics: `json`, `time`, `empty_text` ...
    pub reason: String,
    /// What was found and what was wanted, without the text or author of a post.
    pub detail: String,
    /// As read, cut to [`Unusable::MOST_RAW`] bytes.
    pub raw: String,
}

impl Unusable {
    pub const MOST_RAW: usize = 4_096;

    pub fn new(reason: &str, detail: &str, raw: &str) -> Self {
        let most =
            raw.char_indices().map(|(at, char)| at + char.len_utf8()).take_while(|end| *end <= Self::MOST_RAW).last();
        let raw = raw[..most.unwrap_or(0)].to_owned();
        Self { reason: reason.into(), detail: detail.into(), raw }
    }
}
