//! The history of an incident: who was notified and what the server said, who took it, what people noted. Kept with the incident
//! for its page and its post-mortem; nothing decides on it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::group::Group;
use crate::notify::Kind;

/// Notes of one incident at most: together they fill a long page.
pub(super) const MAX_NOTES: usize = 200;
/// Entries of one incident at most. The oldest about deliveries make room, then the oldest others: notes stay.
const MAX_ENTRIES: usize = 500;

/// One thing that happened, or the same thing several times in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HistoryEntry {
    /// When it happened first.
    pub at: Timestamp,
    #[serde(flatten)]
    pub event: HistoryEvent,
    /// When it happened last, where a message was sent again without a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    /// How often it happened.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum HistoryEvent {
    /// A receiver took a message. `problem` is what it said where only some of its recipients got it.
    Notified {
        receiver: String,
        kind: Kind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// A receiver failed or refused a message, in its own words. Attempts that fail in the same way are one entry.
    NotNotified {
        receiver: String,
        error: String,
    },
    /// Nobody acknowledged in time, so this receiver is notified as well.
    Escalated {
        receiver: String,
    },
    Acknowledged {
        by: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        comment: String,
    },
    AcknowledgementWithdrawn {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    Noted {
        by: String,
        text: String,
    },
    /// It was over, and began again.
    Reopened,
    Ended,
}

impl HistoryEvent {
    /// The receiver that a delivery was about.
    fn delivery_to(&self) -> Option<&str> {
        match self {
            Self::Notified { receiver, .. } | Self::NotNotified { receiver, .. } => Some(receiver),
            _ => None,
        }
    }
}

impl Group {
    /// Adds what happened at `at`; true if the history changed.
    pub(super) fn record(&mut self, at: Timestamp, event: HistoryEvent) -> bool {
        let receiver = event.delivery_to();
        let same_receiver = |entry: &&mut HistoryEntry| receiver.is_some() && entry.event.delivery_to() == receiver;
        if let Some(last) = self.history.iter_mut().rev().find(same_receiver).filter(|last| last.event == event) {
            // A failure is tried again many times: only that it began, and what came after, is worth a write.
            if matches!(event, HistoryEvent::NotNotified { .. }) {
                return false;
            }
            last.times = last.times.saturating_add(1);
            last.last_at = Some(at);
            return true;
        }
        if self.history.len() >= MAX_ENTRIES {
            let oldest =
                |gives_way: fn(&HistoryEvent) -> bool| self.history.iter().position(|entry| gives_way(&entry.event));
            let delivery = oldest(|event| event.delivery_to().is_some());
            // Notes are fewer than entries, so one of the others is always there.
            let other = || oldest(|event| !matches!(event, HistoryEvent::Noted { .. }));
            self.history.remove(delivery.or_else(other).unwrap_or(0));
        }
        self.history.push(HistoryEntry { at, event, last_at: None, times: 1 });
        true
    }

    /// How many notes people wrote.
    pub(super) fn notes(&self) -> usize {
        self.history.iter().filter(|entry| matches!(entry.event, HistoryEvent::Noted { .. })).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn group() -> Group {
        Group::new("A-1".into(), std::collections::BTreeMap::new(), at(0))
    }

    fn notified(receiver: &str, kind: Kind) -> HistoryEvent {
        HistoryEvent::Notified { receiver: receiver.into(), kind, problem: None }
    }

    fn failed(receiver: &str, error: &str) -> HistoryEvent {
        HistoryEvent::NotNotified { receiver: receiver.into(), error: error.into() }
    }

    #[test]
    fn what_is_sent_again_and_again_is_one_entry_and_so_is_a_failure() {
        let mut group = group();
        assert!(group.record(at(0), notified("alertmanager", Kind::Opened)));
        assert!(group.record(at(1), notified("alertmanager", Kind::Repeated)));
        assert!(group.record(at(1), notified("desk", Kind::Opened)));
        assert!(group.record(at(2), notified("alertmanager", Kind::Repeated)));
        assert!(group.record(at(3), failed("desk", "timeout")));
        assert!(!group.record(at(4), failed("desk", "timeout")));
        assert!(group.record(at(5), failed("desk", "connection refused")));
        assert!(group.record(at(6), notified("desk", Kind::Repeated)));
        assert_eq!(group.history.len(), 6);
        let repeated = &group.history[1];
        assert_eq!((repeated.times, repeated.at, repeated.last_at), (2, at(1), Some(at(2))));
        assert_eq!(group.history[3].times, 1);
    }

    #[test]
    fn a_full_history_keeps_what_people_wrote() {
        let mut group = group();
        group.record(at(0), HistoryEvent::Noted { by: "Claire".into(), text: "we know".into() });
        for minute in 1..2_000 {
            let receiver = if minute % 2 == 0 { "even" } else { "odd" };
            group.record(at(minute), failed(receiver, &minute.to_string()));
        }
        assert_eq!((group.history.len(), group.notes()), (MAX_ENTRIES, 1));
        assert_eq!(group.history.last().map(|entry| entry.at), Some(at(1_999)));
    }

    #[test]
    fn acknowledging_again_and_again_removes_no_note() {
        let mut group = group();
        group.record(at(0), HistoryEvent::Noted { by: "Claire".into(), text: "we know".into() });
        for minute in 1..1_000 {
            group.record(at(minute), HistoryEvent::Acknowledged { by: "Paul".into(), comment: String::new() });
            group.record(at(minute), HistoryEvent::AcknowledgementWithdrawn { by: None });
        }
        assert_eq!((group.history.len(), group.notes()), (MAX_ENTRIES, 1));
    }

    #[test]
    fn the_same_note_twice_is_two_notes() {
        let mut group = group();
        for minute in 0..2 {
            assert!(group.record(at(minute), HistoryEvent::Noted { by: "Claire".into(), text: "again".into() }));
        }
        assert_eq!(group.notes(), 2);
    }

    #[test]
    fn an_entry_is_flat_json() {
        let entry = HistoryEntry { at: at(0), event: notified("desk", Kind::Opened), last_at: None, times: 1 };
        let json = serde_json::to_value(&entry).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"at": "1970-01-01T00:00:00Z", "event": "notified", "receiver": "desk", "kind": "opened", "times": 1})
        );
        assert_eq!(serde_json::from_value::<HistoryEntry>(json).unwrap(), entry);
    }
}
