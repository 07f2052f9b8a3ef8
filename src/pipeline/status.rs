//! [`Status`]: the state of the running daemon. The monitor's thread publishes it; the overview page, the local
//! API, readiness and `vigie top` read it. It holds no text and no author of a post.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::source::HealthReport;

/// The daemon now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Status {
    pub version: String,
    pub model: String,
    pub started_at: Timestamp,
    pub now: Timestamp,
    pub ready: bool,
    /// Why it is not ready, one line per reason.
    pub not_ready: Vec<String>,
    /// Since the state directory was created.
    pub totals: Counted,
    pub topics: Vec<TopicStatus>,
    pub sources: Vec<SourceStatus>,
    pub queues: Vec<Queue>,
    pub alerts: Vec<AlertStatus>,
    /// Transitions that are not delivered yet.
    pub outbox: u64,
}

/// Outcomes of posts and rows: `received = classified + unmatched + rejected + duplicates`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counted {
    pub received: u64,
    pub classified: u64,
    /// Posts of no topic, which the model did not read.
    #[serde(default)]
    pub unmatched: u64,
    pub rejected: u64,
    pub duplicates: u64,
    /// Of the classified: posts dated ahead of the clock, which counted when they arrived.
    #[serde(default)]
    pub future: u64,
}

/// One topic now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TopicStatus {
    pub name: String,
    /// Posts of the last hour that vote, and the negative ones among them.
    pub posts: u64,
    pub negative: u64,
    /// Posts of the last hour that repeat another and do not vote.
    #[serde(default)]
    pub copies: u64,
    /// Sum of the followers of the last hour's authors.
    #[serde(default)]
    pub reach: u64,
    /// Share of negative posts in the last hour, in `[0, 1]`; none without posts.
    pub rate: Option<f64>,
    /// The negative rate that counts as normal; none while it is not known.
    pub normal: Option<f64>,
    /// Hours that the normal rate was learned from; rules that compare with it need 24.
    #[serde(default)]
    pub learned_hours: u32,
    /// Posts, and negative ones, by minute of the last hour, the oldest first.
    pub recent: Vec<(u64, u64)>,
    /// Posts counted since the daemon started.
    pub total: u64,
}

/// One source now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SourceStatus {
    pub name: String,
    /// As `type` in the configuration.
    pub kind: String,
    /// Posts and rows received since the daemon started.
    pub received: u64,
    pub started_at: Timestamp,
    pub report: HealthReport,
}

/// A queue between two stages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Queue {
    pub name: String,
    /// Batches in it.
    pub waiting: u64,
    pub capacity: u64,
}

/// A rule on a topic, or an operational alert, that is pending or firing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlertStatus {
    pub rule: String,
    /// The topic, or the component that has the problem.
    pub topic: String,
    pub since: Timestamp,
    /// `pending` or `firing`.
    pub state: String,
    pub summary: String,
    /// The French summary, where the rule has one.
    #[serde(default)]
    pub summary_fr: Option<String>,
    /// Hours of the topic's past that are learned, where they are too few to know what is normal: fixed limits judged alone.
    #[serde(default)]
    pub learned_hours: Option<u32>,
    /// The incident that the alert belongs to, once there is one.
    #[serde(default)]
    pub incident: Option<String>,
    /// Who acknowledged that incident.
    #[serde(default)]
    pub acknowledged_by: Option<String>,
}
