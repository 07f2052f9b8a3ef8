//! [`Values`]: what the templates of sentences know of a notification. Times are Unix seconds, for the filters `clock` and
//! `at_clock`; shares are in `[0, 1]`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::super::{Acknowledged, Kind, Notification};
use super::escape::{clip, line};
use super::interval::wilson;
use super::trend;
use super::trend::Trend;
use crate::alert::Alert;
use crate::language::Language;
use crate::rule::{Explanation, Measured};

/// A name from outside, such as a topic's, is cut beyond this many characters.
const NAME: usize = 80;
/// Sentences of the configuration and of servers.
const SENTENCE: usize = 400;

/// A notification, as `v` in the templates.
#[derive(Debug, Serialize)]
pub(super) struct Values {
    pub(super) kind: Kind,
    pub(super) id: String,
    /// What the incident is about: a topic, or a part of vigie.
    pub(super) name: String,
    /// It is about vigie itself.
    pub(super) operational: bool,
    /// Posts are silent, or things were counted: not a matter of tone.
    pub(super) toneless: bool,
    /// `critical`, `warning`, `info`; what the rules say otherwise counts as `warning`.
    pub(super) severity: &'static str,
    pub(super) at: i64,
    pub(super) started_at: i64,
    pub(super) ended_at: Option<i64>,
    /// Alerts that fire, and that are over.
    pub(super) firing: usize,
    pub(super) over: usize,
    pub(super) sequence: u32,
    pub(super) receiver: String,
    pub(super) repeats_at: Option<i64>,
    pub(super) acknowledged: Option<AcknowledgedValues>,
    /// The zone's name.
    pub(super) zone: String,
    /// Whether somebody can open the console.
    pub(super) console: bool,
    /// The worst alert, as `a`.
    #[serde(rename = "alert")]
    pub(super) worst: Option<AlertValues>,
    #[serde(skip)]
    pub(super) others: Vec<AlertValues>,
}

#[derive(Debug, Serialize)]
pub(super) struct AcknowledgedValues {
    by: String,
    at: i64,
}

/// An alert, as `a` in the templates.
#[derive(Debug, Serialize)]
pub(super) struct AlertValues {
    pub(super) rule: String,
    pub(super) topic: String,
    /// The condition that led: `negative_rate`, `rising`, ...
    pub(super) condition: String,
    pub(super) operational: bool,
    /// Posts are silent, or events were counted: its numbers are none of posts.
    pub(super) toneless: bool,
    pub(super) is_rate: bool,
    pub(super) firing: bool,
    pub(super) starts_at: i64,
    pub(super) fired_at: i64,
    pub(super) ends_at: Option<i64>,
    pub(super) peak_at: i64,
    pub(super) latest: Measured,
    pub(super) peak: Measured,
    pub(super) fired_on: Measured,
    /// Where the share of `latest`, or, once it is over, of `peak`, surely lies.
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) copies: u64,
    pub(super) reach: u64,
    pub(super) trend: Option<Trend>,
    #[serde(skip)]
    pub(super) spark: Option<(String, u64)>,
    /// The named numbers of the condition that led.
    pub(super) n: BTreeMap<String, f64>,
    /// The sentence of the rule, in the reader's language.
    pub(super) summary: Option<String>,
    /// What the rule's author wants the reader to know or do, in the reader's language.
    pub(super) description: Option<String>,
}

/// A condition of a rule, as `x` in the template of `why`.
#[derive(Debug, Serialize)]
pub(super) struct WhyValues<'a> {
    condition: &'a str,
    holds: bool,
    n: BTreeMap<&'a str, f64>,
    /// All numbers in their order, for conditions the templates do not know.
    numbers: &'a [(String, f64)],
}

impl<'a> WhyValues<'a> {
    pub(super) fn new(explanation: &'a Explanation) -> Self {
        let Explanation { condition, holds, numbers, .. } = explanation;
        let n = numbers.iter().map(|(name, number)| (name.as_str(), *number)).collect();
        Self { condition, holds: *holds, n, numbers }
    }
}

impl Values {
    pub(super) fn new(notification: &Notification, language: Language, zone: String) -> Self {
        let Notification { kind, incident, sequence, at, receiver, group, alerts, .. } = notification;
        let mut alerts = alerts.iter().map(|alert| AlertValues::new(alert, language));
        let worst = alerts.next();
        let others: Vec<AlertValues> = alerts.collect();
        let all = || worst.iter().chain(&others);
        let operational = group.contains_key("component") || (worst.is_some() && all().all(|alert| alert.operational));
        let toneless = worst.is_some() && all().all(|alert| alert.toneless);
        let acknowledged = notification
            .acknowledged
            .as_ref()
            .map(|Acknowledged { by, at }| AcknowledgedValues { by: clip(&line(by), NAME), at: at.as_second() });
        Self {
            kind: *kind,
            id: clip(&line(&incident.id), 40),
            name: name(notification),
            operational,
            toneless,
            severity: severity(&notification.alerts),
            at: at.as_second(),
            started_at: incident.started_at.as_second(),
            ended_at: incident.ended_at.map(Timestamp::as_second),
            firing: all().filter(|alert| alert.firing).count(),
            over: all().filter(|alert| !alert.firing).count(),
            sequence: *sequence,
            receiver: clip(&line(receiver), NAME),
            repeats_at: notification.repeats_at.map(Timestamp::as_second),
            acknowledged,
            zone,
            console: notification.console.is_some(),
            worst,
            others,
        }
    }
}

impl AlertValues {
    fn new(alert: &Alert, language: Language) -> Self {
        let lead = lead(&alert.explanation);
        let measured = if alert.ends_at.is_some() { alert.peak } else { alert.latest };
        let (low, high) = wilson(measured.negative, measured.posts).unzip();
        let annotation = |name: &str| {
            let french = (language == Language::French).then(|| format!("{name}_fr"));
            let text = french.and_then(|name| alert.annotations.get(&name)).or_else(|| alert.annotations.get(name))?;
            Some(clip(&line(text), SENTENCE)).filter(|text| !text.is_empty())
        };
        Self {
            rule: clip(&line(&alert.rule), NAME),
            topic: clip(&line(&alert.topic), NAME),
            condition: lead.condition.clone(),
            toneless: matches!(lead.condition.as_str(), "no_data" | "events"),
            operational: alert.labels.contains_key("component"),
            is_rate: alert.is_rate,
            firing: alert.ends_at.is_none(),
            starts_at: alert.starts_at.as_second(),
            fired_at: alert.fired_at.as_second(),
            ends_at: alert.ends_at.map(Timestamp::as_second),
            peak_at: alert.peak_at.as_second(),
            latest: alert.latest,
            peak: alert.peak,
            fired_on: alert.fired_on,
            low,
            high,
            copies: alert.story.copies,
            reach: alert.story.reach,
            trend: trend::of(&alert.story.trend),
            spark: trend::spark(&alert.story.trend),
            n: lead.numbers.iter().cloned().collect(),
            summary: annotation("summary"),
            description: annotation("description"),
        }
    }
}

/// What the whole incident is about, and will be about: what its alerts were grouped by, before what they are now.
fn name(notification: &Notification) -> String {
    let Notification { group, alerts, .. } = notification;
    let grouped = ["topic", "component"].into_iter().find_map(|label| group.get(label));
    let first = alerts.first().map(|alert| &alert.topic);
    let shared = first.filter(|topic| alerts.iter().all(|alert| alert.topic == **topic));
    let name = match grouped.or(shared) {
        Some(name) => line(name),
        None => line(&group.values().cloned().collect::<Vec<_>>().join(", ")),
    };
    if name.is_empty() { "vigie".into() } else { clip(&name, NAME) }
}

/// The first condition that holds, down the tree: the one to be told in a headline.
fn lead(explanation: &Explanation) -> &Explanation {
    let mut lead = explanation;
    // Deeper trees than this no rule file has; a stored one might.
    for _ in 0..16 {
        match lead.parts.iter().find(|part| part.holds).or(lead.parts.first()) {
            Some(part) => lead = part,
            None => break,
        }
    }
    lead
}

fn severity(alerts: &[Alert]) -> &'static str {
    let rank = |alert: &Alert| match alert.labels.get("severity").map(String::as_str) {
        Some("critical" | "page" | "error") => 2,
        Some("info" | "none") => 0,
        _ => 1,
    };
    ["info", "warning", "critical"].get(alerts.iter().map(rank).max().unwrap_or(1)).copied().unwrap_or("warning")
}
