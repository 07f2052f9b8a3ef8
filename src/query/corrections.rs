//! What people corrected, counted: how often, by whom, which label in place of which.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::monitor::{FeedbackRecord, feedback_from, last_labels, stored_feedback};
use crate::store::{StoreError, View};

/// Corrections in numbers. The last label given to a post counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CorrectionSummary {
    pub posts: u64,
    /// Where the model's label was another one.
    pub wrong: u64,
    /// Posts by the model's label (rows) and the given one (columns), in the order of [`Label::ALL`](crate::classify::Label::ALL).
    pub confusion: [[u64; 3]; 3],
    /// By who corrected, the most first; nobody's name under an empty one.
    pub people: Vec<(String, u64)>,
}

/// Some feedback, and where to continue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FeedbackPage {
    /// The oldest first.
    pub feedback: Vec<FeedbackRecord>,
    /// Where the next page starts; none after the last.
    pub next: Option<u64>,
}

/// The feedback after the number `after`, `limit` records at most.
pub(super) fn page(view: &View<'_>, limit: usize, after: Option<u64>) -> Result<FeedbackPage, StoreError> {
    let first = after.map_or(0, |after| after.saturating_add(1));
    let mut feedback = feedback_from(view, first, limit.saturating_add(1))?;
    let has_more = feedback.len() > limit;
    feedback.truncate(limit);
    let next = feedback.last().filter(|_| has_more).map(|given| given.number);
    Ok(FeedbackPage { feedback, next })
}

/// Of the labels given when `is_meant`.
pub(super) fn summary(view: &View<'_>, is_meant: impl Fn(Timestamp) -> bool) -> Result<CorrectionSummary, StoreError> {
    let mut summary = CorrectionSummary::default();
    let mut people: BTreeMap<String, u64> = BTreeMap::new();
    for given in last_labels(&stored_feedback(view)?) {
        let feedback = &given.feedback;
        if !is_meant(feedback.at) {
            continue;
        }
        summary.posts += 1;
        summary.wrong += u64::from(feedback.is_wrong());
        summary.confusion[feedback.predicted as usize][feedback.label as usize] += 1;
        *people.entry(feedback.by.clone().unwrap_or_default()).or_default() += 1;
    }
    summary.people = people.into_iter().collect();
    summary.people.sort_by_key(|(_, posts)| Reverse(*posts));
    Ok(summary)
}
