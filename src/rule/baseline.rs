//! [`Baseline`]: the expected volume and negative rate of a topic by hour of the week in its own time zone, learned from its own
//! past. Everything is in votes, as rules decide on them: see `window::authors`.
//!
//! ```text
//!   settled hours of the topic ==> 168 cells: hours, votes, classified votes, negative votes; all decay exponentially
//!                                        \-- shrinkage: hour of the week -> hour of the day -> overall
//! ```
//!
//! It takes weeks to know an hour of the week well. Until then its estimate is shrunk towards the same hour of other
//! days, and that one towards all hours. The *spread* measures how far hours deviate from the estimate made *before*
//! they were learned. It includes both the overdispersion of the counts and the error of the baseline, so a young
//! baseline is trusted less. Hours in which an alert of the topic fired are not learned, unless that happened at the same hour of
//! the day on several days before: what lasts is the new normal. A change of model restarts the rates.

mod local_hours;
mod new_rhythm;
mod skipped_hours;
mod volumes;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::window::Counts;
use local_hours::LocalHours;
use new_rhythm::{Direction, NewRhythm};
use skipped_hours::SkippedHours;
use volumes::Volumes;

const HOUR: i64 = 3_600;
/// Hours of a week.
const CELLS: usize = 168;
/// Hours after which the weight of an hour is halved.
const HALF_LIFE: f32 = 28.0 * 24.0;
/// Weight, in posts, of the overall rate in the estimate of an hour of the day, and of that in an hour of the week.
const RATE_PRIOR: (f64, f64) = (150.0, 1_000.0);
/// Prior of the intra-class correlation of the posts of an hour, and its weight in pairs of posts.
const RATE_SPREAD_PRIOR: (f64, f64) = (0.005, 20_000.0);
/// Prior of the squared coefficient of variation of an hour's volume beyond chance, and its weight in hours.
const VOLUME_SPREAD_PRIOR: (f64, f64) = (0.1, 12.0);
/// An hour of the day is known after this many days. Its count is strange from this many standard deviations on, and twice or
/// half of what is usual.
const MIN_DAYS_OF_RHYTHM: f64 = 3.0;
const MIN_STRAY: f64 = 2.5;
/// A share is strange from this difference on.
const MIN_STRAY_OF_RATE: f64 = 0.1;
/// An incident is rarely more than this many times the usual votes for more than a day.
const ANOTHER_SCALE: f64 = 10.0;
/// The weight that is left of an hour of the day whose rhythm has changed.
const KEPT_OF_OLD_RHYTHM: f32 = 0.1;
/// A squared deviation is capped at this many variances, so that an incident does not inflate the spread.
const MAX_STRAY: f64 = 16.0;

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

    /// Forgets that hours from `now` (Unix seconds) on were learned: they had not come yet. What was learned of a few such
    /// hours fades; where it was more than a day, everything is learned again from `hours`, whose starts are in order.
    pub fn repair_ahead(&mut self, now: i64, since: i64, hours: &BTreeMap<i64, Counts>) {
        let now = now - now.rem_euclid(HOUR);
        let Some(until) = self.until.filter(|until| *until > now) else { return };
        self.changed = true;
        if until - now <= 24 * HOUR {
            self.until = Some(now);
            return;
        }
        let model = std::mem::take(&mut self.model);
        let hours_of_zone = std::mem::take(&mut self.hours);
        *self = Self { model, rates_since: self.rates_since, hours: hours_of_zone, ..Self::default() };
        self.learn(since, |start| (start < now).then(|| hours.get(&start).copied().unwrap_or_default()));
    }

    /// When the current model replaced another one, in Unix seconds.
    pub fn rates_since(&self) -> Option<i64> {
        self.rates_since
    }

    /// Sets the topic's time zone by its IANA name. What was learned in another one keeps its place in time: it moves by the hours
    /// between the two zones.
    pub fn set_zone(&mut self, zone: &str) {
        let at = self.until.unwrap_or_default();
        let before = self.hours.slot(at);
        if !self.hours.set_zone(zone) {
            return;
        }
        let moved = (self.hours.slot(at) + CELLS - before) % CELLS;
        self.cells.resize(CELLS, Cell::default());
        self.cells.rotate_right(moved);
        // They name hours of the day in the old zone.
        (self.lately_skipped, self.new_rhythm) = (SkippedHours::default(), NewRhythm::default());
        self.update_totals();
        self.changed = true;
    }

    /// Whether the baseline changed since the last call; resets the flag.
    pub fn clear_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Sets the model that classifies posts from `now` (Unix seconds) on. If it replaces another model, drops what was
    /// learned about rates and returns true.
    pub fn set_model(&mut self, model: &str, now: i64) -> bool {
        if self.model == model {
            return false;
        }
        let is_other = !self.model.is_empty();
        self.model = model.into();
        self.changed = true;
        // Two models have different error rates, so their rates cannot be compared. Volumes stay valid.
        if is_other {
            self.rates_since = Some(now);
            self.rate_spread = Spread::default();
            for cell in &mut self.cells {
                (cell.judged, cell.negative) = (0.0, 0.0);
            }
            self.messages = [0.0; 2];
            self.update_totals();
        }
        is_other
    }

    /// Excludes the hour of `time` from learning because an alert fires in it; with `if_silent`, only if it has no
    /// posts.
    pub fn skip(&mut self, time: i64, if_silent: bool) {
        let start = time - time.rem_euclid(HOUR);
        if self.until.is_none_or(|until| start >= until) {
            let found = self.skipped.get(&start).copied();
            // An unconditional exclusion stays unconditional.
            let only_if_silent = if_silent && found != Some(false);
            if found != Some(only_if_silent) {
                self.skipped.insert(start, only_if_silent);
                self.changed = true;
            }
        }
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

    /// Learns all hours for which `settled` returns counts, from the last learned one on, or from the first whole hour
    /// after `since`. A settled hour does not change any more.
    pub fn learn(&mut self, since: i64, settled: impl Fn(i64) -> Option<Counts>) {
        if self.day.is_empty() {
            self.update_totals();
        }
        let mut start = self.until.unwrap_or(since + (-since).rem_euclid(HOUR));
        while let Some(counts) = settled(start) {
            self.learn_hour(start, counts);
            self.update_totals();
            start += HOUR;
            self.until = Some(start);
            self.changed = true;
        }
    }

    fn learn_hour(&mut self, start: i64, counts: Counts) {
        self.cells.resize(CELLS, Cell::default());
        self.forget();
        let slot = self.hours.slot(start);
        let stray = self.stray(start, slot, counts);
        let mut lasts = false;
        if let Some(if_silent) = self.skipped.remove(&start)
            && (!if_silent || counts.posts() == 0)
        {
            // An incident must not become part of what is normal, unless it comes every day.
            let is_another_scale = self.is_another_scale(start, counts);
            if self.lately_skipped.may_skip(start, slot, is_another_scale) {
                return;
            }
            lasts = stray.is_some();
            // The other hours will be new as well: what was learned is of another topic.
            if is_another_scale {
                self.cells.fill(Cell::default());
                (self.rate_spread, self.volume_spread) = (Spread::default(), Spread::default());
                self.messages = [0.0; 2];
                self.update_totals();
            }
        }
        if self.new_rhythm.is_confirmed(start, slot, stray) || lasts {
            self.forget_hour_of_day(slot);
        }
        self.update_spread(start, counts);
        let is_one_model = self.rates_since.is_none_or(|since| start >= since);
        let Some(cell) = self.cells.get_mut(slot) else { return };
        cell.hours += 1.0;
        cell.posts += counts.votes() as f32;
        // An hour that began under the previous model mixes two models: it counts for the volume only.
        if is_one_model {
            cell.judged += counts.votes() as f32;
            cell.negative += counts.negative_votes() as f32;
            self.messages[0] += counts.posts() as f32;
            self.messages[1] += counts.negative as f32;
        }
    }

    /// Whether the votes of the hour, or the share of negative ones, are far from what is known of this hour of the day.
    fn stray(&self, start: i64, slot: usize, counts: Counts) -> Option<Direction> {
        let known = self.day.get(slot % 24).is_some_and(|cell| f64::from(cell.hours) >= MIN_DAYS_OF_RHYTHM);
        let ExpectedVolume { posts: mean, spread, .. } = self.volume_at(start).filter(|_| known)?;
        let (votes, deviation) = (counts.votes(), (mean + spread * mean * mean).sqrt());
        if (votes - mean).abs() >= MIN_STRAY * deviation {
            match votes {
                more if more > 2.0 * mean => return Some(Direction::More),
                less if less < mean / 2.0 => return Some(Direction::Less),
                _ => {}
            }
        }
        let ExpectedRate { rate, spread, .. } = self.rate_at(start)?;
        let deviation = (votes * rate * (1.0 - rate) * (1.0 + (votes - 1.0).max(0.0) * spread)).sqrt();
        let excess = counts.negative_votes() - votes * rate;
        if excess.abs() < (MIN_STRAY * deviation).max(MIN_STRAY_OF_RATE * votes) || votes < 1.0 {
            return None;
        }
        Some(if excess > 0.0 { Direction::Angrier } else { Direction::Calmer })
    }

    /// Whether the topic is another one than before: many times the usual votes, as when a source begins to deliver it.
    fn is_another_scale(&self, start: i64, counts: Counts) -> bool {
        self.volume_at(start).is_some_and(|known| counts.votes() > ANOTHER_SCALE * known.posts.max(1.0))
    }

    /// Reduces the weight of what was learned of an hour of the day: it has changed.
    fn forget_hour_of_day(&mut self, slot: usize) {
        for cell in self.cells.iter_mut().skip(slot % 24).step_by(24) {
            cell.hours *= KEPT_OF_OLD_RHYTHM;
            cell.posts *= KEPT_OF_OLD_RHYTHM;
            cell.judged *= KEPT_OF_OLD_RHYTHM;
            cell.negative *= KEPT_OF_OLD_RHYTHM;
        }
        self.update_totals();
    }

    fn update_totals(&mut self) {
        self.day = (0..24).map(|hour| total(self.cells.iter().skip(hour).step_by(24))).collect();
        self.all = total(self.day.iter());
        self.volumes = Volumes::new(&self.cells, &self.day, self.all, self.volume_spread());
    }

    fn forget(&mut self) {
        let kept = 0.5_f32.powf(1.0 / HALF_LIFE);
        for cell in &mut self.cells {
            cell.hours *= kept;
            cell.posts *= kept;
            cell.judged *= kept;
            cell.negative *= kept;
        }
        self.messages = self.messages.map(|sum| sum * kept);
        for spread in [&mut self.rate_spread, &mut self.volume_spread] {
            spread.excess *= kept;
            spread.weight *= kept;
        }
    }

    /// Adds the deviation of an hour from its estimate to the spreads.
    fn update_spread(&mut self, start: i64, counts: Counts) {
        let posts = counts.votes();
        if let Some(ExpectedVolume { posts: mean, spread, .. }) =
            self.volume_at(start).filter(|known| known.hours >= 24.0)
        {
            // Before a whole day is known, the deviation would be that of the prior.
            let far = MAX_STRAY * (mean + spread * mean * mean);
            self.volume_spread.excess += ((posts - mean).powi(2).min(far) - mean) as f32;
            self.volume_spread.weight += (mean * mean) as f32;
        }
        if let Some(ExpectedRate { rate, spread, .. }) = self.rate_at(start).filter(|known| known.posts >= 50.0)
            && self.rates_since.is_none_or(|since| start >= since)
        {
            let update_spread = (counts.negative_votes() - posts * rate).powi(2) / (rate * (1.0 - rate));
            let far = MAX_STRAY * posts * (1.0 + (posts - 1.0).max(0.0) * spread);
            self.rate_spread.excess += (update_spread.min(far) - posts) as f32;
            self.rate_spread.weight += (posts * (posts - 1.0).max(0.0)) as f32;
        }
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
