//! [`Row`]: one record of any layout, and its conversion to a [`Post`].

use std::hash::Hasher;

use jiff::Timestamp;
use twox_hash::XxHash64;

use crate::post::{Details, Post};

/// One readable record of a dump. Required fields are present; the text is never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// 1-based line of the input where the record begins.
    pub line: u64,
    pub id: Option<String>,
    /// Event time in whole milliseconds.
    pub created_at: Option<Timestamp>,
    /// Handle without `@`, or the author's identifier.
    pub author: Option<String>,
    pub text: String,
    pub lang: Option<String>,
    /// Content of the mapped topic column.
    pub topic: Option<String>,
    /// `negative`, `neutral` or `positive`.
    pub label: Option<String>,
    /// Why the post is negative, if the dump says so.
    pub reason: Option<String>,
    /// Whether it was written during an incident, if the dump says so.
    pub incident: Option<bool>,
    /// What could not be read, if anything.
    pub unread: Option<Box<UnreadCells>>,
}

/// Cells of a row as they are in the dump, where they could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnreadCells {
    pub id: Option<String>,
    pub created_at: Option<String>,
}

impl Row {
    /// The post; `None` without an event time (impossible with [`RequiredFields::created_at`](super::RequiredFields)). A row
    /// without an identifier gets one derived from author, time and text: the same in every run.
    pub fn into_post(self) -> Option<Post> {
        let created_at = self.created_at?;
        let id = self.id.unwrap_or_else(|| derived_id(self.author.as_deref(), created_at, &self.text));
        Some(Post {
            id,
            created_at,
            author: self.author,
            text: self.text,
            lang: self.lang,
            topic: self.topic,
            label: self.label,
            details: Details { reason: self.reason, ..Details::default() },
        })
    }
}

fn derived_id(author: Option<&str>, created_at: Timestamp, text: &str) -> String {
    let mut hasher = XxHash64::with_seed(0);
    hasher.write(author.unwrap_or_default().as_bytes());
    hasher.write(&[0]);
    hasher.write(&created_at.as_millisecond().to_le_bytes());
    hasher.write(text.as_bytes());
    format!("h{:016x}", hasher.finish())
}

/// Parses a boolean such as 1 or 0; `None` for anything else.
pub(crate) fn parse_flag(word: &str) -> Option<bool> {
    let is_one_of = |known: [&str; 3]| known.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is_one_of(["1", "true", "yes"]) {
        Some(true)
    } else if is_one_of(["0", "false", "no"]) {
        Some(false)
    } else {
        None
    }
}

/// A handle without its `@`; `None` if nothing is left.
pub(crate) fn strip_at_sign(author: &str) -> Option<&str> {
    let author = author.trim();
    Some(author.strip_prefix('@').unwrap_or(author)).filter(|author| !author.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: Option<&str>, author: Option<&str>, at: i64, text: &str) -> Row {
        Row {
            line: 1,
            id: id.map(str::to_owned),
            created_at: Timestamp::from_second(at).ok(),
            author: author.map(str::to_owned),
            text: text.to_owned(),
            lang: None,
            topic: None,
            label: None,
            reason: None,
            incident: None,
            unread: None,
        }
    }

    #[test]
    fn a_missing_id_is_derived_from_author_time_and_text() {
        let id = |author, at, text: &str| row(None, author, at, text).into_post().unwrap().id;
        let first = id(Some("a"), 1, "late");
        // Fixed: stored identifiers must still match after an upgrade.
        assert_eq!(first, "h78b5d71482bcb2bf");
        for other in
            [id(Some("b"), 1, "late"), id(Some("a"), 2, "late"), id(Some("a"), 1, "late!"), id(None, 1, "late")]
        {
            assert_ne!(other, first);
        }
        assert_eq!(row(Some("7"), None, 1, "late").into_post().unwrap().id, "7");
    }

    #[test]
    fn without_a_time_there_is_no_post() {
        assert_eq!(Row { created_at: None, ..row(Some("7"), None, 1, "late") }.into_post(), None);
    }

    #[test]
    fn flags_are_parsed() {
        assert_eq!(
            (parse_flag("1"), parse_flag("TRUE"), parse_flag("no"), parse_flag("maybe")),
            (Some(true), Some(true), Some(false), None)
        );
    }

    #[test]
    fn handles_lose_their_at_sign() {
        assert_eq!((strip_at_sign(" @air "), strip_at_sign("@"), strip_at_sign("")), (Some("air"), None, None));
    }
}
