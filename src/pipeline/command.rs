//! [`Command`]: requests to the running daemon.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::classify_requests;
use crate::classify::ModelInfo;
use crate::config::LoadedConfig;
use crate::monitor::{Correction, FeedbackRecord, Provenance, Receipt, Selector};
use crate::notify::dispatch::{AlertQueryError, IncidentView};
use crate::notify::{Matcher, Notifier, Silence};
use crate::window::Sample;

/// A receiver: its name, and how to reach it.
pub struct ReceiverHandle {
    pub name: String,
    pub notifier: Box<dyn Notifier>,
}

/// Executed by the monitor's thread, between two batches.
pub(super) enum Command {
    /// Applies the rules, topics and receivers of a new configuration; `model` is in use from here on.
    Reload { loaded: Box<LoadedConfig>, model: ModelInfo, receivers: Vec<ReceiverHandle>, done: oneshot::Sender<()> },
    /// Erases a post or an author everywhere.
    Forget { who: Selector, done: oneshot::Sender<Receipt> },
    /// Finds the post or text that a correction is about.
    Subject { what: String, done: oneshot::Sender<Option<(Sample, Provenance)>> },
    /// Records a correction.
    Correct { correction: Box<Corrected>, done: oneshot::Sender<FeedbackRecord> },
    /// Lists all corrections.
    Feedback { done: oneshot::Sender<Vec<FeedbackRecord>> },
    /// Reads or changes incidents and silences.
    Alerts { ask: AlertQuery, done: oneshot::Sender<Result<AlertReply, AlertQueryError>> },
}

/// A correction, with the model's own prediction.
#[derive(Clone)]
pub(super) struct Corrected {
    pub(super) correction: Correction,
    pub(super) subject: (Sample, Provenance),
    pub(super) answer: classify_requests::ClassifyReply,
}

/// A request about incidents and silences.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertQuery {
    List { all: bool },
    Show { id: String },
    Acknowledge { id: String, by: String },
    Unacknowledge { id: String },
    Silence { matchers: Vec<Matcher>, seconds: u64, by: String, comment: String },
    Unsilence { id: String },
}

/// The reply to an [`AlertQuery`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertReply {
    List { now: Timestamp, incidents: Vec<IncidentView>, silences: Vec<Silence> },
    Incident(Box<IncidentView>),
    Silence(Silence),
    Done,
}
