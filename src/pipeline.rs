//! The wiring of the daemon, in one straight line: what runs where, what lies between, and in which order it stops.
//!
//! ```text
//!   source tasks (tokio) ==> deliveries ==> classifier thread ==> events ==> monitor thread ==> a thread each receiver
//!   each supervised          bounded        drop repeats,         bounded     count, judge,      tell receivers
//!                            queue          clean, classify       queue       commit, flush, dispatch
//!                                                                               \-- Status (watch) --> web
//! ```
//!
//! A full queue slows whoever fills it, up to the sources. To stop, the sources are told to; when the last is gone the
//! queues run dry one after another, and each thread ends with its input. [`replay`] runs a dump through the same stages.

pub mod assembly;
pub mod backtest;
mod classifier_thread;
mod classify_requests;
mod clock;
mod command;
mod dedup;
mod delivery;
mod handle;
mod monitor_thread;
pub mod replay;
mod restart_policy;
mod source_task;
pub mod status;
mod status_publisher;

pub use classifier_thread::{MakeClassifier, Reloaded};
pub use clock::{Steady, steady};
pub use command::{Answer, Ask};
pub use delivery::Receiving;
pub use handle::{Handle, HttpIntake, Running};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::classify::ModelInfo;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::metrics::Metrics;
use crate::monitor::Monitor;
use crate::secret::Secret;
use crate::source::{Cursor, Outlet, Source, SourceState};
use crate::store::Store;
use classifier_thread::{Busy, Classifying, NextClassifier};
use classify_requests::Questions;
use dedup::Recent;
use monitor_thread::{Event, Monitoring, Parts};
use restart_policy::Deaths;
use status::{Counted, Status};
use status_publisher::{Board, Committed, Watched};

/// Deliveries that may wait for the classifier.
const DELIVERIES: usize = 16;
/// Batches that may wait for the monitor.
const EVENTS: usize = 4;

/// Makes a source from the cursor it goes on from; the first one, and each that follows one that died.
pub type MakeSource = Box<dyn FnMut(Option<Cursor>) -> anyhow::Result<Box<dyn Source>> + Send>;

/// A source that the daemon is to run.
pub struct Feeding {
    pub name: String,
    /// As `type` in the configuration.
    pub kind: String,
    pub by: Feeder,
}

/// Who feeds a source.
pub enum Feeder {
    Task(MakeSource),
    /// The web server, from senders that show this token.
    Http {
        token: Secret,
        topic: Option<String>,
    },
}

/// What a daemon is made of.
pub struct Daemon {
    pub loaded: Loaded,
    pub state: PathBuf,
    pub make_classifier: MakeClassifier,
    pub sources: Vec<Feeding>,
    pub receivers: Vec<Receiving>,
    pub clock: Clock,
    pub steady: Steady,
    pub metrics: Metrics,
}

impl Daemon {
    /// Starts everything. Needs a tokio runtime.
    ///
    /// # Errors
    /// When something that is needed is missing, in use, or cannot be read.
    // One long function on purpose: the whole wiring can be read from top to bottom.
    pub fn start(self) -> anyhow::Result<Running> {
        let Self { loaded, state, mut make_classifier, sources, receivers, clock, steady, metrics } = self;
        let window = loaded.config.window.clone();
        let store = Store::open(&state)?;
        let mut monitor = Monitor::open(store, window.clone(), loaded.rules.clone())?;
        let classifier = make_classifier()?;
        let read_by = ModelInfo::of(classifier.as_ref());
        monitor.read_by(read_by.clone());
        let model = classifier.model().to_owned();
        let started_at = clock();

        let stop = CancellationToken::new();
        let (fatal, failures) = mpsc::channel(4);
        let (deliveries, inbox) = mpsc::channel(DELIVERIES);
        let (to_monitor, events) = sync_channel(EVENTS);

        // Sources: made here once, so that what is missing is said before anything runs.
        let committed = Committed::default();
        let mut watched = Vec::new();
        let mut tasks = Vec::new();
        let mut http = None;
        for Feeding { name, kind, by } in sources {
            let outlet = Outlet::new(&name, deliveries.clone(), clock.clone(), metrics.source(&name));
            let (health, source_metrics) = (outlet.health.clone(), outlet.metrics.clone());
            watched.push(Watched { name: name.clone(), kind, started_at, health, metrics: source_metrics });
            match by {
                Feeder::Http { token, topic } => {
                    outlet.health.update(|report| {
                        (report.what, report.state) = ("POST /api/v1/posts".into(), SourceState::Working);
                    });
                    http = Some(HttpIntake { outlet, token, topic });
                }
                Feeder::Task(mut make) => {
                    if let Some(cursor) = monitor.cursor(&name)? {
                        committed.set(&name, cursor);
                    }
                    let first = make(committed.get(&name))?;
                    let supervised = source_task::Supervised {
                        outlet,
                        make,
                        committed: committed.clone(),
                        deaths: Deaths::default(),
                        metrics: metrics.clone(),
                    };
                    tasks.push((name, supervised, first));
                }
            }
        }

        let empty = Status {
            version: env!("CARGO_PKG_VERSION").into(),
            model: model.clone(),
            started_at,
            now: started_at,
            ready: false,
            not_ready: vec!["starting".into()],
            totals: Counted::default(),
            topics: Vec::new(),
            sources: Vec::new(),
            queues: Vec::new(),
            alerts: Vec::new(),
            outbox: 0,
        };
        let (status, statuses) = watch::channel(empty);
        let weak = deliveries.downgrade();
        let (questions, asked) = Questions::new(deliveries.downgrade(), clock.clone());
        drop(deliveries); // from here on only the outlets keep the queue open
        let board = Board {
            metrics: metrics.clone(),
            sources: watched,
            deliveries: weak,
            committed,
            status,
            per_topic: BTreeMap::new(),
        };

        // Threads, from the last stage to the first, so that each finds its taker.
        let parts = Parts {
            monitor,
            loaded: loaded.clone(),
            model: read_by,
            state,
            wall: clock.clone(),
            steady,
            receivers,
            events: to_monitor.clone(),
            board,
            metrics: metrics.clone(),
            stop: stop.clone(),
        };
        let monitoring = Monitoring::new(parts)?;
        let (monitor_ended, monitor_end) = oneshot::channel();
        let monitor_fatal = fatal.clone();
        thread::Builder::new()
            .name("monitor".into())
            .spawn(move || {
                let ended = monitoring.run(&events);
                handle::report("monitor", ended, &monitor_fatal, monitor_ended);
            })
            .context("no thread for the monitor")?;

        let (next, busy) = (NextClassifier::default(), Busy::default());
        let classifying = Classifying {
            classifier,
            make: make_classifier,
            next: next.clone(),
            recent: Recent::new(window.lateness),
            questions: asked,
            clock: clock.clone(),
            busy: busy.clone(),
            metrics: metrics.clone(),
            deaths: Deaths::default(),
        };
        let commands = to_monitor.clone();
        let (classifier_ended, classifier_end) = oneshot::channel();
        let classifier_fatal = fatal.clone();
        thread::Builder::new()
            .name("classifier".into())
            .spawn(move || {
                let ended = classifying.run(inbox, &to_monitor);
                // Whether drained or dead: the monitor commits what it has.
                let _ = to_monitor.send(Event::Drained);
                handle::report("classifier", ended, &classifier_fatal, classifier_ended);
            })
            .context("no thread for the classifier")?;

        let mut sources = BTreeMap::new();
        for (name, supervised, first) in tasks {
            let run = supervised.run(first, stop.clone(), fatal.clone());
            sources.insert(name, tokio::spawn(run));
        }

        let handle =
            Handle::new(handle::Inside { statuses, metrics, commands, next, busy, clock, http, loaded, questions });
        let stages = vec![("classifier", classifier_end), ("monitor", monitor_end)];
        Ok(Running { handle, sources, stages, failures, stop })
    }
}
