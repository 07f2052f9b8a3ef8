//! [`Evidence`]: the input of a condition when it evaluates a topic.

use super::{Baseline, EventLog, NormalLevel};
use crate::classify::ErrorRates;
use crate::window::{Counts, Span, TopicWindow};

/// A topic when a bucket closes.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    pub topic: &'a TopicWindow,
    /// Expected volume and rate of the topic by hour of the week.
    pub baseline: &'a Baseline,
    /// The rule is pending or firing, but not for so long that this is the new normal. The normal level is then frozen,
    /// so that an incident does not raise it.
    pub frozen: bool,
    /// Measured error rates of the classifier.
    pub error: Option<ErrorRates>,
    /// Events about vigie itself.
    pub events: &'a EventLog,
}

/// Counts of the period before the window, which define what is normal.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrailingCounts {
    pub(super) counts: Counts,
    /// The topic was watched during the whole period.
    pub(super) is_whole: bool,
    /// More than one model classified its posts.
    pub(super) is_mixed: bool,
}

impl Evidence<'_> {
    /// End of the bucket that just closed, in Unix seconds.
    pub fn now(&self) -> i64 {
        self.topic.edge()
    }

    /// The period of `length` seconds that ended `skipped` seconds ago.
    pub(super) fn past(&self, skipped: i64, length: i64) -> TrailingCounts {
        let span = Span::before(skipped, length);
        let is_mixed = self.baseline.rates_since().is_some_and(|since| since > self.now() - span.far);
        TrailingCounts { counts: self.topic.sum(span), is_whole: self.topic.covers(span), is_mixed }
    }

    /// The `saved` normal level, if it is frozen.
    pub(super) fn frozen_normal(&self, saved: Option<NormalLevel>) -> Option<NormalLevel> {
        saved.filter(|_| self.frozen)
    }
}
