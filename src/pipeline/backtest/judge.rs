//! [`judge`]: which alerts were false, which incidents were found, and how late.

use jiff::{SignedDuration, Timestamp};

use super::incident::TrueIncident;
use super::truth::Truth;
use crate::alert::Alert;
use crate::rule::{AlertingRule, Condition, Rules};

/// Of a rule that compares numbers of posts, an alert is right where labels count this many times the usual number.
const TIMES: f64 = 1.5;

/// What alerts are judged by.
#[derive(Debug, Clone, PartialEq)]
pub enum Basis {
    /// An alert is right where it fires from an incident's beginning to its end, or so much later as the rule's window is
    /// long. one that fired before the incident reports nothing new: it is false and does not detect the incident.
    Incidents(Vec<TrueIncident>),
    /// An alert is right where, from a window before it began until the condition last held, the topic's labels have a share
    /// of negative posts more than `margin` (in `[0, 1]`) above that of all other times; for rules that compare numbers,
    /// more than 1.5 times as many negative posts an hour.
    Labels {
        margin: f64,
    },
    Nothing,
}

/// An alert with its verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub alert: Alert,
    /// None where there is nothing to judge by.
    pub is_false: Option<bool>,
    /// From the start of the incident, where it is the first alert of its rule in it.
    pub delay: Option<SignedDuration>,
}

/// The results of one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    pub rule: String,
    /// There was something to judge by.
    pub is_judged: bool,
    /// Oldest first.
    pub alerts: Vec<Judged>,
    /// Incidents that concern the rule; none where they are not known.
    pub incidents: Option<usize>,
    /// Of the incidents that were found, shortest first.
    pub delays: Vec<SignedDuration>,
}

impl Judgement {
    /// None where there is nothing to judge by.
    pub fn false_alarms(&self) -> Option<usize> {
        self.is_judged.then(|| self.alerts.iter().filter(|judged| judged.is_false == Some(true)).count())
    }

    /// Share of alerts that were right, in `[0, 1]`; none without an alert.
    pub fn precision(&self) -> Option<f64> {
        let right = self.alerts.len() - self.false_alarms()?;
        (!self.alerts.is_empty()).then(|| right as f64 / self.alerts.len() as f64)
    }

    /// Of all incidents, found or not; none where half of them or more were not found.
    pub fn median_delay(&self) -> Option<SignedDuration> {
        let at = self.incidents?.checked_sub(1)? / 2;
        self.delays.get(at).copied()
    }
}

/// Judges the alerts of `rules`, except those of silence. `end` is the end of history.
pub fn judge(rules: &Rules, fired: &[Alert], basis: &Basis, truth: &Truth, end: Timestamp) -> Vec<Judgement> {
    let one = |rule: &AlertingRule| {
        let own: Vec<&Alert> = fired.iter().filter(|alert| alert.rule == rule.name).collect();
        match basis {
            _ if is_of_silence(&rule.condition) => unjudged(rule, &own),
            Basis::Incidents(incidents) => by_incidents(rule, &own, incidents),
            Basis::Labels { margin } => by_labels(rule, &own, *margin, truth, end),
            Basis::Nothing => unjudged(rule, &own),
        }
    };
    rules.rules.iter().map(one).collect()
}

/// Neither incidents nor labels say whether a silence was a problem.
fn is_of_silence(condition: &Condition) -> bool {
    let parts = condition.parts();
    matches!(condition, Condition::NoData(_)) || (!parts.is_empty() && parts.iter().all(is_of_silence))
}

fn by_incidents(rule: &AlertingRule, fired: &[&Alert], incidents: &[TrueIncident]) -> Judgement {
    let watched = |incident: &&TrueIncident| incident.topic.as_deref().is_none_or(|topic| rule.watches(topic));
    let incidents: Vec<&TrueIncident> = incidents.iter().filter(watched).collect();
    let grace = SignedDuration::from_secs(rule.condition.window());
    let mut delays: Vec<Option<SignedDuration>> = vec![None; incidents.len()];
    let mut alerts = Vec::new();
    for alert in fired {
        let tells_of = |incident: &TrueIncident| {
            let last = incident.ends.checked_add(grace).unwrap_or(Timestamp::MAX);
            incident.concerns(&alert.topic) && incident.begins <= alert.fired_at && alert.fired_at <= last
        };
        // Between two near incidents the later one is detected: the window of the earlier may be over.
        let found = (0..incidents.len()).filter(|i| tells_of(incidents[*i])).max_by_key(|i| incidents[*i].begins);
        let delay = found.filter(|i| delays[*i].is_none()).map(|i| {
            let delay = alert.fired_at.duration_since(incidents[i].begins);
            delays[i] = Some(delay);
            delay
        });
        alerts.push(Judged { alert: (*alert).clone(), is_false: Some(found.is_none()), delay });
    }
    let mut delays: Vec<SignedDuration> = delays.into_iter().flatten().collect();
    delays.sort_unstable();
    Judgement { rule: rule.name.clone(), is_judged: true, alerts, incidents: Some(incidents.len()), delays }
}

fn by_labels(rule: &AlertingRule, fired: &[&Alert], margin: f64, truth: &Truth, end: Timestamp) -> Judgement {
    let window = SignedDuration::from_secs(rule.condition.window());
    let verdict = |alert: &Alert| {
        let from = alert.starts_at.checked_sub(window).unwrap_or(Timestamp::MIN);
        let held = alert.ends_at.map(|ends| ends.checked_sub(rule.keep_firing_for).unwrap_or(ends));
        let (within, outside) = truth.around(&alert.topic, from, held.unwrap_or(end).max(alert.fired_at));
        let right = if alert.is_rate {
            within.labelled > 0 && within.negative_rate() > outside.negative_rate() + margin
        } else {
            within.negative_per_hour() > TIMES * outside.negative_per_hour()
        };
        !right
    };
    let judged = |alert: &&Alert| Judged { alert: (*alert).clone(), is_false: Some(verdict(alert)), delay: None };
    Judgement { is_judged: true, alerts: fired.iter().map(judged).collect(), ..unjudged(rule, &[]) }
}

fn unjudged(rule: &AlertingRule, fired: &[&Alert]) -> Judgement {
    let judged = |alert: &&Alert| Judged { alert: (*alert).clone(), is_false: None, delay: None };
    let alerts = fired.iter().map(judged).collect();
    Judgement { rule: rule.name.clone(), is_judged: false, alerts, incidents: None, delays: Vec::new() }
}
