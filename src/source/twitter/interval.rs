//! [`Interval`]: how long to wait from poll to poll, by what the polls bring.

use jiff::SignedDuration;

/// Between `least` and `most`: shorter while polls bring much, longer while they bring nothing.
#[derive(Debug, Clone)]
pub(super) struct Interval {
    least: SignedDuration,
    most: SignedDuration,
    now: SignedDuration,
}

impl Interval {
    pub(super) fn new(least: SignedDuration, most: SignedDuration) -> Self {
        Self { least, most, now: least }
    }

    /// How long to wait after a poll that brought `new` posts, where a page holds `page`. `thrifty`: money is short, and
    /// each poll may read some posts again.
    pub(super) fn after(&mut self, new: usize, page: usize, thrifty: bool) -> SignedDuration {
        let (numerator, divisor) = match new {
            0 => (3, 2),
            new if new >= page / 2 => (1, 2),
            new if new < page / 8 => (5, 4),
            _ => (1, 1),
        };
        self.now = (self.now.saturating_mul(numerator) / divisor).clamp(self.least, self.most);
        if thrifty { self.most } else { self.now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_follows_the_volume_within_its_bounds() {
        let seconds = SignedDuration::from_secs;
        let mut interval = Interval::new(seconds(30), seconds(300));
        let quiet: Vec<i64> = (0..8).map(|_| interval.after(0, 100, false).as_secs()).collect();
        assert_eq!(quiet, [45, 67, 101, 151, 227, 300, 300, 300]);
        let busy: Vec<i64> = (0..5).map(|_| interval.after(100, 100, false).as_secs()).collect();
        assert_eq!(busy, [150, 75, 37, 30, 30]);
        assert_eq!(interval.after(20, 100, false), seconds(30), "steady");
        assert_eq!(interval.after(100, 100, true), seconds(300), "money is short");
    }
}
