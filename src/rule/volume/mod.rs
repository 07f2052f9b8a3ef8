//! [`VolumeDetector`]: when is a volume a spike? A streaming state machine over `(time, value)` rows of any regular series:
//! a row in, a [`Score`] out, nothing of later rows. `vigie detect` runs it over a file, the volume conditions over posts.
//!
//! ```text
//!  row ==> Rolling: the last 5 minutes, 15 minutes, hour ---\
//!     \--> Seasonal: what is normal for each of these -------> evidence ==> Budget: how rare is that? ==> Score
//!                                                             (log ratio)   (daily maxima, Gumbel)         \-> rest
//! ```
//!
//! **Evidence** is the logarithm of how many times the normal there is, over three spans and averaged: a spike of minutes
//! and a rise of an hour both show. Counts are taken for negative binomial with size `r`, whose variance-stabilising
//! transformation is `ln(x + r/2)` (Anscombe 1948): few posts on a quiet night do not count as much as they would in a
//! plain ratio.
//!
//! **Rarity** decides, not the evidence itself: brands differ in how wild their volumes are by factors that no fixed
//! threshold knows. The greatest evidence of each day is kept as two moments and taken for Gumbel-distributed, as maxima
//! are; an alarm is what is to be expected no more often than once in `false_alarm_every` days. After an alarm the detector
//! rests: an incident is one alarm.

mod alarm_threshold;
mod condition;
mod rolling;
mod score;
mod seasonal;

use serde::{Deserialize, Serialize};

use alarm_threshold::Budget;
pub use condition::Volume;
use rolling::Rolling;
pub use score::{Score, Unusable};
use seasonal::Seasonal;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Half-life of everything that is learnt, in days.
const MEMORY: f64 = 14.0;
/// A row counts as at most so many times its normal when it is learnt: an incident must not become normal.
const LEARNT_TIMES: f64 = 5.0;
/// No volume is more: sums stay finite.
const LARGEST: f64 = 1e15;
/// Rows further apart than this are no series.
const LONGEST_STEP: i64 = 366 * DAY;
/// Rows in a row that lie before the newest, after which the newest was the one in error.
const BEHIND: u32 = 3;

/// What an operator chooses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Days in which one false alarm is accepted; more than 1.
    pub false_alarm_every: f64,
    /// Seconds after an alarm in which there is no other; an hour, or 12 rows, at least.
    pub rest: i64,
    /// Seconds from row to row; found from the first rows where it is not given.
    pub interval: Option<i64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { false_alarm_every: 10.0, rest: DAY, interval: None }
    }
}

/// See the module's head. Bounded: about 2 KB and the rows of an hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeDetector {
    settings: Settings,
    /// Time of the newest row.
    newest: Option<i64>,
    behind: u32,
    /// The shortest steps between the first rows, in the order of length.
    steps: Vec<i64>,
    rolling: Rolling,
    seasonal: Seasonal,
    budget: Budget,
    /// End of the rest.
    quiet_until: Option<i64>,
}

/// Steps after which the interval is known.
const STEPS: usize = 15;

impl VolumeDetector {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            newest: None,
            behind: 0,
            steps: Vec::new(),
            rolling: Rolling::default(),
            seasonal: Seasonal::default(),
            budget: Budget::default(),
            quiet_until: None,
        }
    }

    /// Goes on under other settings. Another interval makes it another series, of which nothing is known.
    pub fn adopt(&mut self, settings: Settings) {
        if settings.interval != self.settings.interval {
            *self = Self::new(settings);
        }
        self.settings = settings;
    }

    /// Takes the alarm just given back: it begins no rest.
    pub fn take_back(&mut self) {
        self.quiet_until = None;
    }

    /// Judges the row at `time` (Unix seconds, later than all before) and learns from it.
    ///
    /// # Errors
    /// When the row cannot be judged; the next can.
    pub fn step(&mut self, time: i64, value: f64) -> Result<Score, Unusable> {
        let value = self.check(time, value)?;
        let score = self.judge(time, value);
        self.learn(time, value);
        Ok(score)
    }

    /// Judges the row at `time` and learns nothing: while an incident lasts, what is normal stays as it was.
    ///
    /// # Errors
    /// When the row cannot be judged; the next can.
    pub fn step_frozen(&mut self, time: i64, value: f64) -> Result<Score, Unusable> {
        let value = self.check(time, value)?;
        Ok(self.judge(time, value))
    }

    /// Whether an alarm was given so lately that there is no other.
    pub fn rests(&self, time: i64) -> bool {
        self.quiet_until.is_some_and(|until| time < until)
    }

    fn check(&mut self, time: i64, value: f64) -> Result<f64, Unusable> {
        if !value.is_finite() {
            return Err(Unusable::NotANumber);
        }
        if value < 0.0 {
            return Err(Unusable::Negative);
        }
        if let Some(newest) = self.newest
            && time <= newest
        {
            self.behind += 1;
            if self.behind < BEHIND {
                return Err(Unusable::NotAfter);
            }
            // Time went on from here: the row that lay ahead of these was the wrong one.
            self.rolling = Rolling::default();
            self.budget.restart_day(time);
            self.quiet_until = None;
        } else if let Some(newest) = self.newest {
            self.note_step(time.saturating_sub(newest));
        }
        self.behind = 0;
        self.newest = Some(time);
        Ok(value.min(LARGEST))
    }

    fn note_step(&mut self, step: i64) {
        if self.steps.len() < STEPS {
            let at = self.steps.partition_point(|known| *known < step);
            self.steps.insert(at, step);
        }
    }

    /// Seconds from row to row, as far as known.
    fn interval(&self) -> i64 {
        let found = || self.steps.get(self.steps.len() / 2).copied();
        self.settings.interval.or_else(found).unwrap_or(5 * MINUTE).clamp(1, LONGEST_STEP)
    }

    /// Seconds of the shortest span.
    fn unit(&self) -> i64 {
        self.interval().max(5 * MINUTE)
    }

    fn judge(&mut self, time: i64, value: f64) -> Score {
        let interval = self.interval();
        let known = self.seasonal.expected(time);
        let expected = known.unwrap_or(value);
        self.rolling.push(time, value, expected, self.unit());
        let day = interval.max(DAY);
        self.budget.begin_day(time, day, (day / interval) as f64);
        let false_alarm_every = self.settings.false_alarm_every * DAY as f64 / day as f64;
        let evidence = self.rolling.evidence();
        let rarity = self.budget.rarity(evidence, false_alarm_every);
        let threshold = self.budget.threshold(false_alarm_every);
        let upper = threshold.map(|threshold| self.rolling.value_at(threshold));
        // Never certain, so that half of it is no alarm.
        let value = if self.rests(time) { rarity.min(0.999_99) / 2.0 } else { rarity };
        if value >= 0.5 {
            // At least until the rows that raised it are out of sight, else they would raise it again.
            let seen = rolling::LONGEST * self.unit();
            self.quiet_until = Some(time.saturating_add(self.settings.rest.max(seen)));
        }
        Score { value, evidence, threshold, floor: self.rolling.floor(), expected: known, upper }
    }

    fn learn(&mut self, time: i64, value: f64) {
        let interval = self.interval();
        self.budget.note(self.rolling.evidence());
        self.rolling.learn(interval);
        let expected = self.seasonal.expected(time).unwrap_or(value);
        self.seasonal.learn(time, value.min(LEARNT_TIMES * (expected + 1.0)), interval);
    }
}

#[cfg(test)]
mod tests;
