//! [`Summary`]: the totals of a replay; the last line of `--format json`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::pipeline::replay::ReplaySummary;
use crate::window::Counts;

/// The totals of a replay. Except `timing` and `resumed_after`, they are the same for each replay of a dump.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Summary {
    #[serde(rename = "type")]
    kind: &'static str,
    /// Counted posts.
    pub(super) posts: u64,
    /// Unusable rows.
    pub(super) rejected: u64,
    pub(super) rejected_by_reason: BTreeMap<String, u64>,
    #[serde(skip)]
    pub(super) rejects_file: Option<String>,
    /// Further occurrences of a post in the dump.
    pub(super) duplicates: u64,
    pub(super) too_late: u64,
    /// Posts without a topic; they are skipped.
    pub(super) unmatched: u64,
    pub(super) labels: Counts,
    /// Alerts that fired.
    pub(super) alerts: u64,
    pub(super) topics: BTreeMap<String, Topic>,
    pub(super) model: String,
    /// Posts processed by a previous run with the same `--state`.
    #[serde(skip)]
    pub(super) resumed_after: u64,
    pub(super) timing: Timing,
}

/// The totals of one topic.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Topic {
    posts: u64,
    #[serde(flatten)]
    labels: Counts,
    alerts: u64,
}

/// The speed, which differs from run to run.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Timing {
    pub(super) wall_seconds: f64,
    /// Posts of this run per second of wall time, including reading and sorting.
    pub(super) posts_per_second: f64,
}

impl Summary {
    pub(super) fn new(outcome: &ReplaySummary, wall_seconds: f64) -> Self {
        let report = &outcome.report;
        let topics = report.topics.iter().map(|topic| {
            let mut labels = Counts::default();
            topic.hours.iter().for_each(|(_, hour)| labels += hour.counts);
            let alerts = topic.alerts.len() as u64;
            (topic.name.clone(), Topic { posts: labels.posts(), labels, alerts })
        });
        let totals = &report.totals;
        Self {
            kind: "summary",
            posts: totals.posts,
            rejected: outcome.rejected.values().sum(),
            rejected_by_reason: outcome.rejected.clone(),
            rejects_file: outcome.rejects_file.as_ref().map(|path| path.display().to_string()),
            duplicates: totals.duplicates,
            too_late: totals.too_late,
            unmatched: totals.unmatched,
            labels: totals.labels,
            alerts: totals.alerts,
            topics: topics.collect(),
            model: outcome.model.clone(),
            resumed_after: outcome.resumed_after,
            timing: Timing { wall_seconds, posts_per_second: outcome.replayed as f64 / wall_seconds.max(1e-9) },
        }
    }
}
