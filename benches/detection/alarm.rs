//! [`Alarm`]: when a score becomes an alarm, and when the next one is a new alarm.

/// Minutes without an alarm after which the next is a new one, like a `keep_firing_for` of an hour in rules.
const KEEP: u32 = 60;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Alarm {
    threshold: f64,
    keep: u32,
    left: u32,
}

impl Alarm {
    pub(crate) fn above(threshold: f64) -> Self {
        Self { threshold, keep: KEEP, left: 0 }
    }

    /// For a detector that keeps its alarms itself.
    pub(crate) fn kept(threshold: f64) -> Self {
        Self { threshold, keep: 1, left: 0 }
    }

    /// Whether an alarm begins.
    pub(crate) fn begins(&mut self, value: f64) -> bool {
        let was = self.is_on();
        if value > self.threshold {
            self.left = self.keep;
            !was
        } else {
            self.left = self.left.saturating_sub(1);
            false
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.left > 0
    }
}
