//! [`ComparedPost`]: what a filter compares of a post, whether it was copied from its block or lies in it.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::classify::Label;
use crate::monitor::block::PackedPost;
use crate::monitor::{CascadeId, StoredPost};

/// See the module.
pub(crate) trait ComparedPost {
    fn created_at(&self) -> Timestamp;
    fn source(&self) -> &str;
    /// Handle and identifier.
    fn authors(&self) -> [Option<Cow<'_, str>>; 2];
    fn text(&self) -> &str;
    fn lang(&self) -> Option<&str>;
    fn is_of_any(&self, topics: &[String]) -> bool;
    fn label(&self) -> Label;
    fn is_corrected(&self) -> bool;
    fn reason(&self) -> Option<&str>;
    fn cascade(&self) -> CascadeId;
}

impl ComparedPost for StoredPost {
    fn created_at(&self) -> Timestamp {
        self.created_at
    }

    fn source(&self) -> &str {
        &self.source
    }

    fn authors(&self) -> [Option<Cow<'_, str>>; 2] {
        [&self.author, &self.author_id].map(|name| name.as_deref().map(Cow::Borrowed))
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }

    fn is_of_any(&self, topics: &[String]) -> bool {
        self.topics.iter().any(|topic| topics.contains(topic))
    }

    fn label(&self) -> Label {
        self.label
    }

    fn is_corrected(&self) -> bool {
        self.is_corrected()
    }

    fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    fn cascade(&self) -> CascadeId {
        self.cascade
    }
}

impl ComparedPost for PackedPost<'_> {
    fn created_at(&self) -> Timestamp {
        self.created_at()
    }

    fn source(&self) -> &str {
        self.source()
    }

    fn authors(&self) -> [Option<Cow<'_, str>>; 2] {
        [self.author().map(Cow::Borrowed), self.author_id()]
    }

    fn text(&self) -> &str {
        self.text()
    }

    fn lang(&self) -> Option<&str> {
        self.lang()
    }

    fn is_of_any(&self, topics: &[String]) -> bool {
        self.topics().any(|topic| topics.iter().any(|asked| asked == topic))
    }

    fn label(&self) -> Label {
        self.label()
    }

    fn is_corrected(&self) -> bool {
        self.is_corrected()
    }

    fn reason(&self) -> Option<&str> {
        self.reason()
    }

    fn cascade(&self) -> CascadeId {
        self.cascade()
    }
}
