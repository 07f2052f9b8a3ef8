//! The Adaptive Card of a report, for Teams: the numbers, in short. Posts are left to the mail.

use serde_json::{Value, json};

use super::view::{ReportView, TopicSection};
use crate::notify::render::{clip, markdown};

/// Topics and incidents of a card.
const MAX_ROWS: usize = 8;
/// Characters of a line.
const MAX_LINE: usize = 240;

pub(super) fn card(view: &ReportView) -> Value {
    let mut body = vec![head(view)];
    for topic in view.topics.iter().take(MAX_ROWS) {
        body.extend(section(topic));
    }
    let heading = |text: &str| json!({"type": "TextBlock", "text": cut(text), "weight": "Bolder", "wrap": true, "spacing": "Medium", "style": "heading"});
    body.push(heading(&view.incidents.heading));
    let incidents: Vec<String> = view.incidents.rows.iter().take(MAX_ROWS).map(|row| row.join(" · ")).collect();
    let lines = if incidents.is_empty() { vec![view.no_incidents.clone()] } else { incidents };
    body.extend(lines.iter().map(|text| block(text, false)));
    body.push(heading(&view.corrections_heading));
    body.extend(view.corrections.iter().take(1).map(|text| block(text, false)));
    if !view.cost.is_empty() {
        body.push(heading(&view.cost_heading));
        body.extend(view.cost.iter().map(|text| block(text, false)));
    }
    body.extend(view.foot.last().map(|text| block(text, true)));
    json!({
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "lang": view.lang,
        "speak": clip(&view.summary, MAX_LINE),
        "fallbackText": clip(&view.summary, MAX_LINE),
        "msteams": {"width": "Full"},
        "body": body,
    })
}

fn head(view: &ReportView) -> Value {
    let over = format!("{} · {}", view.kind, view.days);
    let mut items = vec![
        json!({"type": "TextBlock", "text": cut(&over), "size": "Small", "weight": "Bolder", "wrap": true}),
        json!({"type": "TextBlock", "text": cut(&view.headline), "size": "Large", "weight": "Bolder", "wrap": true, "spacing": "Small", "style": "heading"}),
    ];
    if !view.lead.is_empty() {
        items.push(block(&view.lead, false));
    }
    json!({"type": "Container", "style": "accent", "bleed": true, "items": items})
}

fn section(topic: &TopicSection) -> Vec<Value> {
    let mut blocks = vec![
        json!({"type": "TextBlock", "text": cut(&topic.name), "weight": "Bolder", "wrap": true, "spacing": "Medium", "style": "heading"}),
        block(&topic.sentence, false),
    ];
    if !topic.verdict.is_empty() {
        blocks.push(block(&topic.verdict, false));
    }
    if !topic.reasons.items.is_empty() {
        let facts: Vec<Value> = topic
            .reasons
            .items
            .iter()
            .take(3)
            .map(|reason| json!({"title": cut(&reason.name), "value": cut(&reason.text)}))
            .collect();
        blocks.push(json!({"type": "FactSet", "facts": facts, "spacing": "Small"}));
    }
    blocks
}

fn block(text: &str, is_subtle: bool) -> Value {
    json!({"type": "TextBlock", "text": cut(text), "wrap": true, "spacing": "Small", "isSubtle": is_subtle})
}

fn cut(text: &str) -> String {
    markdown(&clip(text, MAX_LINE))
}
