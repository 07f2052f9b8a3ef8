//! A report and its topics as the sentences see them. Times are Unix seconds, shares are in `[0, 1]`.

use serde::Serialize;

use super::view::name;
use super::wording::Wording;
use crate::report::{ChangeVerdict, PeriodRate, PeriodReport, ReportLength, ReportTopic};

/// The report as `r` in the sentences.
#[derive(Debug, Serialize)]
pub(super) struct ReportValues<'a> {
    length: &'static str,
    whole_days: bool,
    with_year: bool,
    since: i64,
    until: i64,
    made_at: i64,
    /// The only topic, or `vigie`.
    name: String,
    topics: usize,
    posts: u64,
    rate: Option<f64>,
    incidents: usize,
    higher: Vec<&'a str>,
    lower: Vec<&'a str>,
    /// Whether any topic could be compared.
    compared: bool,
    unit_one: String,
    unit_many: String,
    zone: String,
}

/// A topic as `t`.
#[derive(Debug, Serialize)]
pub(super) struct TopicValues<'a> {
    name: &'a str,
    posts: u64,
    negative: u64,
    copies: u64,
    rate: f64,
    low: f64,
    high: f64,
    verdict: &'static str,
    before: f64,
    difference: f64,
    periods: usize,
    swing_unknown: bool,
    volume: Option<f64>,
}

impl<'a> ReportValues<'a> {
    pub(super) fn new(report: &'a PeriodReport, wording: &Wording) -> Self {
        let length = match report.length {
            ReportLength::Day => "day",
            ReportLength::Week => "week",
            ReportLength::Days(_) | ReportLength::Hours(_) => "other",
        };
        let only = match report.topics.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        let with = |verdict| {
            let topics = report.topics.iter().filter(move |topic| topic.change.verdict == verdict);
            topics.map(|topic| topic.name.as_str()).collect::<Vec<_>>()
        };
        let compared = |topic: &ReportTopic| {
            !matches!(topic.change.verdict, ChangeVerdict::NothingBefore | ChangeVerdict::TooFewPosts)
        };
        let unit = |count: f64| wording.say("unit", &[length.into(), count.into()]);
        Self {
            length,
            whole_days: !matches!(report.length, ReportLength::Hours(_)),
            with_year: true,
            since: report.span.since.as_second(),
            until: report.span.until.as_second(),
            made_at: report.made_at.as_second(),
            name: only.map_or_else(|| "vigie".to_owned(), |topic| name(&topic.name)),
            topics: report.topics.len(),
            posts: report.posts(),
            rate: only.and_then(|topic| topic.now.rate),
            incidents: report.incidents.len(),
            higher: with(ChangeVerdict::Higher),
            lower: with(ChangeVerdict::Lower),
            compared: report.topics.iter().any(compared),
            unit_one: unit(1.0),
            unit_many: unit(2.0),
            zone: wording.zone.iana_name().filter(|zone| *zone != "UTC").unwrap_or_default().to_owned(),
        }
    }
}

impl<'a> TopicValues<'a> {
    pub(super) fn new(topic: &'a ReportTopic) -> Self {
        let PeriodRate { counts, rate, interval: [low, high], .. } = topic.now;
        let verdict = match topic.change.verdict {
            ChangeVerdict::NothingBefore => "nothing_before",
            ChangeVerdict::TooFewPosts => "too_few_posts",
            ChangeVerdict::WithinChance => "within_chance",
            ChangeVerdict::Higher => "higher",
            ChangeVerdict::Lower => "lower",
        };
        Self {
            name: &topic.name,
            posts: counts.posts(),
            negative: counts.negative,
            copies: counts.copies,
            rate: rate.unwrap_or_default(),
            low,
            high,
            verdict,
            before: topic.change.before.unwrap_or_default(),
            difference: topic.change.difference,
            periods: topic.before.iter().filter(|period| period.counts.posts() > 0).count(),
            swing_unknown: topic.change.is_swing_unknown,
            volume: topic.volume_change,
        }
    }
}
