//! The timeline of an incident: what its alerts did, who was notified, who took it, what people noted, the oldest first.

use jiff::Timestamp;
use serde::Serialize;

use crate::notify::dispatch::{HistoryEntry, HistoryEvent, IncidentView};

/// Something that happened to the incident.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct TimelineEntry {
    at: Timestamp,
    /// When it happened last, where it happened several times.
    until: Option<Timestamp>,
    times: u32,
    /// Which sentence the template writes.
    kind: &'static str,
    /// A rule, a receiver, or a person.
    who: String,
    /// What a server or a person said.
    text: String,
    /// Why a message was sent: `opened`, `repeated`, ...
    message: String,
}

impl TimelineEntry {
    fn new(at: Timestamp, kind: &'static str, who: &str) -> Self {
        Self { at, kind, who: who.to_owned(), times: 1, ..Self::default() }
    }
}

/// What happened, the oldest first.
pub(super) fn timeline(view: &IncidentView) -> Vec<TimelineEntry> {
    let mut entries = Vec::new();
    for alert in view.alerts.iter().map(|entry| &entry.alert) {
        entries.push(TimelineEntry::new(alert.starts_at, "began", &alert.rule));
        entries.push(TimelineEntry::new(alert.fired_at, "fired", &alert.rule));
        if alert.peak_at > alert.fired_at {
            entries.push(TimelineEntry::new(alert.peak_at, "peak", &alert.rule));
        }
        entries.extend(alert.ends_at.map(|end| TimelineEntry::new(end, "resolved", &alert.rule)));
    }
    entries.extend(view.history.iter().map(of_history));
    // Stable: what happened at the same moment stays in its order.
    entries.sort_by_key(|entry| entry.at);
    entries
}

fn of_history(entry: &HistoryEntry) -> TimelineEntry {
    let new = |kind, who: &str, text: &str| TimelineEntry {
        until: entry.last_at,
        times: entry.times,
        text: text.to_owned(),
        ..TimelineEntry::new(entry.at, kind, who)
    };
    match &entry.event {
        HistoryEvent::Notified { receiver, kind, problem } => TimelineEntry {
            message: serde_json::to_value(kind)
                .ok()
                .and_then(|kind| kind.as_str().map(str::to_owned))
                .unwrap_or_default(),
            ..new("notified", receiver, problem.as_deref().unwrap_or_default())
        },
        HistoryEvent::NotNotified { receiver, error } => new("not_notified", receiver, error),
        HistoryEvent::Escalated { receiver } => new("escalated", receiver, ""),
        HistoryEvent::Acknowledged { by, comment } => new("acknowledged", by, comment),
        HistoryEvent::AcknowledgementWithdrawn { by } => new("withdrawn", by.as_deref().unwrap_or_default(), ""),
        HistoryEvent::Noted { by, text } => new("noted", by, text),
        HistoryEvent::Reopened => new("reopened", "", ""),
        HistoryEvent::Ended => new("ended", "", ""),
    }
}
