//! [`Tracked`]: one rule on one topic, as stored between evaluations.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::story::{story, trend};
use crate::alert::{Alert, AlertState, Change, Fingerprint, Status, Timing, Transition};
use crate::rule::annotation;
use crate::rule::annotation::Values;
use crate::rule::{AlertingRule, Evaluation, Evidence, Memory};

/// Posts shown with an alert.
const SAMPLES: usize = 5;
/// What lasts longer than this is no incident any more, but the new normal.
const LONGEST_FREEZE: SignedDuration = SignedDuration::from_hours(72);

/// State of a rule on a topic, and its alert while one fires.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tracked {
    state: AlertState,
    pub(super) alert: Option<Alert>,
    /// What the rule's conditions keep between evaluations.
    memory: Memory,
    /// Not as stored.
    #[serde(skip)]
    changed: bool,
}

impl Tracked {
    /// Whether it changed since the last call.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Whether nothing can change while nothing is left to count: the rule is inactive, or has fired for so long, and does
    /// still, that not even what is normal changes.
    pub(super) fn is_at_rest(&self, now: Timestamp) -> bool {
        match self.state {
            AlertState::Inactive => true,
            AlertState::Pending { .. } => false,
            AlertState::Firing { quiet_since, .. } => quiet_since.is_none() && !self.is_frozen(now),
        }
    }

    /// When its condition may begin to hold though nothing happens; Unix seconds after `now`.
    pub(super) fn wakes(&self, now: i64) -> Option<i64> {
        self.memory.wakes(now)
    }

    /// Whether what is normal stays as it was: pending or firing, and not for too long.
    pub(super) fn is_frozen(&self, now: Timestamp) -> bool {
        self.since().is_some_and(|since| now.duration_since(since) < LONGEST_FREEZE)
    }

    /// Forgets what was learnt of rates.
    pub(super) fn restart(&mut self) {
        self.memory.restart();
        self.changed = true;
    }

    /// Since when its condition holds; none while it does not.
    pub(super) fn since(&self) -> Option<Timestamp> {
        match self.state {
            AlertState::Inactive => None,
            AlertState::Pending { since } | AlertState::Firing { since, .. } => Some(since),
        }
    }

    /// Evaluates `rule` on a topic at `now`. Returns the normal rate it compared with, if any, and the transition that
    /// people are to be told of.
    pub(super) fn evaluate(
        &mut self,
        rule: &AlertingRule,
        name: &str,
        evidence: &Evidence<'_>,
        now: Timestamp,
    ) -> (Option<f64>, Option<Transition>) {
        let evidence = Evidence { frozen: self.is_frozen(now), ..*evidence };
        let before = self.memory.clone();
        let evaluation = rule.condition.evaluate(&evidence, &mut self.memory);
        let timing = Timing { hold: rule.hold, keep_firing_for: rule.keep_firing_for };
        let (state, change) = self.state.step(now, evaluation.holds, timing);
        self.changed |= state != self.state || self.alert.is_some() || self.memory != before;
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
                Some(Transition { status: Status::Firing, at: now, alert })
            }
            Change::Resolved => self.alert.take().map(|alert| {
                let explanation = evaluation.reasons.explain();
                let mut alert = Alert { ends_at: Some(now), latest: evaluation.measured, explanation, ..alert };
                alert.story.trend = trend(evidence.topic);
                Transition { status: Status::Resolved, at: now, alert }
            }),
        };
        let normal = evaluation.measured.normal.filter(|_| evaluation.is_rate).map(|normal| normal.value);
        (normal, transition)
    }

    /// The end of its alert, if it has one, because the rule is no more.
    pub(super) fn ended(self, now: Timestamp) -> Option<Transition> {
        let alert = self.alert?;
        let alert = Alert { ends_at: Some(now), ..alert };
        Some(Transition { status: Status::Resolved, at: now, alert })
    }

    /// Takes back what lies after `now`, for a clock that had run ahead.
    pub(super) fn rewind(&mut self, now: Timestamp) {
        let state = self.state.rewound(now);
        self.changed |= state != self.state;
        self.state = state;
    }

    fn follow(&mut self, rule: &AlertingRule, evidence: &Evidence<'_>, now: Timestamp, evaluation: &Evaluation) {
        let Some(alert) = &mut self.alert else { return };
        alert.latest = evaluation.measured;
        alert.explanation = evaluation.reasons.explain();
        if evaluation.measured.lower_bound > alert.peak.lower_bound {
            alert.peak = evaluation.measured;
            alert.peak_at = now;
            alert.samples = evidence.topic.samples(rule.condition.window(), SAMPLES);
            alert.story = story(evidence.topic, rule.condition.window());
        }
    }
}

fn new_alert(
    rule: &AlertingRule,
    topic_name: &str,
    evidence: &Evidence<'_>,
    since: Timestamp,
    now: Timestamp,
    evaluation: &Evaluation,
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
        fired_on: evaluation.measured,
        peak: evaluation.measured,
        peak_at: now,
        latest: evaluation.measured,
        samples: evidence.topic.samples(rule.condition.window(), SAMPLES),
        is_rate: evaluation.is_rate,
        explanation: evaluation.reasons.explain(),
        story: story(evidence.topic, rule.condition.window()),
    };
    let values = Values::new(topic_name, &rule.name, &alert.labels, &alert.fired_on, alert.starts_at);
    let render = |(name, text): (&String, &String)| (name.clone(), annotation::render(text, &values));
    alert.annotations = rule.annotations.iter().map(render).collect();
    alert
}
