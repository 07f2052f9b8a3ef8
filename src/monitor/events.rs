//! What happens to vigie itself: kept so that rules can ask for it across restarts, and judged apart from every topic.

use jiff::Timestamp;

use super::topic_state::Watched;
use super::{Monitor, MonitorError};
use crate::alert::Transition;
use crate::classify::ModelInfo;
use crate::rule::{EventKind, EventLog, Rules};
use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::window;

/// Seconds after the last event from which on no rule can ask for it.
const FORGETTABLE: i64 = 8 * 86_400;

/// The events, and the rules that are about them alone.
#[derive(Debug)]
pub(super) struct OwnEvents {
    pub(super) log: EventLog,
    pub(super) watched: Watched,
    changed: bool,
}

impl OwnEvents {
    pub(super) fn load(store: &Store, config: &window::Config, rules: &Rules, edge: i64) -> Result<Self, StoreError> {
        let mut log = EventLog::default();
        for kind in EventKind::ALL {
            log.set(kind, store.get(&key(kind))?.unwrap_or_default());
        }
        Ok(Self { log, watched: Watched::of_no_topic(store, config, rules, edge)?, changed: false })
    }

    pub(super) fn is_changed(&self) -> bool {
        self.changed
    }

    /// As [`Watched::rests_until`]: not while some event may still be asked for.
    pub(super) fn rests_until(&self, now: i64) -> Option<i64> {
        let over = self.log.last().is_none_or(|last| last.div_euclid(1_000) + FORGETTABLE < now);
        self.watched.rests_until(now).filter(|_| over)
    }

    pub(super) fn evaluate(&mut self, rules: &Rules, now: Timestamp) -> Vec<Transition> {
        self.watched.evaluate("", rules, &ModelInfo::default(), &self.log, now)
    }

    pub(super) fn save(&mut self, batch: &mut Batch, rules: &Rules) -> Result<(), StoreError> {
        if std::mem::take(&mut self.changed) {
            for kind in EventKind::ALL {
                batch.put(&key(kind), &self.log.times(kind))?;
            }
        }
        self.watched.save_trackers(batch, "", rules)
    }
}

impl Monitor {
    /// Notes that something happened to vigie at `at`; the next commit stores it.
    pub fn happened(&mut self, kind: EventKind, at: Timestamp) {
        self.events.log.note(kind, at);
        self.events.changed = true;
    }

    /// The state under rules that belong to no topic, for those that tell what fires.
    pub(super) fn of_no_topic(&self) -> (&str, &Watched) {
        ("", &self.events.watched)
    }

    /// When events of a kind came, in Unix milliseconds, the oldest first; the latest thousand.
    pub fn events(&self, kind: EventKind) -> &[i64] {
        self.events.log.times(kind)
    }

    /// Commits, and returns once that is on disk.
    pub(super) fn commit_to_disk(&mut self) -> Result<(), MonitorError> {
        self.commit()?;
        self.flush()
    }
}

fn key(kind: EventKind) -> Key {
    Key::new(Table::Event).text(kind.as_str())
}
