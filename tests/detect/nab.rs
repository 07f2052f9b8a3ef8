//! The scoring rule of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015, section III; v1.1, standard profile), as in
//! `../shared/tools/nab_score.py`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::common;

const FALSE_ALARM: f64 = 0.11;
/// False alarms less than an hour of 5-minute rows apart are one.
const CLUSTER: usize = 12;
const WEEK: f64 = 7.0 * 288.0;

pub(crate) struct Series {
    pub(crate) path: PathBuf,
    rows: usize,
    /// First and last row of each.
    windows: Vec<(usize, usize)>,
}

/// Sums over series.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Judged {
    raw: f64,
    pub(crate) windows: usize,
    caught: usize,
    clusters: usize,
    weeks: f64,
}

impl Judged {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            raw: self.raw + other.raw,
            windows: self.windows + other.windows,
            caught: self.caught + other.caught,
            clusters: self.clusters + other.clusters,
            weeks: self.weeks + other.weeks,
        }
    }

    /// 100 is perfect, 0 what never fires.
    pub(crate) fn score(&self) -> f64 {
        100.0 * (self.raw + self.windows as f64) / (2.0 * self.windows as f64)
    }

    pub(crate) fn false_alarms_a_week(&self) -> f64 {
        self.clusters as f64 / self.weeks
    }
}

/// None where the data is not.
pub(crate) fn series() -> Option<Vec<Series>> {
    let folder = common::repository("../shared/data/nab");
    let windows = fs::read_to_string(folder.join("windows.json")).ok()?;
    let windows: BTreeMap<String, Vec<(String, String)>> = serde_json::from_str(&windows).unwrap();
    let read = |(name, windows): (String, Vec<(String, String)>)| {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).unwrap();
        let times: Vec<&str> = text.lines().skip(1).map(|line| &line[..19]).collect();
        let inside = |(from, to): &(String, String)| {
            let first = times.iter().position(|time| *time >= &from[..19])?;
            let last = times.iter().rposition(|time| *time <= &to[..19])?;
            (first <= last).then_some((first, last))
        };
        let rows = times.len();
        let windows = windows.iter().filter_map(inside).filter(|window| window.0 >= probation(rows)).collect();
        Series { path, rows, windows }
    };
    Some(windows.into_iter().map(read).collect())
}

fn probation(rows: usize) -> usize {
    (rows * 15 / 100).min(750)
}

/// Worth of an alarm at `position`: -1 is the start of a window, 0 its end.
fn worth(position: f64) -> f64 {
    2.0 / (1.0 + (5.0 * position).exp()) - 1.0
}

impl Series {
    pub(crate) fn judge(&self, scores: &[f64]) -> Judged {
        assert_eq!(scores.len(), self.rows, "a score for every row");
        let skipped = probation(self.rows);
        let (mut raw, mut caught, mut clusters) = (0.0, Vec::new(), 0);
        let mut last_false = None;
        for row in (skipped..self.rows).filter(|row| scores[*row] >= 0.5) {
            if let Some(window) = self.windows.iter().find(|(from, to)| (*from..=*to).contains(&row)) {
                if !caught.contains(window) {
                    caught.push(*window);
                    let width = (window.1 - window.0 + 1) as f64;
                    raw += worth(-((window.1 - row + 1) as f64) / width) / worth(-1.0);
                }
                continue;
            }
            clusters += usize::from(last_false.is_none_or(|last| row - last > CLUSTER));
            last_false = Some(row);
            let before = self.windows.iter().rfind(|window| window.1 < row);
            let distance = before.map(|window| (row - window.1) as f64 / ((window.1 - window.0) as f64).max(1.0));
            raw += FALSE_ALARM * distance.filter(|distance| *distance <= 3.0).map_or(-1.0, worth);
        }
        let (windows, caught) = (self.windows.len(), caught.len());
        let weeks = (self.rows - skipped) as f64 / WEEK;
        Judged { raw: raw - (windows - caught) as f64, windows, caught, clusters, weeks }
    }
}
