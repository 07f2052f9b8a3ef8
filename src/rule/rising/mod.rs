//! Condition `rising`: the share or the number of negative posts has risen, suddenly or slowly, by an unknown amount.
//!
//! Other conditions need a full window before they can decide. This one adds up the evidence of every bucket: the
//! log-likelihood ratio of a shift against calm, by CUSUMs for several shift sizes at once. The threshold of each sum
//! follows from the accepted false-alarm interval; see `threshold`.

mod cusum;
mod ratios;
mod threshold;
mod tuning;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::bounds_check::check_length;
use super::{ConditionResult, Evidence, ExpectedRate, ExpectedVolume, Measurement, NormalLevel, Reasons, defaults};
use crate::stats;
use crate::window::{Counts, Span};
use cusum::{Cusums, LeadingSum, Step};
use tuning::{CusumThresholds, ThresholdParams};

const HOUR: i64 = 3_600;
/// Upper limit of a lifted share: some posts are always about something else.
const MAX_SHARE: f64 = 0.98;
/// Learned hours needed before a volume is known, and before it is known to be small.
const MIN_HOURS: f64 = 24.0;
const MIN_HOURS_WITH_FEW_POSTS: f64 = 72.0;
/// A shift is over where fewer people than this (negative votes) complain within [`RECENT_SPAN`]: little is left of it, and it
/// would take a night of few posts to prove more.
const QUIET_VOTES: f64 = 3.0;
/// The present in seconds: over it, people must complain for a shift to begin, and the level must not be above usual for it to be
/// over.
const RECENT_SPAN: i64 = 2 * HOUR;
/// Confidence level of the bound shown in alerts.
const SHOWN_CONFIDENCE: f64 = 0.95;

/// Holds from when a sum of evidence reaches its threshold until the posts are clearly back to normal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rising {
    #[serde(default)]
    pub of: RisingQuantity,
    /// Shift sizes for rates: increases of the share of negative posts.
    #[serde(default = "default_lift")]
    pub lift: Vec<f64>,
    /// Shift sizes for volumes: multiples of the upper end of the normal number.
    #[serde(default = "default_times")]
    pub times: Vec<f64>,
    /// Mean time between false alarms.
    #[serde(default = "default_interval", with = "crate::duration")]
    pub false_alarm_every: SignedDuration,
    /// The period whose numbers and posts alerts show. It does not influence decisions.
    #[serde(default = "default_window", with = "crate::duration")]
    pub window: SignedDuration,
    /// With fewer posts in the baseline the normal level is unknown, and the condition does not hold.
    #[serde(default = "defaults::min_baseline_posts")]
    pub min_posts: u64,
    /// With fewer negative votes in the last two hours the condition does not begin to hold: a few people are not a crisis.
    #[serde(default = "default_min_votes")]
    pub min_votes: f64,
}

/// The quantity whose rise is detected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RisingQuantity {
    /// The share of negative posts.
    #[default]
    NegativeRate,
    /// Their number, relative to the number of other posts.
    NegativeVolume,
}

fn default_lift() -> Vec<f64> {
    vec![0.05, 0.1, 0.2, 0.3]
}

fn default_times() -> Vec<f64> {
    vec![1.5, 2.0, 3.0, 6.0]
}

fn default_interval() -> SignedDuration {
    SignedDuration::from_hours(30 * 24)
}

fn default_min_votes() -> f64 {
    8.0
}

fn default_window() -> SignedDuration {
    SignedDuration::from_hours(1)
}

/// The sums and their thresholds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RisingMemory {
    cusums: Cusums,
    thresholds: CusumThresholds,
    /// Recent posts of other sentiment, and their expected number; both decay exponentially.
    others: f64,
    expected_others: f64,
    /// End of the last evaluated bucket, in Unix seconds.
    last: Option<i64>,
}

/// The expected counts of the bucket that just closed.
#[derive(Debug, Clone, Copy)]
struct Expected {
    rate: ExpectedRate,
    volume: ExpectedVolume,
    /// Buckets since the last evaluated one.
    buckets: f64,
    /// Width of a bucket in seconds.
    width: i64,
}

impl Rising {
    pub(super) fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut RisingMemory) -> ConditionResult {
        let now = evidence.now();
        let shown = evidence.topic.sum(Span::last(self.window.as_secs()));
        // Without a baseline, calm is unknown.
        let Some(expected) = self.expected(evidence, memory.last) else {
            memory.last = Some(now);
            return self.unknown(evidence, shown);
        };
        memory.last = Some(now);
        let params = self.params(evidence, &expected);
        memory.thresholds.update(&params);
        let ratios = match self.of {
            RisingQuantity::NegativeRate => self.rate_ratios(evidence.topic.closed(), &expected, &memory.thresholds),
            RisingQuantity::NegativeVolume => self.volume_ratios(evidence.topic.closed(), &expected, memory),
        };
        let recent = evidence.topic.sum(Span::last(RECENT_SPAN)).negative_votes();
        if recent < QUIET_VOTES.min(self.min_votes) {
            memory.cusums.end(&memory.thresholds.values, now);
        }
        let may_begin = recent >= self.min_votes;
        let late = evidence.topic.closed_late();
        let step = Step { ratios: &ratios, thresholds: &memory.thresholds.values, may_begin, late };
        let (raised, lead) = memory.cusums.step(&step, now, evidence.topic.width());
        // While an alert fires it holds on: what is above usual beyond its interval is not over.
        let holds = raised || (evidence.frozen && self.is_still_high(evidence, &expected));
        self.report(evidence, shown, holds, lead, &memory.thresholds)
    }

    /// The spans whose sums are read.
    pub(super) fn spans(&self) -> [Span; 3] {
        [Span::last(self.window.as_secs()), Span::last(HOUR), Span::last(RECENT_SPAN)]
    }

    /// When fewer posts may end the shift. A bucket without posts changes nothing that [`Rising::catch_up`] does not make up for
    /// while nothing has shifted.
    pub(super) fn sleeps_until(&self, memory: Option<&RisingMemory>, now: i64) -> i64 {
        if memory.is_some_and(|memory| memory.cusums.is_raised()) { now } else { i64::MAX }
    }

    /// Steps through the buckets without posts that were not evaluated, up to the one that ended at `until` (Unix seconds).
    /// Call it before the baseline learns what came since.
    pub(super) fn catch_up(&self, evidence: &Evidence<'_>, memory: &mut RisingMemory, until: i64) {
        let width = evidence.topic.width();
        // A longer gap was skipped as a whole, with all topics quiet: `evaluate` takes it in one step.
        let Some(last) = memory.last.filter(|last| until > *last && until - last <= HOUR) else { return };
        memory.last = Some(until);
        if self.of == RisingQuantity::NegativeRate {
            return;
        }
        let Some(expected) = self.expected_at(evidence, until, None) else { return };
        let mut now = last + width;
        while now <= until {
            let ratios = self.volume_ratios(Counts::default(), &expected, memory);
            let step = Step { ratios: &ratios, thresholds: &memory.thresholds.values, may_begin: false, late: &[] };
            memory.cusums.step(&step, now, width);
            now += width;
        }
    }

    /// The expected counts; `None` while the baseline is too young.
    fn expected(&self, evidence: &Evidence<'_>, last: Option<i64>) -> Option<Expected> {
        self.expected_at(evidence, evidence.now(), last)
    }

    /// As [`Rising::expected`], at the close of the bucket that ended at `now`.
    fn expected_at(&self, evidence: &Evidence<'_>, now: i64, last: Option<i64>) -> Option<Expected> {
        let width = evidence.topic.width();
        let middle = now - width / 2;
        let volume = evidence.baseline.volume_at(middle).filter(|known| known.hours >= MIN_HOURS)?;
        // A number of posts is known after some days, however few they are.
        let few_are_usual = self.of == RisingQuantity::NegativeVolume && volume.hours >= MIN_HOURS_WITH_FEW_POSTS;
        let enough = |known: &ExpectedRate| few_are_usual || known.posts >= self.min_posts as f64;
        let rate = evidence.baseline.rate_at(middle).filter(enough)?;
        let seconds = last.map_or(width, |last| (now - last).clamp(width, 24 * HOUR));
        Some(Expected { rate, volume, buckets: (seconds / width) as f64, width })
    }

    fn params(&self, evidence: &Evidence<'_>, expected: &Expected) -> ThresholdParams<'_> {
        let (rate, posts) = evidence.baseline.overall().unwrap_or((expected.rate.rate, expected.volume.posts));
        ThresholdParams {
            of: self.of,
            sizes: self.sizes(),
            hours: self.false_alarm_every.as_secs_f64() / HOUR as f64,
            width: expected.width,
            rate,
            posts,
            spread: expected.rate.spread,
        }
    }

    fn sizes(&self) -> &[f64] {
        match self.of {
            RisingQuantity::NegativeRate => &self.lift,
            RisingQuantity::NegativeVolume => &self.times,
        }
    }

    fn report(
        &self,
        evidence: &Evidence<'_>,
        shown: Counts,
        holds: bool,
        lead: Option<LeadingSum>,
        thresholds: &CusumThresholds,
    ) -> ConditionResult {
        let (now, window) = (evidence.now(), self.window.as_secs());
        let is_rate = self.of == RisingQuantity::NegativeRate;
        let normal = evidence.baseline.rate_over(now - window, now);
        let votes = evidence.baseline.volume_at(now - window / 2).map_or(0.0, |volume| volume.posts);
        let (_, posts_per_vote) = evidence.baseline.posts_per_vote();
        let posts = votes * window as f64 / HOUR as f64 * posts_per_vote;
        let mut measured = Measurement::new(shown, 0.0, evidence.error);
        measured.lower_bound = match self.of {
            RisingQuantity::NegativeRate => {
                stats::proportion_lower(shown.negative_votes(), shown.votes(), SHOWN_CONFIDENCE)
            }
            RisingQuantity::NegativeVolume => stats::poisson_lower(shown.negative_votes(), SHOWN_CONFIDENCE),
        };
        measured.normal = normal.map(|normal| NormalLevel {
            value: if is_rate { normal.rate } else { normal.rate * posts },
            posts: normal.posts as u64,
        });
        measured.threshold = measured.normal.map(|normal| normal.value);
        let mut numbers = Vec::new();
        if let Some(lead) = lead {
            let of = |values: &[f64]| values.get(lead.index).copied().unwrap_or_default();
            // Later in an incident the leading sum may lie below the threshold that it, or another, once exceeded.
            if !holds || lead.sum >= of(&thresholds.values) {
                numbers.extend([("sum", lead.sum), ("h", of(&thresholds.values))]);
            }
            numbers.push((if is_rate { "lift" } else { "times" }, of(self.sizes())));
            numbers.push(("rising_since", lead.since as f64));
        }
        let shown = if is_rate { ("rate", measured.rate) } else { ("negative", measured.negative as f64) };
        numbers.extend([shown, ("posts", measured.posts as f64)]);
        numbers.extend(measured.normal.map(|normal| ("normal", normal.value)));
        numbers.extend(measured.corrected.map(|corrected| ("corrected_rate", corrected)));
        numbers.push(("false_alarm_every_hours", self.false_alarm_every.as_secs_f64() / HOUR as f64));
        numbers.push(("window_minutes", self.window.as_secs_f64() / 60.0));
        let reasons = Reasons { condition: "rising", holds, numbers, parts: Vec::new() };
        ConditionResult { holds, measured, is_rate, reasons }
    }

    fn unknown(&self, evidence: &Evidence<'_>, shown: Counts) -> ConditionResult {
        let measured = Measurement::new(shown, 0.0, evidence.error);
        let reasons = Reasons { condition: "rising", ..Reasons::default() };
        ConditionResult { holds: false, measured, is_rate: self.of == RisingQuantity::NegativeRate, reasons }
    }

    pub(super) fn validate(&self, bucket: SignedDuration) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(check_length("condition.window", self.window, bucket));
        if !(self.min_votes.is_finite() && self.min_votes >= 0.0) {
            problems.push(format!("condition.min_votes: {} is not valid; expected 0 or more, e.g. 8", self.min_votes));
        }
        if self.false_alarm_every < SignedDuration::from_hours(1) {
            let found = self.false_alarm_every;
            problems.push(format!(
                "condition.false_alarm_every: {found:#} is not valid; expected 1h or more, e.g. \"30d\""
            ));
        }
        let lists = [("condition.lift", &self.lift, 0.0..0.9), ("condition.times", &self.times, 1.0..1e3)];
        for (key, sizes, range) in lists {
            if sizes.is_empty() || sizes.len() > 8 {
                problems.push(format!("{key}: {} sizes are not valid; expected 1 to 8", sizes.len()));
            }
            let wrong = sizes.iter().find(|size| !(range.contains(*size) && **size > range.start));
            let expected = format!("expected more than {}, less than {}", range.start, range.end);
            problems.extend(wrong.map(|size| format!("{key}: {size} is not valid; {expected}")));
        }
        problems
    }
}

/// The share after a shift of size `lift`, where `p0` is normal.
fn lifted(p0: f64, lift: f64) -> f64 {
    (p0 + lift).min(MAX_SHARE.max(p0 + (1.0 - p0) / 10.0))
}

#[cfg(test)]
mod tests;
