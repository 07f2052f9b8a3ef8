//! [`Tracked`]: one rule on one topic, as stored between evaluations.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::story::{story, trend};
use crate::alert::{Alert, AlertState, Change, Fingerprint, Status, Timing, Transition};
use crate::rule::annotation::{self, Values};
use crate::rule::{AlertingRule, Evaluation, Explanation, Normal};
use crate::window::TopicWindow;

/// Posts shown with an alert.
const SAMPLES: usize = 5;

/// State of a rule on a topic, and its alert while one fires.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tracked {
    state: AlertState,
    pub(super) alert: Option<Alert>,
    /// What was normal when the condition began to hold: an incident is not to become its own excuse.
    frozen: Option<Normal>,
    /// Not as stored.
    #[serde(skip)]
    changed: bool,
}

impl Tracked {
    /// Whether it changed since the last call.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.state == AlertState::Inactive
    }

    /// Since when its condition holds; none while it does not.
    pub(super) fn since(&self) -> Option<Timestamp> {
        match self.state {
            AlertState::Inactive => None,
            AlertState::Pending { since } | AlertState::Firing { since, .. } => Some(since),
        }
    }

    /// Evaluates `rule` on `topic` at `now`. Returns the normal rate it compared with, if any, and the transition that
    /// people are to be told of.
    pub(super) fn evaluate(
        &mut self,
        rule: &AlertingRule,
        name: &str,
        topic: &TopicWindow,
        now: Timestamp,
    ) -> (Option<Normal>, Option<Transition>) {
        let evaluation = rule.condition.evaluate(topic, self.frozen);
        let timing = Timing { hold: rule.hold, keep_firing_for: rule.keep_firing_for };
        let (state, change) = self.state.step(now, evaluation.holds, timing);
        self.changed |= state != self.state || self.alert.is_some();
        self.state = state;
        let transition = match change {
            Change::None => {
                self.follow(rule, topic, now, &evaluation);
                None
            }
            Change::Began => {
                self.frozen = evaluation.measured.normal;
                None
            }
            Change::Lapsed => {
                self.frozen = None;
                None
            }
            Change::Fired { since } => {
                let alert = new_alert(rule, name, topic, since, now, &evaluation);
                self.frozen = evaluation.measured.normal;
                self.alert = Some(alert.clone());
                Some(Transition { status: Status::Firing, at: now, alert })
            }
            Change::Resolved => {
                self.frozen = None;
                self.alert.take().map(|alert| {
                    let mut alert = Alert { ends_at: Some(now), latest: evaluation.measured, ..alert };
                    alert.story.trend = trend(topic);
                    Transition { status: Status::Resolved, at: now, alert }
                })
            }
        };
        (evaluation.measured.normal, transition)
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

    fn follow(&mut self, rule: &AlertingRule, topic: &TopicWindow, now: Timestamp, evaluation: &Evaluation) {
        let Some(alert) = &mut self.alert else { return };
        alert.latest = evaluation.measured;
        if evaluation.measured.lower_bound > alert.peak.lower_bound {
            alert.peak = evaluation.measured;
            alert.peak_at = now;
            alert.samples = topic.samples(rule.condition.window(), SAMPLES);
            alert.story = story(topic, rule.condition.window());
        }
    }
}

fn new_alert(
    rule: &AlertingRule,
    topic_name: &str,
    topic: &TopicWindow,
    since: Timestamp,
    now: Timestamp,
    evaluation: &Evaluation,
) -> Alert {
    let mut labels = rule.labels.clone();
    labels.insert("alertname".into(), rule.name.clone());
    labels.insert("topic".into(), topic_name.into());
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
        samples: topic.samples(rule.condition.window(), SAMPLES),
        is_rate: rule.condition.is_rate(),
        explanation: Explanation::default(),
        story: story(topic, rule.condition.window()),
    };
    let values = Values::new(topic_name, &rule.name, &alert.labels, &alert.fired_on, alert.starts_at);
    let render = |(name, text): (&String, &String)| (name.clone(), annotation::render(text, &values));
    alert.annotations = rule.annotations.iter().map(render).collect();
    alert
}
