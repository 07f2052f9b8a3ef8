//! [`Seasonal`]: the normal value of a row by hour of the week, learned from the past of the series.

use serde::{Deserialize, Serialize};

use super::{DAY, HOUR, MEMORY};

/// Weight in hours of the overall level in an hour of the day: two weeks.
const DAY_PRIOR: f64 = 14.0;
/// Weight in hours of an hour of the day in an hour of the week: four weeks.
const WEEK_PRIOR: f64 = 4.0;

/// Means with exponential decay: the overall level, the 24 hours of the day shrunk towards it, and the 168 hours of the
/// week shrunk towards those. The shrinkage keeps the normal value of quiet hours above their mean, so that small
/// numbers at night do not raise an alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Seasonal {
    level: Mean,
    days: Vec<Mean>,
    weeks: Vec<Mean>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Mean {
    sum: f32,
    hours: f32,
}

impl Default for Seasonal {
    fn default() -> Self {
        Self { level: Mean::default(), days: vec![Mean::default(); 24], weeks: vec![Mean::default(); 168] }
    }
}

impl Seasonal {
    /// The normal value at `time`, in Unix seconds plus the offset of the local time; `None` before the first learned row.
    pub(super) fn expected(&self, time: i64) -> Option<f64> {
        let level = (self.level.hours > 0.0).then(|| self.level.shrunk(0.0, 0.0))?;
        let day = self.days.get(slot(time, 24))?.shrunk(level, DAY_PRIOR);
        Some(self.weeks.get(slot(time, 168))?.shrunk(day, WEEK_PRIOR))
    }

    /// Moves everything by this many hours, because the series has another time zone.
    pub(super) fn move_hours(&mut self, hours: usize) {
        self.days.rotate_right(hours % 24);
        self.weeks.rotate_right(hours % 168);
    }

    /// Learns the value of a row that covers `interval` seconds; `time` as in [`Seasonal::expected`].
    pub(super) fn learn(&mut self, time: i64, value: f64, interval: i64) {
        let seconds = interval as f64;
        let hours = seconds / HOUR as f64;
        // Each mean decays by the time between its own rows; those of the week half as fast, as they get few rows.
        let kept = |share: f64, half_life: f64| 0.5_f64.powf(seconds * share / (half_life * DAY as f64));
        self.level.add(value, hours, kept(1.0, MEMORY));
        if let Some(day) = self.days.get_mut(slot(time, 24)) {
            day.add(value, hours.min(1.0), kept(24.0, MEMORY));
        }
        if let Some(week) = self.weeks.get_mut(slot(time, 168)) {
            week.add(value, hours.min(1.0), kept(168.0, 2.0 * MEMORY));
        }
    }
}

impl Mean {
    fn shrunk(&self, towards: f64, hours: f64) -> f64 {
        (f64::from(self.sum) + hours * towards) / (f64::from(self.hours) + hours)
    }

    fn add(&mut self, value: f64, hours: f64, kept: f64) {
        self.sum = (f64::from(self.sum) * kept + value * hours) as f32;
        self.hours = (f64::from(self.hours) * kept + hours) as f32;
    }
}

fn slot(time: i64, slots: i64) -> usize {
    usize::try_from(time.div_euclid(HOUR).rem_euclid(slots)).unwrap_or_default()
}
