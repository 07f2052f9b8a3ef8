//! A stand-in until the words are merged.
mod message;
use super::{Language, Notification};
pub use message::{CHART_CID, Message};

pub const CARD_BYTES: usize = 20_000;

#[derive(Debug, Default)]
pub struct Style;

#[derive(Debug, Default)]
pub struct Templates;

impl Templates {
    pub fn embedded(_: Style) -> Self {
        Self
    }
}

pub fn render(notification: &Notification, language: Language, _: &Templates) -> Message {
    let summary = format!("{} {}", notification.incident.id, notification.alerts.len());
    let posts: Vec<&str> = notification.alerts.iter().flat_map(|a| &a.samples).map(|p| p.text.as_str()).collect();
    let text = format!("{summary}\n{}", posts.join("\n"));
    Message {
        lang: if language == Language::French { "fr" } else { "en" },
        subject: notification.incident.id.clone(),
        html: format!("<p>{text}</p><img src=\"cid:{CHART_CID}\">"),
        chart_png: Some(b"\x89PNG".to_vec()),
        chart_alt: "chart".into(),
        card: serde_json::json!({"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": text}]}),
        slack: serde_json::json!({"text": summary, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]}),
        url: notification.console.clone(),
        faults: Vec::new(),
        summary,
        text,
    }
}
