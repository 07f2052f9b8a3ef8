//! Continues a monitor with other rules, or from an earlier time.

use jiff::Timestamp;

use super::posts::PendingPosts;
use super::rule_state::RuleState;
use super::{Monitor, MonitorError, rule_state_key};
use crate::rule::Rules;
use crate::store::{Key, Table};

impl Monitor {
    /// Resolves the alerts of rules that no longer exist.
    pub(super) fn end_removed_rules(&mut self) -> Result<(), MonitorError> {
        let now = Timestamp::from_second(self.totals.edge.unwrap_or_default()).unwrap_or(Timestamp::MIN);
        for name in self.topics.keys().map(String::as_str).chain([""]) {
            for entry in self.store.scan::<RuleState>(&Key::new(Table::RuleState).text(name)) {
                let (key, rule_state) = entry?;
                if !self.rules.rules.iter().any(|rule| rule_state_key(name, &rule.name) == key) {
                    self.pending.remove(&key);
                    self.new_transitions.extend(rule_state.into_resolved(now));
                }
            }
        }
        Ok(())
    }

    /// Reloads the state from the store with `rules`. What was not committed is lost.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reopen(self, rules: Rules) -> Result<Self, MonitorError> {
        let Self { store, config, model, posts, settings, .. } = self;
        let mut monitor = Self::open(store, config, rules)?;
        monitor.configure_topics(settings);
        monitor.posts = posts.map(|_| PendingPosts::default());
        monitor.set_model(model);
        Ok(monitor)
    }

    /// Moves back watermarks that lie ahead of `now` by more than the clock skew allowed: posts of now would be too late. Returns
    /// the topics. The next commit stores it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn repair_ahead(&mut self, now: Timestamp) -> Result<Vec<String>, MonitorError> {
        let limit = now.checked_add(self.config.clock_skew).unwrap_or(Timestamp::MAX).as_second();
        let mut repaired = Vec::new();
        for (name, state) in &mut self.topics {
            let is_ahead = state.window.watermark().is_some_and(|watermark| watermark > limit);
            if is_ahead && state.repair_ahead(&self.store, name, now.as_second())? {
                repaired.push(name.clone());
            }
        }
        Ok(repaired)
    }

    /// Moves back to `now`, after a clock ran ahead: the open bucket becomes the one that holds `now`. Commits.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn rewind(mut self, now: Timestamp) -> Result<Self, MonitorError> {
        let width = self.config.bucket.as_secs();
        self.totals.edge = Some(now.as_second() - now.as_second().rem_euclid(width));
        for rule_state in self.all_states().flat_map(|state| &mut state.rule_states) {
            rule_state.rewind(now);
        }
        self.commit()?;
        let rules = self.rules.clone();
        self.reopen(rules)
    }
}
