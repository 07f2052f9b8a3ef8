//! [`TopicState`]: a topic with its windows, its baseline, and its state under each rule.

use jiff::{SignedDuration, Timestamp};

use super::rule_state::RuleState;
use super::rule_state_key;
use super::state::report::Totals;
use super::topic_settings::TopicSettings;
use crate::alert::{Alert, Transition, TransitionKind};
use crate::classify::ModelInfo;
use crate::rule::{AlertingRule, Baseline, EventLog, Evidence, Rules};
use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::window;
use crate::window::{Counts, TopicWindow};

/// The label of an alert that nobody is notified of.
const WATCH_ONLY: &str = "watch_only";

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A topic with its state under each rule, in the order of the rules.
#[derive(Debug, Clone)]
pub(super) struct TopicState {
    pub(super) window: TopicWindow,
    pub(super) rule_states: Vec<RuleState>,
    baseline: Baseline,
    /// The negative rate that counted as normal at the last evaluation.
    pub(super) normal: Option<f64>,
    /// Unix seconds. Until then an evaluation changes nothing, as long as no post is counted.
    sleeps_until: i64,
    /// The topic is only watched, to compare others with: its alerts are kept back.
    pub(super) watch_only: bool,
}

impl TopicState {
    pub(super) fn load(
        store: &Store,
        config: &window::Config,
        rules: &Rules,
        name: &str,
        edge: i64,
    ) -> Result<Self, StoreError> {
        let load = |rule: &AlertingRule| Ok(store.get(&rule_state_key(name, &rule.name))?.unwrap_or_default());
        let baseline: Baseline = store.get(&Key::new(Table::Baseline).text(name))?.unwrap_or_default();
        Ok(Self {
            window: TopicWindow::load(store, config, &rules.spans(), name, edge, baseline.until())?,
            rule_states: rules.rules.iter().map(load).collect::<Result<_, StoreError>>()?,
            baseline,
            normal: None,
            sleeps_until: i64::MIN,
            watch_only: false,
        })
    }

    /// The state without a topic: no post is counted in it, and only rules about vigie itself evaluate it.
    pub(super) fn without_topic(
        store: &Store,
        config: &window::Config,
        rules: &Rules,
        edge: i64,
    ) -> Result<Self, StoreError> {
        let load = |rule: &AlertingRule| Ok(store.get(&rule_state_key("", &rule.name))?.unwrap_or_default());
        let rule_states = rules.rules.iter().map(load).collect::<Result<_, StoreError>>()?;
        Ok(Self { rule_states, ..Self::unstored(config, &Rules::default(), "", edge) })
    }

    /// A topic that no store knows.
    pub(super) fn unstored(config: &window::Config, rules: &Rules, name: &str, edge: i64) -> Self {
        Self {
            window: TopicWindow::new(config, &rules.spans(), name, edge),
            rule_states: vec![RuleState::default(); rules.rules.len()],
            baseline: Baseline::default(),
            normal: None,
            sleeps_until: i64::MIN,
            watch_only: false,
        }
    }

    /// Repairs a topic whose watermark lies ahead of `now` (Unix seconds); returns whether it did.
    pub(super) fn repair_ahead(&mut self, store: &Store, name: &str, now: i64) -> Result<bool, StoreError> {
        if !self.window.repair_ahead(now) {
            return Ok(false);
        }
        let hours =
            TopicWindow::stored_hours(store, name)?.into_iter().map(|(start, hour)| (start, hour.counts)).collect();
        self.baseline.repair_ahead(now, self.window.since(), &hours);
        Ok(true)
    }

    /// Sets the time zone in which the rhythm is learned, an IANA name.
    pub(super) fn set_zone(&mut self, zone: &str) {
        let moved = self.baseline.set_zone(zone);
        if moved > 0 {
            self.rule_states.iter_mut().for_each(|rule_state| rule_state.move_hours(moved));
        }
    }

    /// Replaces what is usual for the topic.
    pub(super) fn set_baseline(&mut self, baseline: Baseline) {
        self.baseline = baseline;
    }

    /// Applies what the configuration says about topic `name`.
    pub(super) fn configure(&mut self, name: &str, settings: &TopicSettings) {
        self.set_zone(settings.zone_of(name));
        self.watch_only = settings.is_watch_only(name);
    }

    /// Sets the model that reads from `now` (Unix seconds) on. A different one restarts what was learnt of rates.
    pub(super) fn set_model(&mut self, model: &str, now: i64) {
        if self.baseline.set_model(model, now) {
            self.rule_states.iter_mut().for_each(RuleState::restart);
        }
    }

    /// Hours that the normal level was learned from.
    pub(super) fn learned_hours(&self) -> u32 {
        self.baseline.learned_hours()
    }

    /// Until when (Unix seconds), if no post arrives, evaluating the rules after `now` changes nothing: for ever, unless a rule
    /// waits for a silence to be long enough. None while there are posts to count, or a rule is pending or about to change.
    pub(super) fn idle_until(&self, rules: &Rules, now: i64) -> Option<i64> {
        let at = Timestamp::from_second(now).unwrap_or(Timestamp::MAX);
        let mut rule_states = rules.rules.iter().zip(&self.rule_states);
        if !self.window.is_quiet() || !rule_states.all(|(rule, rule_state)| rule_state.is_idle(rule, at)) {
            return None;
        }
        Some(self.rule_states.iter().filter_map(|rule_state| rule_state.next_due(now)).min().unwrap_or(i64::MAX))
    }

    /// Whether the rules have to be evaluated at the close of the bucket that ended at `end` (Unix seconds).
    pub(super) fn is_awake(&self, end: i64) -> bool {
        end >= self.sleeps_until || self.window.closed() != Counts::default()
    }

    /// The next bucket is evaluated whatever it holds.
    pub(super) fn wake(&mut self) {
        self.sleeps_until = i64::MIN;
    }

    /// Until when the topic sleeps: most topics have no post in most minutes, and the cost of a minute must not grow with them.
    /// The last and the first bucket of an hour are always evaluated, for what is learned and shown by the hour.
    fn next_wake(&self, name: &str, rules: &Rules, now: i64) -> i64 {
        let hour = HOUR.as_secs();
        let by_hour =
            if now.rem_euclid(hour) == 0 { now + self.window.width() } else { now - now.rem_euclid(hour) + hour };
        let watching = rules.rules.iter().zip(&self.rule_states).filter(|(rule, _)| rule.watches(name));
        let mut sleeps = watching.map(|(rule, rule_state)| rule_state.sleeps_until(rule, &self.window, now));
        sleeps.try_fold(by_hour, |first, at| Some(first.min(at?))).unwrap_or(now)
    }

    /// Evaluates every rule on the topic at the close of the bucket that ended at `now`.
    pub(super) fn evaluate(
        &mut self,
        name: &str,
        rules: &Rules,
        model: &ModelInfo,
        events: &EventLog,
        now: Timestamp,
    ) -> Vec<Transition> {
        // Before the baseline learns: the buckets that were not evaluated were judged by what was known then.
        let until = now.as_second() - self.window.width();
        self.baseline.prepare(now.as_second());
        let evidence =
            Evidence { topic: &self.window, baseline: &self.baseline, frozen: false, error: model.error_rates, events };
        for (rule, rule_state) in rules.rules.iter().zip(&mut self.rule_states).filter(|(rule, _)| rule.watches(name)) {
            rule_state.catch_up(rule, &evidence, until);
        }
        let window = &self.window;
        self.baseline.learn(window.since(), |start| window.settled_hour(start));
        if let Some(until) = self.baseline.until() {
            self.window.set_learned_until(until);
        }
        let (topic, baseline) = (&self.window, &self.baseline);
        let evidence = Evidence { topic, baseline, frozen: false, error: model.error_rates, events };
        let (mut transitions, mut normal) = (Vec::new(), None);
        for (rule, rule_state) in rules.rules.iter().zip(&mut self.rule_states).filter(|(rule, _)| rule.watches(name)) {
            let (found, transition) = rule_state.evaluate(rule, name, &evidence, now);
            normal = normal.or(found);
            transitions.extend(transition);
        }
        if let Some(rate) = normal {
            self.window.note_normal(rate);
            self.normal = normal;
        }
        self.skip_incidents(rules, &transitions, now);
        self.sleeps_until = self.next_wake(name, rules, now.as_second());
        self.keep_back(&mut transitions);
        transitions
    }

    /// Marks alerts that begin while the topic is only watched, and removes the beginnings and the ends of marked ones: an alert
    /// that was announced before the topic was only watched is announced to its end.
    fn keep_back(&mut self, transitions: &mut Vec<Transition>) {
        let marked = (WATCH_ONLY.to_owned(), "true".to_owned());
        for fired in transitions.iter_mut().filter(|it| self.watch_only && it.status == TransitionKind::Firing) {
            let same = |alert: &&mut Alert| alert.rule == fired.alert.rule;
            let own = self.rule_states.iter_mut().filter_map(|rule_state| rule_state.alert.as_mut()).find(same);
            own.into_iter().chain([&mut fired.alert]).for_each(|alert| alert.labels.extend([marked.clone()]));
        }
        transitions.retain(|transition| !is_kept_back(&transition.alert));
    }

    /// Excludes the hours of an incident, from its start, from what the baseline learns: they are not normal.
    fn skip_incidents(&mut self, rules: &Rules, transitions: &[Transition], now: Timestamp) {
        let is_silence = |name: &str| rules.rules.iter().any(|rule| rule.name == name && rule.condition.is_silence());
        // A crowd has its own normal level. Its hours are as good as others for the rates, or one rule would change another.
        let is_crowd = |name: &str| rules.rules.iter().any(|rule| rule.name == name && rule.condition.is_crowd());
        let begun = transitions.iter().filter(|transition| transition.status == TransitionKind::Firing);
        for fired in begun.filter(|fired| !is_crowd(&fired.alert.rule)) {
            let mut time = fired.alert.starts_at;
            while time < now {
                self.baseline.skip(time.as_second(), is_silence(&fired.alert.rule));
                time = time.checked_add(HOUR).unwrap_or(now);
            }
        }
        let open = rules.rules.iter().zip(&self.rule_states);
        for (rule, _) in open.filter(|(_, rule_state)| rule_state.is_frozen(now) && rule_state.is_open()) {
            if !rule.condition.is_crowd() {
                self.baseline.skip(now.as_second() - 1, rule.condition.is_silence());
            }
        }
    }

    /// Adds everything that changed since the last call to `batch`.
    pub(super) fn save(
        &mut self,
        batch: &mut Batch,
        name: &str,
        rules: &Rules,
        totals: &Totals,
    ) -> Result<(), StoreError> {
        self.window.save(batch, totals.commits)?;
        if self.baseline.clear_changed() {
            batch.put(&Key::new(Table::Baseline).text(name), &self.baseline)?;
        }
        self.save_rule_states(batch, name, rules)
    }

    pub(super) fn save_rule_states(&mut self, batch: &mut Batch, name: &str, rules: &Rules) -> Result<(), StoreError> {
        for (rule, rule_state) in rules.rules.iter().zip(&mut self.rule_states) {
            if rule_state.clear_changed() {
                batch.put(&rule_state_key(name, &rule.name), rule_state)?;
            }
        }
        Ok(())
    }
}

/// Whether nobody is notified of the alert, because its topic was only watched when it began.
pub(super) fn is_kept_back(alert: &Alert) -> bool {
    alert.labels.contains_key(WATCH_ONLY)
}
