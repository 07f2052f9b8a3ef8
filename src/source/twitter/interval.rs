//! [`PollInterval`]: the time between polls, adapted to the number of new posts.

use jiff::SignedDuration;

/// From `min` to `max`: shorter while polls return many new posts, longer while they return none.
#[derive(Debug, Clone)]
pub(super) struct PollInterval {
    min: SignedDuration,
    max: SignedDuration,
    current: SignedDuration,
}

impl PollInterval {
    pub(super) fn new(min: SignedDuration, max: SignedDuration) -> Self {
        Self { min, max, current: min }
    }

    /// The time to wait after a poll with `new` posts. `page`: posts per page. `save_budget`: the budget is nearly spent,
    /// and each poll may read some posts again.
    pub(super) fn next_interval(&mut self, new: usize, page: usize, save_budget: bool) -> SignedDuration {
        let (numerator, divisor) = match new {
            0 => (3, 2),
            new if new >= page / 2 => (1, 2),
            new if new < page / 8 => (5, 4),
            _ => (1, 1),
        };
        self.current = (self.current.saturating_mul(numerator) / divisor).clamp(self.min, self.max);
        if save_budget { self.max } else { self.current }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_follows_the_volume_within_its_bounds() {
        let seconds = SignedDuration::from_secs;
        let mut interval = PollInterval::new(seconds(30), seconds(300));
        let quiet: Vec<i64> = (0..8).map(|_| interval.next_interval(0, 100, false).as_secs()).collect();
        assert_eq!(quiet, [45, 67, 101, 151, 227, 300, 300, 300]);
        let busy: Vec<i64> = (0..5).map(|_| interval.next_interval(100, 100, false).as_secs()).collect();
        assert_eq!(busy, [150, 75, 37, 30, 30]);
        assert_eq!(interval.next_interval(20, 100, false), seconds(30), "steady");
        assert_eq!(interval.next_interval(100, 100, true), seconds(300), "the budget is nearly spent");
    }
}
