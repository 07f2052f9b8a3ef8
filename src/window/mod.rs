//! Counting in event time: fixed buckets per topic, and sliding windows over them. Between `classify` and `rule`, which
//! reads the sums of these windows.
//!
//! ```text
//!            far ago                 near ago      edge
//!   ... |----|====|====|====|====|====|----|----|----|  open bucket
//!            [------- a Span sums these -------)
//! ```
//!
//! Buckets before the *edge* are closed. A [`Span`] is a range of closed buckets; its sum is updated as buckets enter
//! and leave it, so the cost of a post does not depend on the length of the windows. A post is counted once per topic.
//! It is ignored if it is older than the *watermark* of the topic (its newest event time, never ahead of the open bucket)
//! by more than the lateness. A
//! post that repeats another one (`cascade`) is counted separately, as a copy. A further post of the same author (`authors`)
//! is counted, and adds less than a vote: rules decide on votes, messages show posts.

mod authors;
mod buckets;
mod cascade;
mod counts;
mod history;
mod informative;
mod samples;
mod seen_ids;
mod slot;
mod topic;
mod word_baseline;
mod words;

pub(crate) use authors::name_hash;
pub use buckets::{LateShare, Span};
pub(crate) use cascade::{KnownPost, forget_stored, id_hash};
pub use counts::Counts;
pub use history::HourRecord;
pub(crate) use informative::{informative_words, is_of_name, plain_name};
pub use samples::Sample;
pub(crate) use slot::WordSlot;
pub use topic::{Arrival, HistoryStep, TopicWindow};
pub(crate) use word_baseline::WordBaseline;
pub use words::DistinctiveWord;
pub(crate) use words::rise;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// `[window]`: how posts are counted over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Width of a bucket, and interval of rule evaluation.
    #[serde(with = "crate::duration")]
    pub bucket: SignedDuration,
    /// Maximum age of a post, relative to the newest post of its topic, to be counted.
    #[serde(with = "crate::duration")]
    pub lateness: SignedDuration,
    /// How far the time of a post may lie ahead of the clock. One that lies further ahead counts when it arrives.
    #[serde(with = "crate::duration")]
    pub clock_skew: SignedDuration,
    /// How long a post is remembered after its last repeat, so that repeats of it are counted as copies; with 0 there
    /// are no copies.
    #[serde(with = "crate::duration")]
    pub cascade: SignedDuration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bucket: SignedDuration::from_mins(1),
            lateness: SignedDuration::from_hours(1),
            clock_skew: SignedDuration::from_mins(5),
            cascade: SignedDuration::from_hours(24),
        }
    }
}

impl Config {
    /// Every problem with its key.
    pub fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let bucket = self.bucket.as_secs();
        if self.bucket.subsec_nanos() != 0 || bucket < 1 || 3_600 % bucket != 0 {
            let bucket = self.bucket;
            problems.push(format!(
                "window.bucket: {bucket:#} is not valid; expected whole seconds that divide an hour, e.g. \"1m\""
            ));
        }
        if self.lateness.is_negative() {
            problems
                .push(format!("window.lateness: {:#} is negative; expected 0s or more, e.g. \"1h\"", self.lateness));
        }
        if self.clock_skew.is_negative() || self.clock_skew > SignedDuration::from_hours(24) {
            problems.push(format!(
                "window.clock_skew: {:#} is not valid; expected 0s to 24h, e.g. \"5m\"",
                self.clock_skew
            ));
        }
        if self.cascade.is_negative() || self.cascade > SignedDuration::from_hours(24 * 7) {
            problems.push(format!(
                "window.cascade: {:#} is not valid; expected 0s (every post counts) to a week, e.g. \"24h\"",
                self.cascade
            ));
        }
        problems
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
            assert_eq!(config.validate().is_empty(), good, "{bucket}");
        }
    }
}
