//! [`ReceiverState`]: the back-off, rate limit and last error of one receiver.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::notify::NotifyError;

/// The wait after the first transient error; it doubles with each further one.
const MIN_BACKOFF: SignedDuration = SignedDuration::from_secs(5);
const MAX_BACKOFF: SignedDuration = SignedDuration::from_mins(10);
/// The wait after a permanent error.
const PERMANENT_RETRY: SignedDuration = SignedDuration::from_hours(1);
/// The longest `Retry-After` that is respected.
const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(2);
/// After this long with transient errors alone an operational alert is raised.
const UNREACHABLE_AFTER: SignedDuration = SignedDuration::from_mins(15);
const MINUTE_MILLIS: i64 = 60_000;
/// Incidents in one request, to a receiver that takes lists; as many as Prometheus sends.
const MAX_BATCH: usize = 256;
/// After refusals of so many incidents in a row, with nothing accepted between, the receiver is at fault and not the messages.
const MAX_REFUSED_IN_A_ROW: usize = 3;
/// Every so many requests, the message that has waited longest is sent, whatever its rank: so nothing waits for ever.
const OLDEST_EVERY: u32 = 4;

/// State of one receiver.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ReceiverState {
    /// Consecutive failures.
    failures: u32,
    failing_since: Option<Timestamp>,
    retry_at: Option<Timestamp>,
    /// The last error, in the receiver's own words.
    error: Option<String>,
    permanent: bool,
    /// Why the last notification reached only some of the recipients.
    #[serde(default)]
    partial_failure: Option<String>,
    /// The theoretical arrival time of the rate limit (GCRA).
    next_arrival: Option<Timestamp>,
    /// Requests so far, for the turn of the oldest message.
    #[serde(default)]
    requests: u32,
    /// Incidents in the next request, where a list was refused: halved until the message at fault is alone.
    #[serde(default)]
    batch_limit: Option<usize>,
    /// Incidents whose messages were refused in every form since the last one was accepted.
    #[serde(default)]
    refused: BTreeSet<String>,
}

/// What follows from a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusalVerdict {
    /// Some message of the list is at fault: shorter lists find out which.
    SplitBatch,
    /// This message is at fault.
    Message,
    /// Everything is refused.
    Receiver,
}

impl ReceiverState {
    /// When the next notification may be sent, at `rate` per minute.
    pub(super) fn ready_at(&self, rate: u32) -> Timestamp {
        let price = MINUTE_MILLIS / i64::from(rate.max(1));
        let burst = SignedDuration::from_millis(price * i64::from(rate.max(1) - 1));
        let limited = self.next_arrival.and_then(|next| next.checked_sub(burst).ok()).unwrap_or(Timestamp::MIN);
        limited.max(self.retry_at.unwrap_or(Timestamp::MIN))
    }

    /// A notification is sent: it counts against the rate limit.
    pub(super) fn record_send(&mut self, rate: u32, now: Timestamp) {
        let price = SignedDuration::from_millis(MINUTE_MILLIS / i64::from(rate.max(1)));
        let from = self.next_arrival.map_or(now, |next| next.max(now));
        self.next_arrival = from.checked_add(price).ok();
        self.requests = self.requests.wrapping_add(1);
    }

    /// Whether the next request belongs to the message that has waited longest.
    pub(super) fn is_turn_of_oldest(&self) -> bool {
        self.requests % OLDEST_EVERY == OLDEST_EVERY - 1
    }

    /// Incidents in the next request, to a receiver that takes lists.
    pub(super) fn batch_limit(&self) -> usize {
        self.batch_limit.unwrap_or(MAX_BATCH)
    }

    /// A notification was delivered, perhaps with a `partial_failure`.
    pub(super) fn record_success(&mut self, partial_failure: Option<String>) {
        let Self { next_arrival, requests, batch_limit, .. } = *self;
        let batch_limit = batch_limit.map(|limit| limit * 2).filter(|limit| *limit < MAX_BATCH);
        *self = Self { next_arrival, requests, batch_limit, partial_failure, ..Self::default() };
    }

    /// A request with `incidents` was refused for its content. `is_last` once the smallest form of a message was refused.
    pub(super) fn record_refusal(&mut self, incidents: &[&str], is_last: bool) -> RefusalVerdict {
        if incidents.len() > 1 {
            self.batch_limit = Some(incidents.len() / 2);
            return RefusalVerdict::SplitBatch;
        }
        // A receiver that refused everything before is not asked about every form of every message again.
        if is_last || self.permanent {
            self.refused.extend(incidents.iter().map(|incident| (*incident).to_owned()));
        }
        if self.refused.len() >= MAX_REFUSED_IN_A_ROW {
            return RefusalVerdict::Receiver;
        }
        // The receiver answers, and its other messages may be accepted: it is not failing.
        let Self { next_arrival, requests, batch_limit, partial_failure, refused, .. } = std::mem::take(self);
        *self = Self { next_arrival, requests, batch_limit, partial_failure, refused, ..Self::default() };
        RefusalVerdict::Message
    }

    /// A notification failed. `key` decides the jitter, so that a replay waits the same and two receivers do not.
    pub(super) fn record_failure(&mut self, error: &NotifyError, key: &str, now: Timestamp) {
        self.failing_since.get_or_insert(now);
        self.failures = self.failures.saturating_add(1);
        self.error = Some(error.to_string());
        self.permanent = !matches!(error, NotifyError::Transient { .. });
        let wait = match error {
            // Only a change of configuration helps, and that resets the back-off; the hourly retry covers a change on
            // the other side.
            NotifyError::Permanent { .. } | NotifyError::Rejected { .. } => PERMANENT_RETRY,
            NotifyError::Transient { retry_after, .. } => {
                let doubled = MIN_BACKOFF * (1 << self.failures.saturating_sub(1).min(10));
                let requested = retry_after.and_then(|wait| SignedDuration::try_from(wait).ok()).unwrap_or_default();
                jitter(doubled.min(MAX_BACKOFF), key, self.failures).max(requested.min(MAX_RETRY_AFTER))
            }
        };
        self.retry_at = now.checked_add(wait).ok();
    }

    /// The configuration changed: the next attempt is made at once. Returns whether anything changed.
    pub(super) fn reset_backoff(&mut self) -> bool {
        let had_partial_failure = self.partial_failure.take().is_some();
        let had_refusals = !std::mem::take(&mut self.refused).is_empty();
        self.retry_at.take().is_some() || had_partial_failure || had_refusals
    }

    /// The permanent error, while there is one.
    pub(super) fn permanent_error(&self) -> Option<&str> {
        self.error.as_deref().filter(|_| self.permanent)
    }

    /// Since when transient errors last, and the last of them, once they have lasted long enough for an alert.
    pub(super) fn unreachable(&self, now: Timestamp) -> Option<(Timestamp, &str)> {
        let since = self.failing_since.filter(|since| now.duration_since(*since) >= UNREACHABLE_AFTER)?;
        self.error.as_deref().filter(|_| !self.permanent).map(|error| (since, error))
    }

    pub(super) fn partial_failure(&self) -> Option<&str> {
        self.partial_failure.as_deref()
    }

    pub(super) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}

/// Up to a fifth more or less, so that receivers that failed together do not retry together.
fn jitter(wait: SignedDuration, key: &str, failures: u32) -> SignedDuration {
    let hash = twox_hash::XxHash64::oneshot(u64::from(failures), key.as_bytes());
    let permille = 800 + i64::try_from(hash % 401).unwrap_or_default();
    SignedDuration::from_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2_000) * permille / 1_000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn transient(retry_after: Option<u64>) -> NotifyError {
        NotifyError::Transient { reason: "503".into(), retry_after: retry_after.map(Duration::from_secs) }
    }

    #[test]
    fn waits_double_with_jitter_up_to_ten_minutes() {
        let mut state = ReceiverState::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            state.record_failure(&transient(None), "key", at(0));
            waits.push(state.ready_at(30).as_millisecond());
        }
        for (wait, doubled) in waits.iter().zip([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000]) {
            assert!((doubled * 8 / 10..=doubled * 12 / 10).contains(wait), "{waits:?}");
        }
        assert!(waits.last().is_some_and(|wait| *wait <= 720_000), "{waits:?}");
        state.record_success(None);
        assert_eq!(state, ReceiverState::default());
    }

    #[test]
    fn retry_after_is_respected_within_reason() {
        let mut state = ReceiverState::default();
        state.record_failure(&transient(Some(90)), "key", at(0));
        assert_eq!(state.ready_at(30), at(90));
        state.record_failure(&transient(Some(1_000_000)), "key", at(0));
        assert_eq!(state.ready_at(30), at(7_200));
    }

    #[test]
    fn a_permanent_error_is_retried_hourly_and_after_a_change() {
        let mut state = ReceiverState::default();
        state.record_failure(&NotifyError::Permanent { reason: "401".into() }, "key", at(0));
        assert_eq!((state.ready_at(30), state.permanent_error()), (at(3_600), Some("401")));
        assert_eq!(state.unreachable(at(100_000)), None);
        assert!(state.reset_backoff());
        assert!(state.ready_at(30) <= at(0) && state.permanent_error().is_some());
    }

    #[test]
    fn lasting_transient_errors_raise_an_alert() {
        let mut state = ReceiverState::default();
        state.record_failure(&transient(None), "key", at(0));
        state.record_failure(&transient(None), "key", at(600));
        assert_eq!(state.unreachable(at(899)), None);
        assert_eq!(state.unreachable(at(900)), Some((at(0), "503")));
    }

    #[test]
    fn a_burst_is_allowed_and_then_one_at_a_time() {
        let mut state = ReceiverState::default();
        for _ in 0..3 {
            assert!(state.ready_at(3) <= at(100));
            state.record_send(3, at(100));
        }
        assert_eq!(state.ready_at(3), at(120));
        state.record_send(3, at(120));
        assert_eq!(state.ready_at(3), at(140));
    }
}
