//! [`Digest`]: everything a message says, in sentences and in the order people need it, but in no form yet. All of it is
//! plain text, cut to lengths that keep any message small.

use serde::Serialize;

use super::super::{Kind, Language, Notification};
use super::context::{Values, WhyValues};
use super::escape::{clip, line, link};
use super::format;
use super::sentences::Sentences;
use crate::alert::Alert;
use crate::rule::Explanation;
use crate::window::Sample;

const SAMPLES: usize = 5;
const SAMPLE_CHARS: usize = 400;
const TOLD: usize = 6;
const OTHERS: usize = 8;
const REASONS_WHY: usize = 8;
/// Any other sentence.
const SENTENCE: usize = 400;
const SUBJECT: usize = 140;

/// A fact and its name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Fact {
    pub(super) label: String,
    pub(super) value: String,
}

/// A number to be seen from afar.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tile {
    pub(super) value: String,
    pub(super) label: String,
}

/// A word or reason, and how much more often than usual it is given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) compared: String,
    /// [`Told::compared`] in brackets, without nouns.
    pub(super) short: String,
    /// Posts, relative to the longest bar, in percents.
    pub(super) width: u64,
}

/// A post.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Shown {
    pub(super) posted: String,
    pub(super) text: String,
    pub(super) link: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Button {
    pub(super) label: String,
    pub(super) link: String,
    pub(super) primary: bool,
}

/// A list under a heading; empty ones are not shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Section<T> {
    pub(super) heading: String,
    pub(super) items: Vec<T>,
}

/// How a message looks: what colour it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tone {
    Critical,
    Warning,
    Info,
    Over,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Digest {
    pub(super) lang: &'static str,
    pub(super) subject: String,
    pub(super) summary: String,
    pub(super) tone: Tone,
    /// One word: how bad, or that it is over.
    pub(super) badge: String,
    /// What it is about.
    pub(super) name: String,
    pub(super) id: String,
    pub(super) headline: String,
    pub(super) state: Option<String>,
    pub(super) tiles: Vec<Tile>,
    pub(super) facts: Vec<Fact>,
    /// The last day in a row of bars, for forms that have no chart.
    pub(super) spark: Option<Fact>,
    pub(super) buttons: Vec<Button>,
    /// What to do about trouble of vigie's own, or what the rule's author wants done.
    pub(super) steps: Section<String>,
    pub(super) others: Section<String>,
    pub(super) reasons: Section<Told>,
    pub(super) words: Section<Told>,
    pub(super) samples: Section<Shown>,
    pub(super) why: Section<String>,
    pub(super) foot: Vec<String>,
    pub(super) post_label: String,
    /// As the language sets it.
    pub(super) colon: String,
    pub(super) chart_alt: String,
    pub(super) chart_labels: ChartLabels,
    /// The incident's page.
    pub(super) link: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ChartLabels {
    pub(super) share: String,
    pub(super) volume: String,
    pub(super) normal: String,
    pub(super) began: String,
}

impl Digest {
    pub(super) fn new(notification: &Notification, say: &mut Sentences<'_>) -> Self {
        let worst = notification.alerts.first();
        let about = say.values.worst.as_ref();
        let of_posts = about.is_some_and(|alert| !alert.operational);
        let a = Sentences::value(about);
        let with_alert = std::slice::from_ref(&a);
        let mut sentence = |name: &str| say.say(name, with_alert).map(|text| clip(&text, SENTENCE));

        let headline = sentence("headline").unwrap_or_else(|| fallback(notification));
        let (state, subject, badge) = (sentence("state"), sentence("subject"), sentence("badge"));
        let rule = worst.and_then(|_| sentence("rule"));
        let chart_alt = if of_posts { sentence("chart_alt").unwrap_or_default() } else { String::new() };
        let summary = say.say("summary", &[a.clone(), headline.as_str().into()]);
        let link = page(notification);
        let samples = worst.filter(|_| of_posts).map_or(&[][..], |alert| &alert.samples);
        Self {
            lang: match say.language {
                Language::English => "en",
                Language::French => "fr",
            },
            subject: clip(&subject.unwrap_or_else(|| headline.clone()), SUBJECT),
            summary: clip(&summary.unwrap_or_else(|| headline.clone()), SENTENCE),
            tone: tone(&say.values),
            badge: badge.unwrap_or_default(),
            name: say.values.name.clone(),
            id: say.values.id.clone(),
            headline,
            state,
            tiles: tiles(say),
            facts: facts(say, with_alert),
            spark: spark(say),
            buttons: buttons(notification, link.as_deref(), say),
            steps: steps(say, with_alert),
            others: others(say),
            reasons: Section {
                heading: say.label("reasons"),
                items: worst.map_or(Vec::new(), |alert| reasons(alert, say)),
            },
            words: Section { heading: say.label("words"), items: worst.map_or(Vec::new(), |alert| words(alert, say)) },
            samples: Section { heading: say.label("samples"), items: shown(samples, say) },
            why: Section { heading: say.label("why"), items: why(worst, rule, say) },
            foot: say.say_lines("foot", with_alert).iter().map(|line| clip(line, SENTENCE)).collect(),
            post_label: say.label("post"),
            colon: format::typography(" :", say.language).trim_start_matches(' ').into(),
            chart_alt,
            chart_labels: ChartLabels {
                share: say.label("chart_share"),
                volume: say.label("chart_volume"),
                normal: say.label("chart_normal"),
                began: say.label("chart_began"),
            },
            link,
        }
    }
}

/// What is said should every template fail.
fn fallback(notification: &Notification) -> String {
    let alerts: Vec<String> =
        notification.alerts.iter().take(3).map(|alert| line(&format!("{} ({})", alert.rule, alert.topic))).collect();
    let state = if notification.kind == Kind::Resolved { "resolved" } else { "firing" };
    clip(&format!("{state}: {}", alerts.join(", ")), SENTENCE)
}

fn tone(values: &Values) -> Tone {
    match (values.kind, values.severity) {
        (Kind::Resolved, _) => Tone::Over,
        (Kind::Test, _) | (_, "info") => Tone::Info,
        (_, "critical") => Tone::Critical,
        _ => Tone::Warning,
    }
}

/// The incident's page in the console.
fn page(notification: &Notification) -> Option<String> {
    let console = notification.console.as_deref()?.trim_end_matches('/');
    let id: String = notification.incident.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    link(&format!("{console}/alerts/{id}")).map(str::to_owned)
}

fn buttons(notification: &Notification, page: Option<&str>, say: &mut Sentences<'_>) -> Vec<Button> {
    let Some(page) = page else { return Vec::new() };
    let mut button =
        |name: &str, place: &str, primary| Button { label: say.label(name), link: format!("{page}{place}"), primary };
    match notification.kind {
        Kind::Resolved => vec![button("open", "", true)],
        _ if notification.acknowledged.is_some() => {
            vec![button("open", "", true), button("silence", "#silence", false)]
        }
        _ => vec![button("acknowledge", "#acknowledge", true), button("silence", "#silence", false)],
    }
}

/// The two or three numbers that matter.
fn tiles(say: &mut Sentences<'_>) -> Vec<Tile> {
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

fn facts(say: &mut Sentences<'_>, with_alert: &[minijinja::Value]) -> Vec<Fact> {
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

fn spark(say: &mut Sentences<'_>) -> Option<Fact> {
    let (bars, most) = say.values.worst.as_ref().filter(|alert| !alert.operational)?.spark.clone()?;
    let value = say.say("spark", &[bars.into(), most.into()])?;
    Some(Fact { label: say.label("spark"), value: clip(&value, SENTENCE) })
}

fn steps(say: &mut Sentences<'_>, with_alert: &[minijinja::Value]) -> Section<String> {
    let over = say.values.kind == Kind::Resolved;
    let about = say.values.worst.as_ref().filter(|_| !over);
    let description = about.and_then(|alert| alert.description.clone());
    let mut items = match about {
        Some(alert) if alert.operational => say.say_lines("steps", with_alert),
        _ => Vec::new(),
    };
    items.extend(description);
    Section { heading: say.label("steps"), items: items.iter().take(TOLD).map(|step| clip(step, SENTENCE)).collect() }
}

fn others(say: &mut Sentences<'_>) -> Section<String> {
    let others: Vec<_> = say.values.others.iter().take(OTHERS).map(Sentences::value).collect();
    let left = say.values.others.len().saturating_sub(OTHERS);
    let mut items: Vec<String> =
        others.into_iter().filter_map(|other| say.say("other", &[other])).map(|line| clip(&line, 200)).collect();
    if left > 0 {
        items.extend(say.say_plain("more", &[left.into()]));
    }
    Section { heading: say.label("others"), items }
}

fn reasons(alert: &Alert, say: &mut Sentences<'_>) -> Vec<Told> {
    let most = alert.story.reasons.iter().map(|reason| reason.posts).max().unwrap_or(0);
    let reasons = alert.story.reasons.iter().filter(|reason| !line(&reason.reason).is_empty()).take(TOLD);
    reasons
        .map(|reason| {
            let name = clip(&line(&reason.reason), 60);
            let name = say.say_plain("reason", &[name.as_str().into()]).unwrap_or(name);
            told(name, reason.posts, reason.normal, most, say)
        })
        .collect()
}

fn words(alert: &Alert, say: &mut Sentences<'_>) -> Vec<Told> {
    let most = alert.story.words.iter().map(|word| word.posts).max().unwrap_or(0);
    let words = alert.story.words.iter().filter(|word| !line(&word.word).is_empty()).take(TOLD);
    words.map(|word| told(clip(&line(&word.word), 40), word.posts, word.normal, most, say)).collect()
}

fn told(name: String, posts: u64, normal: f64, most: u64, say: &mut Sentences<'_>) -> Told {
    let numbers = [posts.into(), normal.into()];
    let compared = say.say_plain("compared", &numbers).unwrap_or_default();
    let short = say.say_plain("short", &numbers).unwrap_or_default();
    let width = (u128::from(posts) * 100).checked_div(u128::from(most)).map_or(0, |width| width as u64).clamp(2, 100);
    Told { name, compared, short, width }
}

fn shown(samples: &[Sample], say: &mut Sentences<'_>) -> Vec<Shown> {
    let shown = |sample: &Sample| {
        let author = sample.author.as_deref().map(|author| clip(&line(author), 50)).filter(|author| !author.is_empty());
        let more = [author.into(), sample.created_at.as_second().into()];
        let link = sample.url.as_deref().and_then(link).map(str::to_owned);
        Shown {
            posted: say.say("posted", &more).unwrap_or_default(),
            text: clip(&line(&sample.text), SAMPLE_CHARS),
            link,
        }
    };
    samples.iter().map(shown).filter(|shown| !shown.text.is_empty()).take(SAMPLES).collect()
}

/// The rule, and its conditions down the tree.
fn why(worst: Option<&Alert>, rule: Option<String>, say: &mut Sentences<'_>) -> Vec<String> {
    let mut lines: Vec<String> = rule.into_iter().collect();
    let Some(alert) = worst else { return lines };
    let operational = say.values.worst.as_ref().is_some_and(|alert| alert.operational);
    let mut left = vec![&alert.explanation];
    let mut told = 0;
    while let Some(Explanation { condition, parts, .. }) = left.last().copied() {
        let Some(explanation) = left.pop() else { break };
        if told == REASONS_WHY {
            break;
        }
        if !condition.is_empty() {
            let sentence = say.say("why", &[Sentences::value(WhyValues::new(explanation))]);
            lines.extend(sentence.map(|sentence| clip(&sentence, SENTENCE)));
            told += 1;
        }
        left.extend(parts.iter().rev());
    }
    if told == 0 && !operational {
        lines.extend(say.values.worst.as_ref().and_then(|alert| alert.summary.clone()));
    }
    lines
}
