//! The monitor's thread: counts, judges and commits what was classified, keeps time, and tells what it knows.
//!
//! ```text
//!   classifier ==> gather (for GATHER) -> observe -> commit, with the cursors -> flush -> tell who waits for it
//!   clock      --> every second: close buckets, evaluate, look after the sources, publish the status
//!   commands   --> reload; each answered
//! ```
//!
//! When the store fails or anything panics, nothing of a batch is lost: the store is opened again and the batch counted
//! anew, until it is committed or the daemon stops.

mod alerts;
mod recovery;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::classifier_thread::Classified;
use super::clock::{GuardedClock, Reading, Steady};
use super::command::{Command, Corrected};
use super::delivery::{Attempted, Receiving, Telling};
use super::restart_policy::Deaths;
use super::status_publisher::Board;
use crate::classify::ModelInfo;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::metrics::Metrics;
use crate::monitor::{Monitor, MonitorError, Outcome};
use crate::post::Topics;
use crate::rule::EventKind;

/// How long classified posts wait for others to be committed with them.
const GATHER: Duration = Duration::from_millis(200);
/// Posts committed together, about.
const MOST_GATHERED: usize = 1_024;
const TICK: Duration = Duration::from_secs(1);
/// How long receivers that are being told are waited for at the end.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How often old posts are looked for.
const TIDY: SignedDuration = SignedDuration::from_mins(10);

/// What the thread is sent.
pub(super) enum Event {
    Classified(Vec<Classified>),
    /// A receiver was told, or could not be.
    Attempted(Attempted),
    Command(Command),
    /// The sources are gone, and everything they handed over came before this.
    Drained,
}

/// What became of a post, and where it was counted.
pub(super) struct Fate {
    pub(super) outcome: Outcome,
    pub(super) topics: Vec<String>,
}

/// Everything the thread works with.
pub(super) struct Monitoring {
    /// None while the store is not to be had.
    monitor: Option<Monitor>,
    topics: Topics,
    loaded: Loaded,
    model: ModelInfo,
    state: PathBuf,
    wall: Clock,
    steady: Steady,
    clock: GuardedClock,
    doubted: Option<String>,
    /// Since when the store failed, and why, until that was told as over.
    outage: Option<(Timestamp, String)>,
    tidied: Option<Timestamp>,
    /// Failures of the daemon's own that the monitor knows of.
    told_errors: u64,
    telling: Telling,
    board: Board,
    deaths: Deaths,
    metrics: Metrics,
    stop: CancellationToken,
}

/// What the thread is given.
pub(super) struct Parts {
    pub(super) monitor: Monitor,
    pub(super) loaded: Loaded,
    pub(super) model: ModelInfo,
    pub(super) state: PathBuf,
    pub(super) wall: Clock,
    pub(super) steady: Steady,
    pub(super) receivers: Vec<Receiving>,
    pub(super) events: SyncSender<Event>,
    pub(super) board: Board,
    pub(super) metrics: Metrics,
    pub(super) stop: CancellationToken,
}

impl Monitoring {
    pub(super) fn new(parts: Parts) -> anyhow::Result<Self> {
        let Parts { monitor, loaded, model, state, wall, steady, receivers, events, board, metrics, stop } = parts;
        let topics = topics(&loaded)?;
        let clock = GuardedClock::new(wall(), steady());
        let telling = Telling::new(&monitor, loaded.config.routing(), receivers, events, metrics.clone(), wall())?;
        let mut monitoring = Self {
            monitor: Some(monitor),
            topics,
            loaded,
            model,
            state,
            wall,
            steady,
            clock,
            doubted: None,
            outage: None,
            tidied: None,
            told_errors: 0,
            telling,
            board,
            deaths: Deaths::default(),
            metrics,
            stop,
        };
        monitoring.return_to_the_present()?;
        monitoring.publish();
        Ok(monitoring)
    }

    /// A store whose time lies ahead was written under a clock that ran ahead.
    fn return_to_the_present(&mut self) -> Result<(), MonitorError> {
        let now = (self.wall)();
        let ahead = |monitor: &Monitor| monitor.edge().is_some_and(|edge| edge.duration_since(now).as_mins() > 2);
        if let Some(monitor) = self.monitor.take_if(|monitor| ahead(monitor)) {
            tracing::warn!("the state was written under a clock that ran ahead: going back to the present");
            self.monitor = Some(monitor.rewind(now)?);
        }
        Ok(())
    }

    /// Works until everything is drained.
    ///
    /// # Errors
    /// When it failed too often, or could not commit before the daemon had to stop.
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
                let mut fates = Vec::new();
                let before = self.monitor.as_ref().map(Monitor::commits);
                self.persist(&mut |this| {
                    // A commit whose flush failed may be there all the same: what it holds is not counted again.
                    if before.is_none_or(|before| this.monitor.as_ref().map(Monitor::commits) == Some(before)) {
                        fates = this.observe(&batch)?;
                        this.commit()?;
                    }
                    Ok(())
                })?;
                self.persist(&mut |this| this.follow(&batch))?;
                self.board.counted(batch, fates, (self.wall)());
                return other.map_or(Ok(false), |other| self.handle(other, events));
            }
            Event::Attempted(attempted) => {
                let now = self.now()?;
                self.telling.attempted(&attempted, now);
                self.persist(&mut Self::tell)?;
            }
            Event::Command(command) => self.obey(command)?,
            Event::Drained => return Ok(true),
        }
        Ok(false)
    }

    /// Commits the last; what is being told then may take a little longer, and is told again where it does not arrive.
    fn finish(mut self, events: &Receiver<Event>) -> anyhow::Result<()> {
        self.persist(&mut |this| {
            let monitor = this.monitor()?;
            monitor.commit()?;
            monitor.flush()?;
            this.tell()
        })?;
        let until = Instant::now() + LAST_WORDS;
        while self.telling.dispatcher.is_sending() {
            match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Event::Attempted(attempted)) => {
                    let now = self.now()?;
                    self.telling.attempted(&attempted, now);
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        self.persist(&mut |this| {
            let Self { monitor, telling, .. } = this;
            telling.save(monitor.as_mut().context("the store is not open")?)
        })
    }

    fn monitor(&mut self) -> anyhow::Result<&mut Monitor> {
        self.monitor.as_mut().context("the store is not open")
    }

    /// Counts a batch, to be committed with the cursors of its sources; returns what became of each post.
    fn observe(&mut self, batch: &[Classified]) -> anyhow::Result<Vec<Fate>> {
        let now = self.now()?;
        let monitor = self.monitor.as_mut().context("the store is not open")?;
        monitor.advance(now);
        let mut fates = Vec::new();
        for delivery in batch {
            for classified in &delivery.posts {
                let ids = self.topics.of(&classified.post).to_vec();
                let names: Vec<&str> = ids.into_iter().map(|id| self.topics.name(id)).collect();
                let outcome = match monitor.observe(&names, classified) {
                    // Who sends posts may name topics of its own; too many of them must not stop the others.
                    Err(MonitorError::TooManyTopics) => monitor.observe(&[], classified)?,
                    outcome => outcome?,
                };
                fates.push(Fate { outcome, topics: names.into_iter().map(str::to_owned).collect() });
            }
            monitor.account(delivery.received, delivery.duplicates, delivery.unusable.len() as u64);
            for unusable in &delivery.unusable {
                monitor.set_aside(&delivery.source, delivery.at, unusable);
            }
            if let Some(cursor) = &delivery.cursor {
                monitor.read_up_to(&delivery.source, cursor)?;
            }
        }
        Ok(fates)
    }

    /// What follows a batch that is committed, and may be done twice.
    fn follow(&mut self, batch: &[Classified]) -> anyhow::Result<()> {
        let now = self.now()?;
        for delivery in batch.iter().filter(|delivery| !delivery.notices.is_empty()) {
            self.monitor()?.honour(&delivery.notices, now)?;
            self.forget_told()?;
        }
        self.tell()
    }

    /// Commits, and flushes each time: a commit that only the store's memory holds would be gone, with no batch left to
    /// count anew, when a later one fails and the store is opened again.
    fn commit(&mut self) -> anyhow::Result<()> {
        let timer = self.metrics.monitor.commit.start_timer();
        self.monitor()?.commit()?;
        timer.observe_duration();
        let timer = self.metrics.monitor.flush.start_timer();
        self.monitor()?.flush()?;
        timer.observe_duration();
        Ok(())
    }

    /// Lets time pass: buckets close, rules are evaluated, the sources are looked after.
    fn tick(&mut self) -> anyhow::Result<()> {
        let now = self.now()?;
        let problems = self.board.problems(now);
        let receivers = self.telling.dispatcher.problems(now);
        let (doubted, outage) = (self.doubted.clone(), self.outage.clone());
        let (told_errors, errors) = (self.told_errors, pipeline_errors(&self.metrics));
        let monitor = self.monitor()?;
        monitor.advance(now);
        for (name, component, summary) in &problems {
            monitor.problem(name, component, summary.as_deref(), now);
        }
        for (name, component, summary) in &receivers {
            monitor.problem(name, component, summary.as_deref(), now);
        }
        monitor.problem("ClockJumped", "clock", doubted.as_deref(), now);
        (told_errors..errors).for_each(|_| monitor.happened(EventKind::PipelineError, now));
        if let Some((since, summary)) = &outage {
            // Told again, under the same key, by way of the outbox: and then that it is over.
            monitor.problem("StoreFailed", "store", Some(summary), *since);
            monitor.problem("StoreFailed", "store", None, now);
        }
        if monitor.has_news() {
            self.commit()?;
        }
        self.outage = None;
        self.told_errors = errors;
        self.metrics.monitor.last_evaluation.set(now.as_second() as f64);
        self.tidy(now)?;
        self.tell()
    }

    /// Once in a while: what is older than it may be goes.
    fn tidy(&mut self, now: Timestamp) -> anyhow::Result<()> {
        if self.tidied.is_some_and(|last| now.duration_since(last).abs() < TIDY) {
            return Ok(());
        }
        let retention = self.loaded.config.retention;
        let monitor = self.monitor()?;
        let more = monitor.expire(now, &retention)?.more;
        self.forget_told()?;
        let monitor = self.monitor()?;
        let bytes = monitor.store_bytes().unwrap_or_default();
        self.metrics.monitor.store_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.tidied = (!more).then_some(now);
        Ok(())
    }

    /// The time, once the monitor has followed a clock that was set back for good.
    fn now(&mut self) -> anyhow::Result<Timestamp> {
        match self.clock.read((self.wall)(), (self.steady)()) {
            Reading::Time(now) => {
                self.doubted = None;
                Ok(now)
            }
            Reading::Doubted { time, by } => {
                self.doubted
                    .get_or_insert_with(|| format!("the system clock jumped by {by:#}; it is not believed yet"));
                Ok(time)
            }
            Reading::Jumped { time, by } => {
                tracing::warn!("the system clock has been off by {by:#} for ten minutes: taken as the time");
                self.doubted = None;
                if by.is_negative() {
                    let monitor = self.monitor.take().context("the store is not open")?;
                    self.monitor = Some(monitor.rewind(time)?);
                }
                Ok(time)
            }
        }
    }

    /// Takes over what is in the outbox, and sends what is due.
    fn tell(&mut self) -> anyhow::Result<()> {
        let now = self.now()?;
        let Self { monitor, telling, .. } = self;
        telling.work(monitor.as_mut().context("the store is not open")?, now)
    }

    fn obey(&mut self, command: Command) -> anyhow::Result<()> {
        match command {
            Command::Reload { loaded, model, receivers, done } => {
                let topics = topics(&loaded)?;
                let rules = loaded.rules.clone();
                self.model = model;
                self.persist(&mut |this| {
                    this.commit()?;
                    let monitor = this.monitor.take().context("the store is not open")?;
                    let mut monitor = monitor.reopen(rules.clone())?;
                    monitor.read_by(this.model.clone());
                    this.monitor = Some(monitor);
                    Ok(())
                })?;
                let now = self.now()?;
                self.telling.reload(loaded.config.routing(), receivers, now)?;
                (self.topics, self.loaded) = (topics, *loaded);
                self.persist(&mut Self::tell)?;
                self.board.status.send_modify(|status| status.model = self.model.id.clone());
                self.publish();
                // Who asked may have gone.
                let _ = done.send(());
            }
            Command::Forget { who, done } => {
                let mut receipt = None;
                self.persist(&mut |this| {
                    let now = this.now()?;
                    receipt = Some(this.monitor()?.forget(&who, now)?);
                    this.forget_told()
                })?;
                receipt.and_then(|receipt| done.send(receipt).ok());
            }
            Command::Subject { what, done } => {
                let mut found = None;
                self.persist(&mut |this| {
                    let now = this.now()?;
                    found = this.monitor()?.subject(&what, now)?;
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
                    given =
                        Some(monitor.correct(correction, subject.clone(), &answer.model, &answer.prediction, now)?);
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
            self.board.publish(monitor, (self.wall)());
        }
    }
}

/// Failures of the classifier, the store and the sources since the daemon started.
fn pipeline_errors(metrics: &Metrics) -> u64 {
    let deaths = ["classifier", "monitor", "source"].map(|task| metrics.daemon.deaths.with_label_values(&[task]).get());
    deaths.iter().sum::<u64>() + metrics.classify.failures.get() + metrics.monitor.store_failures.get()
}

fn topics(loaded: &Loaded) -> anyhow::Result<Topics> {
    let unmatched = Some(loaded.config.unmatched_topic.as_str()).filter(|name| !name.is_empty());
    Ok(Topics::new(&loaded.config.topics, unmatched)?)
}

/// Adds what else is classified within [`GATHER`]; returns the first event of another kind.
fn gather(batch: &mut Vec<Classified>, events: &Receiver<Event>) -> Option<Event> {
    let until = Instant::now() + GATHER;
    let mut posts: usize = batch.iter().map(|delivery| delivery.posts.len()).sum();
    while posts < MOST_GATHERED {
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
