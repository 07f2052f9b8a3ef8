//! [`Tracker`]: what the lab's commands log runs with. Nothing that happens here stops a run: at worst there is a warning.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::address::{AddressError, Server};
use super::api::Api;
use super::client::Client;
use super::entry::Draft;
use super::fault_scope::{Fault, Reach};
use super::send::Sender;
use super::spool::{Parcel, Spool, SpoolError};
use super::sync::Synced;
use crate::run_record::RunRecord;

/// So long a server that failed is left alone; what is logged meanwhile waits in the spool.
const PAUSE: Duration = Duration::from_secs(60);

/// Why there is no tracker, or it could not sync.
#[derive(Debug, thiserror::Error)]
pub enum TrackerError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("no client for MLflow: {0}")]
    Client(String),
    #[error("the spool cannot be read: {0}")]
    Spool(#[from] SpoolError),
}

/// Names that runs are logged under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub experiment: String,
    /// The registered model that a run's model becomes a version of.
    pub registered_model: String,
}

impl Default for Target {
    fn default() -> Self {
        Self { experiment: "vigie".into(), registered_model: "vigie".into() }
    }
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The server has all of it.
    Sent,
    /// It waits in the spool.
    Spooled,
    /// The server will never take it; it was set aside in the spool.
    Rejected,
    /// It could not even be kept.
    Lost,
}

/// Logs runs to one MLflow server.
pub struct Tracker {
    server: Server,
    sender: Sender,
    spool: Spool,
    target: Target,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    warned: bool,
    quiet_until: Option<Instant>,
}

impl Tracker {
    /// # Errors
    /// When TLS cannot be set up. Whether the server answers is not asked.
    pub fn new(server: Server, spool: Spool, target: Target) -> Result<Self, TrackerError> {
        if server.tells_secrets() {
            tracing::warn!(%server, "the credentials for MLflow go over plain http, for all to read on the way: use https");
        }
        let client = Client::new(&server).map_err(TrackerError::Client)?;
        let sender = Sender::new(Api::new(client, &server.url));
        Ok(Self { server, sender, spool, target, state: Mutex::default() })
    }

    /// Logs a run: at the server if that answers, else into the spool, with one warning.
    pub fn log(&self, record: &RunRecord) -> Outcome {
        let Target { experiment, registered_model } = &self.target;
        self.deliver(&record.name, Draft::of_run(record, experiment, registered_model))
    }

    /// Makes the model `model_id`, whose files are in `dir`, the registered model's champion since `at`; registers a version
    /// with `metrics` first where there is none of it.
    pub fn promoted(&self, model_id: &str, metrics: &BTreeMap<String, f64>, dir: &Path, at: Timestamp) -> Outcome {
        let target = (self.target.experiment.as_str(), self.target.registered_model.as_str());
        self.deliver(model_id, Draft::of_promotion(model_id, metrics, dir, at, target))
    }

    /// Sends what is in the spool, in order.
    ///
    /// # Errors
    /// When the spool cannot be read. What cannot be sent is no error, but named.
    pub fn sync(&self) -> Result<Synced, TrackerError> {
        Ok(Synced::run(&self.spool, &self.sender)?)
    }

    fn deliver(&self, name: &str, draft: std::io::Result<Draft<'_>>) -> Outcome {
        let kept = draft
            .map_err(|error| format!("its model cannot be read: {error}"))
            .and_then(|draft| self.spool.put(&draft).map_err(|error| error.to_string()));
        match kept {
            Ok(parcel) if self.is_quiet() => {
                drop(parcel);
                Outcome::Spooled
            }
            Ok(parcel) => self.send(parcel),
            Err(reason) => {
                tracing::warn!(run = name, %reason, "a run is not in MLflow, as it could not be kept to be sent: see --spool");
                Outcome::Lost
            }
        }
    }

    fn send(&self, parcel: Parcel) -> Outcome {
        match self.sender.send(&parcel) {
            Ok(()) => {
                if let Err(error) = self.spool.remove(parcel) {
                    tracing::warn!(%error, "a run is in MLflow, but stays in the spool");
                }
                self.spool.tidy();
                Outcome::Sent
            }
            Err(fault) if fault.reach == Reach::Forever => self.set_aside(&parcel, &fault),
            Err(fault) => {
                self.pause(&fault);
                Outcome::Spooled
            }
        }
    }

    fn set_aside(&self, parcel: &Parcel, fault: &Fault) -> Outcome {
        let aside = self.spool.reject(&parcel.dir, &fault.reason).unwrap_or_else(|_| parcel.dir.clone());
        let (run, aside) = (&parcel.entry.name, aside.display());
        tracing::warn!(%run, reason = %fault, "MLflow will not take a run; it was set aside in {aside}");
        Outcome::Rejected
    }

    fn is_quiet(&self) -> bool {
        let state = self.state();
        state.quiet_until.is_some_and(|until| Instant::now() < until)
    }

    /// One warning is enough, however many runs follow.
    fn pause(&self, fault: &Fault) {
        let mut state = self.state();
        if fault.reach == Reach::Server {
            state.quiet_until = Instant::now().checked_add(PAUSE.max(fault.retry_after.unwrap_or_default()));
        }
        if std::mem::replace(&mut state.warned, true) {
            return;
        }
        let (server, dir) = (&self.server, self.spool.dir().display());
        tracing::warn!(
            %server,
            reason = %fault,
            "MLflow does not take a run; what it lacks waits in {dir}: send it later with \
             `vigie lab sync --mlflow {server} --spool {dir}`"
        );
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
