//! [`Values`]: a notification as the templates see it. Times are Unix seconds, for the filters `clock`, `at_clock` and
//! `period`; shares are in `[0, 1]`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::super::{Acknowledged, Kind, Notification};
use super::escape::{clip, line};
use super::trend;
use super::trend::Trend;
use crate::alert::{ALSO_RISING, Alert, ReasonCount};
use crate::language::Language;
use crate::notify::dispatch::MAX_COMMENT;
use crate::rule::{CLOSED_AFTER_HOURS, Explanation, LEARNED_HOURS, Measurement, NEGATIVE_AUTHORS, OTHER_TOPICS_RISING};
use crate::stats::wilson_interval;

/// The most characters of a name from outside, such as a topic's.
const MAX_NAME: usize = 80;
/// The most characters of a sentence of the configuration or of a server.
const MAX_SENTENCE: usize = 400;

/// A notification, as `v` in the templates.
#[derive(Debug, Serialize)]
pub(super) struct Values {
    pub(super) kind: Kind,
    pub(super) id: String,
    /// The subject of the incident: a topic, or a component of vigie.
    pub(super) name: String,
    /// Whether it is about vigie itself.
    pub(super) operational: bool,
    /// Posts are silent, or things were counted: not a matter of level.
    pub(super) no_sentiment: bool,
    /// All alerts are about the number of posts, whatever they say.
    crowd: bool,
    /// `critical`, `warning`, `info`; any other value of a rule counts as `warning`.
    pub(super) severity: &'static str,
    pub(super) at: i64,
    pub(super) started_at: i64,
    pub(super) ended_at: Option<i64>,
    /// How many alerts are firing, and resolved.
    pub(super) firing: usize,
    pub(super) resolved: usize,
    pub(super) sequence: u32,
    pub(super) receiver: String,
    pub(super) repeats_at: Option<i64>,
    pub(super) acknowledged: Option<AcknowledgedValues>,
    /// The name of the time zone.
    pub(super) zone: String,
    /// Whether the notification links to the console.
    pub(super) console: bool,
    /// The most severe alert, as `a`.
    #[serde(rename = "alert")]
    pub(super) worst: Option<AlertValues>,
    #[serde(skip)]
    pub(super) others: Vec<AlertValues>,
}

#[derive(Debug, Serialize)]
pub(super) struct AcknowledgedValues {
    by: String,
    at: i64,
    comment: String,
}

/// An alert, as `a` in the templates.
#[derive(Debug, Serialize)]
pub(super) struct AlertValues {
    pub(super) rule: String,
    pub(super) topic: String,
    /// The leading condition: `negative_rate`, `rising`, ...
    pub(super) condition: String,
    pub(super) operational: bool,
    /// Whether it is about missing posts or counted events: its numbers are not about sentiment.
    pub(super) no_sentiment: bool,
    pub(super) is_rate: bool,
    pub(super) firing: bool,
    /// Whether the condition holds now.
    holds: bool,
    quiet_since: Option<i64>,
    resolves_at: Option<i64>,
    pub(super) starts_at: i64,
    pub(super) fired_at: i64,
    pub(super) ends_at: Option<i64>,
    pub(super) peak_at: i64,
    pub(super) latest: Measurement,
    pub(super) peak: Measurement,
    pub(super) fired_on: Measurement,
    /// The 95 % interval of the share, of `latest` or, once resolved, of `peak`.
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    /// The reason that has risen most, where its past is known.
    risen: Option<Risen>,
    /// People who wrote the negative posts of `latest`; none where that is not known.
    authors: Option<f64>,
    /// Other topics with an alert of the same rule.
    others_rising: f64,
    /// Their names, or the first of many.
    also_rising: Option<String>,
    /// Hours that are learned, where they are too few to know what is normal.
    learned_hours: Option<f64>,
    /// The rule's `max_open` in hours, where that closed the alert.
    pub(super) closed_after_hours: Option<f64>,
    pub(super) copies: u64,
    pub(super) reach: u64,
    pub(super) trend: Option<Trend>,
    #[serde(skip)]
    pub(super) spark: Option<(String, u64)>,
    /// The named numbers of the leading condition.
    pub(super) n: BTreeMap<String, f64>,
    /// The rule's summary, in the reader's language.
    pub(super) summary: Option<String>,
    /// The rule's description, in the reader's language.
    pub(super) description: Option<String>,
}

/// A condition of a rule, as `x` in the template of `why`.
#[derive(Debug, Serialize)]
pub(super) struct ConditionValues<'a> {
    condition: &'a str,
    holds: bool,
    n: BTreeMap<&'a str, f64>,
    /// All numbers in order, for conditions without a sentence.
    numbers: &'a [(String, f64)],
}

impl<'a> ConditionValues<'a> {
    pub(super) fn new(explanation: &'a Explanation) -> Self {
        let Explanation { condition, holds, numbers, .. } = explanation;
        let n = numbers.iter().map(|(name, number)| (name.as_str(), *number)).collect();
        Self { condition, holds: *holds, n, numbers }
    }
}

/// A reason that is more frequent than usual, as `a.risen`.
#[derive(Debug, Serialize)]
pub(super) struct Risen {
    reason: String,
    posts: u64,
    total: u64,
}

impl Risen {
    /// The reason with the most posts beyond its usual share; none where no share is well above usual, or none is known.
    fn of(alert: &Alert) -> Option<Self> {
        /// Posts that a reason needs, and how many points its share must be above usual, to stand in a headline.
        const MIN: (u64, f64) = (3, 0.05);
        alert.latest.normal?;
        let excess = |reason: &ReasonCount| reason.posts as f64 - reason.normal;
        let risen = alert.context.reasons.iter().filter(|reason| {
            reason.normal > 0.0 && reason.posts >= MIN.0 && excess(reason) > MIN.1 * reason.total as f64
        });
        let most = risen.max_by(|a, b| excess(a).total_cmp(&excess(b)))?;
        Some(Self { reason: clip(&line(&most.reason), MAX_NAME), posts: most.posts, total: most.total })
    }
}

/// A word or a reason, as `t` in the template of `compared`.
#[derive(Debug, Serialize)]
pub(super) struct TermValues {
    posts: u64,
    is_reason: bool,
    /// Among the negative posts of the window.
    share: Option<f64>,
    /// The usual share; none while it is not known.
    usual_share: Option<f64>,
}

impl TermValues {
    pub(super) fn new(posts: u64, total: u64, normal: f64, is_known: bool, is_reason: bool) -> Self {
        let of_total = |posts: f64| (total > 0).then(|| (posts / total as f64).clamp(0.0, 1.0));
        Self { posts, is_reason, share: of_total(posts as f64), usual_share: of_total(normal).filter(|_| is_known) }
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
        let no_sentiment = worst.is_some() && all().all(|alert| alert.no_sentiment);
        let crowd = worst.is_some() && all().all(|alert| alert.condition == "volume");
        let acknowledged =
            notification.acknowledged.as_ref().map(|Acknowledged { by, at, comment }| AcknowledgedValues {
                by: clip(&line(by), MAX_NAME),
                at: at.as_second(),
                comment: clip(&line(comment), MAX_COMMENT),
            });
        Self {
            kind: *kind,
            id: clip(&line(&incident.id), 40),
            name: name(notification),
            operational,
            no_sentiment,
            crowd,
            severity: severity(&notification.alerts),
            at: at.as_second(),
            started_at: incident.started_at.as_second(),
            ended_at: incident.ended_at.map(Timestamp::as_second),
            firing: all().filter(|alert| alert.firing).count(),
            resolved: all().filter(|alert| !alert.firing).count(),
            sequence: *sequence,
            receiver: clip(&line(receiver), MAX_NAME),
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
        let lead = leading_condition(&alert.explanation);
        let measured = if alert.ends_at.is_some() { alert.peak } else { alert.latest };
        let interval = (measured.posts > 0).then(|| wilson_interval(measured.negative, measured.posts));
        let (low, high) = interval.map(|[low, high]| (low, high)).unzip();
        let annotation = |name: &str| {
            let french = (language == Language::French).then(|| format!("{name}_fr"));
            let text = french.and_then(|name| alert.annotations.get(&name)).or_else(|| alert.annotations.get(name))?;
            Some(clip(&line(text), MAX_SENTENCE)).filter(|text| !text.is_empty())
        };
        Self {
            rule: clip(&line(&alert.rule), MAX_NAME),
            topic: clip(&line(&alert.topic), MAX_NAME),
            condition: lead.condition.clone(),
            no_sentiment: matches!(lead.condition.as_str(), "no_data" | "events"),
            operational: alert.labels.contains_key("component"),
            is_rate: alert.is_rate,
            firing: alert.ends_at.is_none(),
            holds: alert.explanation.holds,
            quiet_since: alert.quiet_since.map(Timestamp::as_second),
            resolves_at: alert.resolves_at.map(Timestamp::as_second),
            starts_at: alert.starts_at.as_second(),
            fired_at: alert.fired_at.as_second(),
            ends_at: alert.ends_at.map(Timestamp::as_second),
            peak_at: alert.peak_at.as_second(),
            latest: alert.latest,
            peak: alert.peak,
            fired_on: alert.fired_on,
            low,
            high,
            risen: Risen::of(alert),
            authors: alert.explanation.number(NEGATIVE_AUTHORS).filter(|authors| *authors > 0.0),
            others_rising: alert.explanation.number(OTHER_TOPICS_RISING).unwrap_or_default(),
            also_rising: alert.annotations.get(ALSO_RISING).map(|names| clip(&line(names), MAX_SENTENCE)),
            learned_hours: alert.explanation.number(LEARNED_HOURS),
            closed_after_hours: alert.explanation.number(CLOSED_AFTER_HOURS),
            copies: alert.context.copies,
            reach: alert.context.reach,
            trend: trend::compute(&alert.context.trend),
            spark: trend::spark(&alert.context.trend),
            n: lead.numbers.iter().cloned().collect(),
            summary: annotation("summary"),
            description: annotation("description"),
        }
    }
}

/// The subject of the whole incident: the labels that its alerts are grouped by, else what they share. It stays the
/// same.
fn name(notification: &Notification) -> String {
    let Notification { group, alerts, .. } = notification;
    let grouped = ["topic", "component"].into_iter().find_map(|label| group.get(label));
    let first = alerts.first().map(|alert| &alert.topic);
    let shared = first.filter(|topic| alerts.iter().all(|alert| alert.topic == **topic));
    let name = match grouped.or(shared) {
        Some(name) => line(name),
        None => line(&group.values().cloned().collect::<Vec<_>>().join(", ")),
    };
    if name.is_empty() { "vigie".into() } else { clip(&name, MAX_NAME) }
}

/// The first condition that holds, down the tree: the one of the headline.
fn leading_condition(explanation: &Explanation) -> &Explanation {
    let mut lead = explanation;
    // No rule file has deeper trees; a damaged store might.
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
