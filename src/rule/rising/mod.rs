//! `rising`: do the posts tell of trouble, sudden or slow, whose size nobody knows beforehand?
//!
//! Beside the windows of the other conditions, which must fill before they tell, this one sums up the evidence of every post
//! as it comes: the log-likelihood ratio of trouble against calm, by CUSUMs for several sizes of trouble at once. How high a
//! sum may rise by chance follows from how often a false alarm is bearable; see `threshold`.

mod cusum;
mod threshold;
mod tuning;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::condition::length_fault;
use super::{
    Evaluation, Evidence, ExpectedRate, ExpectedVolume, Measured, Normal, Reasons, bound, defaults, duration_serde,
};
use crate::window::{Counts, Span};
use cusum::{Cusums, Lead};
use tuning::{Tuned, Tuning};

const HOUR: i64 = 3_600;
/// No share is lifted higher: some always write of something else.
const MOST: f64 = 0.98;
/// Posts of other sentiment from which the present level of the volume is judged, about, and the longest stretch of them.
const OTHERS: f64 = 30.0;
const LONGEST_LEVEL: f64 = 3_600.0;
/// How many standard deviations above its estimate the level of the volume may lie.
const LEVEL_MARGIN: f64 = 3.0;
/// Hours to be learnt from before a volume is usual.
const MIN_HOURS: f64 = 24.0;
/// Trouble is over when nobody has written for so long, in seconds.
const SILENCE: i64 = 3 * HOUR;
/// Confidence of the bound that is shown.
const SHOWN: f64 = 0.95;

/// Holds from when the sum of evidence passes what chance makes of it, until the posts are clearly back to normal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rising {
    #[serde(default)]
    pub of: Of,
    /// Sizes of trouble, for rates: how far the share of negative posts is lifted.
    #[serde(default = "default_lift")]
    pub lift: Vec<f64>,
    /// Sizes of trouble, for volumes: how many times the most that is usual.
    #[serde(default = "default_times")]
    pub times: Vec<f64>,
    /// How long it takes in the mean, in calm, until it holds by chance.
    #[serde(default = "default_interval", with = "duration_serde")]
    pub false_alarm_every: SignedDuration,
    /// The stretch whose numbers and posts people are shown; it decides nothing.
    #[serde(default = "default_window")]
    pub window: SignedDuration,
    /// With fewer posts in the baseline nothing is normal yet, and the condition does not hold.
    #[serde(default = "defaults::min_baseline_posts")]
    pub min_posts: u64,
}

/// What may rise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The share of negative posts.
    #[default]
    NegativeRate,
    /// Their number, seen against that of the other posts.
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

fn default_window() -> SignedDuration {
    SignedDuration::from_hours(1)
}

/// The sums, and how they were tuned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RisingMemory {
    cusums: Cusums,
    tuned: Tuned,
    /// Posts of other sentiment of late, and how many were to be expected; both slowly forgotten.
    others: f64,
    expected_others: f64,
    /// End of the last bucket that was judged, in Unix seconds.
    last: Option<i64>,
}

/// What is expected of the bucket just closed.
#[derive(Debug, Clone, Copy)]
struct Expected {
    rate: ExpectedRate,
    volume: ExpectedVolume,
    /// Buckets since the last that was judged.
    buckets: f64,
    /// Of a bucket, in seconds.
    width: i64,
}

impl Rising {
    pub(super) fn evaluate(&self, evidence: &Evidence<'_>, memory: &mut RisingMemory) -> Evaluation {
        let now = evidence.now();
        let shown = evidence.topic.sum(Span::last(self.window.as_secs()));
        let Some(expected) = self.expected(evidence, memory.last) else {
            memory.last = Some(now);
            return self.unknown(evidence, shown);
        };
        memory.last = Some(now);
        let tuning = self.tuning(evidence, &expected);
        memory.tuned.follow(&tuning);
        let ratios = match self.of {
            Of::NegativeRate => self.rate_ratios(evidence.topic.closed(), &expected, &memory.tuned),
            Of::NegativeVolume => self.volume_ratios(evidence.topic.closed(), &expected, memory),
        };
        if evidence.topic.watermark().is_none_or(|last| now - last > SILENCE.max(self.window.as_secs())) {
            // Nobody writes: no post will tell that it is over.
            memory.cusums = Cusums::default();
        }
        let (holds, lead) = memory.cusums.step(&ratios, &memory.tuned.heights, now);
        self.tell(evidence, shown, holds, lead, &memory.tuned)
    }

    /// What is expected; none while nothing is normal yet.
    fn expected(&self, evidence: &Evidence<'_>, last: Option<i64>) -> Option<Expected> {
        let (now, width) = (evidence.now(), evidence.topic.width());
        let middle = now - width / 2;
        let rate = evidence.baseline.rate_at(middle).filter(|known| known.posts >= self.min_posts as f64)?;
        let volume = evidence.baseline.volume_at(middle).filter(|known| known.hours >= MIN_HOURS)?;
        let seconds = last.map_or(width, |last| (now - last).clamp(width, 24 * HOUR));
        Some(Expected { rate, volume, buckets: (seconds / width) as f64, width })
    }

    fn tuning(&self, evidence: &Evidence<'_>, expected: &Expected) -> Tuning<'_> {
        let (rate, posts) = evidence.baseline.overall().unwrap_or((expected.rate.rate, expected.volume.posts));
        Tuning {
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
            Of::NegativeRate => &self.lift,
            Of::NegativeVolume => &self.times,
        }
    }

    /// `k ln(p1/p0) + (n - k) ln((1 - p1)/(1 - p0))` for each lift, by the weight of a post where they hang together.
    fn rate_ratios(&self, counts: Counts, expected: &Expected, tuned: &Tuned) -> Vec<f64> {
        let p0 = expected.rate.rate;
        let (k, others) = (counts.negative as f64, (counts.posts() - counts.negative) as f64);
        let ratio = |(lift, weight): (&f64, f64)| {
            let p1 = lifted(p0, *lift);
            weight * (k * (p1 / p0).ln() + others * ((1.0 - p1) / (1.0 - p0)).ln())
        };
        let weights = tuned.weights(expected.volume.posts, expected.rate.spread);
        self.lift.iter().zip(weights).map(ratio).collect()
    }

    /// `k ln(times) - mean (times - 1)` for each size, of a Poisson count. The mean follows the posts of other sentiment, so
    /// that a busy day is no trouble; it is taken as high as it may well be.
    fn volume_ratios(&self, counts: Counts, expected: &Expected, memory: &mut RisingMemory) -> Vec<f64> {
        let Expected { rate: ExpectedRate { rate, spread, .. }, volume, buckets, width } = *expected;
        let posts = volume.posts * (width as f64 / HOUR as f64) * buckets;
        let others = posts * (1.0 - rate);
        let stretch = (OTHERS / others.max(1e-9) * buckets * width as f64).clamp(2.0 * width as f64, LONGEST_LEVEL);
        let kept = (-buckets * width as f64 / stretch).exp();
        memory.others = memory.others * kept + (counts.posts() - counts.negative) as f64;
        memory.expected_others = memory.expected_others * kept + others;
        // The level is a gamma variable, and its posterior mean and deviation are these.
        let prior = 1.0 / volume.spread.max(1e-3);
        let level = (prior + memory.others) / (prior + memory.expected_others);
        let deviation = (1.0 / (prior + memory.others) + spread / (rate * (1.0 - rate))).sqrt();
        let mean = posts * rate * level * (1.0 + LEVEL_MARGIN * deviation);
        let k = counts.negative as f64;
        self.times.iter().map(|times| k * times.ln() - mean * (times - 1.0)).collect()
    }

    fn tell(
        &self,
        evidence: &Evidence<'_>,
        shown: Counts,
        holds: bool,
        lead: Option<Lead>,
        tuned: &Tuned,
    ) -> Evaluation {
        let (now, window) = (evidence.now(), self.window.as_secs());
        let is_rate = self.of == Of::NegativeRate;
        let usual = evidence.baseline.rate_over(now - window, now);
        let posts = evidence.baseline.volume_at(now - window / 2).map_or(0.0, |volume| volume.posts);
        let mut measured = Measured::new(shown, 0.0, evidence.error);
        measured.lower_bound = match self.of {
            Of::NegativeRate => bound::share(shown.negative as f64, shown.posts() as f64, SHOWN),
            Of::NegativeVolume => bound::count(shown.negative, SHOWN),
        };
        measured.normal = usual.map(|usual| Normal {
            value: if is_rate { usual.rate } else { usual.rate * posts * window as f64 / HOUR as f64 },
            posts: usual.posts as u64,
        });
        measured.threshold = measured.normal.map(|normal| normal.value);
        let mut numbers = Vec::new();
        if let Some(lead) = lead {
            let of = |values: &[f64]| values.get(lead.index).copied().unwrap_or_default();
            numbers.extend([("sum", lead.sum), ("h", of(&tuned.heights))]);
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
        Evaluation { holds, measured, is_rate, reasons }
    }

    fn unknown(&self, evidence: &Evidence<'_>, shown: Counts) -> Evaluation {
        let measured = Measured::new(shown, 0.0, evidence.error);
        let reasons = Reasons { condition: "rising", ..Reasons::default() };
        Evaluation { holds: false, measured, is_rate: self.of == Of::NegativeRate, reasons }
    }

    pub(super) fn faults(&self, bucket: SignedDuration) -> Vec<String> {
        let mut faults = Vec::new();
        faults.extend(length_fault("condition.window", self.window, bucket));
        if self.false_alarm_every < SignedDuration::from_hours(1) {
            let found = self.false_alarm_every;
            faults.push(format!("condition.false_alarm_every: {found:#} is less than 1h; wanted such as \"30d\""));
        }
        let lists = [("condition.lift", &self.lift, 0.0..0.9), ("condition.times", &self.times, 1.0..1e3)];
        for (key, sizes, range) in lists {
            if sizes.is_empty() || sizes.len() > 8 {
                faults.push(format!("{key}: {} sizes; wanted 1 to 8", sizes.len()));
            }
            let wrong = sizes.iter().find(|size| !(range.contains(*size) && **size > range.start));
            faults.extend(wrong.map(|size| format!("{key}: {size} is not between {} and {}", range.start, range.end)));
        }
        faults
    }
}

/// The share in trouble, where `p0` is usual.
fn lifted(p0: f64, lift: f64) -> f64 {
    (p0 + lift).min(MOST.max(p0 + (1.0 - p0) / 10.0))
}

#[cfg(test)]
mod tests;
