//! [`Baseline`]: the expected volume and negative rate of a topic by hour of the week in the topic's time zone, learned
//! from its past. Everything is in votes, as rules decide on them: see `window::authors`.
//!
//! ```text
//!   settled hours of the topic ==> 168 cells: hours, votes, classified votes, negative votes; all decay exponentially
//!                                        \-- shrinkage: hour of the week -> hour of the day -> overall
//! ```
//!
//! It takes weeks to know an hour of the week well. Until then its estimate is shrunk towards the same hour of other
//! days, and that one towards all hours (for volumes, towards the hours around: see `volumes`). The *spread* measures
//! how far hours deviate from the estimate made *before* they were learned. It includes both the overdispersion of the
//! counts and the error of the baseline, so a young baseline is trusted less. Hours in which an alert of the topic fired
//! are not learned, unless that happened at the same hour of the day on several days before: what lasts is the new
//! normal. A change of model restarts the rates.

mod learning;
mod local_hours;
mod new_rhythm;
mod skipped_hours;
mod volumes;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use local_hours::LocalHours;
use new_rhythm::NewRhythm;
use skipped_hours::SkippedHours;
use volumes::Volumes;

const HOUR: i64 = 3_600;
/// Hours of a week.
const CELLS: usize = 168;
/// Weight, in posts, of the overall rate in the estimate of an hour of the day, and of that in an hour of the week.
const RATE_PRIOR: (f64, f64) = (150.0, 1_000.0);
/// Prior of the intra-class correlation of the posts of an hour, and its weight in pairs of posts.
const RATE_SPREAD_PRIOR: (f64, f64) = (0.005, 20_000.0);
/// Prior of the squared coefficient of variation of an hour's volume beyond chance, and its weight in hours.
const VOLUME_SPREAD_PRIOR: (f64, f64) = (0.1, 12.0);

/// The normal level of one topic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The model that classified the posts behind the rates.
    model: String,
    /// When that model replaced another one, in Unix seconds.
    rates_since: Option<i64>,
    /// Hours that start before this are learned.
    until: Option<i64>,
    cells: Vec<Cell>,
    rate_spread: Spread,
    volume_spread: Spread,
    /// Starts of hours that must not be learned; with `true`, only if they have no posts.
    skipped: BTreeMap<i64, bool>,
    hours: LocalHours,
    /// Hours of the last days that were not learned.
    lately_skipped: SkippedHours,
    new_rhythm: NewRhythm,
    /// Sums with exponential decay: posts and negative posts that were learned. Messages show posts, not votes.
    messages: [f32; 2],
    /// Sums over the cells of each hour of the day and over all cells: rules read them at every bucket.
    #[serde(skip)]
    day: Vec<Cell>,
    #[serde(skip)]
    all: Cell,
    #[serde(skip)]
    volumes: Volumes,
    #[serde(skip)]
    changed: bool,
}

/// One hour of the week: sums with exponential decay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Cell {
    hours: f32,
    posts: f32,
    /// Posts classified by the current model.
    judged: f32,
    negative: f32,
}

/// Sum of the squared deviations beyond chance, and the sum that a spread of 1 would produce.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Spread {
    excess: f32,
    weight: f32,
}

/// The expected negative rate of an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpectedRate {
    /// In `(0, 1)`.
    pub rate: f64,
    /// Number of posts it was learned from.
    pub posts: f64,
    /// Correlation between the posts of an hour: the effective sample size of `n` posts is `n / (1 + (n - 1) spread)`.
    pub spread: f64,
}

/// The expected number of posts of an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpectedVolume {
    /// Posts per hour.
    pub posts: f64,
    /// Number of hours it was learned from.
    pub hours: f64,
    /// The variance of an hour's count is `mean + spread mean^2` (negative binomial).
    pub spread: f64,
}

impl Baseline {
    /// Hours before this are learned; `None` before the first one.
    pub fn until(&self) -> Option<i64> {
        self.until
    }

    /// When the current model replaced another one, in Unix seconds.
    pub fn rates_since(&self) -> Option<i64> {
        self.rates_since
    }

    /// Whether the baseline changed since the last call; resets the flag.
    pub fn clear_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Current weight of the votes it was learned from.
    pub fn learned_posts(&self) -> u64 {
        f64::from(self.all.posts) as u64
    }

    /// Current weight of the hours it was learned from.
    pub fn learned_hours(&self) -> u32 {
        self.all.hours as u32
    }

    /// Posts for each vote, and negative posts for each negative vote: what a number of votes is in messages.
    pub fn posts_per_vote(&self) -> (f64, f64) {
        let ratio = |messages: f32, votes: f32| {
            if votes >= 1.0 { (f64::from(messages) / f64::from(votes)).max(1.0) } else { 1.0 }
        };
        let [posts, negative] = self.messages;
        (ratio(posts, self.all.judged), ratio(negative, self.all.negative))
    }

    /// Makes it readable at `now` (Unix seconds): what is derived is not stored.
    pub fn prepare(&mut self, now: i64) {
        self.hours.prepare(now);
        if self.day.is_empty() {
            self.update_totals();
        }
    }

    fn update_totals(&mut self) {
        self.day = (0..24).map(|hour| total(self.cells.iter().skip(hour).step_by(24))).collect();
        self.all = total(self.day.iter());
        self.volumes = Volumes::new(&self.cells, &self.day, self.all, self.volume_spread());
    }

    /// Negative rate and posts per hour over all hours; `None` before the first learned post.
    pub fn overall(&self) -> Option<(f64, f64)> {
        let all = self.all;
        (all.judged >= 1.0).then(|| {
            let rate = (f64::from(all.negative) + 1.0) / (f64::from(all.judged) + 2.0);
            (rate, f64::from(all.posts) / f64::from(all.hours))
        })
    }

    /// The expected negative rate at `time` (Unix seconds); `None` before the first learned post.
    pub fn rate_at(&self, time: i64) -> Option<ExpectedRate> {
        let share = |cell: Cell, above: f64, prior: f64| {
            (f64::from(cell.negative) + prior * above) / (f64::from(cell.judged) + prior)
        };
        // `overall` adds one post of each kind (Laplace), so that no rate is exactly 0 or 1.
        let (overall, _) = self.overall()?;
        let posts = f64::from(self.all.judged);
        let rate = share(self.cell(time), share(self.day_hour(time), overall, RATE_PRIOR.0), RATE_PRIOR.1);
        let (prior, weight) = RATE_SPREAD_PRIOR;
        let Spread { excess, weight: known } = self.rate_spread;
        let spread = ((f64::from(excess) + prior * weight) / (f64::from(known) + weight)).clamp(0.0, 0.5);
        Some(ExpectedRate { rate, posts, spread })
    }

    /// [`Baseline::rate_at`] averaged over a period; hours are weighted by their expected number of posts.
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

    /// The expected number of votes in the hour of `time` (Unix seconds); `None` before the first learned hour.
    pub fn volume_at(&self, time: i64) -> Option<ExpectedVolume> {
        let hours = f64::from(self.all.hours);
        let posts = self.volumes.at(self.hours.slot(time))?;
        (hours >= 0.5).then(|| ExpectedVolume { posts, hours, spread: self.volume_spread() })
    }

    /// The least that is usual within an hour of `time` (Unix seconds), in votes per hour; `None` before the first learned hour.
    /// A silence means nothing where a quiet hour begins earlier or ends later than usual: on a holiday, or after clocks changed.
    pub fn quiet_volume_at(&self, time: i64) -> Option<f64> {
        let around = [time - HOUR, time, time + HOUR].map(|time| self.volume_at(time));
        around.into_iter().try_fold(f64::INFINITY, |least, volume| Some(least.min(volume?.posts)))
    }

    fn volume_spread(&self) -> f64 {
        let overall = f64::from(self.all.posts) / f64::from(self.all.hours).max(1e-9);
        let (prior, weight) = VOLUME_SPREAD_PRIOR;
        let weight = weight * overall * overall;
        let Spread { excess, weight: known } = self.volume_spread;
        ((f64::from(excess) + prior * weight) / (f64::from(known) + weight).max(1e-9)).clamp(0.0, 10.0)
    }

    /// Local time less UTC at `time` (Unix seconds), in seconds, in the topic's time zone.
    pub fn utc_offset(&self, time: i64) -> i64 {
        self.hours.offset_at(time)
    }

    fn cell(&self, time: i64) -> Cell {
        self.cells.get(self.hours.slot(time)).copied().unwrap_or_default()
    }

    /// The sum over the same hour of all days.
    fn day_hour(&self, time: i64) -> Cell {
        self.day.get(self.hours.slot(time) % 24).copied().unwrap_or_default()
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

#[cfg(test)]
mod tests;
