//! [`Board`]: everything about the running daemon that others look at, in metrics and in the published [`Status`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::classifier_thread::Classified;
use super::monitor_thread::Fate;
use super::status::{AlertStatus, Counted, Queue, SourceStatus, Status, TopicStatus};
use crate::metrics::{Metrics, SourceMetrics};
use crate::monitor::{AlertView, Monitor, Outcome, TopicView};
use crate::source::{Arrived, Cursor, Health, SourceState};

/// How far each source is committed, for one that is started again.
#[derive(Debug, Clone, Default)]
pub(super) struct Committed(Arc<Mutex<BTreeMap<String, Cursor>>>);

impl Committed {
    pub(super) fn set(&self, source: &str, cursor: Cursor) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(source.to_owned(), cursor);
    }

    pub(super) fn get(&self, source: &str) -> Option<Cursor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(source).cloned()
    }
}

/// A source as the board sees it.
#[derive(Clone)]
pub(super) struct Watched {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) started_at: Timestamp,
    pub(super) health: Health,
    pub(super) metrics: SourceMetrics,
}

/// What is watched, and where it is told.
pub(super) struct Board {
    pub(super) metrics: Metrics,
    pub(super) sources: Vec<Watched>,
    /// The queue of deliveries; weak, so that it ends when its sources do.
    pub(super) deliveries: mpsc::WeakSender<Arrived>,
    pub(super) committed: Committed,
    pub(super) status: watch::Sender<Status>,
    /// Posts per topic since the daemon started.
    pub(super) per_topic: BTreeMap<String, u64>,
}

impl Board {
    /// A batch is committed: counts it, tells those who wait for it, and notes how far its sources are.
    pub(super) fn counted(&mut self, batch: Vec<Classified>, fates: Vec<Fate>, now: Timestamp) {
        let mut fates = fates.into_iter();
        for delivery in batch {
            let source = self.sources.iter().find(|source| source.name == *delivery.source);
            if let Some(source) = source {
                source.metrics.notices.inc_by(delivery.notices.len() as u64);
                source.metrics.duplicates.inc_by(delivery.duplicates);
                let poisoned = delivery.unusable.iter().filter(|unusable| unusable.reason == "poison");
                poisoned.for_each(|unusable| source.metrics.rejected(&unusable.reason));
            }
            let seconds = |since: Timestamp| now.duration_since(since).as_secs_f64().max(0.0);
            for classified in &delivery.posts {
                let Some(Fate { outcome, topics }) = fates.next() else { break };
                self.metrics.monitor.posts.with_label_values(&[outcome_name(outcome)]).inc();
                if matches!(outcome, Outcome::Counted | Outcome::Copied) {
                    let label = classified.prediction.label.as_str();
                    for topic in topics {
                        self.metrics.monitor.topic_posts.with_label_values(&[topic.as_str(), label]).inc();
                        *self.per_topic.entry(topic).or_default() += 1;
                    }
                }
                if let Some(source) = source {
                    match outcome {
                        Outcome::Duplicate => source.metrics.duplicates.inc(),
                        _ => source.metrics.classified.inc(),
                    }
                }
                self.metrics.monitor.end_to_end.observe(seconds(classified.post.created_at));
                self.metrics.monitor.arrival_to_decision.observe(seconds(delivery.at));
            }
            if let Some(cursor) = delivery.cursor {
                self.committed.set(&delivery.source, cursor);
            }
            if let Some(durable) = delivery.durable {
                // Who waited may have gone.
                let _ = durable.send(());
            }
        }
    }

    /// What is wrong with the sources, by name and component; no summary where a known problem is over.
    pub(super) fn problems(&self, now: Timestamp) -> Vec<(String, String, Option<String>)> {
        let mut problems = Vec::new();
        for source in &self.sources {
            let report = source.health.report();
            let stalled = report.is_stalled(source.started_at, now);
            let blocked = match &report.state {
                SourceState::Blocked { why } => Some(why.clone()),
                _ => None,
            };
            source.metrics.stalled.set(i64::from(stalled));
            source.metrics.blocked.set(i64::from(blocked.is_some()));
            if let Some(success) = report.last_success {
                source.metrics.last_success.set(success.as_second() as f64);
            }
            let silent = stalled.then(|| {
                let since = report.last_success.unwrap_or(source.started_at);
                format!("{} heard nothing since {since}", source.name)
            });
            let mut add = |name: &str, summary| problems.push((name.to_owned(), source.name.clone(), summary));
            add("SourceStalled", silent);
            add("SourceBlocked", blocked);
            for known in ["BudgetNearlySpent", "BudgetSpent"] {
                add(known, report.problems.get(known).cloned());
            }
        }
        problems
    }

    /// Tells what `monitor` sees.
    pub(super) fn publish(&mut self, monitor: &Monitor, now: Timestamp) {
        let topics = monitor.topics();
        for topic in &topics {
            let ratio = self.metrics.monitor.topic_negative_ratio.clone();
            match topic.hour.negative_rate() {
                Some(rate) => ratio.with_label_values(&[&topic.name]).set(rate),
                None => drop(ratio.remove_label_values(&[&topic.name])),
            }
        }
        let alerts = monitor.alerts();
        let firing = alerts.iter().filter(|alert| alert.firing).count();
        self.metrics.monitor.alerts_firing.set(firing as i64);
        self.metrics.notify.outbox.set(monitor.outbox() as i64);
        let totals = monitor.totals();
        let counted = Counted {
            received: totals.received,
            classified: totals.classified(),
            rejected: totals.rejected,
            duplicates: totals.duplicates,
        };
        let sources: Vec<SourceStatus> = self.sources.iter().map(source_status).collect();
        let queues = self.queues();
        let not_ready = not_ready(&sources, now);
        self.metrics.daemon.ready.set(i64::from(not_ready.is_empty()));
        let topics = topics.into_iter().map(|topic| topic_status(topic, &self.per_topic)).collect();
        self.status.send_modify(|status| {
            status.now = now;
            status.ready = not_ready.is_empty();
            status.not_ready = not_ready;
            status.totals = counted;
            status.topics = topics;
            status.sources = sources;
            status.queues = queues;
            status.alerts = alerts.into_iter().map(alert_status).collect();
            status.outbox = monitor.outbox() as u64;
        });
    }

    /// Tells that nothing can be stored.
    pub(super) fn store_failed(&self, why: &str, now: Timestamp) {
        self.metrics.daemon.ready.set(0);
        self.status.send_modify(|status| {
            // Waiting for the store is progress: the watchdog must not kill what only waits.
            status.now = now;
            status.ready = false;
            status.not_ready = vec![why.to_owned()];
        });
    }

    fn queues(&self) -> Vec<Queue> {
        let Some(deliveries) = self.deliveries.upgrade() else { return Vec::new() };
        let capacity = deliveries.max_capacity() as u64;
        let waiting = capacity - deliveries.capacity() as u64;
        let name = "deliveries".to_owned();
        self.metrics.daemon.queued.with_label_values(&[&name]).set(waiting as i64);
        self.metrics.daemon.queue_capacity.with_label_values(&[&name]).set(capacity as i64);
        vec![Queue { name, waiting, capacity }]
    }
}

fn not_ready(sources: &[SourceStatus], now: Timestamp) -> Vec<String> {
    let fault = |source: &SourceStatus| match &source.report.state {
        SourceState::Blocked { why } => Some(format!("source {} cannot go on: {why}", source.name)),
        _ if source.report.is_stalled(source.started_at, now) => {
            let since = source.report.last_success.unwrap_or(source.started_at);
            Some(format!("source {} heard nothing since {since}", source.name))
        }
        _ => None,
    };
    sources.iter().filter_map(fault).collect()
}

fn source_status(source: &Watched) -> SourceStatus {
    SourceStatus {
        name: source.name.clone(),
        kind: source.kind.clone(),
        received: source.metrics.received.get(),
        started_at: source.started_at,
        report: source.health.report(),
    }
}

fn topic_status(topic: TopicView, totals: &BTreeMap<String, u64>) -> TopicStatus {
    TopicStatus {
        posts: topic.hour.posts(),
        negative: topic.hour.negative,
        copies: topic.hour.copies,
        reach: topic.hour.reach,
        rate: topic.hour.negative_rate(),
        normal: topic.normal,
        recent: topic.recent.iter().map(|counts| (counts.posts(), counts.negative)).collect(),
        total: totals.get(&topic.name).copied().unwrap_or_default(),
        name: topic.name,
    }
}

fn alert_status(alert: AlertView) -> AlertStatus {
    let state = if alert.firing { "firing" } else { "pending" };
    AlertStatus {
        rule: alert.rule,
        topic: alert.topic,
        since: alert.since,
        state: state.into(),
        summary: alert.summary,
    }
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Counted => "counted",
        Outcome::Copied => "copied",
        Outcome::TooLate => "too_late",
        Outcome::Unmatched => "unmatched",
        Outcome::Duplicate => "duplicate",
    }
}
