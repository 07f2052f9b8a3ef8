//! [`ReportMessage`]: a rendered report, in one language and in the forms that the integrations need.

use jiff::Timestamp;
use serde_json::Value;

use crate::notify::Notification;
use crate::window::Sample;

/// A picture of [`ReportMessage::html`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Of its `cid:` link, without angle brackets.
    pub cid: String,
    pub png: Vec<u8>,
}

/// A rendered report. It holds texts of posts: only [`ReportMessage::summary`] may be logged.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportMessage {
    /// The same for every delivery of this report to this receiver.
    pub key: String,
    /// The `[[report]]` it comes from, and when it was due.
    pub name: String,
    pub at: Timestamp,
    /// BCP 47: `en`, `fr`.
    pub lang: &'static str,
    /// One line.
    pub subject: String,
    /// The report in one line, without texts or authors of posts.
    pub summary: String,
    pub text: String,
    pub html: String,
    pub pictures: Vec<Picture>,
    /// An Adaptive Card (1.5): the `content` of a Teams attachment.
    pub card: Value,
    /// The posts it shows: no log may quote them.
    pub posts: Vec<Sample>,
}

/// What a message shows of posts: an error that quotes the receiver must not quote these.
pub trait MessageContents {
    fn posts(&self) -> Vec<&Sample>;
}

impl MessageContents for Notification {
    fn posts(&self) -> Vec<&Sample> {
        self.alerts.iter().flat_map(|alert| &alert.samples).collect()
    }
}

impl MessageContents for ReportMessage {
    fn posts(&self) -> Vec<&Sample> {
        self.posts.iter().collect()
    }
}
