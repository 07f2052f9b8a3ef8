//! [`AlarmThreshold`]: turns the accepted false-alarm interval into a threshold of evidence for this series.

use serde::{Deserialize, Serialize};

use super::MEMORY;

/// Weight in days of the prior spread, and that spread as a share of the mean.
const PRIOR_DAYS: f64 = 3.0;
const PRIOR_SPREAD: f64 = 0.3;
/// Lower limit of the spread, so that a very even series does not alarm at a few per cent more.
const MIN_SPREAD: f64 = 0.05;
/// A day is capped at this many standard deviations from the mean, so that an incident does not make the next one
/// normal.
const MAX_STRAY: f64 = 3.0;
/// Weight in days from which the spread is known well enough for that cap.
const MIN_WEIGHT: f64 = 3.0;
/// Days needed before there can be an alarm.
const MIN_DAYS: u32 = 2;
/// Minimum false-alarm interval in days.
const MIN_INTERVAL: f64 = 1.1;
/// Euler's constant: the mean of a Gumbel variable is this many scales above its mode.
const GAMMA: f64 = 0.577_215_664_901_532_9;

/// Daily maximum of the evidence, as moments with exponential decay. Days start at the time of the first row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct AlarmThreshold {
    /// Start of the current day, its maximum evidence and its number of rows.
    day: Option<i64>,
    greatest: f64,
    rows: u32,
    /// Number of learned days, and their moments.
    days: u32,
    weight: f64,
    sum: f64,
    squares: f64,
}

impl AlarmThreshold {
    /// Ends the day, which is `length` seconds long, if `time` is beyond it. `rows` is the number of rows of a full
    /// day.
    pub(super) fn begin_day(&mut self, time: i64, length: i64, rows: f64) {
        let start = *self.day.get_or_insert(time);
        let over = time.saturating_sub(start) / length.max(1);
        if over < 1 {
            return;
        }
        // With less than half of the rows, the maximum of the day was probably not seen.
        if f64::from(self.rows) >= rows / 2.0 {
            self.learn(self.greatest);
        }
        self.restart_day(start + over * length);
    }

    pub(super) fn restart_day(&mut self, start: i64) {
        (self.day, self.greatest, self.rows) = (Some(start), 0.0, 0);
    }

    pub(super) fn record(&mut self, evidence: f64) {
        self.greatest = self.greatest.max(evidence);
        self.rows = self.rows.saturating_add(1);
    }

    fn learn(&mut self, greatest: f64) {
        let greatest = if self.weight > MIN_WEIGHT {
            let (mean, deviation) = self.moments();
            greatest.min(mean + MAX_STRAY * deviation)
        } else {
            greatest
        };
        let kept = 0.5_f64.powf(1.0 / MEMORY);
        self.weight = self.weight * kept + 1.0;
        self.sum = self.sum * kept + greatest;
        self.squares = self.squares * kept + greatest * greatest;
        self.days = self.days.saturating_add(1);
    }

    /// Mean and standard deviation of the daily maximum.
    fn moments(&self) -> (f64, f64) {
        let mean = self.sum / self.weight.max(1.0);
        let variance = (self.squares / self.weight.max(1.0) - mean * mean).max(0.0);
        let prior = PRIOR_DAYS * (PRIOR_SPREAD * mean).powi(2);
        let variance = (variance * self.weight + prior) / (self.weight + PRIOR_DAYS);
        (mean, variance.sqrt().max(MIN_SPREAD))
    }

    /// Mode and scale of the Gumbel distribution with these moments.
    fn gumbel(&self) -> (f64, f64) {
        let (mean, deviation) = self.moments();
        let scale = deviation * 6.0_f64.sqrt() / std::f64::consts::PI;
        (mean - GAMMA * scale, scale)
    }

    /// The evidence that one day in `every` exceeds; `None` before [`MIN_DAYS`].
    pub(super) fn threshold(&self, every: f64) -> Option<f64> {
        let (mode, scale) = self.gumbel();
        (self.days >= MIN_DAYS).then(|| mode - scale * (-(1.0 - 1.0 / every.max(MIN_INTERVAL)).ln()).ln())
    }

    /// Rarity of the evidence in `[0, 1]`: 0.5 if one day in `every` exceeds it, rising with the odds against it.
    pub(super) fn rarity(&self, evidence: f64, every: f64) -> f64 {
        if self.days < MIN_DAYS {
            return 0.0;
        }
        let (mode, scale) = self.gumbel();
        let exceeded = -(-(-((evidence - mode) / scale).clamp(-30.0, 30.0)).exp()).exp_m1();
        let odds = 1.0 / exceeded - 1.0;
        odds / (odds + every.max(MIN_INTERVAL) - 1.0)
    }
}
