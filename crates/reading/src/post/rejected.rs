//! [`RejectedRecord`]: a record that a live source could not turn into a post. The monitor stores it as a dead letter.

use serde::{Deserialize, Serialize};

/// A record that could not become a post. Its raw form may contain personal data: it is stored for the configured
/// retention and never logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRecord {
    /// A metric label such as `json`, `time` or `empty_text`.
    pub reason: String,
    /// What was found and what was expected, without the text or author of a post.
    pub detail: String,
    /// The record as read, truncated to [`RejectedRecord::MAX_RAW_BYTES`] bytes.
    pub raw: String,
}

impl RejectedRecord {
    pub const MAX_RAW_BYTES: usize = 4_096;

    pub fn new(reason: &str, detail: &str, raw: &str) -> Self {
        let end = raw.char_indices().map(|(at, char)| at + char.len_utf8());
        let end = end.take_while(|end| *end <= Self::MAX_RAW_BYTES).last();
        let raw = raw[..end.unwrap_or(0)].to_owned();
        Self { reason: reason.into(), detail: detail.into(), raw }
    }
}
