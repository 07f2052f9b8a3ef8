//! Condition `no_data`: a topic has had no post for longer than its rhythm explains. Missing data must never look like
//! "no problem".
//!
//! The number of posts expected since the last one follows from the hours of the week that passed: a quiet night is
//! plausible, a quiet noon is not, and the hours at the edges of a night count as quiet. With a spread `a`, an hour with `m` expected posts has none by chance with
//! probability `(1 + a m)^(-1/a)` (negative binomial). The condition holds once chance produces such a silence at most
//! once in `false_alarm_every`. Each post starts one silence, so there are as many silences as posts.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::bounds_check::check_length;
use super::{Baseline, ConditionResult, Evidence, Measurement, NormalLevel, Reasons, defaults};
use crate::window::{Counts, TopicWindow};

const HOUR: i64 = 3_600;
/// Learned hours needed before a rhythm is known.
const MIN_HOURS: f64 = 24.0;
/// If an even longer silence is plausible for a topic, the condition never holds.
const MAX_SILENCE: i64 = 28 * 24 * HOUR;

/// Holds while no post arrives although some are expected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoData {
    /// Shorter silences are ignored, whatever the number of expected posts.
    #[serde(default = "default_at_least", with = "crate::duration")]
    pub at_least: SignedDuration,
    /// Mean time between false alarms.
    #[serde(default = "default_interval", with = "crate::duration")]
    pub false_alarm_every: SignedDuration,
    /// With fewer posts in the baseline no rhythm is known, and the condition does not hold.
    #[serde(default = "defaults::min_baseline_posts")]
    pub min_posts: u64,
}

fn default_at_least() -> SignedDuration {
    SignedDuration::from_mins(30)
}

fn default_interval() -> SignedDuration {
    SignedDuration::from_hours(90 * 24)
}

/// The last post, and when the silence after it becomes too long; Unix seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SilenceMemory {
    last_post: Option<i64>,
    due: Option<i64>,
}

impl SilenceMemory {
    /// When the condition begins to hold if no post arrives before.
    pub(super) fn due(&self) -> Option<i64> {
        self.due
    }
}

impl NoData {
    pub(super) fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut SilenceMemory) -> ConditionResult {
        let now = evidence.now();
        let last = evidence.topic.watermark().unwrap_or(now).min(now);
        if now - last < self.at_least.as_secs() {
            *memory = SilenceMemory::default();
        // The due time is computed once per silence: a baseline that learns silent hours must not move it.
        } else if memory.last_post != Some(last) {
            *memory = SilenceMemory { last_post: Some(last), due: self.due(evidence.baseline, last) };
        }
        let holds = memory.due.is_some_and(|due| now >= due);
        // Messages show posts, and the baseline counts votes.
        let (per_vote, _) = evidence.baseline.posts_per_vote();
        let expected = expected(evidence.baseline, last, now) * per_vote;
        let limit = memory.due.map(|due| expected_until(evidence.baseline, last, due) * per_vote);
        let measured = Measurement {
            lower_bound: expected,
            threshold: limit,
            normal: Some(NormalLevel { value: expected, posts: evidence.baseline.learned_posts() }),
            ..Measurement::new(Counts::default(), 0.0, None)
        };
        let mut numbers = vec![("silent_minutes", (now - last) as f64 / 60.0), ("posts_to_be_expected", expected)];
        numbers.extend(limit.map(|limit| ("plausible_up_to", limit)));
        let reasons = Reasons { condition: "no_data", holds, numbers, parts: Vec::new() };
        ConditionResult { holds, measured, is_rate: false, reasons }
    }

    /// When the next evaluation may change something without a post: when the silence is long enough to be considered, then
    /// when it becomes too long.
    pub(super) fn sleeps_until(&self, memory: &SilenceMemory, topic: &TopicWindow, now: i64) -> i64 {
        let last = topic.watermark().unwrap_or(now).min(now);
        if memory.last_post == Some(last) { memory.due.unwrap_or(i64::MAX) } else { last + self.at_least.as_secs() }
    }

    /// When a silence that began at `last` becomes too long to be chance; `None` if it may last [`MAX_SILENCE`].
    fn due(&self, baseline: &Baseline, last: i64) -> Option<i64> {
        let known = baseline.volume_at(last).filter(|known| known.hours >= MIN_HOURS)?;
        let (_, posts) = baseline.overall().filter(|_| baseline.learned_posts() >= self.min_posts)?;
        let silences = posts * baseline.posts_per_vote().0 * self.false_alarm_every.as_secs_f64() / HOUR as f64;
        let (limit, spread) = (silences.max(2.0).ln(), known.spread.max(1e-6));
        let (mut time, mut improbable) = (last, 0.0);
        while time < last + MAX_SILENCE {
            let end = time - time.rem_euclid(HOUR) + HOUR;
            let hour = expected(baseline, time, end);
            let more = (1.0 + spread * hour).ln() / spread;
            if improbable + more >= limit {
                // Within an hour, posts are assumed to be evenly distributed.
                let posts = ((limit - improbable) * spread).exp_m1() / spread;
                let due = time + ((end - time) as f64 * posts / hour).ceil() as i64;
                return Some(due.max(last + self.at_least.as_secs()));
            }
            improbable += more;
            time = end;
        }
        None
    }

    pub(super) fn validate(&self, bucket: SignedDuration) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(check_length("condition.at_least", self.at_least, bucket));
        if self.false_alarm_every < SignedDuration::from_hours(1) {
            let found = self.false_alarm_every;
            problems.push(format!(
                "condition.false_alarm_every: {found:#} is not valid; expected 1h or more, e.g. \"90d\""
            ));
        }
        problems
    }
}

/// Expected number of posts from `from` to `to`, over four weeks at most.
fn expected(baseline: &Baseline, from: i64, to: i64) -> f64 {
    expected_until(baseline, from, to.min(from + MAX_SILENCE))
}

fn expected_until(baseline: &Baseline, from: i64, to: i64) -> f64 {
    let (mut time, mut posts) = (from, 0.0);
    while time < to {
        let end = (time - time.rem_euclid(HOUR) + HOUR).min(to);
        posts += baseline.quiet_volume_at(time).unwrap_or(0.0) * (end - time) as f64 / HOUR as f64;
        time = end;
    }
    posts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Baseline;

    const DAY: i64 = 24 * HOUR;

    /// Four weeks of 60 posts per hour by day and 2 by night (20:00 to 08:00).
    fn baseline() -> Baseline {
        let mut baseline = Baseline::default();
        let counts = |start: i64| {
            let by_day = (8..20).contains(&(start % DAY / HOUR));
            Counts { neutral: if by_day { 60 } else { 2 }, ..Counts::default() }
        };
        baseline.learn(0, |start| (start < 28 * DAY).then(|| counts(start)));
        baseline
    }

    fn no_data(at_least: i64) -> NoData {
        let at_least = SignedDuration::from_mins(at_least);
        NoData { at_least, false_alarm_every: default_interval(), min_posts: 100 }
    }

    #[test]
    fn silence_is_plausible_by_night_and_not_by_day() {
        let baseline = baseline();
        let after =
            |hour: i64| (no_data(5).due(&baseline, 28 * DAY + hour * HOUR).unwrap() - 28 * DAY - hour * HOUR) / 60;
        assert!((10..40).contains(&after(10)), "{} minutes at ten o'clock", after(10));
        assert!((180..720).contains(&after(21)), "{} minutes at nine in the evening", after(21));
        assert_eq!(no_data(90).due(&baseline, 28 * DAY + 10 * HOUR), Some(28 * DAY + 10 * HOUR + 90 * 60));
    }

    #[test]
    fn a_topic_that_is_hardly_known_or_hardly_written_of_may_be_silent() {
        assert_eq!(no_data(5).due(&Baseline::default(), 0), None);
        let mut rare = Baseline::default();
        let once_a_week = |start: i64| Counts { neutral: u64::from(start % (7 * DAY) == 0), ..Counts::default() };
        rare.learn(0, |start| (start < 140 * DAY).then(|| once_a_week(start)));
        assert_eq!(no_data(5).due(&rare, 140 * DAY), None);
    }
}
