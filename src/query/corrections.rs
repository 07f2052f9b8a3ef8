//! What people corrected, counted: how often, by whom, which label in place of which. And whether the model's labels drift:
//! their shares now against the weeks before.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::monitor::{FeedbackRecord, feedback_from, last_labels, stored_feedback};
use crate::store::{Key, StoreError, Table, View};
use crate::window::{Counts, HourRecord};

const DAY: i64 = 86_400;
/// Days that are compared, and days before them that they are compared with.
const RECENT_DAYS: i64 = 7;
const REFERENCE_DAYS: i64 = 28;
/// Population stability index above which shares count as shifted, and as strongly shifted: the usual limits in credit scoring
/// (Siddiqi 2006).
const PSI_WARNING: f64 = 0.1;
const PSI_ALARM: f64 = 0.25;
/// Fewer posts in either part say nothing.
const MIN_POSTS: u64 = 100;

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

/// How the shares of the labels of a topic moved.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct LabelDrift {
    pub topic: String,
    /// Shares in the last days and in the weeks before, in the order of [`Label::ALL`](crate::classify::Label::ALL).
    pub recent: [f64; 3],
    pub reference: [f64; 3],
    pub recent_posts: u64,
    pub reference_posts: u64,
    /// The population stability index; none where there are too few posts.
    pub index: Option<f64>,
    pub verdict: DriftVerdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftVerdict {
    TooFewPosts,
    Stable,
    Shifted,
    StronglyShifted,
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

pub(super) fn drift(view: &View<'_>, topic: &str, now: i64) -> Result<LabelDrift, StoreError> {
    let prefix = Key::new(Table::History).text(topic);
    let boundary = now - RECENT_DAYS * DAY;
    let (mut recent, mut reference) = (Counts::default(), Counts::default());
    for entry in view.range(&prefix.clone().time(boundary - REFERENCE_DAYS * DAY), &prefix.time(now))? {
        let (key, bytes) = entry?;
        let hour: HourRecord = crate::store::decode(&key, &bytes)?;
        *(if key.last_time() >= Some(boundary) { &mut recent } else { &mut reference }) += hour.counts;
    }
    let (recent_posts, reference_posts) = (recent.posts(), reference.posts());
    let index = (recent_posts.min(reference_posts) >= MIN_POSTS)
        .then(|| stability_index(&shares(&recent), &shares(&reference)));
    let verdict = match index {
        None => DriftVerdict::TooFewPosts,
        Some(index) if index >= PSI_ALARM => DriftVerdict::StronglyShifted,
        Some(index) if index >= PSI_WARNING => DriftVerdict::Shifted,
        Some(_) => DriftVerdict::Stable,
    };
    let (recent, reference) = (shares(&recent), shares(&reference));
    Ok(LabelDrift { topic: topic.to_owned(), recent, reference, recent_posts, reference_posts, index, verdict })
}

fn shares(counts: &Counts) -> [f64; 3] {
    let posts = counts.posts().max(1) as f64;
    [counts.negative, counts.neutral, counts.positive].map(|label| label as f64 / posts)
}

/// The population stability index of two distributions: the sum of `(a - b) ln(a / b)`. A share of zero counts as one in ten
/// thousand, or the index would be infinite.
fn stability_index(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    let floor = |share: &f64| share.max(1e-4);
    a.iter().zip(b).map(|(a, b)| (floor(a) - floor(b)) * (floor(a) / floor(b)).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_zero_for_equal_shares_and_grows_with_the_shift() {
        let even = [0.5, 0.3, 0.2];
        assert_eq!(stability_index(&even, &even), 0.0);
        // By hand: .1 ln(.6/.5) + .1 ln(.3/.2).
        let moved = stability_index(&[0.6, 0.2, 0.2], &even);
        assert!((moved - 0.058_78).abs() < 1e-4, "{moved}");
        assert!(stability_index(&[1.0, 0.0, 0.0], &even) > PSI_ALARM);
    }
}
