//! [`StatusPublisher`]: publishes the running daemon's metrics and [`Status`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};

use super::message::{BatchOutcome, ClassifiedBatch, MatchedPost};
use super::status::{AlertStatus, Counted, Queue, SourceStatus, Status, TopicStatus};
use super::stopwatch::Stopwatch;
use crate::alert::OperationalAlert;
use crate::metrics::{Metrics, SourceMetrics};
use crate::monitor::{AlertView, Monitor, PostOutcome, TopicView};
use crate::notify::Dispatcher;
use crate::source::{Cursor, Envelope, Health, SourceState};

/// The committed cursor of each source, for a restart.
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

/// A source as the publisher sees it.
#[derive(Clone)]
pub(super) struct SourceEntry {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) started_at: Timestamp,
    pub(super) health: Health,
    pub(super) metrics: SourceMetrics,
}

/// What is observed, and where it is published.
pub(super) struct StatusPublisher {
    pub(super) metrics: Metrics,
    pub(super) sources: Vec<SourceEntry>,
    /// The queue of batches; weak, so that it ends when its sources do.
    pub(super) batches: mpsc::WeakSender<Envelope>,
    pub(super) committed: Committed,
    pub(super) status: watch::Sender<Status>,
    /// The time since the last status.
    pub(super) published: Stopwatch,
    /// Posts per topic since the daemon started.
    pub(super) per_topic: BTreeMap<String, u64>,
    /// When posts of a source that lay ahead of the clock were last logged.
    pub(super) future_logged_at: BTreeMap<String, Timestamp>,
}

/// What sources report as problems, by name.
const REPORTED_BY_SOURCES: [OperationalAlert; 3] =
    [OperationalAlert::BudgetNearlySpent, OperationalAlert::BudgetSpent, OperationalAlert::StreamGapNotFilled];
/// How often posts ahead of the clock are logged, for each source.
const FUTURE_LOG_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

impl StatusPublisher {
    /// Records committed batches and their outcomes: counts them, notifies waiting senders, keeps the sources' cursors.
    pub(super) fn record_commit(&mut self, batches: Vec<ClassifiedBatch>, outcomes: Vec<BatchOutcome>, now: Timestamp) {
        for (batch, BatchOutcome { posts: outcomes, future }) in batches.into_iter().zip(outcomes) {
            self.report_future(&batch.source, future, now);
            let source = self.sources.iter().find(|source| source.name == *batch.source);
            if let Some(source) = source {
                source.metrics.notices.inc_by(batch.compliance.len() as u64);
                source.metrics.duplicates.inc_by(batch.duplicates);
                source.metrics.future.inc_by(future);
                let poisoned = batch.rejected.iter().filter(|record| record.reason == "poison");
                poisoned.for_each(|record| source.metrics.rejected(&record.reason));
            }
            let seconds = |since: Timestamp| now.duration_since(since).as_secs_f64().max(0.0);
            for (MatchedPost { topics, classified }, outcome) in batch.posts.into_iter().zip(outcomes) {
                self.metrics.monitor.posts.with_label_values(&[outcome_name(outcome)]).inc();
                if matches!(outcome, PostOutcome::Counted | PostOutcome::Copied) {
                    let label = classified.prediction.label.as_str();
                    for topic in topics {
                        self.metrics.monitor.topic_posts.with_label_values(&[topic.as_str(), label]).inc();
                        *self.per_topic.entry(topic).or_default() += 1;
                    }
                }
                if let Some(source) = source {
                    match outcome {
                        PostOutcome::Duplicate => source.metrics.duplicates.inc(),
                        _ => source.metrics.classified.inc(),
                    }
                }
                self.metrics.monitor.end_to_end.observe(seconds(classified.post.created_at));
                self.metrics.monitor.arrival_to_decision.observe(seconds(batch.at));
            }
            self.metrics.monitor.posts.with_label_values(&["unmatched"]).inc_by(batch.unmatched);
            if let Some(source) = source {
                source.metrics.unmatched.inc_by(batch.unmatched);
            }
            if let Some(cursor) = batch.cursor {
                self.committed.set(&batch.source, cursor);
            }
            if let Some(ack) = batch.ack {
                // The sender may have gone.
                let _ = ack.send(());
            }
        }
    }

    /// Logs posts of `source` that lay ahead of the clock: at most once an hour, since a wrong clock makes all of them so.
    fn report_future(&mut self, source: &str, posts: u64, now: Timestamp) {
        let logged = self.future_logged_at.get(source).copied();
        if posts == 0 || logged.is_some_and(|logged| now.duration_since(logged).abs() < FUTURE_LOG_INTERVAL) {
            return;
        }
        tracing::warn!(
            source,
            posts,
            "posts dated ahead of the clock: counted at their arrival; check the clock of this machine and the time zone of the \
             source"
        );
        self.future_logged_at.insert(source.to_owned(), now);
    }

    /// Operational alerts of the sources, by component; no summary for one that is resolved.
    pub(super) fn operational_alerts(&self, now: Timestamp) -> Vec<(OperationalAlert, String, Option<String>)> {
        let mut alerts = Vec::new();
        for source in &self.sources {
            let report = source.health.report();
            let stalled = report.stalled(&source.name, source.started_at, now);
            let blocked = match &report.state {
                SourceState::Blocked { why } => Some(why.clone()),
                _ => None,
            };
            source.metrics.stalled.set(i64::from(stalled.is_some()));
            source.metrics.blocked.set(i64::from(blocked.is_some()));
            if let Some(success) = report.last_success {
                source.metrics.last_success.set(success.as_second() as f64);
            }
            let mut add = |alert: OperationalAlert, summary| alerts.push((alert, source.name.clone(), summary));
            add(OperationalAlert::SourceStalled, stalled);
            add(OperationalAlert::SourceBlocked, blocked);
            for alert in REPORTED_BY_SOURCES {
                add(alert, report.problems.get(alert.name()).cloned());
            }
        }
        alerts
    }

    /// Publishes the state of `monitor`, and who takes care of its alerts.
    pub(super) fn publish(&mut self, monitor: &Monitor, dispatcher: &Dispatcher, now: Timestamp) {
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
        self.metrics.notify.outbox.set(monitor.outbox().len() as i64);
        let totals = monitor.totals();
        let totals_shown = Counted {
            received: totals.received,
            classified: totals.classified(),
            unmatched: totals.unmatched,
            rejected: totals.rejected,
            duplicates: totals.duplicates,
            future: totals.future,
        };
        let sources: Vec<SourceStatus> = self.sources.iter().map(source_status).collect();
        let queues = self.queues();
        let not_ready = not_ready(&sources, now);
        self.metrics.daemon.ready.set(i64::from(not_ready.is_empty()));
        self.published.start();
        let topics = topics.into_iter().map(|topic| topic_status(topic, &self.per_topic)).collect();
        self.status.send_modify(|status| {
            status.now = now;
            status.ready = not_ready.is_empty();
            status.not_ready = not_ready;
            status.totals = totals_shown;
            status.topics = topics;
            status.sources = sources;
            status.queues = queues;
            status.alerts = alerts.into_iter().map(|alert| alert_status(alert, dispatcher)).collect();
            status.outbox = monitor.outbox().len() as u64;
        });
    }

    /// Publishes that the store has failed.
    pub(super) fn store_failed(&self, why: &str, now: Timestamp) {
        self.metrics.daemon.ready.set(0);
        // Waiting for the store counts as progress: the watchdog must not kill a waiting daemon.
        self.published.start();
        self.status.send_modify(|status| {
            status.now = now;
            status.ready = false;
            status.not_ready = vec![why.to_owned()];
        });
    }

    fn queues(&self) -> Vec<Queue> {
        let Some(batches) = self.batches.upgrade() else { return Vec::new() };
        let capacity = batches.max_capacity() as u64;
        let waiting = capacity - batches.capacity() as u64;
        let name = "classifier".to_owned();
        self.metrics.daemon.queued.with_label_values(&[&name]).set(waiting as i64);
        self.metrics.daemon.queue_capacity.with_label_values(&[&name]).set(capacity as i64);
        vec![Queue { name, waiting, capacity }]
    }
}

fn not_ready(sources: &[SourceStatus], now: Timestamp) -> Vec<String> {
    let fault = |source: &SourceStatus| {
        let gap = || {
            let gap = source.report.problems.get(OperationalAlert::StreamGapNotFilled.name());
            gap.map(|gap| format!("source {}: {gap}", source.name))
        };
        source.report.fault(&source.name, source.started_at, now).or_else(gap)
    };
    sources.iter().filter_map(fault).collect()
}

fn source_status(source: &SourceEntry) -> SourceStatus {
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
        learned_hours: topic.learned_hours,
        recent: topic.recent.iter().map(|counts| (counts.posts(), counts.negative)).collect(),
        total: totals.get(&topic.name).copied().unwrap_or_default(),
        name: topic.name,
    }
}

fn alert_status(alert: AlertView, dispatcher: &Dispatcher) -> AlertStatus {
    let (incident, acknowledged) = dispatcher.incident_of(&alert.rule, &alert.topic).unzip();
    let state = if alert.firing { "firing" } else { "pending" };
    AlertStatus {
        rule: alert.rule,
        topic: alert.topic,
        since: alert.since,
        state: state.into(),
        summary: alert.summary,
        summary_fr: alert.summary_fr,
        learned_hours: alert.learned_hours,
        incident: incident.map(str::to_owned),
        acknowledged_by: acknowledged.flatten().map(|acknowledged| acknowledged.by.clone()),
    }
}

fn outcome_name(outcome: PostOutcome) -> &'static str {
    match outcome {
        PostOutcome::Counted => "counted",
        PostOutcome::Copied => "copied",
        PostOutcome::TooLate => "too_late",
        PostOutcome::Unmatched => "unmatched",
        PostOutcome::Duplicate => "duplicate",
    }
}
