//! [`Command`]: what the daemon can be asked to do while it runs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::classify_requests;
use super::delivery::Receiving;
use crate::classify::ModelInfo;
use crate::config::Loaded;
use crate::monitor::{Correction, Given, Provenance, Receipt, Selector};
use crate::notify::dispatch::{AskError, IncidentView};
use crate::notify::{Matcher, Silence};
use crate::window::Sample;

/// Carried out by the monitor's thread, between two batches.
pub(super) enum Command {
    /// Takes the rules, topics and receivers of another configuration; `model` is the one in use from here on.
    Reload { loaded: Box<Loaded>, model: ModelInfo, receivers: Vec<Receiving>, done: oneshot::Sender<()> },
    /// Forgets a post or an author everywhere.
    Forget { who: Selector, done: oneshot::Sender<Receipt> },
    /// Finds the post or text that somebody gives a label to.
    Subject { what: String, done: oneshot::Sender<Option<(Sample, Provenance)>> },
    /// Keeps a label that somebody gave.
    Correct { correction: Box<Corrected>, done: oneshot::Sender<Given> },
    /// Tells every label that people gave.
    Feedback { done: oneshot::Sender<Vec<Given>> },
    /// Looks at incidents and silences, or changes them.
    Alerts { ask: Ask, done: oneshot::Sender<Result<Answer, AskError>> },
}

/// A label that somebody gave, with what the model says.
#[derive(Clone)]
pub(super) struct Corrected {
    pub(super) correction: Correction,
    pub(super) subject: (Sample, Provenance),
    pub(super) answer: classify_requests::Answer,
}

/// What is asked of incidents and silences.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    List { all: bool },
    Show { id: String },
    Acknowledge { id: String, by: String },
    Unacknowledge { id: String },
    Silence { matchers: Vec<Matcher>, seconds: u64, by: String, comment: String },
    Unsilence { id: String },
}

/// What comes of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    List { now: Timestamp, incidents: Vec<IncidentView>, silences: Vec<Silence> },
    Incident(Box<IncidentView>),
    Silence(Silence),
    Done,
}
