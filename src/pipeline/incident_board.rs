//! [`IncidentBoard`]: incidents, silences and receivers of the running daemon, as the monitor's thread last published them.
//! Pages read it and never wait for that thread. Unlike [`Status`](super::status::Status) it holds texts of posts.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::notify::dispatch::IncidentView;
use crate::notify::{Dispatcher, Silence};

/// Silences end and digests open without an event: the board is published this often at least.
const MAX_AGE: SignedDuration = SignedDuration::from_secs(30);

/// What the dispatcher knows, at one moment.
#[derive(Debug, Clone, Default)]
pub struct IncidentBoard {
    pub at: Timestamp,
    /// Firing ones first, the newest first; resolved ones of the last days.
    pub incidents: Vec<IncidentView>,
    /// All that are kept, in no order: for reports, which look back further.
    pub past: Vec<IncidentView>,
    /// Active ones and those that expired in the last days.
    pub silences: Vec<Silence>,
    /// Receivers with their last error, in their own words, until they work again.
    pub receivers: Vec<(String, Option<String>)>,
}

impl IncidentBoard {
    /// The incident with this id, in upper or lower case.
    pub fn incident(&self, id: &str) -> Option<&IncidentView> {
        self.incidents.iter().find(|view| view.incident.id.eq_ignore_ascii_case(id))
    }

    /// Incidents that fire and nobody has acknowledged.
    pub fn open(&self) -> usize {
        self.incidents.iter().filter(|view| view.is_firing() && view.acknowledged.is_none()).count()
    }
}

/// Publishes boards.
pub(super) struct BoardPublisher {
    boards: watch::Sender<Arc<IncidentBoard>>,
    published_at: Option<Timestamp>,
}

impl BoardPublisher {
    pub(super) fn new() -> (Self, watch::Receiver<Arc<IncidentBoard>>) {
        let (boards, receiver) = watch::channel(Arc::default());
        (Self { boards, published_at: None }, receiver)
    }

    /// Publishes the state of `dispatcher` where it `changed`, or the last board is too old; returns what was published.
    pub(super) fn publish(
        &mut self,
        dispatcher: &Dispatcher,
        changed: bool,
        now: Timestamp,
    ) -> Option<Arc<IncidentBoard>> {
        let is_old = self.published_at.is_none_or(|last| now.duration_since(last).abs() >= MAX_AGE);
        if !changed && !is_old {
            return None;
        }
        self.published_at = Some(now);
        let receivers = dispatcher.receivers().map(|(name, error)| (name.to_owned(), error.map(str::to_owned)));
        let board = IncidentBoard {
            at: now,
            incidents: dispatcher.incidents(true, now),
            past: dispatcher.past_incidents(now),
            silences: dispatcher.silences(true, now),
            receivers: receivers.collect(),
        };
        let board = Arc::new(board);
        self.boards.send_replace(board.clone());
        Some(board)
    }
}
