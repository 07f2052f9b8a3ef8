//! [`Command`]: what the daemon can be asked to do while it runs.

use tokio::sync::oneshot;

use super::questions::Answer;
use crate::classify::ModelInfo;
use crate::config::Loaded;
use crate::monitor::{Correction, Given, Provenance, Receipt, Selector};
use crate::window::Sample;

/// Carried out by the monitor's thread, between two batches.
pub(super) enum Command {
    /// Takes the rules and topics of another configuration; `model` is the one in use from here on.
    Reload { loaded: Box<Loaded>, model: ModelInfo, done: oneshot::Sender<()> },
    /// Forgets a post or an author everywhere.
    Forget { who: Selector, done: oneshot::Sender<Receipt> },
    /// Finds the post or text that somebody gives a label to.
    Subject { what: String, done: oneshot::Sender<Option<(Sample, Provenance)>> },
    /// Keeps a label that somebody gave.
    Correct { correction: Box<Corrected>, done: oneshot::Sender<Given> },
    /// Tells every label that people gave.
    Feedback { done: oneshot::Sender<Vec<Given>> },
}

/// A label that somebody gave, with what the model says.
#[derive(Clone)]
pub(super) struct Corrected {
    pub(super) correction: Correction,
    pub(super) subject: (Sample, Provenance),
    pub(super) answer: Answer,
}
