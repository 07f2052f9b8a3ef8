//! [`Backoff`]: waits that grow from failure to failure.

use jiff::SignedDuration;

/// Waits that double from `first` up to `most`, until a success.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    first: SignedDuration,
    most: SignedDuration,
    next: SignedDuration,
}

impl Backoff {
    pub(super) fn new(first: SignedDuration, most: SignedDuration) -> Self {
        Self { first, most, next: first }
    }

    /// How long to wait this time.
    pub(super) fn wait(&mut self) -> SignedDuration {
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(self.most);
        wait
    }

    /// It worked: the next failure waits for `first` again.
    pub(super) fn succeeded(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_their_most_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(SignedDuration::from_secs(5), SignedDuration::from_secs(320));
        let waits: Vec<i64> = (0..9).map(|_| backoff.wait().as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 320, 320]);
        backoff.succeeded();
        assert_eq!(backoff.wait().as_secs(), 5);
    }
}
