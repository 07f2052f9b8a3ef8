//! [`MonitorReport`]: everything counted so far, read back from the store.

use serde::{Deserialize, Serialize};

use super::super::MonitorError;
use super::super::rule_state::RuleState;
use crate::alert::Alert;
use crate::classify::ClassifiedPost;
use crate::store::{Key, Store, Table};
use crate::window::{Counts, HourRecord, TopicWindow};

/// Counts since the state was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Posts counted, each once.
    pub posts: u64,
    /// By label, copies included; copies are also counted apart.
    pub labels: Counts,
    /// Posts and records that the daemon's sources sent; 0 in a replay.
    pub received: u64,
    /// Of them, those that could not be used.
    pub rejected: u64,
    /// Repeated posts.
    pub duplicates: u64,
    /// Posts older than the lateness allows.
    pub too_late: u64,
    /// Posts whose own time lay ahead of the clock: they count when they arrive.
    pub future: u64,
    /// Posts of no topic.
    pub unmatched: u64,
    /// Alerts that fired.
    pub alerts: u64,
    /// Start of the open bucket, in Unix seconds.
    pub(in crate::monitor) edge: Option<i64>,
    pub(in crate::monitor) commits: u64,
    pub(in crate::monitor) transitions: u64,
}

impl Totals {
    /// Posts that were classified and had not come before.
    pub fn classified(&self) -> u64 {
        self.posts + self.too_late
    }

    pub(in crate::monitor) fn count(&mut self, classified: &ClassifiedPost, copied: bool) {
        self.posts += 1;
        let followers = classified.post.details.followers.unwrap_or(0);
        self.labels += Counts { copies: copied.into(), ..Counts::one(classified.prediction.label).reaching(followers) };
    }
}

/// Everything needed to draw a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorReport {
    pub totals: Totals,
    /// In the order of their names.
    pub topics: Vec<TopicReport>,
}

/// One topic's past.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicReport {
    pub name: String,
    /// Hours with posts or a known normal, oldest first, by their start in Unix seconds.
    pub hours: Vec<(i64, HourRecord)>,
    /// Oldest first.
    pub alerts: Vec<Alert>,
}

pub(in crate::monitor) fn read(store: &Store, totals: Totals) -> Result<MonitorReport, MonitorError> {
    let topics: Result<_, MonitorError> =
        TopicWindow::stored_names(store)?.into_iter().map(|name| topic(store, name)).collect();
    let mut topics: Vec<TopicReport> = topics?;
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(MonitorReport { totals, topics })
}

fn topic(store: &Store, name: String) -> Result<TopicReport, MonitorError> {
    let mut alerts = Vec::new();
    for entry in store.scan::<Alert>(&Key::new(Table::Alert).text(&name)) {
        alerts.push(entry?.1);
    }
    for entry in store.scan::<RuleState>(&Key::new(Table::RuleState).text(&name)) {
        alerts.extend(entry?.1.alert);
    }
    alerts.sort_by(|a, b| a.fired_at.cmp(&b.fired_at).then_with(|| a.rule.cmp(&b.rule)));
    Ok(TopicReport { hours: TopicWindow::stored_hours(store, &name)?, alerts, name })
}
