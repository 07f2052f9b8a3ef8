//! Reports: what happened in a day, a week or any other time, against the periods before. Stands above `query` and `notify`: it
//! reads the one and writes for the receivers of the other, and waits for nobody.
//!
//! ```text
//!   Query, incidents, sources --collect--> ReportFacts --compute--> PeriodReport --render--> page, mail, text, card
//!        \-- posts: tally, words
//! ```
//!
//! Counts come from the hours of a topic, as the console's charts do; reasons, words and posts from the stored posts.

mod collect;
mod compute;
mod facts;
mod incidents;
mod length;
pub mod render;
mod sources;
mod tally;
mod words;

#[cfg(test)]
mod tests;

pub use collect::ReportReader;
pub use facts::{IncidentFacts, ReportFacts, SourceFacts, TopicFacts};
pub use incidents::{Acknowledgement, PeakFacts};
pub use length::ReportLength;
pub use sources::SourceGap;
pub use words::ReportWord;

use jiff::Timestamp;

use crate::notify::ReportSpan;
use crate::query::{CorrectionSummary, CurveStep};
use crate::source::BudgetUsage;
use crate::window::{Counts, Sample};

/// A report, in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodReport {
    pub made_at: Timestamp,
    pub span: ReportSpan,
    pub length: ReportLength,
    /// In the order of the configuration, then by name.
    pub topics: Vec<ReportTopic>,
    /// The oldest first; none about vigie itself.
    pub incidents: Vec<IncidentFacts>,
    /// Whether it is known who acknowledged an incident: not in a replay.
    pub knows_acknowledgements: bool,
    /// Labels that people gave within the time.
    pub corrections: CorrectionSummary,
    pub sources: Vec<SourceFacts>,
    /// Spent so far in the current day and month (UTC), not in the time of the report.
    pub budget: Vec<BudgetUsage>,
    /// When the oldest stored post was written, where posts of the time are not kept any more.
    pub posts_since: Option<Timestamp>,
}

/// One topic.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportTopic {
    pub name: String,
    pub now: PeriodRate,
    /// The newest first; none before the first counted hour of the topic.
    pub before: Vec<PeriodRate>,
    pub change: RateChange,
    /// Posts against the mean of the complete periods before, as a ratio less 1; none without such periods.
    pub volume_change: Option<f64>,
    /// Of the time of the report, in equal steps.
    pub curve: Vec<CurveStep>,
    /// Seconds of a step.
    pub step: i64,
    /// The most frequent first.
    pub reasons: Vec<ReportReason>,
    pub words: Vec<ReportWord>,
    /// Whether words are compared with the period before, or with other posts of the time.
    pub words_before: bool,
    /// Posts with the most retweets, quotes and copies.
    pub copied: Vec<ReportPost>,
    /// Posts that may have reached most people.
    pub reached: Vec<ReportPost>,
    /// Incidents about the topic in the time.
    pub incidents: usize,
}

/// The negative rate of a period.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodRate {
    pub span: ReportSpan,
    pub counts: Counts,
    /// Share of negative posts, in `[0, 1]`; none without posts.
    pub rate: Option<f64>,
    /// Its 95 % interval (Wilson).
    pub interval: [f64; 2],
    /// The topic was not watched, or its counts are not kept, from the start of the period on.
    pub is_partial: bool,
}

/// The negative rate against that of the periods before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateChange {
    pub verdict: ChangeVerdict,
    /// The common rate of the periods before; none without posts.
    pub before: Option<f64>,
    /// The rate less `before`, in `[-1, 1]`.
    pub difference: f64,
    /// Too few periods before to know how much the rate moves from one to the next.
    pub is_swing_unknown: bool,
}

/// What may be said about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeVerdict {
    /// Nothing to compare with.
    NothingBefore,
    TooFewPosts,
    /// As far as chance and the usual swing explain.
    WithinChance,
    Higher,
    Lower,
}

/// Why posts were negative.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportReason {
    pub reason: String,
    pub posts: u64,
    /// Negative posts with a reason: the share is `posts / total`.
    pub total: u64,
    /// The share in the period before, in `[0, 1]`; none where too few posts of it are stored.
    pub before: Option<f64>,
}

/// A post of the report. Personal data.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportPost {
    pub post: Sample,
    pub label: crate::classify::Label,
    /// Posts of the time that repeat it.
    pub copies: u64,
    /// Followers of its author, and reactions.
    pub reach: u64,
}
