//! [`Message`]: a rendered notification, in one language and in the forms that the integrations need.

use serde::Serialize;
use serde_json::Value;

/// The `cid:` by which [`Message::html`] shows [`Message::chart_png`]; without angle brackets.
pub const CHART_CID: &str = "chart@vigie";

/// A rendered notification. Everything from outside (posts, authors, names, server messages) is escaped for each form.
/// It contains texts of posts: only [`Message::summary`] may be logged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// BCP 47: `en`, `fr`.
    pub lang: &'static str,
    /// The same for every message of an incident, so that mail clients keep its thread together. One line.
    pub subject: String,
    /// The message in one line, without texts or authors of posts; for logs, PagerDuty, phone notifications.
    pub summary: String,
    /// The whole message as plain text.
    pub text: String,
    /// The whole message as an HTML page; shows the chart as `cid:` [`CHART_CID`] where there is one. Empty in the plain form.
    pub html: String,
    /// A chart of the last day, 960 pixels wide, displayed at about half that; none without any posts.
    pub chart_png: Option<Vec<u8>>,
    /// The alternative text of the chart; empty without one.
    pub chart_alt: String,
    /// An Adaptive Card (1.5): the `content` of a Teams attachment, at most [`super::CARD_BYTES`] as JSON.
    pub card: Value,
    /// `{"text": ..., "blocks": [...]}` for Slack: at most 50 blocks, texts of at most 3,000 characters.
    pub slack: Value,
    /// The incident's page in the console.
    pub url: Option<String>,
    /// Errors of the configuration's templates; the embedded ones were used instead.
    pub template_errors: Vec<String>,
}
