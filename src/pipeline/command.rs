//! [`Command`]: requests to the running daemon.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::classify::{Label, ModelInfo, Prediction};
use crate::config::LoadedConfig;
use crate::monitor::{Correction, FeedbackRecord, Receipt, Selector, Subject};
use crate::notify::dispatch::{AlertQueryError, IncidentView};
use crate::notify::{Matcher, Notifier, Silence};

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
    Subject { correction: Correction, done: oneshot::Sender<Option<Subject>> },
    /// Records corrections, and makes them durable.
    Correct { corrections: Vec<Corrected>, done: oneshot::Sender<Vec<FeedbackRecord>> },
    /// Takes back the last label given to each of these posts; the label that then counts, where there was one.
    UndoFeedback { posts: Vec<String>, done: oneshot::Sender<Vec<Option<Label>>> },
    /// Reads or changes incidents and silences.
    Alerts { ask: AlertQuery, done: oneshot::Sender<Result<AlertReply, AlertQueryError>> },
}

/// A correction, with the model's own prediction.
#[derive(Clone)]
pub(super) struct Corrected {
    pub(super) correction: Correction,
    pub(super) subject: Subject,
    /// The model, and its prediction.
    pub(super) read: (String, Prediction),
}

/// A request about incidents and silences.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertQuery {
    List {
        all: bool,
    },
    Show {
        id: String,
    },
    Acknowledge {
        id: String,
        by: String,
        #[serde(default)]
        comment: String,
    },
    Unacknowledge {
        id: String,
        #[serde(default)]
        by: Option<String>,
    },
    Note {
        id: String,
        by: String,
        text: String,
    },
    Silence {
        #[schema(value_type = Vec<String>)]
        matchers: Vec<Matcher>,
        seconds: u64,
        by: String,
        comment: String,
    },
    Unsilence {
        id: String,
    },
}

/// The reply to an [`AlertQuery`].
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertReply {
    List { now: Timestamp, incidents: Vec<IncidentView>, silences: Vec<Silence> },
    Incident(Box<IncidentView>),
    Silence(Silence),
    Done,
}
