//! Counting in event time: per topic, fixed buckets and the sliding windows over them. Stands between `classify` and
//! `rule`, which asks these windows for their sums.
//!
//! ```text
//!            far ago                 near ago      edge
//!   ... |----|====|====|====|====|====|----|----|----|  open bucket
//!            [------- a Span sums these -------)
//! ```
//!
//! Buckets before the *edge* are closed. A [`Span`] is a stretch of closed buckets; its sum is kept as buckets enter and
//! leave it, so that a post costs the same however long the windows are. A post is counted once per topic, and not at
//! all when it is older than the topic's *watermark* (its newest event time) by more than the lateness. One that repeats
//! another (`cascade`) is counted apart and does not vote.

mod buckets;
mod cascade;
mod counts;
mod history;
mod samples;
mod seen_ids;
mod topic;
mod word_baseline;
mod words;

pub use buckets::Span;
pub(crate) use cascade::{Known, forget_stored, id_hash};
pub use counts::Counts;
pub use history::Hour;
pub use samples::Sample;
pub use topic::{Arrival, Step, TopicWindow};
pub(crate) use word_baseline::Usual;
pub(crate) use words::Slot;
pub use words::Told;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// `[window]`: how posts are counted over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Width of a bucket, and how often rules are evaluated.
    pub bucket: SignedDuration,
    /// How far behind a topic's newest post another may arrive and still count.
    pub lateness: SignedDuration,
    /// For how long after it was last heard of a post is known, so that another which repeats it does not vote again; 0:
    /// every post votes.
    pub cascade: SignedDuration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bucket: SignedDuration::from_mins(1),
            lateness: SignedDuration::from_hours(1),
            cascade: SignedDuration::from_hours(24),
        }
    }
}

impl Config {
    /// Every fault, each naming its key.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let bucket = self.bucket.as_secs();
        if self.bucket.subsec_nanos() != 0 || bucket < 1 || 3_600 % bucket != 0 {
            faults.push(format!("window.bucket is {:#}: it must be whole seconds that divide an hour", self.bucket));
        }
        if self.lateness.is_negative() {
            faults.push(format!("window.lateness is {:#}: it cannot be negative", self.lateness));
        }
        if self.cascade.is_negative() || self.cascade > SignedDuration::from_hours(24 * 7) {
            faults.push(format!(
                "window.cascade is {:#}: it must be from nothing (every post votes) to a week",
                self.cascade
            ));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_must_divide_an_hour() {
        for (bucket, good) in
            [(60, true), (1, true), (3_600, true), (0, false), (-60, false), (7_200, false), (7, false)]
        {
            let config = Config { bucket: SignedDuration::from_secs(bucket), ..Config::default() };
            assert_eq!(config.faults().is_empty(), good, "{bucket}");
        }
    }
}
