//! [`Ledger`]: who has had which mail, so that a mail which one recipient could not be given is not sent again to all.

use std::collections::VecDeque;

use lettre::Address;

use crate::notify::NotifyError;

/// Notifications whose recipients are remembered. One that is retried is among the latest.
const REMEMBERED: usize = 64;

/// What became of a mail to one recipient.
pub(super) struct Outcome {
    pub(super) address: Address,
    /// Why they did not get it.
    pub(super) refused: Option<NotifyError>,
}

/// What is known of one notification.
struct Page {
    key: String,
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

    /// Writes down what became of the mail, and says what that means for the notification.
    ///
    /// # Errors
    /// That it may pass while somebody may still be served; and in the end, who was not.
    pub(super) fn settle(&mut self, key: &str, outcomes: Vec<Outcome>) -> Result<(), NotifyError> {
        let page = self.page(key);
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
        let all = page.served.len() + page.refused.len() + waiting.len();
        let told = |who: &[(Address, String)]| {
            let each: Vec<String> = who.iter().map(|(address, reason)| format!("{address}: {reason}")).collect();
            format!("{} of {all} recipients not served: {}", who.len(), each.join("; "))
        };
        if !waiting.is_empty() {
            return Err(NotifyError::Passing { reason: told(&waiting), retry_after: longest });
        }
        if page.refused.is_empty() { Ok(()) } else { Err(NotifyError::Permanent { reason: told(&page.refused) }) }
    }

    fn page(&mut self, key: &str) -> &mut Page {
        let at = self.0.iter().position(|page| page.key == key).unwrap_or_else(|| {
            if self.0.len() == REMEMBERED {
                self.0.pop_front();
            }
            self.0.push_back(Page { key: key.to_owned(), served: Vec::new(), refused: Vec::new() });
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
        let told = ledger.settle("k", first).unwrap_err();
        assert!(
            matches!(&told, NotifyError::Passing { reason, .. } if reason.contains("cat@example.com: 451")),
            "{told}"
        );
        assert_eq!(ledger.left("k", all()), [address("cat")]);
        assert_eq!(ledger.left("another", all()), all());
        let told = ledger.settle("k", vec![outcome("cat", None)]).unwrap_err();
        assert_eq!(told, permanent("1 of 3 recipients not served: bad@example.com: 550 no such user").unwrap());
        assert!(ledger.left("k", all()).is_empty());
    }

    #[test]
    fn old_notifications_are_forgotten() {
        let mut ledger = Ledger::default();
        for key in 0..=REMEMBERED {
            ledger.settle(&key.to_string(), vec![outcome("ann", None)]).unwrap();
        }
        assert_eq!(ledger.0.len(), REMEMBERED);
        assert_eq!(ledger.left("0", vec![address("ann")]), [address("ann")]);
    }
}
