//! A monitor that goes on under other rules, or from another moment.

use jiff::Timestamp;

use super::rule_state::Tracked;
use super::{Monitor, MonitorError, tracker_key};
use crate::rule::Rules;
use crate::store::{Key, Table};

impl Monitor {
    /// Ends the alerts of rules that are no more.
    pub(super) fn end_orphans(&mut self) -> Result<(), MonitorError> {
        let now = Timestamp::from_second(self.totals.edge.unwrap_or_default()).unwrap_or(Timestamp::MIN);
        for name in self.topics.keys().map(String::as_str).chain([""]) {
            for entry in self.store.scan::<Tracked>(&Key::new(Table::Tracker).text(name)) {
                let (key, tracked) = entry?;
                if !self.rules.rules.iter().any(|rule| tracker_key(name, &rule.name) == key) {
                    self.pending.remove(&key);
                    self.fresh.extend(tracked.ended(now));
                }
            }
        }
        Ok(())
    }

    /// The same monitor under other rules, or seen from another edge: what is in the store goes on, what was not
    /// committed is lost.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reopen(self, rules: Rules) -> Result<Self, MonitorError> {
        let Self { store, config, model, .. } = self;
        let mut monitor = Self::open(store, config, rules)?;
        monitor.read_by(model);
        Ok(monitor)
    }

    /// Goes back to `now`, for a clock that had run ahead: the open bucket is the one that holds `now`. Commits.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn rewind(mut self, now: Timestamp) -> Result<Self, MonitorError> {
        let width = self.config.bucket.as_secs();
        self.totals.edge = Some(now.as_second() - now.as_second().rem_euclid(width));
        for tracked in self.everything().flat_map(|watched| &mut watched.tracked) {
            tracked.rewind(now);
        }
        self.commit()?;
        let rules = self.rules.clone();
        self.reopen(rules)
    }

    /// Start of the open bucket; none before the first [`Monitor::advance`].
    pub fn edge(&self) -> Option<Timestamp> {
        self.totals.edge.and_then(|edge| Timestamp::from_second(edge).ok())
    }
}
