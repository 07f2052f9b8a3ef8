//! [`RuleState`]: the state of one rule on one topic, stored between evaluations.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::context::{alert_context, trend};
use crate::alert::{ALSO_RISING, Alert, AlertState, Change, Fingerprint, Timing, Transition, TransitionKind};
use crate::rule::annotation;
use crate::rule::annotation::Values;
use crate::rule::{
    AlertingRule, CLOSED_AFTER_HOURS, ConditionResult, Evidence, Explanation, LEARNED_HOURS, LEARNING_HOURS, MAX_OPEN,
    Measurement, Memory, NEGATIVE_AUTHORS, OTHER_TOPICS_RISING,
};
use crate::window::TopicWindow;

/// Sample posts of an alert.
const SAMPLES: usize = 5;
/// Names of other topics that rise too, in an alert.
const MAX_ALSO_RISING: usize = 5;
/// An alert that lasts longer is the new normal: the baseline learns from its hours.
const MAX_FREEZE: SignedDuration = MAX_OPEN;

/// State of a rule on a topic, and its alert while one fires.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RuleState {
    state: AlertState,
    pub(super) alert: Option<Alert>,
    /// What the rule's conditions remember between evaluations.
    memory: Memory,
    /// Differs from what is stored.
    #[serde(skip)]
    changed: bool,
}

impl RuleState {
    /// Whether it changed since the last call.
    pub(super) fn clear_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Whether nothing can change while there is nothing to count: the rule is inactive, or has fired for so long that the
    /// baseline is not frozen any more, and may do so for ever.
    pub(super) fn is_idle(&self, rule: &AlertingRule, now: Timestamp) -> bool {
        match self.state {
            AlertState::Inactive => true,
            AlertState::Pending { .. } => false,
            // A condition that holds with nothing to count continues to hold.
            AlertState::Closed { quiet_since, .. } => quiet_since.is_none() && !self.is_frozen(now),
            AlertState::Firing { quiet_since, .. } => {
                quiet_since.is_none() && !self.is_frozen(now) && rule.max_open().is_none()
            }
        }
    }

    /// When its condition may begin to hold without any post; Unix seconds after `now`.
    pub(super) fn next_due(&self, now: i64) -> Option<i64> {
        self.memory.next_due(now)
    }

    /// As [`Condition::sleeps_until`](crate::rule::Condition::sleeps_until); none while it is pending or firing.
    pub(super) fn sleeps_until(&self, rule: &AlertingRule, topic: &TopicWindow, now: i64) -> Option<i64> {
        let is_inactive = self.state == AlertState::Inactive && self.alert.is_none();
        is_inactive.then(|| rule.condition.sleeps_until(&self.memory, topic, now)).flatten()
    }

    /// As [`Condition::catch_up`](crate::rule::Condition::catch_up).
    pub(super) fn catch_up(&mut self, rule: &AlertingRule, evidence: &Evidence<'_>, until: i64) {
        rule.condition.catch_up(evidence, &mut self.memory, until);
    }

    /// Whether the baseline is frozen: the condition holds, and not for too long. That an alert was closed does not make its hours
    /// normal.
    pub(super) fn is_frozen(&self, now: Timestamp) -> bool {
        let since = match self.state {
            AlertState::Closed { since, .. } => Some(since),
            _ => self.since(),
        };
        since.is_some_and(|since| now.duration_since(since) < MAX_FREEZE)
    }

    /// Whether it has an alert, or had one that was closed and whose condition has not ceased to hold.
    pub(super) fn is_open(&self) -> bool {
        self.alert.is_some() || matches!(self.state, AlertState::Closed { .. })
    }

    /// Clears what was learnt of rates.
    pub(super) fn restart(&mut self) {
        self.memory.restart();
        self.changed = true;
    }

    /// Moves what was learned by hour of the week: the topic has another time zone.
    pub(super) fn move_hours(&mut self, hours: usize) {
        self.memory.move_hours(hours);
        self.changed = true;
    }

    /// Since when its condition holds; none while it is inactive.
    pub(super) fn since(&self) -> Option<Timestamp> {
        match self.state {
            AlertState::Inactive | AlertState::Closed { .. } => None,
            AlertState::Pending { since } | AlertState::Firing { since, .. } => Some(since),
        }
    }

    /// Evaluates `rule` on a topic at `now`. Returns the baseline rate it compared with, if any, and the transition that
    /// receivers are to be notified of.
    pub(super) fn evaluate(
        &mut self,
        rule: &AlertingRule,
        name: &str,
        evidence: &Evidence<'_>,
        now: Timestamp,
    ) -> (Option<f64>, Option<Transition>) {
        let evidence = Evidence { frozen: self.is_frozen(now), ..*evidence };
        let before = self.memory.stamp();
        let evaluation = rule.condition.evaluate(&evidence, &mut self.memory);
        let timing = Timing { hold: rule.hold, keep_firing_for: rule.keep_firing_for, max_open: rule.max_open() };
        let (state, change) = self.state.step(now, evaluation.holds, timing);
        self.changed |= state != self.state || self.alert.is_some() || self.memory.stamp() != before;
        self.state = state;
        let transition = match change {
            Change::None => {
                self.follow(rule, &evidence, now, &evaluation);
                None
            }
            Change::Began | Change::Lapsed => None,
            Change::Fired { since } => {
                let alert = new_alert(rule, name, &evidence, since, now, &evaluation);
                self.alert = Some(alert.clone());
                Some(Transition { status: TransitionKind::Firing, at: now, alert })
            }
            Change::Resolved | Change::Closed => self.alert.take().map(|alert| {
                let mut explanation = evaluation.reasons.explain();
                if let Some(max_open) = rule.max_open().filter(|_| change == Change::Closed) {
                    explanation.numbers.push((CLOSED_AFTER_HOURS.into(), max_open.as_secs_f64() / 3_600.0));
                }
                let mut alert = Alert { ends_at: Some(now), latest: evaluation.measured, explanation, ..alert };
                alert.context.trend = trend(evidence.topic);
                Transition { status: TransitionKind::Resolved, at: now, alert }
            }),
        };
        let normal = evaluation.measured.normal.filter(|_| evaluation.is_rate).map(|normal| normal.value);
        (normal, transition)
    }

    /// Its alert as of now: numbers, texts, words, reasons and posts of the present. `others`: the other topics that have an alert
    /// of this rule too.
    pub(super) fn current_alert(&self, rule: &AlertingRule, topic: &TopicWindow, others: &[&str]) -> Option<Alert> {
        let alert = self.alert.as_ref()?;
        let window = rule.condition.window();
        let mut alert = alert.clone();
        if !rule.condition.is_silence() {
            alert.context = alert_context(topic, window);
            let samples = topic.samples(window, SAMPLES);
            // Without any, those of the worst moment are better than none.
            if !samples.is_empty() {
                alert.samples = samples;
            }
            let authors = topic.negative_authors(window).map(|authors| (NEGATIVE_AUTHORS, authors as f64));
            let numbers = authors.into_iter().chain([(OTHER_TOPICS_RISING, others.len() as f64)]);
            alert.explanation.numbers.extend(numbers.map(|(name, number)| (name.to_owned(), number)));
        }
        alert.annotations = annotations(rule, &alert, &alert.latest);
        if !others.is_empty() && !rule.condition.is_silence() {
            // Named, so that a reader sees whether it is the brand or the weather. Many say no more than a few and their number.
            let named = others.iter().take(MAX_ALSO_RISING).copied().collect::<Vec<_>>().join(", ");
            let rest = if others.len() > MAX_ALSO_RISING { ", …" } else { "" };
            alert.annotations.insert(ALSO_RISING.into(), format!("{named}{rest}"));
        }
        Some(alert)
    }

    /// Ends its alert, if it has one, because the rule was removed.
    pub(super) fn into_resolved(self, now: Timestamp) -> Option<Transition> {
        let alert = self.alert?;
        let alert = Alert { ends_at: Some(now), ..alert };
        Some(Transition { status: TransitionKind::Resolved, at: now, alert })
    }

    /// Moves what lies after `now` back to it, after a clock ran ahead.
    pub(super) fn rewind(&mut self, now: Timestamp) {
        let state = self.state.rewound(now);
        self.changed |= state != self.state;
        self.state = state;
    }

    fn follow(&mut self, rule: &AlertingRule, evidence: &Evidence<'_>, now: Timestamp, evaluation: &ConditionResult) {
        let Some(alert) = &mut self.alert else { return };
        alert.latest = evaluation.measured;
        alert.explanation = explain(rule, evidence, evaluation);
        // Messages say since when the condition no longer holds, and when the incident will close.
        alert.quiet_since = match self.state {
            AlertState::Firing { quiet_since, .. } => quiet_since,
            _ => None,
        };
        alert.resolves_at = alert.quiet_since.and_then(|quiet| quiet.checked_add(rule.keep_firing_for).ok());
        if evaluation.measured.lower_bound > alert.peak.lower_bound {
            alert.peak = evaluation.measured;
            alert.peak_at = now;
            alert.samples = evidence.topic.samples(rule.condition.window(), SAMPLES);
            alert.context = alert_context(evidence.topic, rule.condition.window());
        }
    }
}

/// The numbers that decided. Where the topic's past is too short to know what is normal, they say how much of it is learned.
fn explain(rule: &AlertingRule, evidence: &Evidence<'_>, evaluation: &ConditionResult) -> Explanation {
    let mut explanation = evaluation.reasons.explain();
    let learned = evidence.baseline.learned_hours();
    let is_about_posts = !rule.condition.is_topicless() && !rule.condition.is_silence();
    if is_about_posts && evaluation.measured.normal.is_none() && learned < LEARNING_HOURS {
        explanation.numbers.push((LEARNED_HOURS.into(), f64::from(learned)));
    }
    explanation
}

fn new_alert(
    rule: &AlertingRule,
    topic_name: &str,
    evidence: &Evidence<'_>,
    since: Timestamp,
    now: Timestamp,
    evaluation: &ConditionResult,
) -> Alert {
    let mut labels = rule.labels.clone();
    labels.insert("alertname".into(), rule.name.clone());
    if !topic_name.is_empty() {
        labels.insert("topic".into(), topic_name.into());
    }
    let mut alert = Alert {
        fingerprint: Fingerprint::of(&labels),
        rule: rule.name.clone(),
        topic: topic_name.into(),
        labels,
        annotations: BTreeMap::new(),
        starts_at: since,
        fired_at: now,
        ends_at: None,
        quiet_since: None,
        resolves_at: None,
        fired_on: evaluation.measured,
        peak: evaluation.measured,
        peak_at: now,
        latest: evaluation.measured,
        samples: evidence.topic.samples(rule.condition.window(), SAMPLES),
        is_rate: evaluation.is_rate,
        explanation: explain(rule, evidence, evaluation),
        context: alert_context(evidence.topic, rule.condition.window()),
    };
    alert.annotations = annotations(rule, &alert, &alert.fired_on);
    alert
}

/// The rule's texts about `alert`, with these numbers.
fn annotations(rule: &AlertingRule, alert: &Alert, numbers: &Measurement) -> BTreeMap<String, String> {
    let values = Values::new(&alert.topic, &rule.name, &alert.labels, numbers, alert.starts_at);
    let render = |(name, text): (&String, &String)| (name.clone(), annotation::render(name, text, &values));
    rule.annotations.iter().map(render).collect()
}
