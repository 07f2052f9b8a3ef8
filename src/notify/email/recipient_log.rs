//! [`Ledger`]: who has had which mail, so that one recipient who could not be given it neither stops the others nor makes
//! them get it again.

use std::collections::VecDeque;

use lettre::Address;

use crate::notify::NotifyError;

/// Notifications whose recipients are remembered. One that is retried is among the latest.
const REMEMBERED: usize = 64;
/// So often somebody is tried who may be served later, once others were: nobody waits for one full mailbox for ever. With
/// waits that double from five seconds it takes ten minutes, which is longer than servers keep strangers off.
const TRIES: u32 = 8;

/// What became of a mail to one recipient.
pub(super) struct Outcome {
    pub(super) address: Address,
    /// Why they did not get it.
    pub(super) refused: Option<NotifyError>,
}

/// What is known of one notification.
struct Page {
    key: String,
    incident: String,
    tries: u32,
    served: Vec<Address>,
    /// Those who cannot be served, and why.
    refused: Vec<(Address, String)>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Ledger(VecDeque<Page>);

impl Ledger {
    /// Those of `all` who are still to be served.
    pub(super) fn left(&self, key: &str, all: Vec<Address>) -> Vec<Address> {
        let Some(page) = self.0.iter().find(|page| page.key == key) else { return all };
        let settled = |address: &Address| {
            page.served.contains(address) || page.refused.iter().any(|(refused, _)| refused == address)
        };
        all.into_iter().filter(|address| !settled(address)).collect()
    }

    /// Whether somebody has had another notification of `incident`: what is told instead of it, after it could not be
    /// given to all, is another mail.
    pub(super) fn has_begun(&self, incident: &str, key: &str) -> bool {
        self.0.iter().any(|page| page.incident == incident && page.key != key && !page.served.is_empty())
    }

    /// Writes down what became of the mail, and says what that means for the notification: those who did not get it where
    /// others did.
    ///
    /// # Errors
    /// When nobody got it, or when it may still be given to more.
    pub(super) fn settle(
        &mut self,
        key: &str,
        incident: &str,
        outcomes: Vec<Outcome>,
    ) -> Result<Option<String>, NotifyError> {
        let page = self.page(key, incident);
        page.tries = page.tries.saturating_add(1);
        let (mut waiting, mut longest) = (Vec::new(), None);
        for Outcome { address, refused } in outcomes {
            match refused {
                None => page.served.push(address),
                Some(NotifyError::Permanent { reason }) => page.refused.push((address, reason)),
                Some(NotifyError::Passing { reason, retry_after }) => {
                    longest = longest.max(retry_after);
                    waiting.push((address, reason));
                }
            }
        }
        if page.tries >= TRIES && !page.served.is_empty() {
            page.refused.append(&mut waiting);
        }
        let all = page.served.len() + page.refused.len() + waiting.len();
        let told = |who: &[(Address, String)]| {
            let each: Vec<String> = who.iter().map(|(address, reason)| format!("{address}: {reason}")).collect();
            format!("{} of {all} recipients not served: {}", who.len(), each.join("; "))
        };
        if !waiting.is_empty() {
            return Err(NotifyError::Passing { reason: told(&waiting), retry_after: longest });
        }
        match (page.refused.is_empty(), page.served.is_empty()) {
            (true, _) => Ok(None),
            (false, false) => Ok(Some(told(&page.refused))),
            (false, true) => Err(NotifyError::Permanent { reason: told(&page.refused) }),
        }
    }

    fn page(&mut self, key: &str, incident: &str) -> &mut Page {
        let at = self.0.iter().position(|page| page.key == key).unwrap_or_else(|| {
            if self.0.len() == REMEMBERED {
                self.0.pop_front();
            }
            let (key, incident) = (key.to_owned(), incident.to_owned());
            self.0.push_back(Page { key, incident, tries: 0, served: Vec::new(), refused: Vec::new() });
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

    fn outcome(name: &str, refused: Option<NotifyError>) -> Outcome {
        Outcome { address: address(name), refused }
    }

    fn passing(reason: &str) -> Option<NotifyError> {
        Some(NotifyError::Passing { reason: reason.into(), retry_after: None })
    }

    fn permanent(reason: &str) -> Option<NotifyError> {
        Some(NotifyError::Permanent { reason: reason.into() })
    }

    #[test]
    fn nobody_is_served_twice_and_in_the_end_the_bad_address_is_told() {
        let mut ledger = Ledger::default();
        let all = || vec![address("ann"), address("bad"), address("cat")];
        assert_eq!(ledger.left("k", all()), all());
        let first = vec![
            outcome("ann", None),
            outcome("bad", permanent("550 no such user")),
            outcome("cat", passing("451 greylisted")),
        ];
        let told = ledger.settle("k", "I", first).unwrap_err();
        assert!(
            matches!(&told, NotifyError::Passing { reason, .. } if reason.contains("cat@example.com: 451")),
            "{told}"
        );
        assert_eq!(ledger.left("k", all()), [address("cat")]);
        assert_eq!(ledger.left("another", all()), all());
        assert!(ledger.has_begun("I", "another") && !ledger.has_begun("I", "k") && !ledger.has_begun("J", "another"));
        let told = ledger.settle("k", "I", vec![outcome("cat", None)]).unwrap();
        assert_eq!(told.unwrap(), "1 of 3 recipients not served: bad@example.com: 550 no such user");
        assert!(ledger.left("k", all()).is_empty());
    }

    #[test]
    fn a_mail_that_nobody_gets_is_not_delivered() {
        let mut ledger = Ledger::default();
        let told = ledger.settle("k", "I", vec![outcome("bad", permanent("550 no"))]).unwrap_err();
        assert_eq!(told, permanent("1 of 1 recipients not served: bad@example.com: 550 no").unwrap());
        assert!(!ledger.has_begun("I", "another"));
        for _ in 0..2 * TRIES {
            let told = ledger.settle("l", "I", vec![outcome("ann", passing("no connection"))]);
            assert!(matches!(told, Err(NotifyError::Passing { .. })), "{told:?}");
        }
    }

    #[test]
    fn the_others_do_not_wait_for_one_for_ever() {
        let mut ledger = Ledger::default();
        let full = || outcome("full", passing("452 mailbox full"));
        let mut told = ledger.settle("k", "I", vec![outcome("ann", None), full()]);
        for _ in 2..TRIES {
            assert!(matches!(told, Err(NotifyError::Passing { .. })), "{told:?}");
            told = ledger.settle("k", "I", vec![full()]);
        }
        let complaint = ledger.settle("k", "I", vec![full()]).unwrap().unwrap();
        assert!(complaint.contains("full@example.com: 452"), "{complaint}");
        assert!(ledger.left("k", vec![address("full")]).is_empty());
    }

    #[test]
    fn old_notifications_are_forgotten() {
        let mut ledger = Ledger::default();
        for key in 0..=REMEMBERED {
            ledger.settle(&key.to_string(), "I", vec![outcome("ann", None)]).unwrap();
        }
        assert_eq!(ledger.0.len(), REMEMBERED);
        assert_eq!(ledger.left("0", vec![address("ann")]), [address("ann")]);
    }
}
