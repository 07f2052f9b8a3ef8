//! The numbers of a [`super::Digest`]: those to be seen from afar, the facts, and the last day in bars.

use minijinja::Value;

use super::super::escape::clip;
use super::super::format;
use super::super::sentences::Sentences;
use super::{Fact, SENTENCE, Tile};
use crate::notify::Kind;

/// The two or three numbers that matter.
pub(super) fn tiles(say: &mut Sentences<'_>) -> Vec<Tile> {
    let language = say.language;
    let resolved = say.values.kind == Kind::Resolved;
    let about = say.values.worst.as_ref();
    let Some(alert) = about.filter(|alert| !alert.operational && !alert.toneless) else { return Vec::new() };
    let measured = if resolved { alert.peak } else { alert.latest };
    if measured.posts == 0 {
        return Vec::new();
    }
    let share = (format::percent(measured.rate, language), "tile_rate");
    let negative = (format::number(measured.negative, language), "tile_negative");
    let posts = (format::number(measured.posts, language), "tile_posts");
    let reach = (alert.reach > 0).then(|| (format::rough_number(alert.reach, language), "tile_reach"));
    if let Some(ended_at) = say.values.ended_at.filter(|_| resolved) {
        let length = (format::duration(ended_at - say.values.started_at, language), "tile_duration");
        let worst = match (alert.condition.as_str(), alert.is_rate) {
            ("volume", _) => (posts.0, "tile_posts_peak"),
            (_, true) => (share.0, "tile_rate_peak"),
            (_, false) => (negative.0, "tile_negative_peak"),
        };
        let tiles = [length, worst].into_iter().chain(reach);
        return tiles.map(|(value, label)| Tile { value, label: say.label(label) }).collect();
    }
    let order = match (alert.condition.as_str(), alert.is_rate) {
        ("volume", _) => [posts, share],
        (_, true) => [share, negative],
        (_, false) => [negative, share],
    };
    order.into_iter().chain(reach).map(|(value, label)| Tile { value, label: say.label(label) }).collect()
}

pub(super) fn facts(say: &mut Sentences<'_>, with_alert: &[Value]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let resolved = say.values.kind == Kind::Resolved;
    let mut add = |say: &mut Sentences<'_>, label: &str, value: Option<String>| {
        if let Some(value) = value {
            facts.push(Fact { label: say.label(label), value: clip(&value, SENTENCE) });
        }
    };
    let since = say.say("since", with_alert);
    add(say, if resolved { "over" } else { "since" }, since);
    let Some(alert) = &say.values.worst else { return facts };
    if alert.operational {
        let detail = alert.summary.clone();
        add(say, "detail", detail);
        return facts;
    }
    if alert.toneless {
        return facts;
    }
    let measured = Sentences::value(if resolved { alert.peak } else { alert.latest });
    let with_numbers = [with_alert, &[measured]].concat();
    for (name, label) in [("rate", if resolved { "peak" } else { "rate" }), ("normal", "normal")] {
        let value = say.say(name, &with_numbers);
        add(say, label, value);
    }
    if !resolved {
        let value = say.say("trend", with_alert);
        add(say, "trend", value);
    }
    let value = say.say("reach", with_alert);
    add(say, "reach", value);
    facts
}

pub(super) fn spark(say: &mut Sentences<'_>) -> Option<Fact> {
    let (bars, most) = say.values.worst.as_ref().filter(|alert| !alert.operational)?.spark.clone()?;
    let value = say.say("spark", &[bars.into(), most.into()])?;
    Some(Fact { label: say.label("spark"), value: clip(&value, SENTENCE) })
}
