//! [`InternalEvents`]: events about vigie itself, such as a wrong prediction or a failure. Stored, so that rules can count
//! them across restarts, and evaluated apart from every topic.

use jiff::Timestamp;

use super::Monitor;
use super::topic_state::TopicState;
use crate::alert::Transition;
use crate::classify::ModelInfo;
use crate::rule::{EventKind, EventLog, Rules};
use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::window;

/// Seconds after which no rule looks back at an event.
const EVENT_RETENTION: i64 = 8 * 86_400;

/// The events, and the state of the rules about them.
#[derive(Debug)]
pub(super) struct InternalEvents {
    pub(super) log: EventLog,
    pub(super) state: TopicState,
    changed: bool,
}

impl InternalEvents {
    pub(super) fn load(store: &Store, config: &window::Config, rules: &Rules, edge: i64) -> Result<Self, StoreError> {
        let mut log = EventLog::default();
        for kind in EventKind::ALL {
            log.set(kind, store.get(&key(kind))?.unwrap_or_default());
        }
        Ok(Self { log, state: TopicState::without_topic(store, config, rules, edge)?, changed: false })
    }

    pub(super) fn is_changed(&self) -> bool {
        self.changed
    }

    /// As [`TopicState::idle_until`]; none while a rule may still count an event.
    pub(super) fn idle_until(&self, rules: &Rules, now: i64) -> Option<i64> {
        let over = self.log.last().is_none_or(|last| last.div_euclid(1_000) + EVENT_RETENTION < now);
        self.state.idle_until(rules, now).filter(|_| over)
    }

    pub(super) fn evaluate(&mut self, rules: &Rules, now: Timestamp) -> Vec<Transition> {
        self.state.evaluate("", rules, &ModelInfo::default(), &self.log, now)
    }

    pub(super) fn save(&mut self, batch: &mut Batch, rules: &Rules) -> Result<(), StoreError> {
        if std::mem::take(&mut self.changed) {
            for kind in EventKind::ALL {
                batch.put(&key(kind), &self.log.times(kind))?;
            }
        }
        self.state.save_rule_states(batch, "", rules)
    }
}

impl Monitor {
    /// Records an event at `at`; the next commit stores it.
    pub fn record_event(&mut self, kind: EventKind, at: Timestamp) {
        self.events.log.record(kind, at);
        self.events.changed = true;
    }

    /// Takes back an event that was recorded at `at`; the next commit stores that.
    pub(super) fn take_back_event(&mut self, kind: EventKind, at: Timestamp) {
        self.events.log.remove(kind, at);
        self.events.changed = true;
    }

    /// The state without a topic, under an empty name.
    pub(super) fn without_topic(&self) -> (&str, &TopicState) {
        ("", &self.events.state)
    }

    /// Times of the latest thousand events of a kind, in Unix milliseconds, the oldest first.
    pub fn events(&self, kind: EventKind) -> &[i64] {
        self.events.log.times(kind)
    }
}

fn key(kind: EventKind) -> Key {
    Key::new(Table::Event).text(kind.as_str())
}
