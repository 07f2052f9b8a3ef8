//! [`Tracker`]: logs the runs of the lab's commands. It never stops a run: at worst it logs a warning.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::address::{AddressError, TrackingServer};
use super::api::Api;
use super::client::Client;
use super::request_error::{ErrorScope, RequestError};
use super::send::RunSender;
use super::spool::{LockedRun, Spool, SpoolError};
use super::spooled_run::RunDraft;
use super::sync::SyncReport;
use crate::run_record::RunRecord;

/// After an error the server is not used for this long; runs wait in the spool.
const SERVER_BACKOFF: Duration = Duration::from_secs(60);

/// Why a tracker could not be made, or could not sync.
#[derive(Debug, thiserror::Error)]
pub enum TrackerError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("no client for MLflow: {0}")]
    Client(String),
    #[error("the spool cannot be read: {0}")]
    Spool(#[from] SpoolError),
}

/// The experiment and the registered model to log to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTarget {
    pub experiment: String,
    /// A run's model becomes a version of this registered model.
    pub registered_model: String,
}

impl Default for LogTarget {
    fn default() -> Self {
        Self { experiment: "vigie".into(), registered_model: "vigie".into() }
    }
}

/// The outcome of logging a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogOutcome {
    /// The server has all of it.
    Sent,
    /// It waits in the spool.
    Spooled,
    /// The server refused it permanently; it is among the rejected runs of the spool.
    Rejected,
    /// It could not be spooled.
    Lost,
}

/// Logs runs to one MLflow server.
pub struct Tracker {
    server: TrackingServer,
    sender: RunSender,
    spool: Spool,
    target: LogTarget,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    warned: bool,
    backoff_until: Option<Instant>,
}

impl Tracker {
    /// # Errors
    /// If TLS cannot be set up. Does not contact the server.
    pub fn new(server: TrackingServer, spool: Spool, target: LogTarget) -> Result<Self, TrackerError> {
        if server.sends_secrets_in_clear() {
            tracing::warn!(%server, "MLflow credentials are sent unencrypted over http; use https");
        }
        let client = Client::new(&server).map_err(TrackerError::Client)?;
        let sender = RunSender::new(Api::new(client, &server.url));
        Ok(Self { server, sender, spool, target, state: Mutex::default() })
    }

    /// Logs a run: to the server if it is reachable, otherwise to the spool, with one warning.
    pub fn log(&self, record: &RunRecord) -> LogOutcome {
        let LogTarget { experiment, registered_model } = &self.target;
        self.deliver(&record.name, RunDraft::from_record(record, experiment, registered_model))
    }

    /// Makes the model `model_id`, whose files are in `dir`, the registered model's champion since `at`; first
    /// registers a version with `metrics` if there is none.
    pub fn log_promotion(
        &self,
        model_id: &str,
        metrics: &BTreeMap<String, f64>,
        dir: &Path,
        at: Timestamp,
    ) -> LogOutcome {
        let target = (self.target.experiment.as_str(), self.target.registered_model.as_str());
        self.deliver(model_id, RunDraft::from_promotion(model_id, metrics, dir, at, target))
    }

    /// Sends the runs in the spool, in order.
    ///
    /// # Errors
    /// If the spool cannot be read. A run that cannot be sent is not an error; the report lists it.
    pub fn sync(&self) -> Result<SyncReport, TrackerError> {
        Ok(SyncReport::run(&self.spool, &self.sender)?)
    }

    fn deliver(&self, name: &str, draft: std::io::Result<RunDraft<'_>>) -> LogOutcome {
        let kept = draft
            .map_err(|error| format!("its model cannot be read: {error}"))
            .and_then(|draft| self.spool.put(&draft).map_err(|error| error.to_string()));
        match kept {
            Ok(locked) if self.is_backing_off() => {
                drop(locked);
                LogOutcome::Spooled
            }
            Ok(locked) => self.send(locked),
            Err(reason) => {
                tracing::warn!(run = name, %reason, "run lost: it could not be written to the spool; check --spool");
                LogOutcome::Lost
            }
        }
    }

    fn send(&self, locked: LockedRun) -> LogOutcome {
        match self.sender.send(&locked) {
            Ok(()) => {
                if let Err(error) = self.spool.remove(locked) {
                    tracing::warn!(%error, "run sent to MLflow, but it could not be removed from the spool");
                }
                self.spool.tidy();
                LogOutcome::Sent
            }
            Err(error) if error.scope == ErrorScope::Permanent => self.reject(&locked, &error),
            Err(error) => {
                self.back_off(&error);
                LogOutcome::Spooled
            }
        }
    }

    fn reject(&self, locked: &LockedRun, error: &RequestError) -> LogOutcome {
        let folder = self.spool.reject(&locked.dir, &error.reason).unwrap_or_else(|_| locked.dir.clone());
        let (name, folder) = (&locked.spooled.name, folder.display());
        tracing::warn!(run = %name, folder = %folder, reason = %error, "MLflow refused a run; moved to the rejected runs of the spool");
        LogOutcome::Rejected
    }

    fn is_backing_off(&self) -> bool {
        let state = self.state();
        state.backoff_until.is_some_and(|until| Instant::now() < until)
    }

    /// Logs one warning, however many runs follow.
    fn back_off(&self, error: &RequestError) {
        let mut state = self.state();
        if error.scope == ErrorScope::TrackingServer {
            state.backoff_until = Instant::now().checked_add(SERVER_BACKOFF.max(error.retry_after.unwrap_or_default()));
        }
        if std::mem::replace(&mut state.warned, true) {
            return;
        }
        let (server, dir) = (&self.server, self.spool.dir().display());
        tracing::warn!(
            %server,
            reason = %error,
            "MLflow cannot be reached or failed; runs wait in the spool {dir}: send them later with \
             `vigie lab sync --mlflow {server} --spool {dir}`"
        );
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
