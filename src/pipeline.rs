//! The wiring of the daemon in one straight line: what runs where, which queues lie between, in which order it stops.
//!
//! ```text
//!   source tasks (tokio) ==> batches ==> classifier thread ==> events ==> monitor thread ==> one thread per receiver
//!   each supervised          bounded        drop repeats,         bounded     count, judge,      deliver
//!                            queue          clean, classify       queue       commit, flush, dispatch
//!                                                                               \-- Status (watch) --> web
//! ```
//!
//! A full queue slows its senders, up to the sources. To stop, the sources are cancelled; when the last one has ended, the
//! queues drain one after another, and each thread ends with its input. [`replay`] runs a dump through the same stages.

pub mod assembly;
pub mod backtest;
mod classifier_thread;
mod classify_requests;
mod clock;
mod command;
mod dedup;
mod delivery;
mod handle;
mod incident_board;
mod message;
mod monitor_thread;
mod post_path;
pub mod replay;
mod report_writer;
mod restart_policy;
mod source_task;
pub mod status;
mod status_publisher;
mod stopwatch;

pub use classifier_thread::{ClassifierSwap, MakeClassifier};
pub use clock::{MonotonicClock, monotonic};
pub use command::{AlertQuery, AlertReply, ReceiverHandle};
pub use handle::{DaemonHandle, HttpIntake, RunningDaemon};
pub use incident_board::IncidentBoard;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::classify::ModelInfo;
use crate::clock::Clock;
use crate::config::LoadedConfig;
use crate::metrics::Metrics;
use crate::monitor::Monitor;
use crate::query::Query;
use crate::secret::Secret;
use crate::source::{Cursor, Source, SourceSender, SourceState};
use crate::store::Store;
use crate::telemetry::Telemetry;
use classifier_thread::{ClassifierStage, PendingSwap};
use classify_requests::ClassifyRequests;
use dedup::RecentIds;
use incident_board::BoardPublisher;
use message::Event;
use monitor_thread::{MonitorThread, MonitorThreadArgs};
use post_path::{TopicMatcher, topic_settings};
use report_writer::ReportWriter;
use restart_policy::RestartPolicy;
use status::{Counted, Status};
use status_publisher::{Committed, SourceEntry, StatusPublisher};
use stopwatch::Stopwatch;

/// Batches that may wait for the classifier.
const QUEUED_BATCHES: usize = 16;
/// Events that may wait for the monitor.
const QUEUED_EVENTS: usize = 4;

/// Builds a source that continues from the given cursor: at the start, and after each failure.
pub type MakeSource = Box<dyn FnMut(Option<Cursor>) -> anyhow::Result<Box<dyn Source>> + Send>;

/// A source that the daemon is to run.
pub struct SourceSpec {
    pub name: String,
    /// As `type` in the configuration.
    pub kind: String,
    pub by: SourceInput,
}

/// What a source's posts come from.
pub enum SourceInput {
    Task(MakeSource),
    /// The web server accepts posts from senders that show this token.
    Http {
        token: Secret,
        topic: Option<String>,
    },
}

/// The parts that a daemon is built from.
pub struct Daemon {
    pub loaded: LoadedConfig,
    pub state: PathBuf,
    pub make_classifier: MakeClassifier,
    pub sources: Vec<SourceSpec>,
    pub receivers: Vec<ReceiverHandle>,
    pub clock: Clock,
    pub monotonic: MonotonicClock,
    pub metrics: Metrics,
    /// Off by default.
    pub telemetry: Telemetry,
}

impl Daemon {
    /// Starts everything. Needs a tokio runtime.
    ///
    /// # Errors
    /// When a needed file, secret or address is missing, in use or unreadable.
    // One long function on purpose: the whole wiring can be read from top to bottom.
    pub fn start(self) -> anyhow::Result<RunningDaemon> {
        let Self { loaded, state, mut make_classifier, sources, receivers, clock, monotonic, metrics, telemetry } =
            self;
        let window = loaded.config.window.clone();
        let store = Store::open(&state)?;
        let query = Query::new(&store);
        let mut monitor = Monitor::open(store, window.clone(), loaded.rules.clone())?;
        monitor.keep_posts(loaded.config.retention.keeps_posts());
        monitor.configure_topics(topic_settings(&loaded.config));
        let classifier = make_classifier()?;
        let model_info = ModelInfo::from_classifier(classifier.as_ref());
        monitor.set_model(model_info.clone());
        let model = classifier.model().to_owned();
        let started_at = clock();

        let stop = CancellationToken::new();
        let (fatal, failures) = mpsc::channel(4);
        let (batches, inbox) = mpsc::channel(QUEUED_BATCHES);
        let (to_monitor, events) = sync_channel(QUEUED_EVENTS);

        // Sources: built here once, so that a missing secret or file is reported before anything runs.
        let committed = Committed::default();
        let mut watched = Vec::new();
        let mut tasks = Vec::new();
        let mut http = None;
        for SourceSpec { name, kind, by } in sources {
            let out = SourceSender::new(&name, batches.clone(), clock.clone(), metrics.source(&name));
            let (health, source_metrics) = (out.health.clone(), out.metrics.clone());
            watched.push(SourceEntry { name: name.clone(), kind, started_at, health, metrics: source_metrics });
            match by {
                SourceInput::Http { token, topic } => {
                    out.health.update(|report| {
                        (report.what, report.state) = ("POST /api/v1/posts".into(), SourceState::Working);
                    });
                    http = Some(HttpIntake { out, token, topic });
                }
                SourceInput::Task(mut make) => {
                    if let Some(cursor) = monitor.cursor(&name)? {
                        committed.set(&name, cursor);
                    }
                    let first = make(committed.get(&name))?;
                    let supervised = source_task::SourceTask {
                        out,
                        make,
                        committed: committed.clone(),
                        restart_policy: RestartPolicy::default(),
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
        let weak = batches.downgrade();
        let (classify_requests, asked) = ClassifyRequests::new(batches.downgrade(), clock.clone());
        drop(batches); // from here on only the sources keep the queue open
        let published = Stopwatch::default();
        published.start();
        let publisher = StatusPublisher {
            metrics: metrics.clone(),
            sources: watched,
            batches: weak,
            committed,
            status,
            published: published.clone(),
            per_topic: BTreeMap::new(),
            future_logged_at: BTreeMap::new(),
        };

        let (board, boards) = BoardPublisher::new();
        let reports = ReportWriter {
            query: query.clone(),
            statuses: statuses.clone(),
            boards: boards.clone(),
            config: Arc::new(Mutex::new(loaded.config.clone())),
        };

        // Threads, from the last stage to the first, so that each one's receiver exists.
        let args = MonitorThreadArgs {
            monitor,
            loaded: loaded.clone(),
            model: model_info.clone(),
            query: query.clone(),
            state,
            wall: clock.clone(),
            monotonic,
            receivers,
            events: to_monitor.clone(),
            publisher,
            board,
            reports: reports.clone(),
            metrics: metrics.clone(),
            telemetry,
            stop: stop.clone(),
        };
        let monitor_thread = MonitorThread::new(args)?;
        let (monitor_ended, monitor_end) = oneshot::channel();
        let monitor_fatal = fatal.clone();
        thread::Builder::new()
            .name("monitor".into())
            .spawn(move || {
                let ended = monitor_thread.run(&events);
                handle::report("monitor", ended, &monitor_fatal, monitor_ended);
            })
            .context("cannot start the monitor's thread")?;

        let (next, busy) = (PendingSwap::default(), Stopwatch::default());
        let classifying = ClassifierStage {
            classifier,
            make: make_classifier,
            next: next.clone(),
            topics: TopicMatcher::new(&loaded.config)?,
            recent: RecentIds::new(window.lateness),
            classify_requests: asked,
            clock: clock.clone(),
            busy: busy.clone(),
            metrics: metrics.clone(),
            restart_policy: RestartPolicy::default(),
        };
        let commands = to_monitor.clone();
        let (classifier_ended, classifier_end) = oneshot::channel();
        let classifier_fatal = fatal.clone();
        thread::Builder::new()
            .name("classifier".into())
            .spawn(move || {
                let ended = classifying.run(inbox, &to_monitor);
                // Drained or failed: the monitor commits what it has.
                let _ = to_monitor.send(Event::Drained);
                handle::report("classifier", ended, &classifier_fatal, classifier_ended);
            })
            .context("cannot start the classifier's thread")?;

        let mut sources = BTreeMap::new();
        for (name, supervised, first) in tasks {
            let run = supervised.run(first, stop.clone(), fatal.clone());
            sources.insert(name, tokio::spawn(run));
        }

        let handle = DaemonHandle::new(handle::HandleParts {
            statuses,
            boards,
            query,
            metrics,
            commands,
            next,
            busy,
            published,
            http,
            loaded,
            model: model_info,
            classify_requests,
            reports,
        });
        let stages = vec![("classifier", classifier_end), ("monitor", monitor_end)];
        Ok(RunningDaemon { handle, sources, stages, failures, stop })
    }
}
