//! [`Budget`]: how rare is this much evidence? Turns a wanted false-alarm interval into a threshold for this series.

use serde::{Deserialize, Serialize};

use super::MEMORY;

/// Days that the spread one starts with counts, and that spread as a share of the mean.
const PRIOR_DAYS: f64 = 3.0;
const PRIOR_SPREAD: f64 = 0.3;
/// No series is so even that a tenth more were an alarm.
const LEAST_SPREAD: f64 = 0.05;
/// A day counts as no further from the mean than so many deviations: an incident must not make the next one normal.
const FARTHEST: f64 = 3.0;
/// Days from which on the spread is known well enough to tell what is far.
const KNOWN: f64 = 3.0;
/// Days without which nothing is rare yet.
const LEAST_DAYS: u32 = 2;
/// Days; what happens more often than once in so many is not rare.
const LEAST_EVERY: f64 = 1.1;
/// Euler's constant: a Gumbel variable's mean is so many scales above its mode.
const GAMMA: f64 = 0.577_215_664_901_532_9;

/// The greatest evidence of each day, as moments that are slowly forgotten. Days run from the first row on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Budget {
    /// Start of the present day, the greatest evidence in it and its rows.
    day: Option<i64>,
    greatest: f64,
    rows: u32,
    /// Days learnt from, and their moments.
    days: u32,
    weight: f64,
    sum: f64,
    squares: f64,
}

impl Budget {
    /// Ends the day, `length` seconds long, when `time` is beyond it. One with less than half of its `rows` is not learnt
    /// from: its greatest was not seen.
    pub(super) fn begin_day(&mut self, time: i64, length: i64, rows: f64) {
        let start = *self.day.get_or_insert(time);
        let over = time.saturating_sub(start) / length.max(1);
        if over < 1 {
            return;
        }
        if f64::from(self.rows) >= rows / 2.0 {
            self.learn(self.greatest);
        }
        self.restart_day(start + over * length);
    }

    pub(super) fn restart_day(&mut self, start: i64) {
        (self.day, self.greatest, self.rows) = (Some(start), 0.0, 0);
    }

    pub(super) fn note(&mut self, evidence: f64) {
        self.greatest = self.greatest.max(evidence);
        self.rows = self.rows.saturating_add(1);
    }

    fn learn(&mut self, greatest: f64) {
        let greatest = if self.weight > KNOWN {
            let (mean, deviation) = self.moments();
            greatest.min(mean + FARTHEST * deviation)
        } else {
            greatest
        };
        let kept = 0.5_f64.powf(1.0 / MEMORY);
        self.weight = self.weight * kept + 1.0;
        self.sum = self.sum * kept + greatest;
        self.squares = self.squares * kept + greatest * greatest;
        self.days = self.days.saturating_add(1);
    }

    /// Mean and standard deviation of a day's greatest evidence.
    fn moments(&self) -> (f64, f64) {
        let mean = self.sum / self.weight.max(1.0);
        let variance = (self.squares / self.weight.max(1.0) - mean * mean).max(0.0);
        let prior = PRIOR_DAYS * (PRIOR_SPREAD * mean).powi(2);
        let variance = (variance * self.weight + prior) / (self.weight + PRIOR_DAYS);
        (mean, variance.sqrt().max(LEAST_SPREAD))
    }

    /// Mode and scale of the Gumbel distribution with these moments.
    fn gumbel(&self) -> (f64, f64) {
        let (mean, deviation) = self.moments();
        let scale = deviation * 6.0_f64.sqrt() / std::f64::consts::PI;
        (mean - GAMMA * scale, scale)
    }

    /// The evidence that one day in `every` exceeds; none while nothing is known.
    pub(super) fn threshold(&self, every: f64) -> Option<f64> {
        let (mode, scale) = self.gumbel();
        (self.days >= LEAST_DAYS).then(|| mode - scale * (-(1.0 - 1.0 / every.max(LEAST_EVERY)).ln()).ln())
    }

    /// In `[0, 1]`: 0.5 where as much is to be expected of one day in `every`, rising with the odds against it.
    pub(super) fn rarity(&self, evidence: f64, every: f64) -> f64 {
        if self.days < LEAST_DAYS {
            return 0.0;
        }
        let (mode, scale) = self.gumbel();
        let exceeded = -(-(-((evidence - mode) / scale).clamp(-30.0, 30.0)).exp()).exp_m1();
        let odds = 1.0 / exceeded - 1.0;
        odds / (odds + every.max(LEAST_EVERY) - 1.0)
    }
}
