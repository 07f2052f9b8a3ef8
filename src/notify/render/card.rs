//! The Adaptive Card of a [`Digest`], for Teams, shortened until it fits the size limit.
//!
//! Texts of posts are `TextRun`s, which do not interpret Markdown; everything else is escaped.

use serde_json::{Value, json};

use super::digest::{Button, Digest, Level, PostView, Section, TermCount};
use super::escape::{clip, markdown};

/// The most bytes of a card as JSON: Teams' limit for the message with its envelope is 20 KB.
pub const MAX_BYTES: usize = 19_000;

/// How much a card shows.
#[derive(Debug, Clone, Copy)]
struct CardLimits {
    sample_chars: usize,
    samples: usize,
    terms: usize,
    lines: usize,
    sentence: usize,
}

/// From everything to the minimum: sample posts are shortened first, then words, then the rest.
const LIMITS: [CardLimits; 6] = [
    CardLimits { sample_chars: 280, samples: 5, terms: 6, lines: 8, sentence: 400 },
    CardLimits { sample_chars: 160, samples: 5, terms: 6, lines: 8, sentence: 400 },
    CardLimits { sample_chars: 110, samples: 3, terms: 4, lines: 6, sentence: 300 },
    CardLimits { sample_chars: 80, samples: 3, terms: 3, lines: 4, sentence: 200 },
    CardLimits { sample_chars: 60, samples: 1, terms: 0, lines: 2, sentence: 160 },
    CardLimits { sample_chars: 0, samples: 0, terms: 0, lines: 0, sentence: 120 },
];

pub(super) fn card(digest: &Digest) -> Value {
    let cards = LIMITS.iter().map(|limits| with_room(digest, *limits));
    let mut last = Value::Null;
    for card in cards {
        last = card;
        if last.to_string().len() <= MAX_BYTES {
            break;
        }
    }
    last
}

fn with_room(digest: &Digest, limits: CardLimits) -> Value {
    let cut = |text: &str| markdown(&clip(text, limits.sentence));
    let mut body = vec![head(digest, limits)];
    if !digest.tiles.is_empty() {
        body.push(tiles(digest));
    }
    // Above the posts: at the end of the card they would be off a phone's screen.
    if !digest.buttons.is_empty() {
        let actions: Vec<Value> = digest.buttons.iter().map(action).collect();
        body.push(json!({"type": "ActionSet", "actions": actions, "spacing": "Medium"}));
    }
    let fact = |label: &str, value: &str| json!({"title": markdown(&clip(label, 40)), "value": cut(value)});
    let mut facts: Vec<Value> = digest.facts.iter().chain(&digest.spark).map(|it| fact(&it.label, &it.value)).collect();
    for section in [&digest.reasons, &digest.words] {
        if !section.items.is_empty() && limits.terms > 0 {
            facts.push(fact(&section.heading, &names(section, limits.terms)));
        }
    }
    if !facts.is_empty() {
        body.push(json!({"type": "FactSet", "facts": facts, "spacing": "Medium"}));
    }
    for section in [&digest.steps, &digest.others] {
        body.extend(list(section, limits, false));
    }
    body.extend(samples(&digest.samples, &digest.post_label, limits));
    body.extend(list(&digest.why, limits, true));
    let foot: Vec<String> = digest.foot.iter().map(|line| cut(line)).collect();
    body.push(json!({"type": "TextBlock", "text": foot.join("\n\n"), "wrap": true, "size": "Small", "isSubtle": true, "separator": true, "spacing": "Medium"}));
    json!({
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "lang": digest.lang,
        // Teams shows this in its list of notifications.
        "speak": clip(&digest.summary, limits.sentence),
        "fallbackText": clip(&digest.summary, limits.sentence),
        "msteams": {"width": "Full"},
        "body": body,
    })
}

/// Headline and state, in the colour of the severity.
fn head(digest: &Digest, limits: CardLimits) -> Value {
    let (style, colour) = match digest.level {
        Level::Critical => ("attention", "Attention"),
        Level::Warning => ("warning", "Warning"),
        Level::Info => ("accent", "Accent"),
        Level::Resolved => ("good", "Good"),
    };
    let cut = |text: &str| markdown(&clip(text, limits.sentence));
    let over = format!("{} · {} · {}", digest.badge, digest.name, digest.id);
    let mut items = vec![
        json!({"type": "TextBlock", "text": cut(&over), "size": "Small", "weight": "Bolder", "color": colour, "wrap": true}),
        json!({"type": "TextBlock", "text": cut(&digest.headline), "size": "Large", "weight": "Bolder", "wrap": true, "spacing": "Small", "style": "heading"}),
    ];
    if let Some(state) = &digest.state {
        items.push(json!({"type": "TextBlock", "text": cut(state), "wrap": true, "spacing": "Small"}));
    }
    json!({"type": "Container", "style": style, "bleed": true, "items": items})
}

fn tiles(digest: &Digest) -> Value {
    let column = |tile: &super::digest::Tile| {
        json!({"type": "Column", "width": "stretch", "items": [
            {"type": "TextBlock", "text": markdown(&clip(&tile.value, 30)), "size": "ExtraLarge", "weight": "Bolder", "wrap": true},
            {"type": "TextBlock", "text": markdown(&clip(&tile.label, 30)), "size": "Small", "isSubtle": true, "wrap": true, "spacing": "None"},
        ]})
    };
    json!({"type": "ColumnSet", "columns": digest.tiles.iter().map(column).collect::<Vec<_>>(), "spacing": "Medium"})
}

/// Terms with their comparison, in one line.
fn names(section: &Section<TermCount>, most: usize) -> String {
    let name = |term: &TermCount| format!("{} {}", term.name, term.short);
    section.items.iter().take(most).map(name).collect::<Vec<_>>().join(" · ")
}

fn heading(text: &str) -> Value {
    json!({"type": "TextBlock", "text": markdown(&clip(text, 60)), "size": "Default", "weight": "Bolder", "wrap": true, "spacing": "Medium", "style": "heading"})
}

fn list(section: &Section<String>, limits: CardLimits, subtle: bool) -> Vec<Value> {
    if section.items.is_empty() || limits.lines == 0 {
        return Vec::new();
    }
    let line = |text: &String| json!({"type": "TextBlock", "text": markdown(&clip(text, limits.sentence)), "wrap": true, "spacing": "Small", "isSubtle": subtle});
    let lines = section.items.iter().take(limits.lines).map(line);
    std::iter::once(heading(&section.heading)).chain(lines).collect()
}

/// Sample posts, each of which links to the original.
fn samples(section: &Section<PostView>, label: &str, limits: CardLimits) -> Vec<Value> {
    if section.items.is_empty() || limits.samples == 0 {
        return Vec::new();
    }
    let sample = |post: &PostView| {
        let run = |text: &str, subtle: bool| json!({"type": "TextRun", "text": text, "isSubtle": subtle, "size": if subtle { "Small" } else { "Default" }});
        let text = |run: Value, spacing: &str| json!({"type": "RichTextBlock", "inlines": [run], "spacing": spacing});
        let end = if post.link.is_some() { format!(" · {label} →") } else { String::new() };
        let items = json!([
            text(run(&clip(&post.text, limits.sample_chars), false), "None"),
            text(run(&format!("{}{end}", clip(&post.posted, 120)), true), "None"),
        ]);
        let mut container = json!({"type": "Container", "items": items, "style": "emphasis", "spacing": "Small"});
        if let (Some(link), Some(container)) = (&post.link, container.as_object_mut()) {
            container.insert("selectAction".into(), json!({"type": "Action.OpenUrl", "url": link, "title": label}));
        }
        container
    };
    let samples = section.items.iter().take(limits.samples).map(sample);
    std::iter::once(heading(&section.heading)).chain(samples).collect()
}

fn action(button: &Button) -> Value {
    let style = if button.primary { "positive" } else { "default" };
    json!({"type": "Action.OpenUrl", "title": clip(&button.label, 40), "url": button.link, "style": style})
}
