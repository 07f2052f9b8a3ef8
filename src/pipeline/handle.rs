//! [`RunningDaemon`], the started daemon as its owner sees it, and [`DaemonHandle`], its interface for the web server.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::classifier_thread::{ClassifierSwap, PendingSwap};
use super::classify_requests::{ClassifyReply, ClassifyRequests};
use super::command::{AlertQuery, AlertReply, Command, Corrected, ReceiverHandle};
use super::incident_board::IncidentBoard;
use super::message::Event;
use super::post_path::TopicMatcher;
use super::report_writer::ReportWriter;
use super::status::Status;
use super::stopwatch::Stopwatch;
use crate::classify::{Label, ModelInfo, Prediction};
use crate::config::LoadedConfig;
use crate::language::Language;
use crate::metrics::Metrics;
use crate::monitor::{Correction, FeedbackRecord, Receipt, Selector};
use crate::notify::ReportSpan;
use crate::notify::dispatch::AlertQueryError;
use crate::query::Query;
use crate::secret::Secret;
use crate::source::SourceSender;

/// A status older than this means that the monitor's thread is stuck.
const STALE: Duration = Duration::from_secs(30);
/// A batch that takes longer than this means that the classifier is stuck.
const STUCK: Duration = Duration::from_secs(60);

/// Where the web server passes on the posts that others send.
#[derive(Clone)]
pub struct HttpIntake {
    pub out: SourceSender,
    pub token: Secret,
    /// All posts go to this topic.
    pub topic: Option<String>,
}

pub(super) struct HandleParts {
    pub(super) statuses: watch::Receiver<Status>,
    pub(super) boards: watch::Receiver<Arc<IncidentBoard>>,
    pub(super) query: Query,
    pub(super) metrics: Metrics,
    pub(super) commands: SyncSender<Event>,
    pub(super) next: PendingSwap,
    pub(super) busy: Stopwatch,
    pub(super) published: Stopwatch,
    pub(super) http: Option<HttpIntake>,
    pub(super) loaded: LoadedConfig,
    pub(super) model: ModelInfo,
    pub(super) classify_requests: ClassifyRequests,
    pub(super) reports: ReportWriter,
}

/// An interface to the running daemon. Clones refer to the same daemon.
#[derive(Clone)]
pub struct DaemonHandle {
    statuses: watch::Receiver<Status>,
    boards: watch::Receiver<Arc<IncidentBoard>>,
    /// Reads the store, past the monitor's thread.
    pub query: Query,
    pub metrics: Metrics,
    commands: SyncSender<Event>,
    next: PendingSwap,
    busy: Stopwatch,
    published: Stopwatch,
    /// None once the daemon stops.
    http: Arc<Mutex<Option<HttpIntake>>>,
    loaded: Arc<Mutex<LoadedConfig>>,
    model: Arc<Mutex<ModelInfo>>,
    classify_requests: ClassifyRequests,
    reports: ReportWriter,
}

impl DaemonHandle {
    pub(super) fn new(parts: HandleParts) -> Self {
        let HandleParts {
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
            model,
            classify_requests,
            reports,
        } = parts;
        let (http, loaded) = (Arc::new(Mutex::new(http)), Arc::new(Mutex::new(loaded)));
        let model = Arc::new(Mutex::new(model));
        Self {
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
            model,
            classify_requests,
            reports,
        }
    }

    /// The last published status.
    pub fn status(&self) -> Status {
        self.statuses.borrow().clone()
    }

    /// The incidents, silences and receivers as last published.
    pub fn board(&self) -> Arc<IncidentBoard> {
        self.boards.borrow().clone()
    }

    /// The report of `span` as one HTML page; in the language of the configuration unless another is given. Reads the store: for a
    /// thread that may block.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn report(&self, span: ReportSpan, language: Option<Language>) -> anyhow::Result<String> {
        self.reports.page(span, language)
    }

    /// The status, and every later one.
    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.statuses.clone()
    }

    /// Which thread makes no progress, if any; for the watchdog and readiness.
    pub fn stuck(&self) -> Option<String> {
        stuck(self.published.elapsed(), self.busy.elapsed())
    }

    /// Where sent posts go; none without a source of `type = "http"`, or once the daemon stops.
    pub fn http(&self) -> Option<HttpIntake> {
        self.http.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The configuration in use.
    pub fn loaded(&self) -> LoadedConfig {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The model in use, with its error rates.
    pub fn model(&self) -> ModelInfo {
        self.model.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Applies the rules, topics and receivers of `loaded`, and a new classifier. Posts in flight are
    /// counted under either.
    ///
    /// # Errors
    /// When the daemon is ending, or a topic cannot be used.
    pub async fn reload(
        &self,
        loaded: LoadedConfig,
        classifier: ClassifierSwap,
        receivers: Vec<ReceiverHandle>,
    ) -> anyhow::Result<()> {
        let topics = TopicMatcher::new(&loaded.config)?;
        let (done, answer) = oneshot::channel();
        let model = ModelInfo::from_classifier(classifier.0.as_ref());
        let reload = Command::Reload { loaded: Box::new(loaded.clone()), model: model.clone(), receivers, done };
        self.ask(reload).await?;
        answer.await.context("the daemon is ending")?;
        self.next.set(classifier, topics);
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
        *self.model.lock().unwrap_or_else(PoisonError::into_inner) = model;
        Ok(())
    }

    /// Erases a post or an author everywhere, and returns what was removed.
    ///
    /// # Errors
    /// When the daemon is ending.
    pub async fn forget(&self, who: Selector) -> anyhow::Result<Receipt> {
        let (done, answer) = oneshot::channel();
        self.ask(Command::Forget { who, done }).await?;
        answer.await.context("the daemon is ending")
    }

    /// Records `corrections` together, each with the prediction of the model that read the post, or else of the present one.
    /// None, and nothing recorded, where one of the posts is not stored.
    ///
    /// # Errors
    /// When the daemon is ending, or the model cannot read a text.
    pub async fn correct(&self, corrections: Vec<Correction>) -> anyhow::Result<Option<Vec<FeedbackRecord>>> {
        let mut corrected = Vec::with_capacity(corrections.len());
        for correction in corrections {
            let (done, found) = oneshot::channel();
            self.ask(Command::Subject { correction: correction.clone(), done }).await?;
            let Some(subject) = found.await.context("the daemon is ending")? else { return Ok(None) };
            let read = match subject.read.clone() {
                Some(read) => read,
                None => {
                    let (model, predictions) = self.classify(vec![subject.post.text.clone()]).await?;
                    let prediction = predictions.into_iter().next().flatten();
                    (model, prediction.context("the model cannot read this text")?)
                }
            };
            corrected.push(Corrected { correction, subject, read });
        }
        let (done, given) = oneshot::channel();
        self.ask(Command::Correct { corrections: corrected, done }).await?;
        Ok(Some(given.await.context("the daemon is ending")?))
    }

    /// Takes back the last label that people gave to each of `posts`, by identifier or text. Returns the label that counts from
    /// now on, where there was one to take back.
    ///
    /// # Errors
    /// When the daemon is ending.
    pub async fn undo_feedback(&self, posts: Vec<String>) -> anyhow::Result<Vec<Option<Label>>> {
        let (done, labels) = oneshot::channel();
        self.ask(Command::UndoFeedback { posts, done }).await?;
        labels.await.context("the daemon is ending")
    }

    /// Classifies `texts` with the daemon's model: its name, and a prediction for each, where it can read the text.
    ///
    /// # Errors
    /// When the daemon is ending.
    pub async fn classify(&self, texts: Vec<String>) -> anyhow::Result<(String, Vec<Option<Prediction>>)> {
        let ClassifyReply { model, predictions } = self.classify_requests.ask(texts).await?;
        Ok((model, predictions))
    }

    /// Reads or changes incidents and silences.
    ///
    /// # Errors
    /// When the daemon is ending; the inner error, when the request cannot be fulfilled.
    pub async fn alerts(&self, ask: AlertQuery) -> anyhow::Result<Result<AlertReply, AlertQueryError>> {
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

/// A started daemon. Dropping it without [`RunningDaemon::stop`] leaves posts in flight uncommitted; their sources send them
/// again.
pub struct RunningDaemon {
    pub handle: DaemonHandle,
    pub(super) sources: BTreeMap<String, tokio::task::JoinHandle<()>>,
    pub(super) stages: Vec<(&'static str, oneshot::Receiver<()>)>,
    pub(super) failures: mpsc::Receiver<anyhow::Error>,
    pub(super) stop: CancellationToken,
}

impl RunningDaemon {
    /// Waits for an error that the daemon cannot recover from.
    pub async fn failure(&mut self) -> anyhow::Error {
        match self.failures.recv().await {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }

    /// Stops the sources, drains and commits what they sent, and ends; waits at most `within`.
    ///
    /// # Errors
    /// When a task failed or did not drain in time; the error names each.
    pub async fn stop(mut self, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        self.stop.cancel();
        self.handle.close_http();
        let mut late = Vec::new();
        for (name, mut task) in self.sources {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                late.push(format!("source {name}"));
                task.abort(); // its out goes, so that the rest can still drain
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
            "not drained within {} s: {}; uncommitted posts will be read again at the next start",
            within.as_secs(),
            late.join(", ")
        )
    }
}

/// Which thread makes no progress: `silent` is the time since the last status, `busy` the time on the present batch.
fn stuck(silent: Duration, busy: Duration) -> Option<String> {
    if silent > STALE {
        return Some(format!("the monitor has made no progress for {} s", silent.as_secs()));
    }
    (busy > STUCK).then(|| format!("the classifier has been on one batch for {} s", busy.as_secs()))
}

/// Reports that the thread `name` has ended, and how.
pub(super) fn report(
    name: &str,
    ended: anyhow::Result<()>,
    fatal: &mpsc::Sender<anyhow::Error>,
    end: oneshot::Sender<()>,
) {
    if let Err(error) = ended {
        // A full queue already holds an error to end with.
        let _ = fatal.try_send(error.context(format!("the {name} ended")));
    }
    let _ = end.send(());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_stuck_only_past_its_limit() {
        let seconds = Duration::from_secs;
        assert_eq!(stuck(seconds(30), seconds(60)), None);
        assert_eq!(stuck(seconds(31), seconds(0)).unwrap(), "the monitor has made no progress for 31 s");
        assert_eq!(stuck(seconds(0), seconds(61)).unwrap(), "the classifier has been on one batch for 61 s");
    }
}
