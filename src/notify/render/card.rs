//! The Adaptive Card of a [`Digest`], for Teams: short enough for its limit, whatever has to be shortened for it.
//!
//! Texts of posts stand in `TextRun`s, which read no Markdown; everything else is escaped.

use serde_json::{Value, json};

use super::digest::{Button, Digest, Section, Shown, Told, Tone};
use super::escape::{clip, markdown};

/// The most a card takes as JSON; Teams wants the whole message under 20 KB, and it has an envelope.
pub const MOST_BYTES: usize = 19_000;

/// How much a card shows.
#[derive(Debug, Clone, Copy)]
struct Room {
    sample_chars: usize,
    samples: usize,
    told: usize,
    lines: usize,
    sentence: usize,
}

/// From everything to what must be said: texts of posts are shortened first, then words, then the rest.
const ROOMS: [Room; 6] = [
    Room { sample_chars: 280, samples: 5, told: 6, lines: 8, sentence: 400 },
    Room { sample_chars: 160, samples: 5, told: 6, lines: 8, sentence: 400 },
    Room { sample_chars: 110, samples: 3, told: 4, lines: 6, sentence: 300 },
    Room { sample_chars: 80, samples: 3, told: 3, lines: 4, sentence: 200 },
    Room { sample_chars: 60, samples: 1, told: 0, lines: 2, sentence: 160 },
    Room { sample_chars: 0, samples: 0, told: 0, lines: 0, sentence: 120 },
];

pub(super) fn card(digest: &Digest) -> Value {
    let cards = ROOMS.iter().map(|room| with_room(digest, *room));
    let mut last = Value::Null;
    for card in cards {
        last = card;
        if last.to_string().len() <= MOST_BYTES {
            break;
        }
    }
    last
}

fn with_room(digest: &Digest, room: Room) -> Value {
    let cut = |text: &str| markdown(&clip(text, room.sentence));
    let mut body = vec![head(digest, room)];
    if !digest.tiles.is_empty() {
        body.push(tiles(digest));
    }
    // Above the posts: at the end of the card they would be a screen away on a phone.
    if !digest.buttons.is_empty() {
        let actions: Vec<Value> = digest.buttons.iter().map(action).collect();
        body.push(json!({"type": "ActionSet", "actions": actions, "spacing": "Medium"}));
    }
    let fact = |label: &str, value: &str| json!({"title": markdown(&clip(label, 40)), "value": cut(value)});
    let mut facts: Vec<Value> =
        digest.facts.iter().chain(&digest.spark).map(|told| fact(&told.label, &told.value)).collect();
    for section in [&digest.reasons, &digest.words] {
        if !section.items.is_empty() && room.told > 0 {
            facts.push(fact(&section.heading, &names(section, room.told)));
        }
    }
    if !facts.is_empty() {
        body.push(json!({"type": "FactSet", "facts": facts, "spacing": "Medium"}));
    }
    for section in [&digest.steps, &digest.others] {
        body.extend(list(section, room, false));
    }
    body.extend(samples(&digest.samples, &digest.post_label, room));
    body.extend(list(&digest.why, room, true));
    let foot: Vec<String> = digest.foot.iter().map(|line| cut(line)).collect();
    body.push(json!({"type": "TextBlock", "text": foot.join("\n\n"), "wrap": true, "size": "Small", "isSubtle": true, "separator": true, "spacing": "Medium"}));
    json!({
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "lang": digest.lang,
        // Teams shows this in its list of notifications.
        "speak": clip(&digest.summary, room.sentence),
        "fallbackText": clip(&digest.summary, room.sentence),
        "msteams": {"width": "Full"},
        "body": body,
    })
}

/// What, how bad, and where it stands, on the colour of its severity.
fn head(digest: &Digest, room: Room) -> Value {
    let (style, colour) = match digest.tone {
        Tone::Critical => ("attention", "Attention"),
        Tone::Warning => ("warning", "Warning"),
        Tone::Info => ("accent", "Accent"),
        Tone::Over => ("good", "Good"),
    };
    let cut = |text: &str| markdown(&clip(text, room.sentence));
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

/// Names with their comparison, in one line.
fn names(section: &Section<Told>, most: usize) -> String {
    let name = |told: &Told| format!("{} {}", told.name, told.short);
    section.items.iter().take(most).map(name).collect::<Vec<_>>().join(" · ")
}

fn heading(text: &str) -> Value {
    json!({"type": "TextBlock", "text": markdown(&clip(text, 60)), "size": "Default", "weight": "Bolder", "wrap": true, "spacing": "Medium", "style": "heading"})
}

fn list(section: &Section<String>, room: Room, subtle: bool) -> Vec<Value> {
    if section.items.is_empty() || room.lines == 0 {
        return Vec::new();
    }
    let line = |text: &String| json!({"type": "TextBlock", "text": markdown(&clip(text, room.sentence)), "wrap": true, "spacing": "Small", "isSubtle": subtle});
    let lines = section.items.iter().take(room.lines).map(line);
    std::iter::once(heading(&section.heading)).chain(lines).collect()
}

/// Posts, each of which opens where it can be read.
fn samples(section: &Section<Shown>, label: &str, room: Room) -> Vec<Value> {
    if section.items.is_empty() || room.samples == 0 {
        return Vec::new();
    }
    let sample = |shown: &Shown| {
        let run = |text: &str, subtle: bool| json!({"type": "TextRun", "text": text, "isSubtle": subtle, "size": if subtle { "Small" } else { "Default" }});
        let text = |run: Value, spacing: &str| json!({"type": "RichTextBlock", "inlines": [run], "spacing": spacing});
        let end = if shown.link.is_some() { format!(" · {label} →") } else { String::new() };
        let items = json!([
            text(run(&clip(&shown.text, room.sample_chars), false), "None"),
            text(run(&format!("{}{end}", clip(&shown.posted, 120)), true), "None"),
        ]);
        let mut container = json!({"type": "Container", "items": items, "style": "emphasis", "spacing": "Small"});
        if let (Some(link), Some(container)) = (&shown.link, container.as_object_mut()) {
            container.insert("selectAction".into(), json!({"type": "Action.OpenUrl", "url": link, "title": label}));
        }
        container
    };
    let samples = section.items.iter().take(room.samples).map(sample);
    std::iter::once(heading(&section.heading)).chain(samples).collect()
}

fn action(button: &Button) -> Value {
    let style = if button.primary { "positive" } else { "default" };
    json!({"type": "Action.OpenUrl", "title": clip(&button.label, 40), "url": button.link, "style": style})
}
