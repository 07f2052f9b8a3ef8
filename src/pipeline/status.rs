//! [`Status`]: how a running daemon is, as `GET /api/v1/status` tells it and `vigie top` and the status page show it.
//! No text or author of a post stands in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The whole daemon at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Of vigie.
    pub version: String,
    /// Identifier of the model that classifies.
    pub model: String,
    pub started_at: Timestamp,
    /// When this was put together, by the daemon's clock.
    pub now: Timestamp,
    pub ready: bool,
    /// Why it is not ready; empty when it is.
    pub not_ready: Vec<String>,
    /// Since the start.
    pub totals: Counted,
    pub topics: Vec<TopicStatus>,
    pub sources: Vec<SourceStatus>,
    pub queues: Vec<Queue>,
    /// Pending and firing.
    pub alerts: Vec<AlertStatus>,
    /// Transitions that are not delivered yet.
    pub outbox: u64,
}

/// Posts and rejects: received = classified + rejected + duplicates + what is on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub received: u64,
    pub classified: u64,
    pub rejected: u64,
    pub duplicates: u64,
}

/// One watched brand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopicStatus {
    pub name: String,
    /// In the last hour.
    pub posts: u64,
    /// In the last hour.
    pub negative: u64,
    /// Share of negative posts in the last hour, 0 to 1; none without posts.
    pub rate: Option<f64>,
    /// What that share normally is at this hour of the week; none until it is known.
    pub normal: Option<f64>,
    /// Posts and negative ones a minute, the last 60 minutes, the oldest first.
    pub recent: Vec<(u64, u64)>,
    /// Posts since the state was begun.
    pub total: u64,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceStatus {
    pub name: String,
    /// `twitter`, `file` or `http`.
    pub kind: String,
    /// Posts and rejects since the start.
    pub received: u64,
    pub started_at: Timestamp,
    pub report: crate::source::Report,
}

/// A bounded queue between two stages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    pub name: String,
    pub waiting: u64,
    pub capacity: u64,
}

/// An alert that is not inactive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertStatus {
    pub rule: String,
    pub topic: String,
    pub since: Timestamp,
    /// `pending` or `firing`.
    pub state: String,
    /// One sentence, from the rule's annotation.
    pub summary: String,
}
