//! [`Seasonal`]: what a row's value is by hour of the week (UTC), learnt from the series' own past.

use serde::{Deserialize, Serialize};

use super::{DAY, HOUR, MEMORY};

/// Hours that the level weighs against an hour of the day, as if two weeks of days had been level.
const DAY_PRIOR: f64 = 14.0;
/// Hours that an hour of the day weighs against an hour of the week: four weeks.
const WEEK_PRIOR: f64 = 4.0;

/// Means that are slowly forgotten: the level, the 24 hours of the day drawn towards it, and the 168 of the week drawn
/// towards those. Drawn this far, a quiet hour's normal lies above its mean: what is rare at night must be rare by day too.
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
    /// None before the first row was learnt.
    pub(super) fn expected(&self, time: i64) -> Option<f64> {
        let level = (self.level.hours > 0.0).then(|| self.level.drawn(0.0, 0.0))?;
        let day = self.days.get(slot(time, 24))?.drawn(level, DAY_PRIOR);
        Some(self.weeks.get(slot(time, 168))?.drawn(day, WEEK_PRIOR))
    }

    /// Learns the value of a row that stands for `interval` seconds.
    pub(super) fn learn(&mut self, time: i64, value: f64, interval: i64) {
        let seconds = interval as f64;
        let hours = seconds / HOUR as f64;
        // Each mean forgets by the time between the rows that it sees; a week's twice as slowly, as it sees few.
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
    fn drawn(&self, towards: f64, hours: f64) -> f64 {
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
