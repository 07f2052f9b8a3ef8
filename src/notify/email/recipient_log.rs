//! [`RecipientLog`]: which recipients got which mail, so that one bad address neither stops the others nor makes them
//! get the mail again.

use std::collections::VecDeque;

use lettre::Address;

use crate::notify::NotifyError;

/// Notifications that are remembered. One that is retried is among the latest.
const MAX_ENTRIES: usize = 64;
/// Attempts for a recipient with a transient error, once others have the mail: one full mailbox must not block the
/// receiver for ever. With waits that double from five seconds this takes ten minutes, which is longer than greylisting
/// lasts.
const MAX_TRIES: u32 = 8;

/// The outcome of a mail to one recipient.
pub(super) struct RecipientOutcome {
    pub(super) address: Address,
    /// Why it was not delivered.
    pub(super) error: Option<NotifyError>,
}

/// The deliveries of one notification.
struct RecipientLogEntry {
    key: String,
    incident: String,
    tries: u32,
    delivered: Vec<Address>,
    /// Recipients that are given up, and why.
    failed: Vec<(Address, String)>,
    /// A recipient's server refused the mail, not the recipient.
    is_rejected: bool,
}

/// See the module.
#[derive(Default)]
pub(super) struct RecipientLog(VecDeque<RecipientLogEntry>);

impl RecipientLog {
    /// Those of `all` that still need the mail.
    pub(super) fn remaining(&self, key: &str, all: Vec<Address>) -> Vec<Address> {
        let Some(entry) = self.0.iter().find(|entry| entry.key == key) else { return all };
        let settled = |address: &Address| {
            entry.delivered.contains(address) || entry.failed.iter().any(|(failed, _)| failed == address)
        };
        all.into_iter().filter(|address| !settled(address)).collect()
    }

    /// Whether a recipient got another notification of `incident`. A notification that replaces one which not everybody
    /// got is then a reply, not the root of the thread.
    pub(super) fn already_notified(&self, incident: &str, key: &str) -> bool {
        self.0.iter().any(|entry| entry.incident == incident && entry.key != key && !entry.delivered.is_empty())
    }

    /// Records the outcomes of one attempt. Returns who did not get the mail, where others did.
    ///
    /// # Errors
    /// When nobody got the mail, or when a retry may reach more recipients.
    pub(super) fn record_outcomes(
        &mut self,
        key: &str,
        incident: &str,
        outcomes: Vec<RecipientOutcome>,
    ) -> Result<Option<String>, NotifyError> {
        let entry = self.entry(key, incident);
        entry.tries = entry.tries.saturating_add(1);
        let (mut waiting, mut longest) = (Vec::new(), None);
        for RecipientOutcome { address, error } in outcomes {
            match error {
                None => entry.delivered.push(address),
                Some(NotifyError::Permanent { reason }) => entry.failed.push((address, reason)),
                Some(NotifyError::Rejected { reason }) => {
                    entry.is_rejected = true;
                    entry.failed.push((address, reason));
                }
                Some(NotifyError::Transient { reason, retry_after }) => {
                    longest = longest.max(retry_after);
                    waiting.push((address, reason));
                }
            }
        }
        if entry.tries >= MAX_TRIES && !entry.delivered.is_empty() {
            entry.failed.append(&mut waiting);
        }
        let all = entry.delivered.len() + entry.failed.len() + waiting.len();
        let describe = |who: &[(Address, String)]| {
            let each: Vec<String> = who.iter().map(|(address, reason)| format!("{address}: {reason}")).collect();
            format!("{} of {all} recipients not notified: {}", who.len(), each.join("; "))
        };
        if !waiting.is_empty() {
            return Err(NotifyError::Transient { reason: describe(&waiting), retry_after: longest });
        }
        match (entry.failed.is_empty(), entry.delivered.is_empty()) {
            (true, _) => Ok(None),
            (false, false) => Ok(Some(describe(&entry.failed))),
            // Another form of the mail may be accepted; it has another key, and goes to all recipients.
            (false, true) if entry.is_rejected => Err(NotifyError::Rejected { reason: describe(&entry.failed) }),
            (false, true) => Err(NotifyError::Permanent { reason: describe(&entry.failed) }),
        }
    }

    fn entry(&mut self, key: &str, incident: &str) -> &mut RecipientLogEntry {
        let at = self.0.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
            if self.0.len() == MAX_ENTRIES {
                self.0.pop_front();
            }
            let (key, incident) = (key.to_owned(), incident.to_owned());
            let (delivered, failed) = (Vec::new(), Vec::new());
            let entry = RecipientLogEntry { key, incident, tries: 0, delivered, failed, is_rejected: false };
            self.0.push_back(entry);
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(name: &str) -> Address {
        format!("{name}@example.com").parse().unwrap()
    }

    fn outcome(name: &str, error: Option<NotifyError>) -> RecipientOutcome {
        RecipientOutcome { address: address(name), error }
    }

    fn transient(reason: &str) -> Option<NotifyError> {
        Some(NotifyError::Transient { reason: reason.into(), retry_after: None })
    }

    fn permanent(reason: &str) -> Option<NotifyError> {
        Some(NotifyError::Permanent { reason: reason.into() })
    }

    #[test]
    fn nobody_gets_it_twice_and_in_the_end_the_bad_address_is_named() {
        let mut log = RecipientLog::default();
        let all = || vec![address("ann"), address("bad"), address("cat")];
        assert_eq!(log.remaining("k", all()), all());
        let first = vec![
            outcome("ann", None),
            outcome("bad", permanent("550 no such user")),
            outcome("cat", transient("451 greylisted")),
        ];
        let result = log.record_outcomes("k", "I", first).unwrap_err();
        assert!(
            matches!(&result, NotifyError::Transient { reason, .. } if reason.contains("cat@example.com: 451")),
            "{result}"
        );
        assert_eq!(log.remaining("k", all()), [address("cat")]);
        assert_eq!(log.remaining("another", all()), all());
        assert!(
            log.already_notified("I", "another")
                && !log.already_notified("I", "k")
                && !log.already_notified("J", "another")
        );
        let result = log.record_outcomes("k", "I", vec![outcome("cat", None)]).unwrap();
        assert_eq!(result.unwrap(), "1 of 3 recipients not notified: bad@example.com: 550 no such user");
        assert!(log.remaining("k", all()).is_empty());
    }

    #[test]
    fn a_mail_that_nobody_gets_is_not_delivered() {
        let mut log = RecipientLog::default();
        let result = log.record_outcomes("k", "I", vec![outcome("bad", permanent("550 no"))]).unwrap_err();
        assert_eq!(result, permanent("1 of 1 recipients not notified: bad@example.com: 550 no").unwrap());
        assert!(!log.already_notified("I", "another"));
        for _ in 0..2 * MAX_TRIES {
            let result = log.record_outcomes("l", "I", vec![outcome("ann", transient("no connection"))]);
            assert!(matches!(result, Err(NotifyError::Transient { .. })), "{result:?}");
        }
    }

    #[test]
    fn a_mail_refused_for_its_content_is_no_fault_of_its_recipients() {
        let rejected = || Some(NotifyError::Rejected { reason: "554 looks like spam".into() });
        let mut log = RecipientLog::default();
        let outcomes = vec![outcome("ann", rejected()), outcome("bad", permanent("550 no such user"))];
        let result = log.record_outcomes("k", "I", outcomes);
        assert!(matches!(&result, Err(NotifyError::Rejected { reason }) if reason.contains("554")), "{result:?}");
        assert_eq!(log.remaining("k in its short form", vec![address("ann")]), [address("ann")]);
        // One server of several refuses it: the others have it.
        let outcomes = vec![outcome("ann", None), outcome("cat", rejected())];
        let partial_failure = log.record_outcomes("l", "I", outcomes).unwrap().unwrap();
        assert!(partial_failure.contains("cat@example.com: 554"), "{partial_failure}");
    }

    #[test]
    fn the_others_do_not_wait_for_one_for_ever() {
        let mut log = RecipientLog::default();
        let full = || outcome("full", transient("452 mailbox full"));
        let mut result = log.record_outcomes("k", "I", vec![outcome("ann", None), full()]);
        for _ in 2..MAX_TRIES {
            assert!(matches!(result, Err(NotifyError::Transient { .. })), "{result:?}");
            result = log.record_outcomes("k", "I", vec![full()]);
        }
        let partial_failure = log.record_outcomes("k", "I", vec![full()]).unwrap().unwrap();
        assert!(partial_failure.contains("full@example.com: 452"), "{partial_failure}");
        assert!(log.remaining("k", vec![address("full")]).is_empty());
    }

    #[test]
    fn old_notifications_are_forgotten() {
        let mut log = RecipientLog::default();
        for key in 0..=MAX_ENTRIES {
            log.record_outcomes(&key.to_string(), "I", vec![outcome("ann", None)]).unwrap();
        }
        assert_eq!(log.0.len(), MAX_ENTRIES);
        assert_eq!(log.remaining("0", vec![address("ann")]), [address("ann")]);
    }
}
