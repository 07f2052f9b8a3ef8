//! [`Receiving`]: how a receiver is doing: when it may be told next, and since when it cannot be.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::notify::NotifyError;

/// The first wait after a passing fault; it doubles.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// A permanent fault is tried again this seldom.
const RARELY: SignedDuration = SignedDuration::from_hours(1);
/// What a receiver may ask for at most.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(2);
/// Passing faults for this long are told.
const UNREACHABLE_AFTER: SignedDuration = SignedDuration::from_mins(15);
const MINUTE: i64 = 60_000;

/// State of one receiver.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Receiving {
    /// One after another.
    failures: u32,
    failing_since: Option<Timestamp>,
    retry_at: Option<Timestamp>,
    /// In the receiver's own words.
    fault: Option<String>,
    permanent: bool,
    /// What is wrong although the last notification was told, such as one bad address among others.
    #[serde(default)]
    complaint: Option<String>,
    /// When all that was sent has been paid for (GCRA): the rate limit.
    paid_at: Option<Timestamp>,
}

impl Receiving {
    /// When the next notification may go out, at `rate` a minute.
    pub(super) fn ready_at(&self, rate: u32) -> Timestamp {
        let price = MINUTE / i64::from(rate.max(1));
        let ahead = SignedDuration::from_millis(price * i64::from(rate.max(1) - 1));
        let limited = self.paid_at.and_then(|paid| paid.checked_sub(ahead).ok()).unwrap_or(Timestamp::MIN);
        limited.max(self.retry_at.unwrap_or(Timestamp::MIN))
    }

    /// A notification goes out.
    pub(super) fn sends(&mut self, rate: u32, now: Timestamp) {
        let price = SignedDuration::from_millis(MINUTE / i64::from(rate.max(1)));
        let from = self.paid_at.map_or(now, |paid| paid.max(now));
        self.paid_at = from.checked_add(price).ok();
    }

    /// A notification was told, if with a `complaint`.
    pub(super) fn succeeded(&mut self, complaint: Option<String>) {
        let paid_at = self.paid_at;
        *self = Self { paid_at, complaint, ..Self::default() };
    }

    /// `key` decides the jitter, so that two replays wait alike and two receivers do not.
    pub(super) fn failed(&mut self, error: &NotifyError, key: &str, now: Timestamp) {
        self.failing_since.get_or_insert(now);
        self.failures = self.failures.saturating_add(1);
        self.fault = Some(error.to_string());
        self.permanent = matches!(error, NotifyError::Permanent { .. });
        let wait = match error {
            NotifyError::Permanent { .. } => RARELY,
            NotifyError::Passing { retry_after, .. } => {
                let doubled = FIRST_WAIT * (1 << self.failures.saturating_sub(1).min(10));
                let asked = retry_after.and_then(|asked| SignedDuration::try_from(asked).ok()).unwrap_or_default();
                jittered(doubled.min(LONGEST_WAIT), key, self.failures).max(asked.min(LONGEST_ASKED))
            }
        };
        self.retry_at = now.checked_add(wait).ok();
    }

    /// Somebody changed something: it is tried again at once.
    pub(super) fn try_again(&mut self) -> bool {
        let complained = self.complaint.take().is_some();
        self.retry_at.take().is_some() || complained
    }

    /// Why nothing gets there for good, while it does not.
    pub(super) fn failed_for_good(&self) -> Option<&str> {
        self.fault.as_deref().filter(|_| self.permanent)
    }

    /// Since when nothing gets there, and why, where that has lasted.
    pub(super) fn unreachable(&self, now: Timestamp) -> Option<(Timestamp, &str)> {
        let since = self.failing_since.filter(|since| now.duration_since(*since) >= UNREACHABLE_AFTER)?;
        self.fault.as_deref().filter(|_| !self.permanent).map(|fault| (since, fault))
    }

    pub(super) fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }
}

/// Up to a fifth more or less.
fn jittered(wait: SignedDuration, key: &str, failures: u32) -> SignedDuration {
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

    fn passing(retry_after: Option<u64>) -> NotifyError {
        NotifyError::Passing { reason: "503".into(), retry_after: retry_after.map(Duration::from_secs) }
    }

    #[test]
    fn waits_double_with_jitter_up_to_ten_minutes() {
        let mut receiving = Receiving::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            receiving.failed(&passing(None), "key", at(0));
            waits.push(receiving.ready_at(30).as_millisecond());
        }
        for (wait, doubled) in waits.iter().zip([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000]) {
            assert!((doubled * 8 / 10..=doubled * 12 / 10).contains(wait), "{waits:?}");
        }
        assert!(waits.last().is_some_and(|wait| *wait <= 720_000), "{waits:?}");
        receiving.succeeded(None);
        assert_eq!(receiving, Receiving::default());
    }

    #[test]
    fn what_the_receiver_asks_for_is_done_within_reason() {
        let mut receiving = Receiving::default();
        receiving.failed(&passing(Some(90)), "key", at(0));
        assert_eq!(receiving.ready_at(30), at(90));
        receiving.failed(&passing(Some(1_000_000)), "key", at(0));
        assert_eq!(receiving.ready_at(30), at(7_200));
    }

    #[test]
    fn a_permanent_fault_is_tried_hourly_and_when_something_changed() {
        let mut receiving = Receiving::default();
        receiving.failed(&NotifyError::Permanent { reason: "401".into() }, "key", at(0));
        assert_eq!((receiving.ready_at(30), receiving.failed_for_good()), (at(3_600), Some("401")));
        assert_eq!(receiving.unreachable(at(100_000)), None);
        assert!(receiving.try_again());
        assert!(receiving.ready_at(30) <= at(0) && receiving.failed_for_good().is_some());
    }

    #[test]
    fn passing_faults_are_told_when_they_last() {
        let mut receiving = Receiving::default();
        receiving.failed(&passing(None), "key", at(0));
        receiving.failed(&passing(None), "key", at(600));
        assert_eq!(receiving.unreachable(at(899)), None);
        assert_eq!(receiving.unreachable(at(900)), Some((at(0), "503")));
    }

    #[test]
    fn so_many_may_go_at_once_and_then_one_by_one() {
        let mut receiving = Receiving::default();
        for _ in 0..3 {
            assert!(receiving.ready_at(3) <= at(100));
            receiving.sends(3, at(100));
        }
        assert_eq!(receiving.ready_at(3), at(120));
        receiving.sends(3, at(120));
        assert_eq!(receiving.ready_at(3), at(140));
    }
}
