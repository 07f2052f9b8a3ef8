//! The monitor's thread: counts, judges and commits classified posts, advances time, and dispatches notifications.
//!
//! ```text
//!   classifier ==> gather (for COMMIT_INTERVAL) -> observe -> commit, with the cursors -> flush -> notify waiting senders
//!   clock      --> every second: close buckets, evaluate rules, check the sources, publish the status
//!   commands   --> executed and answered between two batches
//! ```
//!
//! When the store fails or anything panics, nothing of a batch is lost: the store is opened again and the batch record_commit
//! committed or the daemon stops.

mod alerts;
mod recovery;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::clock::{JumpGuardedClock, MonotonicClock, Reading};
use super::command::ReceiverHandle;
use super::command::{Command, Corrected};
use super::delivery::NotificationDispatch;
use super::message::{ClassifiedBatch, Event, ObservedPost};
use super::post_path::PostObserver;
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
    pub(super) metrics: Metrics,
    pub(super) stop: CancellationToken,
}

impl MonitorThread {
    pub(super) fn new(parts: MonitorThreadArgs) -> anyhow::Result<Self> {
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
            metrics,
            stop,
        } = parts;
        let clock = JumpGuardedClock::new(wall(), monotonic());
        let dispatch =
            NotificationDispatch::new(&monitor, loaded.config.routing(), receivers, events, metrics.clone(), wall())?;
        let mut monitoring = Self {
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
            stop,
        };
        monitoring.rewind_if_ahead()?;
        monitoring.publish();
        Ok(monitoring)
    }

    /// Rewinds a store whose time lies ahead of the clock: it was written under a clock that ran ahead.
    fn rewind_if_ahead(&mut self) -> Result<(), MonitorError> {
        let now = (self.wall)();
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
            Event::Classified(mut batch) => {
                let other = gather(&mut batch, events);
                let mut observed = Vec::new();
                let before = self.monitor.as_ref().map(Monitor::commits);
                self.persist(&mut |this| {
                    // A commit whose flush failed may be there all the same: what it holds is not record_commit again.
                    if before.is_none_or(|before| this.monitor.as_ref().map(Monitor::commits) == Some(before)) {
                        observed = this.observe(&batch)?;
                        this.commit()?;
                    }
                    Ok(())
                })?;
                self.persist(&mut |this| this.after_commit(&batch))?;
                self.publisher.record_commit(batch, observed, (self.wall)());
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

    /// Counts a batch, to be committed with the cursors of its sources; returns the outcome of each post.
    fn observe(&mut self, batch: &[ClassifiedBatch]) -> anyhow::Result<Vec<ObservedPost>> {
        let now = self.now()?;
        let monitor = self.monitor.as_mut().context("the store is not open")?;
        monitor.advance(now);
        let mut observed = Vec::new();
        for delivery in batch {
            for post in &delivery.posts {
                let outcome = self.observer.observe(monitor, &delivery.source, &post.topics, &post.classified)?;
                observed.push(ObservedPost { outcome, topics: post.topics.clone() });
            }
            for _ in 0..delivery.unmatched {
                observed.push(ObservedPost { outcome: monitor.record_unmatched(), topics: Vec::new() });
            }
            monitor.record_intake(delivery.received, delivery.duplicates, delivery.unusable.len() as u64);
            for unusable in &delivery.unusable {
                monitor.add_dead_letter(&delivery.source, delivery.at, unusable);
            }
            if let Some(cursor) = &delivery.cursor {
                monitor.set_cursor(&delivery.source, cursor)?;
            }
        }
        Ok(observed)
    }

    /// Runs after a batch is committed; safe to repeat.
    fn after_commit(&mut self, batch: &[ClassifiedBatch]) -> anyhow::Result<()> {
        let now = self.now()?;
        for delivery in batch.iter().filter(|delivery| !delivery.notices.is_empty()) {
            self.monitor()?.apply_compliance(&delivery.notices, now)?;
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

    fn handle_command(&mut self, command: Command) -> anyhow::Result<()> {
        match command {
            Command::Reload { loaded, model, receivers, done } => {
                let rules = loaded.rules.clone();
                self.model = model;
                self.persist(&mut |this| {
                    this.commit()?;
                    let monitor = this.monitor.take().context("the store is not open")?;
                    let mut monitor = monitor.reopen(rules.clone())?;
                    monitor.set_model(this.model.clone());
                    this.monitor = Some(monitor);
                    Ok(())
                })?;
                let now = self.now()?;
                self.dispatch.reload(loaded.config.routing(), receivers, now)?;
                self.loaded = *loaded;
                self.persist(&mut Self::dispatch)?;
                self.publisher.status.send_modify(|status| status.model = self.model.id.clone());
                self.publish();
                // The caller may have gone.
                let _ = done.send(());
            }
            Command::Forget { who, done } => {
                let mut receipt = None;
                self.persist(&mut |this| {
                    let now = this.now()?;
                    receipt = Some(this.monitor()?.forget(&who, now)?);
                    this.scrub_outbox()
                })?;
                receipt.and_then(|receipt| done.send(receipt).ok());
            }
            Command::Subject { what, done } => {
                let mut found = None;
                self.persist(&mut |this| {
                    let now = this.now()?;
                    found = this.monitor()?.find_subject(&what, now)?;
                    Ok(())
                })?;
                let _ = done.send(found);
            }
            Command::Correct { correction, done } => {
                let mut given = None;
                self.persist(&mut |this| {
                    let now = this.now()?;
                    let Corrected { correction, subject, answer } = &*correction;
                    let monitor = this.monitor()?;
                    monitor.advance(now);
                    given = Some(monitor.record_feedback(
                        correction,
                        subject.clone(),
                        &answer.model,
                        &answer.prediction,
                        now,
                    )?);
                    Ok(())
                })?;
                given.and_then(|given| done.send(given).ok());
            }
            Command::Feedback { done } => {
                let mut all = Vec::new();
                self.persist(&mut |this| {
                    all = this.monitor()?.feedback()?;
                    Ok(())
                })?;
                let _ = done.send(all);
            }
            Command::Alerts { ask, done } => {
                let answer = self.ask(ask)?;
                let _ = done.send(answer);
            }
        }
        Ok(())
    }

    fn publish(&mut self) {
        if let Some(monitor) = &self.monitor {
            self.publisher.publish(monitor, (self.wall)());
        }
    }
}

/// Failures of the classifier, the store and the sources since the daemon started.
fn pipeline_errors(metrics: &Metrics) -> u64 {
    let restart_policy =
        ["classifier", "monitor", "source"].map(|task| metrics.daemon.deaths.with_label_values(&[task]).get());
    restart_policy.iter().sum::<u64>() + metrics.classify.failures.get() + metrics.monitor.store_failures.get()
}

/// Adds the batches that arrive within [`COMMIT_INTERVAL`]; returns the first event of another kind.
fn gather(batch: &mut Vec<ClassifiedBatch>, events: &Receiver<Event>) -> Option<Event> {
    let until = Instant::now() + COMMIT_INTERVAL;
    let mut posts: usize = batch.iter().map(|delivery| delivery.posts.len()).sum();
    while posts < MAX_COMMIT_POSTS {
        match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Event::Classified(more)) => {
                posts += more.iter().map(|delivery| delivery.posts.len()).sum::<usize>();
                batch.extend(more);
            }
            Ok(other) => return Some(other),
            Err(_) => return None,
        }
    }
    None
}
