//! [`Digest`]: the content of a message in the order people need it, before it gets a form. All of it is plain text,
//! cut to lengths that keep any message small.

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
use lists::{others, reasons, sample_posts, steps, why, words};

/// The most characters of a sentence.
const MAX_SENTENCE: usize = 400;
const MAX_SUBJECT: usize = 140;

/// A fact and its name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Fact {
    pub(super) label: String,
    pub(super) value: String,
}

/// A number in large print.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tile {
    pub(super) value: String,
    pub(super) label: String,
}

/// A word or a complaint reason, compared with its usual share.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TermCount {
    pub(super) name: String,
    pub(super) compared: String,
    /// [`TermCount::compared`] in short, in brackets.
    pub(super) short: String,
    /// The length of its bar, in percent of the longest.
    pub(super) width: u64,
}

/// A sample post.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct PostView {
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

/// How serious a message is: decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    Critical,
    Warning,
    Info,
    Resolved,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Digest {
    pub(super) lang: &'static str,
    pub(super) subject: String,
    pub(super) summary: String,
    pub(super) level: Level,
    /// One word: the severity, or that it is resolved.
    pub(super) badge: String,
    /// The subject of the incident.
    pub(super) name: String,
    pub(super) id: String,
    pub(super) headline: String,
    pub(super) state: Option<String>,
    pub(super) tiles: Vec<Tile>,
    pub(super) facts: Vec<Fact>,
    /// The last day as a row of bars, for forms without a chart.
    pub(super) spark: Option<Fact>,
    pub(super) buttons: Vec<Button>,
    /// What to do: about an operational alert, or as the rule's description says.
    pub(super) steps: Section<String>,
    pub(super) others: Section<String>,
    pub(super) reasons: Section<TermCount>,
    pub(super) words: Section<TermCount>,
    pub(super) samples: Section<PostView>,
    pub(super) why: Section<String>,
    pub(super) foot: Vec<String>,
    pub(super) post_label: String,
    /// The colon, with its space in French.
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
    pub(super) fn new(notification: &Notification, sentences: &mut Sentences<'_>) -> Self {
        let worst = notification.alerts.first();
        let about = sentences.values.worst.as_ref();
        let of_posts = about.is_some_and(|alert| !alert.operational);
        // What people wrote before they fell silent says nothing about the silence.
        let of_content = about.is_some_and(|alert| !alert.operational && alert.condition != "no_data");
        let a = Sentences::value(about);
        let with_alert = std::slice::from_ref(&a);
        let mut sentence = |name: &str| sentences.sentence(name, with_alert).map(|text| clip(&text, MAX_SENTENCE));

        let headline = sentence("headline").unwrap_or_else(|| fallback(notification));
        let (state, subject, badge) = (sentence("state"), sentence("subject"), sentence("badge"));
        let rule = worst.and_then(|_| sentence("rule"));
        let chart_alt = if of_posts { sentence("chart_alt").unwrap_or_default() } else { String::new() };
        let summary = sentences.sentence("summary", &[a.clone(), headline.as_str().into()]);
        let link = page(notification);
        let samples = worst.filter(|_| of_content).map_or(&[][..], |alert| &alert.samples);
        Self {
            lang: match sentences.language {
                Language::English => "en",
                Language::French => "fr",
            },
            subject: clip(&subject.unwrap_or_else(|| headline.clone()), MAX_SUBJECT),
            summary: clip(&summary.unwrap_or_else(|| headline.clone()), MAX_SENTENCE),
            level: level(&sentences.values),
            badge: badge.unwrap_or_default(),
            name: sentences.values.name.clone(),
            id: sentences.values.id.clone(),
            headline,
            state,
            tiles: tiles(sentences),
            facts: facts(sentences, with_alert),
            spark: spark(sentences),
            buttons: buttons(notification, link.as_deref(), sentences),
            steps: steps(sentences, with_alert),
            others: others(sentences),
            reasons: Section {
                heading: sentences.label("reasons"),
                items: worst.filter(|_| of_content).map_or(Vec::new(), |alert| reasons(alert, sentences)),
            },
            words: Section {
                heading: sentences.label("words"),
                items: worst.filter(|_| of_content).map_or(Vec::new(), |alert| words(alert, sentences)),
            },
            samples: Section { heading: sentences.label("samples"), items: sample_posts(samples, sentences) },
            why: Section { heading: sentences.label("why"), items: why(worst, rule, sentences) },
            foot: sentences.lines_of("foot", with_alert).iter().map(|line| clip(line, MAX_SENTENCE)).collect(),
            post_label: sentences.label("post"),
            colon: format::typography(" :", sentences.language).trim_start_matches(' ').into(),
            chart_alt,
            chart_labels: ChartLabels {
                share: sentences.label("chart_share"),
                volume: sentences.label("chart_volume"),
                normal: sentences.label("chart_normal"),
                began: sentences.label("chart_began"),
            },
            link,
        }
    }
}

/// The headline if every template fails.
fn fallback(notification: &Notification) -> String {
    let alerts: Vec<String> =
        notification.alerts.iter().take(3).map(|alert| line(&format!("{} ({})", alert.rule, alert.topic))).collect();
    let state = if notification.kind == Kind::Resolved { "resolved" } else { "firing" };
    clip(&format!("{state}: {}", alerts.join(", ")), MAX_SENTENCE)
}

fn level(values: &Values) -> Level {
    // What was closed while it lasted is not over: it must not look like an all-clear.
    let is_closed = values.worst.as_ref().is_some_and(|alert| alert.closed_after_hours.is_some());
    match (values.kind, values.severity) {
        (Kind::Resolved, _) if is_closed => Level::Info,
        (Kind::Resolved, _) => Level::Resolved,
        (Kind::Test, _) | (_, "info") => Level::Info,
        (_, "critical") => Level::Critical,
        _ => Level::Warning,
    }
}

/// The incident's page in the console.
fn page(notification: &Notification) -> Option<String> {
    let console = notification.console.as_deref()?.trim_end_matches('/');
    let id: String = notification.incident.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    link(&format!("{console}/alerts/{id}")).map(str::to_owned)
}

fn buttons(notification: &Notification, page: Option<&str>, sentences: &mut Sentences<'_>) -> Vec<Button> {
    let Some(page) = page else { return Vec::new() };
    let is_no_data = sentences.values.worst.as_ref().is_some_and(|alert| alert.condition == "no_data");
    let mut button = |name: &str, place: &str, primary| Button {
        label: sentences.label(name),
        link: format!("{page}{place}"),
        primary,
    };
    match notification.kind {
        Kind::Resolved => vec![button("open", "", true)],
        _ if notification.acknowledged.is_some() => {
            vec![button("open", "", true), button("silence", "#silence", false)]
        }
        // A silence on missing posts would hide that nothing is watched.
        _ if is_no_data => vec![button("acknowledge", "#acknowledge", true)],
        _ => vec![button("acknowledge", "#acknowledge", true), button("silence", "#silence", false)],
    }
}
