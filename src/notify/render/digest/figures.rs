//! The numbers of a [`super::Digest`]: tiles, facts, and the last day as bars.

use minijinja::Value;

use super::super::escape::clip;
use super::super::format;
use super::super::sentences::Sentences;
use super::{Fact, MAX_SENTENCE, Tile};
use crate::notify::Kind;

/// The two or three most important numbers.
pub(super) fn tiles(sentences: &mut Sentences<'_>) -> Vec<Tile> {
    let language = sentences.language;
    let resolved = sentences.values.kind == Kind::Resolved;
    let about = sentences.values.worst.as_ref();
    let Some(alert) = about.filter(|alert| !alert.operational && !alert.no_sentiment) else { return Vec::new() };
    let measured = if resolved { alert.peak } else { alert.latest };
    if measured.posts == 0 {
        return Vec::new();
    }
    let share = (format::percent(measured.rate, language), "tile_rate");
    let negative = (format::number(measured.negative, language), "tile_negative");
    let posts = (format::number(measured.posts, language), "tile_posts");
    let reach = (alert.reach > 0).then(|| (format::rough_number(alert.reach, language), "tile_reach"));
    if let Some(ended_at) = sentences.values.ended_at.filter(|_| resolved) {
        let length = (format::duration(ended_at - sentences.values.started_at, language), "tile_duration");
        let worst = match (alert.condition.as_str(), alert.is_rate) {
            ("volume", _) => (posts.0, "tile_posts_peak"),
            (_, true) => (share.0, "tile_rate_peak"),
            (_, false) => (negative.0, "tile_negative_peak"),
        };
        let tiles = [length, worst].into_iter().chain(reach);
        return tiles.map(|(value, label)| Tile { value, label: sentences.label(label) }).collect();
    }
    let order = match (alert.condition.as_str(), alert.is_rate) {
        ("volume", _) => [posts, share],
        (_, true) => [share, negative],
        (_, false) => [negative, share],
    };
    order.into_iter().chain(reach).map(|(value, label)| Tile { value, label: sentences.label(label) }).collect()
}

pub(super) fn facts(sentences: &mut Sentences<'_>, with_alert: &[Value]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let resolved = sentences.values.kind == Kind::Resolved;
    let since = sentences.sentence("since", with_alert);
    add(&mut facts, sentences, if resolved { "period" } else { "since" }, since);
    let Some(alert) = &sentences.values.worst else { return facts };
    if alert.operational {
        let detail = alert.summary.clone();
        add(&mut facts, sentences, "detail", detail);
        return facts;
    }
    if alert.no_sentiment {
        return facts;
    }
    let measured = Sentences::value(if resolved { alert.peak } else { alert.latest });
    let with_numbers = [with_alert, &[measured]].concat();
    let rate = sentences.sentence("rate", &with_numbers);
    match sentences.sentence("rate_label", with_alert).filter(|_| !resolved) {
        // "Last hour": says what the numbers of now are taken from.
        Some(label) => facts.extend(rate.map(|value| Fact { label, value: clip(&value, MAX_SENTENCE) })),
        None => add(&mut facts, sentences, "peak", rate),
    }
    let normal = sentences.sentence("normal", &with_numbers);
    add(&mut facts, sentences, "normal", normal);
    if !resolved {
        let value = sentences.sentence("trend", with_alert);
        add(&mut facts, sentences, "trend", value);
    }
    for name in ["reach", "copies"] {
        let value = sentences.sentence(name, with_alert);
        add(&mut facts, sentences, name, value);
    }
    facts
}

fn add(facts: &mut Vec<Fact>, sentences: &mut Sentences<'_>, label: &str, value: Option<String>) {
    if let Some(value) = value {
        facts.push(Fact { label: sentences.label(label), value: clip(&value, MAX_SENTENCE) });
    }
}

pub(super) fn spark(sentences: &mut Sentences<'_>) -> Option<Fact> {
    let (bars, most) =
        sentences.values.worst.as_ref().filter(|alert| !alert.operational && !alert.no_sentiment)?.spark.clone()?;
    let value = sentences.sentence("spark", &[bars.into(), most.into()])?;
    Some(Fact { label: sentences.label("spark"), value: clip(&value, MAX_SENTENCE) })
}
