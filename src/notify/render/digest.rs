//! [`Digest`]: everything a message says, in sentences and in the order people need it, but in no form yet. All of it is
//! plain text, cut to lengths that keep any message small.

mod figures;
mod lists;

use serde::Serialize;

use super::super::{Kind, Notification};
use super::context::Values;
use super::escape::{clip, line, link};
use super::format;
use super::sentences::Sentences;
use crate::language::Language;
use figures::{facts, spark, tiles};
use lists::{others, reasons, shown, steps, why, words};

/// Longest sentence.
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
