//! [`Evidence`]: everything a condition may look at when it judges a topic.

use super::{Baseline, EventLog, Normal};
use crate::classify::ErrorRates;
use crate::window::{Counts, Span, TopicWindow};

/// A topic at the close of a bucket.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    pub topic: &'a TopicWindow,
    /// What the topic is like, by hour of the week.
    pub baseline: &'a Baseline,
    /// The rule is pending or fires, and has not for so long that it is the new normal: what is normal stays as it was,
    /// so that an incident does not become its own excuse.
    pub frozen: bool,
    /// Measured error of the classifier.
    pub error: Option<ErrorRates>,
    /// What happened to vigie itself.
    pub events: &'a EventLog,
}

/// The time before the window, from which a condition learns what is normal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    pub(super) counts: Counts,
    /// The topic was watched all that time.
    pub(super) is_whole: bool,
    /// Several models read it.
    pub(super) is_mixed: bool,
}

impl Evidence<'_> {
    /// End of the bucket just closed, in Unix seconds.
    pub fn now(&self) -> i64 {
        self.topic.edge()
    }

    /// The stretch of `length` seconds that ended `skipped` seconds ago.
    pub(super) fn past(&self, skipped: i64, length: i64) -> Past {
        let span = Span::before(skipped, length);
        let is_mixed = self.baseline.rates_since().is_some_and(|since| since > self.now() - span.far);
        Past { counts: self.topic.sum(span), is_whole: self.topic.covers(span), is_mixed }
    }

    /// What a condition has `kept` of what was normal, as long as that counts.
    pub(super) fn kept(&self, kept: Option<Normal>) -> Option<Normal> {
        kept.filter(|_| self.frozen)
    }
}
