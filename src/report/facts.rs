//! [`ReportFacts`]: what a report is computed from, as it was read.

use jiff::{SignedDuration, Timestamp};

use super::ReportLength;
use super::incidents::{Acknowledgement, PeakFacts};
use super::sources::SourceGap;
use super::tally::PostTally;
use crate::notify::ReportSpan;
use crate::query::{CorrectionSummary, CurveStep};
use crate::source::{BudgetUsage, SourceState};
use crate::window::Counts;

/// See the module.
#[derive(Debug, Clone)]
pub struct ReportFacts {
    pub made_at: Timestamp,
    pub span: ReportSpan,
    pub length: ReportLength,
    pub topics: Vec<TopicFacts>,
    pub incidents: Vec<IncidentFacts>,
    pub knows_acknowledgements: bool,
    pub corrections: CorrectionSummary,
    pub sources: Vec<SourceFacts>,
    pub budget: Vec<BudgetUsage>,
    pub oldest_post: Option<Timestamp>,
}

/// A topic.
#[derive(Debug, Clone)]
pub struct TopicFacts {
    pub name: String,
    pub counts: Counts,
    /// The newest first.
    pub before: Vec<(ReportSpan, Counts)>,
    /// The first hour with posts; none where the topic never had any.
    pub first_hour: Option<Timestamp>,
    pub curve: Vec<CurveStep>,
    pub step: i64,
    /// Its stored posts of the time, and of the period before.
    pub posts: PostTally,
    pub posts_before: PostTally,
}

/// An incident, or an alert whose incident is not known any more.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentFacts {
    /// None where only its alerts are kept.
    pub id: Option<String>,
    /// The topic, or the component of vigie.
    pub subject: String,
    pub is_operational: bool,
    pub severity: String,
    /// The sentence of its worst alert, and the same in French where its rule has one.
    pub summary: String,
    pub summary_fr: Option<String>,
    pub rules: Vec<String>,
    pub started_at: Timestamp,
    /// None while it lasts.
    pub ended_at: Option<Timestamp>,
    /// None where the alert is not about counted posts.
    pub peak: Option<PeakFacts>,
    pub acknowledged: Acknowledgement,
}

/// A source.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceFacts {
    pub name: String,
    pub kind: String,
    /// Its stored posts of the time.
    pub posts: u64,
    /// Now.
    pub state: SourceState,
    /// The last error, in the words of the other side, while the source waits or is blocked.
    pub error: Option<String>,
    /// When it read nothing, or missed posts.
    pub gaps: Vec<SourceGap>,
}

impl SourceFacts {
    /// How long it had gaps within the time.
    pub fn gap(&self) -> SignedDuration {
        self.gaps.iter().fold(SignedDuration::ZERO, |sum, gap| sum.saturating_add(gap.until.duration_since(gap.since)))
    }
}
