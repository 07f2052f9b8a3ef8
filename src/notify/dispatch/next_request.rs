//! The next request to one receiver: which of the due messages go into it, in which order, and how long until they are repeated.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};

use super::Dispatcher;
use super::notification_log::Pending;
use super::receiver_state::ReceiverState;
use crate::notify::{MessageForm, Notification};

/// A log entry whose notification is due.
pub(super) struct Candidate {
    /// Higher is more severe.
    pub(super) severity: u8,
    pub(super) due: Timestamp,
    pub(super) incident: String,
    pub(super) pending: Pending,
    pub(super) form: MessageForm,
}

impl Candidate {
    /// Lower goes first. What nobody knows yet goes before reminders, and both before a message that was refused already;
    /// then the most severe, then what has waited longest. The id makes it deterministic.
    fn rank(&self) -> (bool, bool, Reverse<u8>, Timestamp, &str) {
        let is_reminder = self.pending.is_empty();
        (self.form != MessageForm::Full, is_reminder, Reverse(self.severity), self.due, &self.incident)
    }
}

impl Dispatcher {
    /// Keeps the candidates that go into the next request, in order.
    pub(super) fn pick(&self, receiver: &str, candidates: &mut Vec<Candidate>) {
        let idle = ReceiverState::default();
        let state = self.receiver_states.get(receiver).unwrap_or(&idle);
        candidates.sort_by(|a, b| a.rank().cmp(&b.rank()));
        // The turn of the oldest: otherwise a steady supply of severe messages would hold back all others.
        if state.is_turn_of_oldest()
            && let Some(oldest) = candidates.iter().min_by_key(|candidate| candidate.due)
        {
            let labels = |candidate: &Candidate| self.groups.get(&candidate.incident).map(|group| &group.labels);
            // One that is over is summed up in the next message about the same labels: that one takes its turn.
            let of_oldest = |it: &&Candidate| !it.pending.firing.is_empty() && labels(it) == labels(oldest);
            let next = candidates.iter().find(of_oldest).unwrap_or(oldest).incident.clone();
            candidates.sort_by_key(|candidate| candidate.incident != next);
        }
        let most = if self.routing.resend_interval(receiver).is_some() { state.batch_limit() } else { 1 };
        candidates.truncate(most);
        // A message that was refused alone is tried alone, so that it spoils no list.
        match candidates.first().map(|first| first.form) {
            Some(MessageForm::Full) => candidates.retain(|candidate| candidate.form == MessageForm::Full),
            Some(_) => candidates.truncate(1),
            None => {}
        }
    }

    /// How long it takes at most until `receiver` gets a firing incident again: as long as the routing says, or, with many
    /// incidents, as its rate limit allows. None where it needs no repetition.
    pub(super) fn resent_within(&self, receiver: &str) -> Option<SignedDuration> {
        let resend = self.routing.resend_interval(receiver)?;
        let rate = self.routing.receiver(receiver).map_or(1, |config| config.rate_limit.max(1)) as usize;
        let batch = self.receiver_states.get(receiver).map_or(usize::MAX, ReceiverState::batch_limit).max(1);
        let firing = self.groups.values().filter(|group| group.is_firing() && group.log.contains_key(receiver)).count();
        // A quarter of the requests may go to other messages.
        let requests = firing.div_ceil(batch) * 4 / 3 + 1;
        let round = SignedDuration::from_secs((requests * 60).div_ceil(rate) as i64);
        Some(resend.max(round))
    }
}

/// The key of a request.
pub(super) fn batch_key(notifications: &[Notification]) -> String {
    match notifications {
        [only] => only.key.clone(),
        all => {
            let keys: Vec<&str> = all.iter().map(|notification| notification.key.as_str()).collect();
            format!("batch-{}-{:016x}", all.len(), twox_hash::XxHash64::oneshot(0, keys.join(" ").as_bytes()))
        }
    }
}
