//! [`AlertContext`]: what messages show next to an alert's numbers: reach, distinctive words, complaint reasons, trend.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The context of an alert. Words and reasons are those that set the alert's posts apart; nothing here names a person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlertContext {
    /// Posts of the window that repeat another: retweets, quotes, near-identical copies. They do not count in the rate.
    pub copies: u64,
    /// The sum of the followers of all authors in the window, copies included.
    pub reach: u64,
    /// The most distinctive first.
    pub words: Vec<Word>,
    /// The most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// The day before, up to now, in equal steps; the oldest first.
    pub trend: Vec<Point>,
}

/// A word that is more frequent in negative posts than usual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Word {
    pub word: String,
    /// Negative posts of the window that contain it.
    pub posts: u64,
    /// All negative posts of the window: the share is `posts / total`.
    pub total: u64,
    /// `posts` if the word were as frequent as usual among `total` posts.
    pub normal: f64,
}

/// Why posts are negative, such as `late_flight`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReasonCount {
    pub reason: String,
    pub posts: u64,
    /// All negative posts of the window that have a reason: the share is `posts / total`.
    pub total: u64,
    /// `posts` if the reason were as frequent as usual among `total` posts.
    pub normal: f64,
}

/// One step of a trend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Point {
    pub start: Timestamp,
    /// Posts that count in the rate.
    pub posts: u64,
    pub negative: u64,
    /// The normal negative rate, in `[0, 1]`.
    pub normal: Option<f64>,
}
