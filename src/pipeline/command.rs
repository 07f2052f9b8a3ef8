//! [`Command`]: what the daemon can be asked to do while it runs.

use tokio::sync::oneshot;

use crate::classify::ModelInfo;
use crate::config::Loaded;
use crate::monitor::{Receipt, Selector};

/// Carried out by the monitor's thread, between two batches.
pub(super) enum Command {
    /// Takes the rules and topics of another configuration; `model` is the one in use from here on.
    Reload { loaded: Box<Loaded>, model: ModelInfo, done: oneshot::Sender<()> },
    /// Forgets a post or an author everywhere.
    Forget { who: Selector, done: oneshot::Sender<Receipt> },
}
