//! The blocks of a [`Digest`], for Slack. Texts of posts are `rich_text`, which does not interpret markup; everything
//! else is escaped.

use serde_json::{Value, json};

use super::digest::{Button, Digest, Fact, Level, PostView, Section, TermCount};
use super::escape::{clip, mrkdwn, utf16_length};

/// The most UTF-16 units of a block's text, with some room for escaping.
const MAX_TEXT: usize = 2_900;
/// The same for each of two columns.
const MAX_COLUMN: usize = 1_900;
const MAX_HEADER: usize = 150;

pub(super) fn blocks(digest: &Digest) -> Value {
    let mark = match digest.level {
        Level::Critical => "🔴",
        Level::Warning => "🟠",
        Level::Info => "🔵",
        Level::Resolved => "🟢",
    };
    let head = format!("{mark} {}", clip(&digest.headline, MAX_HEADER - 4));
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
        blocks.push(section(&joined(digest.facts.iter().chain(&digest.spark).map(fact), MAX_TEXT)));
    }
    let fields: Vec<Value> =
        [&digest.reasons, &digest.words].into_iter().filter_map(|section| terms(section, &digest.colon)).collect();
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    blocks.extend([&digest.steps, &digest.others].into_iter().filter_map(list));
    blocks.extend(samples(&digest.samples, &digest.post_label));
    let small = digest.why.items.iter().chain(&digest.foot).map(|line| mrkdwn(line));
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": joined(small, MAX_TEXT)}]}));
    json!({"text": mrkdwn(&digest.summary), "blocks": blocks})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

/// As many whole lines as fit: cutting a line could split an escape.
fn joined(lines: impl Iterator<Item = String>, most: usize) -> String {
    let mut text = String::new();
    for line in lines {
        if utf16_length(&text) + utf16_length(&line) + 1 > most {
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
fn terms(section: &Section<TermCount>, colon: &str) -> Option<Value> {
    let line = |term: &TermCount| mrkdwn(&format!("{}{colon} {}", term.name, term.compared));
    let lines = std::iter::once(format!("*{}*", mrkdwn(&section.heading))).chain(section.items.iter().map(line));
    (!section.items.is_empty()).then(|| json!({"type": "mrkdwn", "text": joined(lines, MAX_COLUMN)}))
}

fn list(list: &Section<String>) -> Option<Value> {
    let lines = std::iter::once(format!("*{}*", mrkdwn(&list.heading)));
    let lines = lines.chain(list.items.iter().map(|item| format!("• {}", mrkdwn(item))));
    (!list.items.is_empty()).then(|| section(&joined(lines, MAX_TEXT)))
}

fn samples(samples: &Section<PostView>, label: &str) -> Vec<Value> {
    if samples.items.is_empty() {
        return Vec::new();
    }
    let quote = |post: &PostView| {
        let mut elements = vec![
            json!({"type": "text", "text": clip(&post.text, MAX_TEXT)}),
            json!({"type": "text", "text": format!("\n{}", post.posted), "style": {"italic": true}}),
        ];
        if let Some(link) = &post.link {
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
