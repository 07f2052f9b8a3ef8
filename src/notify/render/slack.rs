//! The blocks of a [`Digest`], for Slack. Texts of posts stand in `rich_text`, which reads no markup; everything else is
//! escaped.

use serde_json::{Value, json};

use super::digest::{Button, Digest, Fact, Section, Shown, Told, Tone};
use super::escape::{clip, mrkdwn};

/// The most a text of a block takes, and some room for what escaping adds.
const TEXT: usize = 2_900;
/// The same for each of two columns.
const COLUMN: usize = 1_900;
const HEADER: usize = 150;

pub(super) fn blocks(digest: &Digest) -> Value {
    let mark = match digest.tone {
        Tone::Critical => "🔴",
        Tone::Warning => "🟠",
        Tone::Info => "🔵",
        Tone::Over => "🟢",
    };
    let head = format!("{mark} {}", clip(&digest.headline, HEADER - 4));
    let mut blocks = vec![json!({"type": "header", "text": {"type": "plain_text", "text": head, "emoji": true}})];
    if let Some(state) = &digest.state {
        blocks.push(section(&mrkdwn(state)));
    }
    if !digest.buttons.is_empty() {
        let buttons: Vec<Value> =
            digest.buttons.iter().enumerate().map(|(place, button)| element(place, button)).collect();
        blocks.push(json!({"type": "actions", "elements": buttons}));
    }
    if !digest.facts.is_empty() {
        let fact = |Fact { label, value }: &Fact| format!("*{}*  {}", mrkdwn(label), mrkdwn(value));
        blocks.push(section(&joined(digest.facts.iter().chain(&digest.spark).map(fact), TEXT)));
    }
    let fields: Vec<Value> = [&digest.reasons, &digest.words].into_iter().filter_map(told).collect();
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    blocks.extend([&digest.steps, &digest.others].into_iter().filter_map(list));
    blocks.extend(samples(&digest.samples, &digest.post_label));
    let small = digest.why.items.iter().chain(&digest.foot).map(|line| mrkdwn(line));
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": joined(small, TEXT)}]}));
    json!({"text": mrkdwn(&digest.summary), "blocks": blocks})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

/// As many whole lines as a text takes: cutting one could cut an escape in two.
fn joined(lines: impl Iterator<Item = String>, most: usize) -> String {
    let mut text = String::new();
    for line in lines {
        if text.chars().count() + line.chars().count() + 1 > most {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
    }
    text
}

/// One of the two columns.
fn told(section: &Section<Told>) -> Option<Value> {
    let line = |told: &Told| mrkdwn(&format!("{}: {}", told.name, told.compared));
    let lines = std::iter::once(format!("*{}*", mrkdwn(&section.heading))).chain(section.items.iter().map(line));
    (!section.items.is_empty()).then(|| json!({"type": "mrkdwn", "text": joined(lines, COLUMN)}))
}

fn list(list: &Section<String>) -> Option<Value> {
    let lines = std::iter::once(format!("*{}*", mrkdwn(&list.heading)));
    let lines = lines.chain(list.items.iter().map(|item| format!("• {}", mrkdwn(item))));
    (!list.items.is_empty()).then(|| section(&joined(lines, TEXT)))
}

fn samples(samples: &Section<Shown>, label: &str) -> Vec<Value> {
    if samples.items.is_empty() {
        return Vec::new();
    }
    let quote = |shown: &Shown| {
        let mut elements = vec![
            json!({"type": "text", "text": clip(&shown.text, TEXT)}),
            json!({"type": "text", "text": format!("\n{}", shown.posted), "style": {"italic": true}}),
        ];
        if let Some(link) = &shown.link {
            elements.push(json!({"type": "text", "text": " · "}));
            elements.push(json!({"type": "link", "url": link, "text": label}));
        }
        json!({"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": elements}]})
    };
    let heading = section(&format!("*{}*", mrkdwn(&samples.heading)));
    std::iter::once(heading).chain(samples.items.iter().map(quote)).collect()
}

fn element(place: usize, button: &Button) -> Value {
    let mut element = json!({
        "type": "button",
        "action_id": format!("open-{place}"),
        "text": {"type": "plain_text", "text": clip(&button.label, 70)},
        "url": button.link,
    });
    if let (true, Some(element)) = (button.primary, element.as_object_mut()) {
        element.insert("style".into(), "primary".into());
    }
    element
}
