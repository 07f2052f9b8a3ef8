//! [`Message`]: a notification in the words of one language, in the forms the channels want.

use serde::Serialize;
use serde_json::Value;

/// The `cid:` by which [`Message::html`] shows [`Message::chart_png`]; without angle brackets.
pub const CHART_CID: &str = "chart@vigie";

/// A notification in words. Everything that came from outside (posts, authors, names, the words of servers) is escaped
/// for the form it stands in; holds texts of posts, so none of it belongs in a log but [`Message::summary`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// BCP 47: `en`, `fr`.
    pub lang: &'static str,
    /// The same for every message of an incident, so that mail clients keep its thread together. One line.
    pub subject: String,
    /// What happens, in a line without texts or authors of posts; for logs, PagerDuty, notifications of phones.
    pub summary: String,
    /// The whole message as plain text.
    pub text: String,
    /// The whole message as an HTML page; shows the chart as `cid:` [`CHART_CID`] where there is one.
    pub html: String,
    /// The last day, 960 pixels wide, to be shown about half as wide; none without a past to show.
    pub chart_png: Option<Vec<u8>>,
    /// What the chart shows, for those who cannot see it; empty without one.
    pub chart_alt: String,
    /// An Adaptive Card (1.5): the `content` of a Teams attachment, at most [`super::CARD_BYTES`] as JSON.
    pub card: Value,
    /// `{"text": ..., "blocks": [...]}` for Slack: at most 50 blocks, texts of at most 3,000 characters.
    pub slack: Value,
    /// Where the incident can be seen and acknowledged.
    pub url: Option<String>,
    /// What was wrong with the templates of the configuration; the embedded ones stood in for them.
    pub faults: Vec<String>,
}
