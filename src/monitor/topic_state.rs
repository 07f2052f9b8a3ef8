//! [`Watched`]: a topic with its windows, what is normal for it, and its state under each rule.

use jiff::{SignedDuration, Timestamp};

use super::rule_state::Tracked;
use super::state::report::Totals;
use super::tracker_key;
use crate::alert::{Status, Transition};
use crate::classify::ModelInfo;
use crate::rule::{AlertingRule, Baseline, EventLog, Evidence, Rules};
use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::window;
use crate::window::TopicWindow;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A topic with its state under each rule, in the order of the rules.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    pub(super) window: TopicWindow,
    pub(super) tracked: Vec<Tracked>,
    baseline: Baseline,
    /// The negative rate that counted as normal at the last evaluation.
    pub(super) normal: Option<f64>,
}

impl Watched {
    pub(super) fn load(
        store: &Store,
        config: &window::Config,
        rules: &Rules,
        name: &str,
        edge: i64,
    ) -> Result<Self, StoreError> {
        let load = |rule: &AlertingRule| Ok(store.get(&tracker_key(name, &rule.name))?.unwrap_or_default());
        let baseline: Baseline = store.get(&Key::new(Table::Baseline).text(name))?.unwrap_or_default();
        Ok(Self {
            window: TopicWindow::load(store, config, &rules.spans(), name, edge, baseline.until())?,
            tracked: rules.rules.iter().map(load).collect::<Result<_, StoreError>>()?,
            baseline,
            normal: None,
        })
    }

    /// What belongs to no topic: no post is counted in it, and only the rules about vigie itself judge it.
    pub(super) fn of_no_topic(
        store: &Store,
        config: &window::Config,
        rules: &Rules,
        edge: i64,
    ) -> Result<Self, StoreError> {
        let load = |rule: &AlertingRule| Ok(store.get(&tracker_key("", &rule.name))?.unwrap_or_default());
        let tracked = rules.rules.iter().map(load).collect::<Result<_, StoreError>>()?;
        Ok(Self { tracked, ..Self::unstored(config, &Rules::default(), "", edge) })
    }

    /// A topic of which nothing is stored.
    pub(super) fn unstored(config: &window::Config, rules: &Rules, name: &str, edge: i64) -> Self {
        Self {
            window: TopicWindow::new(config, &rules.spans(), name, edge),
            tracked: vec![Tracked::default(); rules.rules.len()],
            baseline: Baseline::default(),
            normal: None,
        }
    }

    /// Says which model reads from `now` (Unix seconds) on: another one restarts what was learnt of rates.
    pub(super) fn read_by(&mut self, model: &str, now: i64) {
        if self.baseline.read_by(model, now) {
            self.tracked.iter_mut().for_each(Tracked::restart);
        }
    }

    /// Until when (Unix seconds) time can pass after `now` without anything to evaluate, where no post comes: for ever where
    /// nothing is left to count and nothing is on, but for a rule that waits for silence to be long enough. None where
    /// there is something at once.
    pub(super) fn rests_until(&self, now: i64) -> Option<i64> {
        let at = Timestamp::from_second(now).unwrap_or(Timestamp::MAX);
        if !self.window.is_quiet() || !self.tracked.iter().all(|tracked| tracked.is_at_rest(at)) {
            return None;
        }
        Some(self.tracked.iter().filter_map(|tracked| tracked.wakes(now)).min().unwrap_or(i64::MAX))
    }

    /// Judges the topic by every rule that watches it, at the close of the bucket that ended at `now`.
    pub(super) fn evaluate(
        &mut self,
        name: &str,
        rules: &Rules,
        model: &ModelInfo,
        events: &EventLog,
        now: Timestamp,
    ) -> Vec<Transition> {
        let window = &self.window;
        self.baseline.learn(window.since(), |start| window.settled_hour(start));
        if let Some(until) = self.baseline.until() {
            self.window.learnt(until);
        }
        let (topic, baseline) = (&self.window, &self.baseline);
        let evidence = Evidence { topic, baseline, frozen: false, error: model.error, events };
        let (mut transitions, mut normal) = (Vec::new(), None);
        for (rule, tracked) in rules.rules.iter().zip(&mut self.tracked).filter(|(rule, _)| rule.watches(name)) {
            let (found, transition) = tracked.evaluate(rule, name, &evidence, now);
            normal = normal.or(found);
            transitions.extend(transition);
        }
        if let Some(rate) = normal {
            self.window.note_normal(rate);
            self.normal = normal;
        }
        self.skip_incidents(rules, &transitions, now);
        transitions
    }

    /// Hours of an incident are not to be learnt from, back to its beginning.
    fn skip_incidents(&mut self, rules: &Rules, transitions: &[Transition], now: Timestamp) {
        let is_silence = |name: &str| rules.rules.iter().any(|rule| rule.name == name && rule.condition.is_silence());
        for fired in transitions.iter().filter(|told| told.status == Status::Firing) {
            let mut time = fired.alert.starts_at;
            while time < now {
                self.baseline.skip(time.as_second(), is_silence(&fired.alert.rule));
                time = time.checked_add(HOUR).unwrap_or(now);
            }
        }
        for tracked in self.tracked.iter().filter(|tracked| tracked.is_frozen(now)) {
            if let Some(alert) = &tracked.alert {
                self.baseline.skip(now.as_second() - 1, is_silence(&alert.rule));
            }
        }
    }

    /// Adds to `batch` whatever changed since the last call.
    pub(super) fn save(
        &mut self,
        batch: &mut Batch,
        name: &str,
        rules: &Rules,
        totals: &Totals,
    ) -> Result<(), StoreError> {
        self.window.save(batch, totals.commits)?;
        if self.baseline.take_changed() {
            batch.put(&Key::new(Table::Baseline).text(name), &self.baseline)?;
        }
        self.save_trackers(batch, name, rules)
    }

    pub(super) fn save_trackers(&mut self, batch: &mut Batch, name: &str, rules: &Rules) -> Result<(), StoreError> {
        for (rule, tracked) in rules.rules.iter().zip(&mut self.tracked) {
            if tracked.take_changed() {
                batch.put(&tracker_key(name, &rule.name), tracked)?;
            }
        }
        Ok(())
    }
}
