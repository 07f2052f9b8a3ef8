//! [`Running`], the started daemon as who started it sees it, and [`Handle`], what the web server is given of it.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::classifier_thread::{Busy, NextClassifier, Reloaded};
use super::classify_requests::Questions;
use super::command::{Answer, Ask, Command, Corrected};
use super::delivery::Receiving;
use super::monitor_thread::Event;
use super::status::Status;
use crate::classify::ModelInfo;
use crate::clock::Clock;
use crate::config::Loaded;
use crate::metrics::Metrics;
use crate::monitor::{Correction, Given, Receipt, Selector};
use crate::notify::dispatch::AskError;
use crate::secret::Secret;
use crate::source::Outlet;

/// A status older than this says that the monitor's thread is stuck.
const STALE: SignedDuration = SignedDuration::from_secs(30);
/// A batch that takes longer than this, in seconds, says that the classifier is stuck.
const STUCK: u64 = 60;

/// Where the web server hands over posts that others send.
#[derive(Clone)]
pub struct HttpIntake {
    pub outlet: Outlet,
    pub token: Secret,
    /// All posts go to this topic.
    pub topic: Option<String>,
}

pub(super) struct Inside {
    pub(super) statuses: watch::Receiver<Status>,
    pub(super) metrics: Metrics,
    pub(super) commands: SyncSender<Event>,
    pub(super) next: NextClassifier,
    pub(super) busy: Busy,
    pub(super) clock: Clock,
    pub(super) http: Option<HttpIntake>,
    pub(super) loaded: Loaded,
    pub(super) questions: Questions,
}

/// The running daemon, for who looks at it or asks something of it. Clones are the same daemon.
#[derive(Clone)]
pub struct Handle {
    statuses: watch::Receiver<Status>,
    pub metrics: Metrics,
    commands: SyncSender<Event>,
    next: NextClassifier,
    busy: Busy,
    clock: Clock,
    /// None once the daemon stops.
    http: Arc<Mutex<Option<HttpIntake>>>,
    loaded: Arc<Mutex<Loaded>>,
    questions: Questions,
}

impl Handle {
    pub(super) fn new(inside: Inside) -> Self {
        let Inside { statuses, metrics, commands, next, busy, clock, http, loaded, questions } = inside;
        let (http, loaded) = (Arc::new(Mutex::new(http)), Arc::new(Mutex::new(loaded)));
        Self { statuses, metrics, commands, next, busy, clock, http, loaded, questions }
    }

    /// What was last published.
    pub fn status(&self) -> Status {
        self.statuses.borrow().clone()
    }

    /// What keeps the threads from making progress, if anything does: the watchdog's and readiness' question.
    pub fn stuck(&self) -> Option<String> {
        let now = (self.clock)();
        let silent = now.duration_since(self.statuses.borrow().now);
        let busy = self.busy.seconds(now);
        if silent > STALE {
            Some(format!("the monitor has done nothing for {} s", silent.as_secs()))
        } else {
            (busy > STUCK).then(|| format!("the classifier has been on one batch for {busy} s"))
        }
    }

    /// Where posts that others send go; none without a source of `type = "http"`, or once the daemon stops.
    pub fn http(&self) -> Option<HttpIntake> {
        self.http.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The configuration in use.
    pub fn loaded(&self) -> Loaded {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the rules, topics and receivers of `loaded`, and another classifier; posts on their
    /// way are counted under either.
    ///
    /// # Errors
    /// When the daemon is ending.
    pub async fn reload(&self, loaded: Loaded, classifier: Reloaded, receivers: Vec<Receiving>) -> anyhow::Result<()> {
        let (done, answer) = oneshot::channel();
        let model = ModelInfo::of(classifier.0.as_ref());
        self.ask(Command::Reload { loaded: Box::new(loaded.clone()), model, receivers, done }).await?;
        answer.await.context("the daemon is ending")?;
        self.next.set(classifier);
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// Forgets a post or an author everywhere, and tells what was removed.
    ///
    /// # Errors
    /// When the daemon is ending.
    pub async fn forget(&self, who: Selector) -> anyhow::Result<Receipt> {
        let (done, answer) = oneshot::channel();
        self.ask(Command::Forget { who, done }).await?;
        answer.await.context("the daemon is ending")
    }

    /// Keeps the label that `correction` gives, with what the model says now. None where no such post is kept.
    ///
    /// # Errors
    /// When the daemon is ending, or the model cannot read the text.
    pub async fn correct(&self, correction: Correction) -> anyhow::Result<Option<Given>> {
        let (done, found) = oneshot::channel();
        self.ask(Command::Subject { what: correction.what.clone(), done }).await?;
        let Some(subject) = found.await.context("the daemon is ending")? else { return Ok(None) };
        let answer = self.questions.ask(subject.0.text.clone()).await?;
        let (done, given) = oneshot::channel();
        let correction = Box::new(Corrected { correction, subject, answer });
        self.ask(Command::Correct { correction, done }).await?;
        Ok(Some(given.await.context("the daemon is ending")?))
    }

    /// Every label that people gave, the oldest first.
    ///
    /// # Errors
    /// When the daemon is ending.
    pub async fn feedback(&self) -> anyhow::Result<Vec<Given>> {
        let (done, answer) = oneshot::channel();
        self.ask(Command::Feedback { done }).await?;
        answer.await.context("the daemon is ending")
    }

    /// Looks at incidents and silences, or changes them.
    ///
    /// # Errors
    /// When the daemon is ending; inside, when what was asked cannot be done.
    pub async fn alerts(&self, ask: Ask) -> anyhow::Result<Result<Answer, AskError>> {
        let (done, answer) = oneshot::channel();
        self.ask(Command::Alerts { ask, done }).await?;
        answer.await.context("the daemon is ending")
    }

    async fn ask(&self, command: Command) -> anyhow::Result<()> {
        let commands = self.commands.clone();
        // The queue may be full, and its sender blocks.
        let sent = tokio::task::spawn_blocking(move || commands.send(Event::Command(command))).await?;
        sent.ok().context("the daemon is ending")
    }

    fn close_http(&self) {
        self.http.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// A started daemon. Dropping it without [`Running::stop`] leaves posts on their way uncommitted; their sources give them
/// again.
pub struct Running {
    pub handle: Handle,
    pub(super) sources: BTreeMap<String, tokio::task::JoinHandle<()>>,
    pub(super) stages: Vec<(&'static str, oneshot::Receiver<()>)>,
    pub(super) failures: mpsc::Receiver<anyhow::Error>,
    pub(super) stop: CancellationToken,
}

impl Running {
    /// Waits for something that the daemon cannot go on after.
    pub async fn failure(&mut self) -> anyhow::Error {
        match self.failures.recv().await {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }

    /// Stops the sources, lets what they handed over be committed, and ends; at most `within`.
    ///
    /// # Errors
    /// When something failed while draining, or was late: each is named.
    pub async fn stop(mut self, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        self.stop.cancel();
        self.handle.close_http();
        let mut late = Vec::new();
        for (name, mut task) in self.sources {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                late.push(format!("source {name}"));
                task.abort(); // its outlet goes, so that the rest can still drain
            }
        }
        for (name, end) in self.stages {
            let grace = deadline.max(Instant::now() + Duration::from_secs(1));
            if tokio::time::timeout_at(grace, end).await.is_err() {
                late.push((*name).to_owned());
            }
        }
        if let Ok(error) = self.failures.try_recv() {
            return Err(error);
        }
        if late.is_empty() {
            return Ok(());
        }
        anyhow::bail!(
            "not drained within {} s: {}; what is not committed is read again at the next start",
            within.as_secs(),
            late.join(", ")
        )
    }
}

/// Tells that the thread `name` has ended, and how.
pub(super) fn report(
    name: &str,
    ended: anyhow::Result<()>,
    fatal: &mpsc::Sender<anyhow::Error>,
    end: oneshot::Sender<()>,
) {
    if let Err(error) = ended {
        // A full queue has reasons enough to end already.
        let _ = fatal.try_send(error.context(format!("the {name} ended")));
    }
    let _ = end.send(());
}
