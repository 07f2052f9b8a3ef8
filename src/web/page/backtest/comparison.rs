//! [`Comparison`]: the result of a backtest as the page shows it: numbers of both versions side by side, their incidents in pairs and on
//! a time line, and the changed rule.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::super::chart::MarkedSpan;
use super::super::templates::decimal;
use super::super::time_range::TimeRange;
use super::form::Asked;
use crate::alert::Alert;
use crate::language::Language;
use crate::notify::render;
use crate::pipeline::backtest::{FalseAlarms, RuleOutcome, StoredBacktestResult};

/// Pairs of incidents that are listed.
const MAX_ROWS: usize = 200;
/// Topics with a time line.
const MAX_LANES: usize = 20;
/// Labels of the time axis.
const LABELS: usize = 5;

/// The numbers of one version.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Column {
    incidents: usize,
    /// Without a counterpart in the other version.
    only: usize,
    /// How long incidents were open, together.
    open: String,
    first: u64,
    updates: u64,
    reminders: u64,
    ends: u64,
    /// Expected in 30 days, with the interval.
    false_alarms: Option<String>,
}

/// One incident.
#[derive(Debug, PartialEq, Serialize)]
struct IncidentCell {
    fired: String,
    /// None: open when the range ended.
    ended: Option<String>,
    length: String,
    severity: String,
    is_rate: bool,
    peak_posts: u64,
    peak_negative: u64,
    peak_rate: f64,
}

/// An incident of both versions, or of one.
#[derive(Debug, PartialEq, Serialize)]
struct Row {
    topic: String,
    present: Option<IncidentCell>,
    changed: Option<IncidentCell>,
}

/// A topic over time.
#[derive(Debug, Serialize)]
struct Lane {
    topic: String,
    present: Vec<MarkedSpan>,
    changed: Vec<MarkedSpan>,
}

/// How the expected false alarms were found.
#[derive(Debug, PartialEq, Serialize)]
struct SimulationView {
    topics: usize,
    runs: usize,
    days: i64,
}

/// See the module.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    posts: u64,
    learned_posts: u64,
    /// Whole days before the range that rules learned from.
    learned_days: i64,
    stopped_at: Option<String>,
    /// Reading stopped before the range began.
    is_unread: bool,
    models: usize,
    seconds: String,
    present: Column,
    changed: Column,
    simulation: Option<SimulationView>,
    rows: Vec<Row>,
    /// Pairs that are not listed.
    more: usize,
    lanes: Vec<Lane>,
    labels: Vec<String>,
    toml: String,
}

impl Comparison {
    pub(super) fn new(
        result: &StoredBacktestResult,
        asked: &Asked,
        toml: String,
        zone: &TimeZone,
        language: Language,
    ) -> Self {
        let until = result.stopped_at.unwrap_or(asked.until);
        let pairs = pairs(&result.present.alerts, &result.changed.alerts);
        let column = |outcome: &RuleOutcome, only: usize, alarms: fn(&FalseAlarms) -> u64| Column {
            incidents: outcome.alerts.len(),
            only,
            open: render::duration(outcome.alerts.iter().map(|alert| open_for(alert, until)).sum(), language),
            first: outcome.messages.first,
            updates: outcome.messages.updates,
            reminders: outcome.messages.reminders,
            ends: outcome.messages.ends,
            false_alarms: result.false_alarms.as_ref().map(|found| expected(found, alarms(found), language)),
        };
        let only_present = pairs.iter().filter(|(_, changed)| changed.is_none()).count();
        let only_changed = pairs.iter().filter(|(present, _)| present.is_none()).count();
        let range = TimeRange { since: asked.since.as_second(), until: asked.until.as_second(), step: 1, name: None };
        let learned = |since: Timestamp| asked.since.duration_since(since).as_hours().max(0) / 24;
        Self {
            posts: result.posts,
            learned_posts: result.learned_posts,
            learned_days: result.learned_since.map_or(0, learned),
            stopped_at: result.stopped_at.map(|time| time.to_string()),
            is_unread: until <= asked.since,
            models: result.models,
            seconds: decimal(result.took.as_secs_f64(), language),
            present: column(&result.present, only_present, |found| found.present),
            changed: column(&result.changed, only_changed, |found| found.changed),
            simulation: result.false_alarms.map(|found| SimulationView {
                topics: found.topics,
                runs: found.runs,
                days: found.days.round() as i64,
            }),
            more: pairs.len().saturating_sub(MAX_ROWS),
            lanes: lanes(&result.present.alerts, &result.changed.alerts, &range),
            rows: pairs.iter().take(MAX_ROWS).map(|pair| Row::new(pair, until, language)).collect(),
            labels: range.labels(LABELS, zone, language),
            toml,
        }
    }
}

type Pair<'a> = (Option<&'a Alert>, Option<&'a Alert>);

/// The incidents of both in pairs, by time: two of one topic that overlap are the same incident. A long one may be that of several.
fn pairs<'a>(present: &'a [Alert], changed: &'a [Alert]) -> Vec<Pair<'a>> {
    let mut rest: Vec<&Alert> = changed.iter().collect();
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for own in present {
        let place = rest.iter().position(|other| overlap(own, other));
        let shared = || changed.iter().find(|other| overlap(own, other));
        pairs.push((Some(own), place.map(|place| rest.remove(place)).or_else(shared)));
    }
    pairs.extend(rest.into_iter().map(|other| (present.iter().find(|own| overlap(own, other)), Some(other))));
    pairs.sort_by_key(|(present, changed)| present.iter().chain(changed).map(|alert| alert.fired_at).min());
    pairs
}

fn overlap(a: &Alert, b: &Alert) -> bool {
    let ends = |alert: &Alert| alert.ends_at.unwrap_or(Timestamp::MAX);
    a.topic == b.topic && a.starts_at <= ends(b) && b.starts_at <= ends(a)
}

/// In seconds.
fn open_for(alert: &Alert, until: Timestamp) -> i64 {
    alert.ends_at.unwrap_or(until).duration_since(alert.fired_at).as_secs()
}

fn lanes(present: &[Alert], changed: &[Alert], range: &TimeRange) -> Vec<Lane> {
    let topics: BTreeSet<&String> = present.iter().chain(changed).map(|alert| &alert.topic).collect();
    let span = |alert: &Alert| {
        let ends = alert.ends_at.map(Timestamp::as_second);
        MarkedSpan::new(range, alert.fired_at.as_second(), ends, None, String::new())
    };
    let lane = |topic: &String| {
        let spans = |alerts: &[Alert]| alerts.iter().filter(|alert| alert.topic == *topic).filter_map(span).collect();
        Lane { topic: topic.clone(), present: spans(present), changed: spans(changed) }
    };
    topics.into_iter().take(MAX_LANES).map(lane).collect()
}

impl Row {
    fn new((present, changed): &Pair<'_>, until: Timestamp, language: Language) -> Self {
        let cell = |alert: &&Alert| IncidentCell {
            fired: alert.fired_at.to_string(),
            ended: alert.ends_at.map(|time| time.to_string()),
            length: render::duration(open_for(alert, until), language),
            severity: alert.labels.get("severity").cloned().unwrap_or_default(),
            is_rate: alert.is_rate,
            peak_posts: alert.peak.posts,
            peak_negative: alert.peak.negative,
            peak_rate: alert.peak.rate,
        };
        let topic = present.or(*changed).map(|alert| alert.topic.clone()).unwrap_or_default();
        Self { topic, present: present.as_ref().map(cell), changed: changed.as_ref().map(cell) }
    }
}

/// `3.1 (1.2 to 6.4)`.
fn expected(found: &FalseAlarms, alarms: u64, language: Language) -> String {
    let (rate, bounds) = found.per_month(alarms);
    let [rate, lower, upper] = [rate, bounds[0], bounds[1]].map(|number| decimal(number, language));
    match language {
        Language::English => format!("{rate} ({lower} to {upper})"),
        Language::French => format!("{rate} (de {lower} à {upper})"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn alert(topic: &str, from: i64, to: Option<i64>) -> Alert {
        let at = |second| Timestamp::from_second(second).unwrap();
        let own = serde_json::json!({
            "fingerprint": "0000000000000000", "rule": "A", "topic": topic, "labels": {}, "annotations": {},
            "starts_at": at(from), "fired_at": at(from), "ends_at": to.map(at), "quiet_since": null, "resolves_at": null,
            "fired_on": measured(), "peak": measured(), "peak_at": at(from), "latest": measured(), "samples": [],
            "is_rate": true, "explanation": crate::rule::Explanation::default(),
            "context": crate::alert::AlertContext::default(),
        });
        serde_json::from_value(own).unwrap()
    }

    fn measured() -> serde_json::Value {
        serde_json::to_value(crate::rule::Measurement::default()).unwrap()
    }

    #[test]
    fn incidents_that_overlap_are_pairs() {
        let present = [alert("a", 100, Some(200)), alert("a", 300, Some(400)), alert("b", 500, None)];
        let changed = [alert("a", 150, Some(180)), alert("b", 900, None), alert("a", 450, Some(460))];
        let pairs = pairs(&present, &changed);
        let shown: Vec<(Option<i64>, Option<i64>)> = pairs
            .iter()
            .map(|(a, b)| (a.map(|it| it.fired_at.as_second()), b.map(|it| it.fired_at.as_second())))
            .collect();
        assert_eq!(shown, [(Some(100), Some(150)), (Some(300), None), (None, Some(450)), (Some(500), Some(900))]);
    }

    #[test]
    fn a_long_incident_is_that_of_several() {
        let (short, long) = ([alert("a", 100, Some(200)), alert("a", 300, Some(400))], [alert("a", 50, Some(500))]);
        for pairs in [pairs(&short, &long), pairs(&long, &short)] {
            assert!(pairs.len() == 2 && pairs.iter().all(|(a, b)| a.is_some() && b.is_some()), "{pairs:?}");
        }
    }
}
