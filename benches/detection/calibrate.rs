//! The threshold of each baseline at which it has one false alarm in 30 days.

use rayon::prelude::*;

use crate::alarm::Alarm;
use crate::baselines::{self, Baseline};
use crate::setting::{DAY, Setting};

/// Warm-up of a stream in days.
const WARM: i64 = 8;

/// A baseline with its threshold for a volume.
#[derive(Clone)]
pub(crate) struct Set {
    pub(crate) baseline: Baseline,
    pub(crate) threshold: f64,
}

pub(crate) fn thresholds(setting: &Setting<'_>) -> Vec<Set> {
    let all = baselines::all();
    all.into_par_iter().map(|baseline| Set { threshold: threshold(setting, &baseline), baseline }).collect()
}

fn threshold(setting: &Setting<'_>, baseline: &Baseline) -> f64 {
    let streams: Vec<Vec<f32>> = (0..setting.scale.calibration).map(|seed| values(setting, baseline, seed)).collect();
    let allowed = streams.len();
    let highest = streams.iter().flatten().copied().fold(f32::MIN, f32::max);
    let (mut low, mut high) = (0.0_f64, f64::from(highest) + 1e-3);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        // With a very low threshold there is one endless alarm, which would count as few: limit the time above it.
        let (alarms, above) = counts(&streams, middle);
        if alarms > allowed || above > 0.02 { low = middle } else { high = middle }
    }
    high
}

/// Number of alarms, and share of minutes above the threshold.
fn counts(streams: &[Vec<f32>], threshold: f64) -> (usize, f64) {
    let (mut alarms, mut above, mut minutes) = (0, 0, 0);
    for stream in streams {
        let mut alarm = Alarm::above(threshold);
        for value in stream {
            alarms += usize::from(alarm.begins(f64::from(*value)));
            above += usize::from(f64::from(*value) > threshold);
        }
        minutes += stream.len();
    }
    (alarms, above as f64 / minutes.max(1) as f64)
}

/// Scores per minute over 30 days without an incident.
fn values(setting: &Setting<'_>, baseline: &Baseline, seed: u64) -> Vec<f32> {
    let mut detector = baseline.detector();
    let arrivals = setting.arrivals(1_000_000 + seed);
    let begins = arrivals.now() + WARM * DAY;
    let mut values = Vec::with_capacity(30 * 1_440);
    for minute in arrivals.take_while(|minute| minute.counts.start < begins + 30 * DAY) {
        let value = detector.push(&minute.counts);
        if minute.counts.start >= begins {
            values.push(value as f32);
        }
    }
    values
}
