//! [`VolumeDetector`]: detects spikes in the volume of a series. A streaming state machine over `(time, value)` rows of
//! any regular series: one row in, one [`Score`] out, without knowledge of later rows. `vigie detect` runs it on a
//! file, the volume conditions run it on posts.
//!
//! ```text
//!  row ==> Rolling: last 5 minutes, 15 minutes, hour -----\
//!     \--> Seasonal: the normal value for each of these ---> evidence ==> AlarmThreshold: its rarity ==> Score
//!                                                           (log ratio)   (daily maxima, Gumbel)         \-> rest
//! ```
//!
//! **Evidence** is the logarithm of the ratio to normal, averaged over three time spans, so that both a spike of
//! minutes and a rise of an hour show. Counts are assumed to be negative binomial with size `r`, whose
//! variance-stabilising transformation is `ln(x + r/2)` (Anscombe 1948): a few posts on a quiet night count for less
//! than in a plain ratio.
//!
//! **Rarity** decides, not the evidence itself, because the volumes of some brands vary much more than those of others.
//! The daily maximum of the evidence is kept as two moments and assumed to be Gumbel distributed. An alarm is evidence
//! that is expected at most once in `false_alarm_every` days. After an alarm the detector rests: one incident is one
//! alarm.

mod alarm_threshold;
mod condition;
mod rolling;
mod score;
mod seasonal;

use serde::{Deserialize, Serialize};

use alarm_threshold::AlarmThreshold;
pub use condition::Volume;
use rolling::Rolling;
pub use score::{Score, ScoreError};
use seasonal::Seasonal;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Half-life of everything the detector learns, in days.
const MEMORY: f64 = 14.0;
/// A learned row is capped at this multiple of its normal value, so that an incident does not become normal.
const MAX_LEARNT_RATIO: f64 = 5.0;
/// Upper limit of a value, so that sums stay finite.
const MAX_VALUE: f64 = 1e15;
/// Maximum interval between rows.
const MAX_STEP: i64 = 366 * DAY;
/// After this many consecutive rows before the newest one, the newest is considered wrong.
const MAX_BEHIND: u32 = 3;

/// Settings chosen by the operator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DetectorSettings {
    /// Accepted false-alarm interval in days; more than 1.
    pub false_alarm_every: f64,
    /// Seconds after an alarm without another one; at least an hour, or 12 rows.
    pub rest: i64,
    /// Seconds between rows; if `None`, estimated from the first rows.
    pub interval: Option<i64>,
}

impl Default for DetectorSettings {
    fn default() -> Self {
        Self { false_alarm_every: 10.0, rest: DAY, interval: None }
    }
}

/// The spike detector: see the module documentation. Its size is bounded: about 2 KB plus the rows of an hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeDetector {
    settings: DetectorSettings,
    /// Time of the newest row.
    newest: Option<i64>,
    behind: u32,
    /// Intervals between the first rows, sorted.
    steps: Vec<i64>,
    rolling: Rolling,
    seasonal: Seasonal,
    alarm: AlarmThreshold,
    /// End of the rest.
    quiet_until: Option<i64>,
    /// Local time less UTC, in seconds.
    #[serde(skip)]
    utc_offset: i64,
}

/// Number of intervals from which the median is taken.
const MAX_STEPS: usize = 15;

impl VolumeDetector {
    pub fn new(settings: DetectorSettings) -> Self {
        Self {
            settings,
            newest: None,
            behind: 0,
            steps: Vec::new(),
            rolling: Rolling::default(),
            seasonal: Seasonal::default(),
            alarm: AlarmThreshold::default(),
            quiet_until: None,
            utc_offset: 0,
        }
    }

    /// Sets local time less UTC, in seconds, for the rows that follow: the rhythm is learned by local hours, so that it does not
    /// move when clocks change. It is not stored.
    pub fn set_utc_offset(&mut self, seconds: i64) {
        self.utc_offset = seconds;
    }

    /// Moves what was learned by this many hours, because the series has another time zone.
    pub(in crate::rule) fn move_hours(&mut self, hours: usize) {
        self.seasonal.move_hours(hours);
    }

    /// Changes the settings. A new interval makes it a new series: everything learned is dropped.
    pub fn set_settings(&mut self, settings: DetectorSettings) {
        if settings.interval != self.settings.interval {
            *self = Self { utc_offset: self.utc_offset, ..Self::new(settings) };
        }
        self.settings = settings;
    }

    /// Cancels the alarm of the last row: it does not start a rest.
    pub fn cancel_alarm(&mut self) {
        self.quiet_until = None;
    }

    /// Scores the row at `time` (Unix seconds, after all earlier rows) and learns from it.
    ///
    /// # Errors
    /// When the row is not usable. The detector continues with the next row.
    pub fn step(&mut self, time: i64, value: f64) -> Result<Score, ScoreError> {
        let value = self.check(time, value)?;
        let score = self.judge_with_upper(time, value);
        self.learn(time, value);
        Ok(score)
    }

    /// As [`VolumeDetector::step`] with the value 0, but without [`Score::upper`], which costs more than all the rest: most rows of
    /// most topics are empty.
    ///
    /// # Errors
    /// When the row is not usable. The detector continues with the next row.
    pub fn step_empty(&mut self, time: i64) -> Result<Score, ScoreError> {
        let value = self.check(time, 0.0)?;
        let score = self.judge(time, value);
        self.learn(time, value);
        Ok(score)
    }

    /// Scores the row at `time` without learning from it: during an incident the normal level stays frozen.
    ///
    /// # Errors
    /// When the row is not usable. The detector continues with the next row.
    pub fn step_frozen(&mut self, time: i64, value: f64) -> Result<Score, ScoreError> {
        let value = self.check(time, value)?;
        Ok(self.judge_with_upper(time, value))
    }

    /// Whether the detector rests after an alarm.
    pub fn is_resting(&self, time: i64) -> bool {
        self.quiet_until.is_some_and(|until| time < until)
    }

    fn check(&mut self, time: i64, value: f64) -> Result<f64, ScoreError> {
        if !value.is_finite() {
            return Err(ScoreError::NotANumber);
        }
        if value < 0.0 {
            return Err(ScoreError::Negative);
        }
        if let Some(newest) = self.newest
            && time <= newest
        {
            self.behind += 1;
            if self.behind < MAX_BEHIND {
                return Err(ScoreError::NotAfter);
            }
            // Time continues from here: the newest row had a wrong time.
            self.rolling = Rolling::default();
            self.alarm.restart_day(time);
            self.quiet_until = None;
        } else if let Some(newest) = self.newest {
            self.record_step(time.saturating_sub(newest));
        }
        self.behind = 0;
        self.newest = Some(time);
        Ok(value.min(MAX_VALUE))
    }

    fn record_step(&mut self, step: i64) {
        if self.steps.len() < MAX_STEPS {
            let at = self.steps.partition_point(|known| *known < step);
            self.steps.insert(at, step);
        }
    }

    /// Seconds between rows, as far as known.
    fn interval(&self) -> i64 {
        let found = || self.steps.get(self.steps.len() / 2).copied();
        self.settings.interval.or_else(found).unwrap_or(5 * MINUTE).clamp(1, MAX_STEP)
    }

    /// Length of the shortest span in seconds.
    fn unit(&self) -> i64 {
        self.interval().max(5 * MINUTE)
    }

    fn judge_with_upper(&mut self, time: i64, value: f64) -> Score {
        let score = self.judge(time, value);
        Score { upper: score.threshold.map(|threshold| self.rolling.value_at(threshold)), ..score }
    }

    fn judge(&mut self, time: i64, value: f64) -> Score {
        let interval = self.interval();
        let known = self.seasonal.expected(time + self.utc_offset);
        let expected = known.unwrap_or(value);
        self.rolling.push(time, value, expected, self.unit());
        let day = interval.max(DAY);
        self.alarm.begin_day(time, day, (day / interval) as f64);
        let false_alarm_every = self.settings.false_alarm_every * DAY as f64 / day as f64;
        let evidence = self.rolling.evidence();
        let rarity = self.alarm.rarity(evidence, false_alarm_every);
        let threshold = self.alarm.threshold(false_alarm_every);
        // Capped below 1, so that half of it stays below the alarm level while the detector rests.
        let value = if self.is_resting(time) { rarity.min(0.999_99) / 2.0 } else { rarity };
        if value >= 0.5 {
            // At least until the rows that raised it have left the longest span; otherwise they would raise it again.
            let seen = rolling::LONGEST_SPAN * self.unit();
            self.quiet_until = Some(time.saturating_add(self.settings.rest.max(seen)));
        }
        Score { value, evidence, threshold, floor: self.rolling.floor(), expected: known, upper: None }
    }

    fn learn(&mut self, time: i64, value: f64) {
        let interval = self.interval();
        self.alarm.record(self.rolling.evidence());
        self.rolling.learn(interval);
        let local = time + self.utc_offset;
        let expected = self.seasonal.expected(local).unwrap_or(value);
        self.seasonal.learn(local, value.min(MAX_LEARNT_RATIO * (expected + 1.0)), interval);
    }
}

#[cfg(test)]
mod tests;
