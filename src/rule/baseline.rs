//! [`Baseline`]: what a topic is like by hour of the week (UTC), learnt hour by hour from its own past.
//!
//! ```text
//!   hours of the topic, once settled ==> 168 cells: hours, posts, posts judged, negative posts, all slowly forgotten
//!                                             \-- shrunk: hour of the week -> hour of the day -> overall
//! ```
//!
//! An hour of the week is known well only after weeks; what it lacks is borrowed from the same hour of other days, and what
//! those lack from all hours. How far hours stray from what was expected of them *before* they were learnt is the spread: it
//! holds the over-dispersion of the counts and the error of the baseline together, so that a young baseline is trusted less.
//! Hours in which an alert of the topic fired are not learnt from; another model restarts the rates.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::window::Counts;

const HOUR: i64 = 3_600;
/// Hours of a week; 1 January 1970 was a Thursday, which nobody has to know.
const CELLS: usize = 168;
/// Hours after which an hour counts half.
const HALF_LIFE: f32 = 28.0 * 24.0;
/// Posts that what lies above a cell weighs against the cell's own: of an hour of the day, and of an hour of the week.
const RATE_PRIOR: (f64, f64) = (150.0, 1_000.0);
/// The same in hours, for volumes: of an hour of the day, and of an hour of the week.
const VOLUME_PRIOR: (f64, f64) = (1.0, 3.0);
/// Intra-class correlation of an hour's posts before anything is known, and the weight of that in pairs of posts.
const RATE_SPREAD_PRIOR: (f64, f64) = (0.005, 20_000.0);
/// Squared coefficient of variation of an hour's volume beyond chance, and the weight of that in hours.
const VOLUME_SPREAD_PRIOR: (f64, f64) = (0.1, 12.0);
/// An hour that strays further than so many variances strays no more than that: it was an incident.
const FARTHEST: f64 = 16.0;

/// What is normal for one topic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The model whose readings the rates are.
    model: String,
    /// When that model began, where another was before it; Unix seconds.
    rates_since: Option<i64>,
    /// Hours that start before this are learnt.
    until: Option<i64>,
    cells: Vec<Cell>,
    rate_spread: Spread,
    volume_spread: Spread,
    /// Starts of hours not to be learnt from; those with `true` only where nothing was written in them.
    skipped: BTreeMap<i64, bool>,
    /// Sums over the cells, as rules ask for them at every bucket: of each hour of the day, and of all.
    #[serde(skip)]
    day: Vec<Cell>,
    #[serde(skip)]
    all: Cell,
    #[serde(skip)]
    changed: bool,
}

/// One hour of the week; sums that are slowly forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Cell {
    hours: f32,
    posts: f32,
    /// Posts that the present model read.
    judged: f32,
    negative: f32,
}

/// Squared strays beyond chance over what one unit of spread would make of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Spread {
    excess: f32,
    weight: f32,
}

/// The negative rate to be expected of an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpectedRate {
    /// In `(0, 1)`.
    pub rate: f64,
    /// Posts it was learnt from.
    pub posts: f64,
    /// Correlation between the posts of an hour: `n` posts tell as much as `n / (1 + (n - 1) spread)` would alone.
    pub spread: f64,
}

/// The number of posts to be expected of an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpectedVolume {
    /// Posts per hour.
    pub posts: f64,
    /// Hours it was learnt from.
    pub hours: f64,
    /// The variance of an hour's count is `mean + spread mean^2`, as of a negative binomial.
    pub spread: f64,
}

impl Baseline {
    /// Hours before this are learnt; none before the first.
    pub fn until(&self) -> Option<i64> {
        self.until
    }

    /// When the present model began to read, where another did before it; Unix seconds.
    pub fn rates_since(&self) -> Option<i64> {
        self.rates_since
    }

    /// Whether it changed since the last call.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Says which model reads from `now` (Unix seconds) on. True when it is another one: what was learnt of rates is gone.
    pub fn read_by(&mut self, model: &str, now: i64) -> bool {
        if self.model == model {
            return false;
        }
        let is_other = !self.model.is_empty();
        self.model = model.into();
        self.changed = true;
        if is_other {
            self.rates_since = Some(now);
            self.rate_spread = Spread::default();
            for cell in &mut self.cells {
                (cell.judged, cell.negative) = (0.0, 0.0);
            }
            self.sum_up();
        }
        is_other
    }

    /// An alert fires in the hour of `time`: it is not to be learnt from; where `if_silent`, only if nothing is written in it.
    pub fn skip(&mut self, time: i64, if_silent: bool) {
        let start = time - time.rem_euclid(HOUR);
        if self.until.is_none_or(|until| start >= until) {
            let found = self.skipped.get(&start).copied();
            let wanted = if_silent && found != Some(false);
            if found != Some(wanted) {
                self.skipped.insert(start, wanted);
                self.changed = true;
            }
        }
    }

    /// Posts it was learnt from, by now.
    pub fn known_posts(&self) -> u64 {
        f64::from(self.all.posts) as u64
    }

    /// Learns the hours that `settled` gives, from the last learnt on, or else from the first whole one after `since`; none
    /// is one that can still change.
    pub fn learn(&mut self, since: i64, settled: impl Fn(i64) -> Option<Counts>) {
        if self.day.is_empty() {
            self.sum_up(); // as loaded
        }
        let mut start = self.until.unwrap_or(since + (-since).rem_euclid(HOUR));
        while let Some(counts) = settled(start) {
            self.learn_hour(start, counts);
            self.sum_up();
            start += HOUR;
            self.until = Some(start);
            self.changed = true;
        }
    }

    fn learn_hour(&mut self, start: i64, counts: Counts) {
        self.cells.resize(CELLS, Cell::default());
        self.forget();
        if let Some(if_silent) = self.skipped.remove(&start)
            && (!if_silent || counts.posts() == 0)
        {
            return;
        }
        self.stray(start, counts);
        let is_one_model = self.rates_since.is_none_or(|since| start >= since);
        let Some(cell) = self.cells.get_mut(slot(start)) else { return };
        cell.hours += 1.0;
        cell.posts += counts.posts() as f32;
        if is_one_model {
            cell.judged += counts.posts() as f32;
            cell.negative += counts.negative as f32;
        }
    }

    fn sum_up(&mut self) {
        self.day = (0..24).map(|hour| total(self.cells.iter().skip(hour).step_by(24))).collect();
        self.all = total(self.day.iter());
    }

    fn forget(&mut self) {
        let kept = 0.5_f32.powf(1.0 / HALF_LIFE);
        for cell in &mut self.cells {
            cell.hours *= kept;
            cell.posts *= kept;
            cell.judged *= kept;
            cell.negative *= kept;
        }
        for spread in [&mut self.rate_spread, &mut self.volume_spread] {
            spread.excess *= kept;
            spread.weight *= kept;
        }
    }

    /// Notes how far an hour strays from what was expected of it.
    fn stray(&mut self, start: i64, counts: Counts) {
        let posts = counts.posts() as f64;
        if let Some(ExpectedVolume { posts: mean, spread, .. }) =
            self.volume_at(start).filter(|known| known.hours >= 24.0)
        {
            let far = FARTHEST * (mean + spread * mean * mean);
            self.volume_spread.excess += ((posts - mean).powi(2).min(far) - mean) as f32;
            self.volume_spread.weight += (mean * mean) as f32;
        }
        if let Some(ExpectedRate { rate, spread, .. }) = self.rate_at(start).filter(|known| known.posts >= 50.0)
            && self.rates_since.is_none_or(|since| start >= since)
        {
            let stray = (counts.negative as f64 - posts * rate).powi(2) / (rate * (1.0 - rate));
            let far = FARTHEST * posts * (1.0 + (posts - 1.0).max(0.0) * spread);
            self.rate_spread.excess += (stray.min(far) - posts) as f32;
            self.rate_spread.weight += (posts * (posts - 1.0)) as f32;
        }
    }

    /// Rate and posts an hour over all hours; none before any post was learnt from.
    pub fn overall(&self) -> Option<(f64, f64)> {
        let all = self.all;
        (all.judged >= 1.0).then(|| {
            let rate = (f64::from(all.negative) + 1.0) / (f64::from(all.judged) + 2.0);
            (rate, f64::from(all.posts) / f64::from(all.hours))
        })
    }

    /// The negative rate to be expected at `time` (Unix seconds); none before any post was learnt from.
    pub fn rate_at(&self, time: i64) -> Option<ExpectedRate> {
        let share = |cell: Cell, above: f64, prior: f64| {
            (f64::from(cell.negative) + prior * above) / (f64::from(cell.judged) + prior)
        };
        // One post of each kind more: no hour is surely without negative posts.
        let (overall, _) = self.overall()?;
        let posts = f64::from(self.all.judged);
        let rate = share(self.cell(time), share(self.day_hour(time), overall, RATE_PRIOR.0), RATE_PRIOR.1);
        let (prior, weight) = RATE_SPREAD_PRIOR;
        let Spread { excess, weight: known } = self.rate_spread;
        let spread = ((f64::from(excess) + prior * weight) / (f64::from(known) + weight)).clamp(0.0, 0.5);
        Some(ExpectedRate { rate, posts, spread })
    }

    /// [`Baseline::rate_at`] over a stretch of time, its hours weighed by the posts to be expected of them.
    pub fn rate_over(&self, from: i64, to: i64) -> Option<ExpectedRate> {
        let last = self.rate_at(to - 1)?;
        let (mut negative, mut posts) = (0.0, 0.0);
        let mut time = from;
        while time < to {
            let end = (time - time.rem_euclid(HOUR) + HOUR).min(to);
            let share = (end - time) as f64 * self.volume_at(time).map_or(1.0, |volume| volume.posts.max(1e-3));
            negative += share * self.rate_at(time).unwrap_or(last).rate;
            posts += share;
            time = end;
        }
        Some(if posts > 0.0 { ExpectedRate { rate: negative / posts, ..last } } else { last })
    }

    /// The number of posts to be expected in the hour around `time` (Unix seconds); none before an hour was learnt.
    pub fn volume_at(&self, time: i64) -> Option<ExpectedVolume> {
        let all = self.all;
        let hours = f64::from(all.hours);
        if hours < 0.5 {
            return None;
        }
        let mean = |cell: Cell, above: f64, prior: f64| {
            (f64::from(cell.posts) + prior * above) / (f64::from(cell.hours) + prior)
        };
        let overall = f64::from(all.posts) / hours;
        let posts = mean(self.cell(time), mean(self.day_hour(time), overall, VOLUME_PRIOR.0), VOLUME_PRIOR.1);
        let (prior, weight) = VOLUME_SPREAD_PRIOR;
        let weight = weight * overall * overall;
        let Spread { excess, weight: known } = self.volume_spread;
        let spread = ((f64::from(excess) + prior * weight) / (f64::from(known) + weight).max(1e-9)).clamp(0.0, 10.0);
        Some(ExpectedVolume { posts, hours, spread })
    }

    fn cell(&self, time: i64) -> Cell {
        self.cells.get(slot(time)).copied().unwrap_or_default()
    }

    /// The same hour of all days.
    fn day_hour(&self, time: i64) -> Cell {
        self.day.get(slot(time) % 24).copied().unwrap_or_default()
    }
}

fn total<'a>(cells: impl Iterator<Item = &'a Cell>) -> Cell {
    cells.fold(Cell::default(), |sum, cell| Cell {
        hours: sum.hours + cell.hours,
        posts: sum.posts + cell.posts,
        judged: sum.judged + cell.judged,
        negative: sum.negative + cell.negative,
    })
}

fn slot(time: i64) -> usize {
    usize::try_from(time.div_euclid(HOUR).rem_euclid(CELLS as i64)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
