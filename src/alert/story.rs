//! [`Story`]: what people are shown beside an alert's numbers: how many were reached, what is new in what is written, and
//! how it came to this.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What surrounds an alert. Words and reasons are those that set the alert's posts apart; none of it names a person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// Posts of the window that repeat another: retweets, quotes, near-identical copies. They do not vote.
    pub copies: u64,
    /// Followers of those who wrote the window's posts, copies included, added up.
    pub reach: u64,
    /// The most telling first.
    pub words: Vec<Word>,
    /// The most frequent first.
    pub reasons: Vec<Reason>,
    /// The day before, up to now, in equal steps; the oldest first.
    pub trend: Vec<Point>,
}

/// A word that negative posts hold more often than they used to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    pub word: String,
    /// Negative posts of the window that hold it.
    pub posts: u64,
    /// As many were to be expected from the time before.
    pub normal: f64,
}

/// Why posts are negative, such as `late_flight`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    pub reason: String,
    pub posts: u64,
    /// As many were to be expected from the time before.
    pub normal: f64,
}

/// One step of a trend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub start: Timestamp,
    /// Posts that vote.
    pub posts: u64,
    pub negative: u64,
    /// The negative rate that counted as normal, in `[0, 1]`.
    pub normal: Option<f64>,
}
