//! [`ReportView`]: a report in the words of one language, as the templates lay it out. Everything is plain text.

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::values::{ReportValues, TopicValues};
use super::wording::{Wording, value};
use super::{lists, tables};
use crate::language::Language;
use crate::notify::render::{clip, line};
use crate::report::{ChangeVerdict, PeriodReport, ReportTopic};

/// Characters of a name from outside.
pub(super) const MAX_NAME: usize = 80;

/// See the module.
#[derive(Debug, Serialize)]
pub(super) struct ReportView {
    pub(super) lang: &'static str,
    pub(super) subject: String,
    pub(super) summary: String,
    pub(super) kind: String,
    pub(super) days: String,
    pub(super) headline: String,
    /// Below the headline.
    pub(super) lead: String,
    /// Of several topics.
    pub(super) overview: Option<TableView>,
    pub(super) topics: Vec<TopicSection>,
    pub(super) others: String,
    pub(super) incidents: TableView,
    pub(super) no_incidents: String,
    pub(super) corrections: Vec<String>,
    pub(super) corrections_heading: String,
    pub(super) sources: Option<TableView>,
    pub(super) cost: Vec<String>,
    pub(super) cost_heading: String,
    pub(super) foot: Vec<String>,
    pub(super) colon: &'static str,
}

/// A table; the first column names the row.
#[derive(Debug, Default, Serialize)]
pub(super) struct TableView {
    pub(super) heading: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// A large number with its name.
#[derive(Debug, Serialize)]
pub(super) struct NumberTile {
    pub(super) value: String,
    pub(super) label: String,
}

/// A list of lines under a heading.
#[derive(Debug, Default, Serialize)]
pub(super) struct TitledList<T> {
    pub(super) heading: String,
    pub(super) items: Vec<T>,
}

/// A name, a number, and a bar of `width` percent.
#[derive(Debug, Serialize)]
pub(super) struct BarLine {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) width: u64,
}

/// A post.
#[derive(Debug, Serialize)]
pub(super) struct PostLine {
    pub(super) text: String,
    pub(super) posted: String,
    pub(super) link: Option<String>,
    pub(super) link_label: String,
}

/// One topic.
#[derive(Debug, Serialize)]
pub(super) struct TopicSection {
    pub(super) name: String,
    pub(super) sentence: String,
    pub(super) verdict: String,
    /// `higher`, `lower` or `same`.
    pub(super) level: &'static str,
    pub(super) tiles: Vec<NumberTile>,
    pub(super) volume: String,
    pub(super) compared: TableView,
    pub(super) reasons: TitledList<BarLine>,
    pub(super) words: TitledList<BarLine>,
    pub(super) copied: TitledList<PostLine>,
    pub(super) reached: TitledList<PostLine>,
    /// Why lists may be incomplete.
    pub(super) note: String,
    pub(super) chart_alt: String,
    /// In a page.
    pub(super) svg: Option<String>,
    /// In a mail.
    pub(super) cid: Option<String>,
}

impl ReportView {
    /// At most `most` topics get a section of their own.
    pub(super) fn new(report: &PeriodReport, wording: &Wording, most: usize) -> Self {
        let r = value(ReportValues::new(report, wording));
        let say = |name: &str| wording.say(name, std::slice::from_ref(&r));
        let topics: Vec<TopicSection> =
            report.topics.iter().take(most).map(|topic| TopicSection::new(topic, report, wording, &r)).collect();
        let left = report.topics.len() - topics.len();
        let lead = if report.topics.len() > 1 { say("moved") } else { String::new() };
        Self {
            lang: if wording.language == Language::French { "fr" } else { "en" },
            subject: say("subject"),
            summary: say("summary"),
            kind: say("kind"),
            days: say("days"),
            headline: say("headline"),
            lead,
            overview: (report.topics.len() > 1).then(|| tables::overview(report, wording)),
            topics,
            others: if left > 0 { wording.say("others", &[left.into()]) } else { String::new() },
            incidents: tables::incidents(report, wording),
            no_incidents: wording.say("no_incidents", &[]),
            corrections: lists::corrections(report, wording),
            corrections_heading: wording.label("corrections"),
            sources: (!report.sources.is_empty()).then(|| tables::sources(report, wording)),
            cost: lists::cost(report, wording),
            cost_heading: wording.label("cost"),
            foot: vec![wording.say("method", &[]), say("made")],
            colon: wording.colon(),
        }
    }
}

impl TopicSection {
    fn new(topic: &ReportTopic, report: &PeriodReport, wording: &Wording, r: &Value) -> Self {
        let t = Value::from(Serde(TopicValues::new(topic)));
        let with_report = [r.clone(), t.clone()];
        let level = match topic.change.verdict {
            ChangeVerdict::Higher => "higher",
            ChangeVerdict::Lower => "lower",
            _ => "same",
        };
        let words_heading = wording.label("words");
        Self {
            name: name(&topic.name),
            sentence: wording.say("sentence", std::slice::from_ref(&t)),
            verdict: wording.say("verdict", &with_report),
            level,
            tiles: tiles(topic, wording),
            volume: wording.say("volume", &with_report),
            compared: tables::compared(topic, report, wording),
            reasons: TitledList { heading: wording.label("reasons"), items: lists::reasons(topic, wording) },
            words: TitledList { heading: words_heading, items: lists::words(topic, wording) },
            copied: TitledList { heading: wording.label("copied"), items: lists::posts(&topic.copied, wording) },
            reached: TitledList { heading: wording.label("reached"), items: lists::posts(&topic.reached, wording) },
            note: report
                .posts_since
                .map_or_else(String::new, |at| wording.say("posts_since", &[at.as_second().into()])),
            chart_alt: wording.say("chart_alt", &[t]),
            svg: None,
            cid: None,
        }
    }
}

fn tiles(topic: &ReportTopic, wording: &Wording) -> Vec<NumberTile> {
    let tile = |value: String, label: &str| NumberTile { value, label: wording.label(label) };
    let mut tiles = vec![tile(wording.number(topic.now.counts.posts()), "posts")];
    tiles.extend(topic.now.rate.map(|rate| tile(wording.percent(rate), "negative")));
    if topic.now.rate.is_some() && topic.change.before.is_some() {
        tiles.push(tile(tables::change(topic, wording), "change"));
    }
    let incidents = topic.incidents as u64;
    tiles.push(NumberTile {
        value: wording.number(incidents),
        label: wording.say("tile_incidents", &[incidents.into()]),
    });
    tiles
}

/// A name from outside, on one line.
pub(super) fn name(text: &str) -> String {
    clip(&line(text), MAX_NAME)
}
