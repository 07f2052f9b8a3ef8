//! The monitor's thread: counts, judges and commits classified posts, advances time, and dispatches notifications.
//!
//! ```text
//!   classifier ==> gather (for COMMIT_INTERVAL) -> observe -> commit, with the cursors -> flush -> notify waiting senders
//!   clock      --> every second: close buckets, evaluate rules, check the sources, publish the status
//!   commands   --> executed and answered between two batches
//! ```
//!
//! When the store fails or anything panics, no batch is lost: the store is reopened and the batch counted again, until it is
//! committed or the daemon stops.

mod alerts;
mod commands;
mod gather;
mod recovery;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::clock::{JumpGuardedClock, MonotonicClock, Reading};
use super::command::ReceiverHandle;
use super::delivery::NotificationDispatch;
use super::incident_board::BoardPublisher;
use super::message::{BatchOutcome, ClassifiedBatch, Event};
use super::post_path::PostObserver;
use super::report_writer::ReportWriter;
use super::restart_policy::RestartPolicy;
use super::status_publisher::StatusPublisher;
use crate::alert::OperationalAlert;
use crate::classify::ModelInfo;
use crate::clock::Clock;
use crate::config::LoadedConfig;
use crate::metrics::Metrics;
use crate::monitor::{Monitor, MonitorError};
use crate::query::Query;
use crate::rule::EventKind;
use crate::telemetry::Telemetry;
use gather::gather;

/// How long classified posts wait for others to be committed with them.
const COMMIT_INTERVAL: Duration = Duration::from_millis(200);
/// Posts committed together, about.
const MAX_COMMIT_POSTS: usize = 1_024;
const TICK: Duration = Duration::from_secs(1);
/// How long notifications in flight are waited for at shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// How often retention runs.
const RETENTION_INTERVAL: SignedDuration = SignedDuration::from_mins(10);

/// Everything the thread works with.
pub(super) struct MonitorThread {
    /// None while the store is unavailable.
    monitor: Option<Monitor>,
    observer: PostObserver,
    loaded: LoadedConfig,
    model: ModelInfo,
    /// Follows the store when it is opened again.
    query: Query,
    state: PathBuf,
    wall: Clock,
    monotonic: MonotonicClock,
    clock: JumpGuardedClock,
    suspect_jump: Option<String>,
    /// When and why the store failed, until its recovery is dispatched.
    outage: Option<(Timestamp, String)>,
    retention_ran_at: Option<Timestamp>,
    /// Internal failures that the monitor has recorded.
    reported_errors: u64,
    dispatch: NotificationDispatch,
    publisher: StatusPublisher,
    restart_policy: RestartPolicy,
    metrics: Metrics,
    telemetry: Telemetry,
    stop: CancellationToken,
}

/// What the thread is started with.
pub(super) struct MonitorThreadArgs {
    pub(super) monitor: Monitor,
    pub(super) loaded: LoadedConfig,
    pub(super) model: ModelInfo,
    pub(super) query: Query,
    pub(super) state: PathBuf,
    pub(super) wall: Clock,
    pub(super) monotonic: MonotonicClock,
    pub(super) receivers: Vec<ReceiverHandle>,
    pub(super) events: SyncSender<Event>,
    pub(super) publisher: StatusPublisher,
    pub(super) board: BoardPublisher,
    pub(super) reports: ReportWriter,
    pub(super) metrics: Metrics,
    pub(super) telemetry: Telemetry,
    pub(super) stop: CancellationToken,
}

impl MonitorThread {
    pub(super) fn new(args: MonitorThreadArgs) -> anyhow::Result<Self> {
        let MonitorThreadArgs {
            monitor,
            loaded,
            model,
            query,
            state,
            wall,
            monotonic,
            receivers,
            events,
            publisher,
            board,
            reports,
            metrics,
            telemetry,
            stop,
        } = args;
        let clock = JumpGuardedClock::new(wall(), monotonic());
        let dispatch = NotificationDispatch::new(
            &monitor,
            loaded.config.routing().with_reports(loaded.config.reports.clone()),
            receivers,
            (events, board, reports),
            (metrics.clone(), telemetry.clone()),
            wall(),
        )?;
        let mut thread = Self {
            monitor: Some(monitor),
            observer: PostObserver::default(),
            loaded,
            model,
            query,
            state,
            wall,
            monotonic,
            clock,
            suspect_jump: None,
            outage: None,
            retention_ran_at: None,
            reported_errors: 0,
            dispatch,
            publisher,
            restart_policy: RestartPolicy::default(),
            metrics,
            telemetry,
            stop,
        };
        thread.rewind_if_ahead()?;
        thread.publish();
        Ok(thread)
    }

    /// Rewinds a store whose time lies ahead of the clock: it was written under a clock that ran ahead. Topics alone may be
    /// ahead because of one post.
    fn rewind_if_ahead(&mut self) -> Result<(), MonitorError> {
        let now = (self.wall)();
        if let Some(monitor) = &mut self.monitor {
            let topics = monitor.repair_ahead(now)?;
            if !topics.is_empty() {
                tracing::warn!(topics = topics.len(), "topics were ahead of the clock: moved back to the present");
                monitor.commit()?;
            }
        }
        let ahead = |monitor: &Monitor| monitor.edge().is_some_and(|edge| edge.duration_since(now).as_mins() > 2);
        if let Some(monitor) = self.monitor.take_if(|monitor| ahead(monitor)) {
            tracing::warn!("state is ahead of the clock: rewinding to the present");
            self.monitor = Some(monitor.rewind(now)?);
        }
        Ok(())
    }

    /// Runs until everything is drained.
    ///
    /// # Errors
    /// When it failed too often, or could not commit before the daemon stopped.
    pub(super) fn run(mut self, events: &Receiver<Event>) -> anyhow::Result<()> {
        let mut next_tick = Instant::now();
        loop {
            let event = match events.recv_timeout(next_tick.saturating_duration_since(Instant::now())) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Event::Drained),
            };
            if let Some(event) = event
                && self.handle(event, events)?
            {
                return self.finish(events);
            }
            if Instant::now() >= next_tick {
                self.persist(&mut Self::tick)?;
                self.publish();
                next_tick = Instant::now() + TICK;
            }
        }
    }

    /// True once everything is drained.
    fn handle(&mut self, event: Event, events: &Receiver<Event>) -> anyhow::Result<bool> {
        match event {
            Event::Classified(mut batches) => {
                let other = gather(&mut batches, events);
                let mut outcomes = Vec::new();
                let before = self.monitor.as_ref().map(Monitor::commits);
                self.persist(&mut |this| {
                    // A commit whose flush failed may have reached the disk: what it holds must not be counted again.
                    if before.is_none_or(|before| this.monitor.as_ref().map(Monitor::commits) == Some(before)) {
                        outcomes = this.observe(&batches)?;
                        this.commit()?;
                    }
                    Ok(())
                })?;
                self.persist(&mut |this| this.after_commit(&batches))?;
                self.publisher.record_commit(batches, outcomes, (self.wall)());
                return other.map_or(Ok(false), |other| self.handle(other, events));
            }
            Event::Attempted(attempted) => {
                let now = self.now()?;
                self.dispatch.record_attempt(&attempted, now);
                self.persist(&mut Self::dispatch)?;
            }
            Event::Command(command) => self.handle_command(command)?,
            Event::Drained => return Ok(true),
        }
        Ok(false)
    }

    /// Commits the rest, and waits a little for notifications in flight. One that fails is delivered after the next start.
    fn finish(mut self, events: &Receiver<Event>) -> anyhow::Result<()> {
        self.persist(&mut |this| {
            let monitor = this.monitor()?;
            monitor.commit()?;
            monitor.flush()?;
            this.dispatch()
        })?;
        let until = Instant::now() + SHUTDOWN_GRACE;
        while self.dispatch.dispatcher.is_sending() {
            match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Event::Attempted(attempted)) => {
                    let now = self.now()?;
                    self.dispatch.record_attempt(&attempted, now);
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        self.persist(&mut |this| {
            let Self { monitor, dispatch, .. } = this;
            dispatch.save(monitor.as_mut().context("the store is not open")?)
        })
    }

    fn monitor(&mut self) -> anyhow::Result<&mut Monitor> {
        self.monitor.as_mut().context("the store is not open")
    }

    /// Counts batches, to be committed with the cursors of their sources; returns the outcome of each.
    fn observe(&mut self, batches: &[ClassifiedBatch]) -> anyhow::Result<Vec<BatchOutcome>> {
        let now = self.now()?;
        let monitor = self.monitor.as_mut().context("the store is not open")?;
        monitor.advance(now);
        let mut outcomes = Vec::new();
        for batch in batches {
            let (mut posts, future) = (Vec::with_capacity(batch.posts.len()), monitor.totals().future);
            for post in &batch.posts {
                posts.push(self.observer.observe(monitor, &batch.source, &post.topics, &post.classified)?);
            }
            outcomes.push(BatchOutcome { posts, future: monitor.totals().future - future });
            monitor.record_unmatched(batch.unmatched);
            monitor.record_intake(batch.received, batch.duplicates, batch.rejected.len() as u64);
            for record in &batch.rejected {
                monitor.add_dead_letter(&batch.source, batch.at, record);
            }
            if let Some(cursor) = &batch.cursor {
                monitor.set_cursor(&batch.source, cursor)?;
            }
        }
        Ok(outcomes)
    }

    /// Runs after a batch is committed; safe to repeat.
    fn after_commit(&mut self, batches: &[ClassifiedBatch]) -> anyhow::Result<()> {
        let now = self.now()?;
        for batch in batches.iter().filter(|batch| !batch.compliance.is_empty()) {
            self.monitor()?.apply_compliance(&batch.compliance, now)?;
            self.scrub_outbox()?;
        }
        self.dispatch()
    }

    /// Commits and flushes: a commit that only the store's memory holds would be lost, with no batch left to count again, when a
    /// later one fails and the store is reopened.
    fn commit(&mut self) -> anyhow::Result<()> {
        let timer = self.metrics.monitor.commit.start_timer();
        self.monitor()?.commit()?;
        timer.observe_duration();
        let timer = self.metrics.monitor.flush.start_timer();
        self.monitor()?.flush()?;
        timer.observe_duration();
        Ok(())
    }

    /// Advances time: closes buckets, evaluates rules, checks the sources.
    fn tick(&mut self) -> anyhow::Result<()> {
        let now = self.now()?;
        let sources = self.publisher.operational_alerts(now);
        let receivers = self.dispatch.dispatcher.operational_alerts(now);
        let (suspect_jump, outage) = (self.suspect_jump.clone(), self.outage.clone());
        let (reported_errors, errors) = (self.reported_errors, pipeline_errors(&self.metrics));
        let monitor = self.monitor()?;
        monitor.advance(now);
        for (alert, component, summary) in &sources {
            monitor.set_operational_alert(*alert, component, summary.as_deref(), now);
        }
        for (alert, component, summary) in &receivers {
            monitor.set_operational_alert(*alert, component, summary.as_deref(), now);
        }
        monitor.set_operational_alert(OperationalAlert::ClockJumped, "clock", suspect_jump.as_deref(), now);
        (reported_errors..errors).for_each(|_| monitor.record_event(EventKind::PipelineError, now));
        if let Some((since, summary)) = &outage {
            // Dispatched again through the outbox, under the same key, and resolved at once.
            monitor.set_operational_alert(OperationalAlert::StoreFailed, "store", Some(summary), *since);
            monitor.set_operational_alert(OperationalAlert::StoreFailed, "store", None, now);
        }
        if monitor.is_dirty() {
            self.commit()?;
        }
        self.outage = None;
        self.reported_errors = errors;
        self.metrics.monitor.last_evaluation.set(now.as_second() as f64);
        self.run_retention(now)?;
        self.dispatch()
    }

    /// Removes what is older than its retention, every [`RETENTION_INTERVAL`].
    fn run_retention(&mut self, now: Timestamp) -> anyhow::Result<()> {
        if self.retention_ran_at.is_some_and(|last| now.duration_since(last).abs() < RETENTION_INTERVAL) {
            return Ok(());
        }
        let retention = self.loaded.config.retention;
        let monitor = self.monitor()?;
        let more = monitor.expire(now, &retention)?.more;
        self.scrub_outbox()?;
        let monitor = self.monitor()?;
        let bytes = monitor.store_bytes().unwrap_or_default();
        self.metrics.monitor.store_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.retention_ran_at = (!more).then_some(now);
        Ok(())
    }

    /// The time. Rewinds the monitor when the clock was set back for good.
    fn now(&mut self) -> anyhow::Result<Timestamp> {
        match self.clock.read((self.wall)(), (self.monotonic)()) {
            Reading::Time(now) => {
                self.suspect_jump = None;
                Ok(now)
            }
            Reading::Suspect { time, by } => {
                self.suspect_jump
                    .get_or_insert_with(|| format!("the system clock jumped by {by:#}; the jump is ignored for now"));
                Ok(time)
            }
            Reading::Jumped { time, by } => {
                tracing::warn!("system clock off by {by:#} for ten minutes: jump accepted");
                self.suspect_jump = None;
                if by.is_negative() {
                    let monitor = self.monitor.take().context("the store is not open")?;
                    self.monitor = Some(monitor.rewind(time)?);
                }
                Ok(time)
            }
        }
    }

    /// Dispatches the outbox, and sends what is due.
    fn dispatch(&mut self) -> anyhow::Result<()> {
        let now = self.now()?;
        let Self { monitor, dispatch, .. } = self;
        dispatch.work(monitor.as_mut().context("the store is not open")?, now)
    }

    fn publish(&mut self) {
        if let Some(monitor) = &self.monitor {
            self.publisher.publish(monitor, &self.dispatch.dispatcher, (self.wall)());
        }
    }
}

/// Failures of the classifier, the store and the sources since the daemon started.
fn pipeline_errors(metrics: &Metrics) -> u64 {
    let restart_policy =
        ["classifier", "monitor", "source"].map(|task| metrics.daemon.deaths.with_label_values(&[task]).get());
    restart_policy.iter().sum::<u64>() + metrics.classify.failures.get() + metrics.monitor.store_failures.get()
}
