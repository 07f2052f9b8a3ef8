//! Time: closes buckets and evaluates the rules at each close. Skips stretches in which no rule can change.

use jiff::Timestamp;

use super::Monitor;
use super::topic_state::TopicState;
use crate::alert::{OperationalAlert, TransitionKind};

impl Monitor {
    /// Closes every bucket that ends at or before `now` and evaluates the rules at each close.
    pub fn advance(&mut self, now: Timestamp) {
        self.now = Some(now);
        let width = self.config.bucket.as_secs();
        let target = now.as_second() - now.as_second().rem_euclid(width);
        // The first time: no bucket to close yet.
        if self.totals.edge.is_none() {
            self.events.state.window.jump(target);
        }
        let mut edge = self.totals.edge.unwrap_or(target);
        while edge < target {
            // Nothing changes before the first topic has something to evaluate: skip to the bucket that ends then.
            let idle = self.topics.values().map(|state| state.idle_until(&self.rules, edge));
            let mut idle = [self.events.idle_until(&self.rules, edge)].into_iter().chain(idle);
            let idle = idle.try_fold(i64::MAX, |first, at| Some(first.min(at?)));
            let skip_to = idle.map_or(edge, |idle| idle.saturating_sub(1).div_euclid(width) * width).min(target);
            if skip_to > edge {
                self.all_states().for_each(|state| state.window.jump(skip_to));
                edge = skip_to;
            } else {
                self.all_states().for_each(|state| state.window.advance());
                edge += width;
                self.evaluate(Timestamp::from_second(edge).unwrap_or(Timestamp::MAX));
            }
        }
        self.totals.edge = Some(edge);
    }

    /// Closes the open bucket at the end of a source, so that its last posts are evaluated too.
    pub fn close(&mut self) {
        let end = self.totals.edge.unwrap_or_default() + self.config.bucket.as_secs();
        self.advance(Timestamp::from_second(end).unwrap_or(Timestamp::MAX));
    }

    /// Start of the open bucket; none before the first [`Monitor::advance`].
    pub fn edge(&self) -> Option<Timestamp> {
        self.totals.edge.and_then(|edge| Timestamp::from_second(edge).ok())
    }

    /// Begins an operational alert about `component` while there is a `summary`, and ends it when there is none.
    pub fn set_operational_alert(
        &mut self,
        alert: OperationalAlert,
        component: &str,
        summary: Option<&str>,
        now: Timestamp,
    ) {
        self.new_transitions.extend(self.operational.set(alert, component, summary, now));
    }

    /// The states of all topics, and the one without a topic.
    pub(super) fn all_states(&mut self) -> impl Iterator<Item = &mut TopicState> {
        self.topics.values_mut().chain([&mut self.events.state])
    }

    fn evaluate(&mut self, now: Timestamp) {
        let before = self.new_transitions.len();
        let end = now.as_second();
        let start = end - self.config.bucket.as_secs();
        let rules = &self.rules;
        let is_due =
            |state: &TopicState| state.is_awake(end) && state.idle_until(rules, start).is_none_or(|due| due <= end);
        for (name, state) in self.topics.iter_mut().filter(|(_, state)| is_due(state)) {
            self.new_transitions.extend(state.evaluate(name, &self.rules, &self.model, &self.events.log, now));
        }
        self.new_transitions.extend(self.events.evaluate(&self.rules, now));
        let new = self.new_transitions.iter().skip(before);
        self.totals.alerts += new.filter(|transition| transition.status == TransitionKind::Firing).count() as u64;
    }
}
