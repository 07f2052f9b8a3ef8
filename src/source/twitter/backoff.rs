//! [`Backoff`]: exponential delays between retries.

use jiff::SignedDuration;

/// Delays that double from `initial` up to `max`, until a success.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    initial: SignedDuration,
    max: SignedDuration,
    next: SignedDuration,
}

impl Backoff {
    pub(super) fn new(initial: SignedDuration, max: SignedDuration) -> Self {
        Self { initial, max, next: initial }
    }

    /// The delay before the next retry.
    pub(super) fn next_delay(&mut self) -> SignedDuration {
        let delay = self.next;
        self.next = delay.saturating_mul(2).min(self.max);
        delay
    }

    /// Returns to `initial` after a success.
    pub(super) fn reset(&mut self) {
        self.next = self.initial;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_max_and_start_over_after_a_success() {
        let mut backoff = Backoff::new(SignedDuration::from_secs(5), SignedDuration::from_secs(320));
        let delays: Vec<i64> = (0..9).map(|_| backoff.next_delay().as_secs()).collect();
        assert_eq!(delays, [5, 10, 20, 40, 80, 160, 320, 320, 320]);
        backoff.reset();
        assert_eq!(backoff.next_delay().as_secs(), 5);
    }
}
