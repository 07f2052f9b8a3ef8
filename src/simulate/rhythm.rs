//! [`Rhythm`]: volume and sentiment by hour of the day, and how much they swing, measured in a dump.

use std::collections::BTreeMap;

use super::{DAY, HOUR, Tally};

/// Weight, in posts, of the whole day's shares in each hour's shares: the few posts of a night say little.
const PRIOR_POSTS: f64 = 50.0;
/// Standard deviation of a normal distribution over its median absolute deviation.
const MAD_TO_SIGMA: f64 = 1.4826;

/// The usual course of a day (UTC).
#[derive(Debug, Clone, PartialEq)]
pub struct Rhythm {
    /// Posts per hour, mean over the day.
    pub posts_per_hour: f64,
    /// Share of negative posts over the day, in `[0, 1]`.
    pub negative: f64,
    pub swing: Swing,
    hours: [HourOfDay; 24],
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct HourOfDay {
    /// Relative to the day's mean.
    volume: f64,
    shares: [f64; 3],
}

/// Variation of days and hours beyond chance (overdispersion).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Swing {
    /// Variance of a day's volume over its squared mean: the variance of the gamma factor per day. Estimated from the median
    /// deviation, so that one bad day in the dump has little influence.
    pub day: f64,
    /// The same for an hour's volume within its day.
    pub hour: f64,
    /// Correlation of two posts of an hour in being negative, in `[0, 1)`. At 0, posts are independent.
    pub share: f64,
}

impl Rhythm {
    /// Measures hourly counts, by the start of the hour in Unix seconds (a multiple of 3600). `None` without a post.
    pub fn measure(counted: &BTreeMap<i64, Tally>) -> Option<Self> {
        let hours = Hours::within(counted)?;
        let (negative, all) = (hours.tallies.iter().map(|tally| tally[0]).sum::<u64>(), posts(&hours.tallies));
        let overall = hours.shares();
        let mean = |hour: usize| {
            let (tally, hours) = hours.of_day(hour);
            (hours > 0).then(|| tally.iter().sum::<u64>() as f64 / hours as f64)
        };
        let known: Vec<f64> = (0..24).filter_map(mean).collect();
        let posts_per_hour = known.iter().sum::<f64>() / known.len() as f64;
        let mut of_day = [HourOfDay::default(); 24];
        for (hour, at) in of_day.iter_mut().enumerate() {
            at.volume = mean(hour).unwrap_or(posts_per_hour) / posts_per_hour;
            let (tally, _) = hours.of_day(hour);
            let total = tally.iter().sum::<u64>() as f64 + PRIOR_POSTS;
            at.shares = [0, 1, 2].map(|label: usize| (tally[label] as f64 + PRIOR_POSTS * overall[label]) / total);
        }
        let swing = hours.swing();
        Some(Self { posts_per_hour, negative: negative as f64 / all as f64, swing, hours: of_day })
    }

    /// Volume at `time` (Unix seconds), relative to the day's mean.
    pub fn volume(&self, time: i64) -> f64 {
        self.at(time).volume
    }

    /// Shares of the labels at `time` (Unix seconds).
    pub fn shares(&self, time: i64) -> [f64; 3] {
        self.at(time).shares
    }

    fn at(&self, time: i64) -> HourOfDay {
        self.hours[usize::try_from(time.rem_euclid(DAY) / HOUR).unwrap_or(0) % 24]
    }
}

/// The counted hours, without gaps. The first and the last hour are incomplete in the dump, so they are dropped if there are
/// others.
struct Hours {
    start: i64,
    tallies: Vec<Tally>,
}

impl Hours {
    fn within(counted: &BTreeMap<i64, Tally>) -> Option<Self> {
        let (first, last) = (*counted.keys().next()?, *counted.keys().next_back()?);
        let (start, end) = if last - first >= 2 * HOUR { (first + HOUR, last) } else { (first, last + HOUR) };
        let starts = (start..end).step_by(HOUR as usize);
        let tallies: Vec<Tally> = starts.map(|hour| counted.get(&hour).copied().unwrap_or_default()).collect();
        let hours = Self { start, tallies };
        (posts(&hours.tallies) > 0).then_some(hours)
    }

    fn times(&self) -> impl Iterator<Item = (i64, &Tally)> {
        self.tallies.iter().enumerate().map(|(i, tally)| (self.start + i as i64 * HOUR, tally))
    }

    fn shares(&self) -> [f64; 3] {
        let all = posts(&self.tallies) as f64;
        [0, 1, 2].map(|label: usize| self.tallies.iter().map(|tally| tally[label]).sum::<u64>() as f64 / all)
    }

    /// Posts at an hour of the day, and the number of days with this hour.
    fn of_day(&self, hour: usize) -> (Tally, usize) {
        let mut sums = (Tally::default(), 0);
        for (_, tally) in self.times().filter(|(time, _)| time.rem_euclid(DAY) / HOUR == hour as i64) {
            (0..3).for_each(|label| sums.0[label] += tally[label]);
            sums.1 += 1;
        }
        sums
    }

    /// Starts of the complete days.
    fn whole_days(&self) -> Vec<i64> {
        let end = self.start + self.tallies.len() as i64 * HOUR;
        let first = self.start + (-self.start).rem_euclid(DAY);
        (first..end).step_by(DAY as usize).filter(|day| day + DAY <= end).collect()
    }

    fn at(&self, time: i64) -> Tally {
        let index = usize::try_from((time - self.start) / HOUR).ok();
        index.and_then(|index| self.tallies.get(index)).copied().unwrap_or_default()
    }

    /// Estimates by the method of moments; zero with fewer than three complete days.
    fn swing(&self) -> Swing {
        let days: Vec<[Tally; 24]> = self.whole_days().iter().map(|day| self.day(*day)).collect();
        let totals: Vec<f64> = days.iter().map(|day| posts(day) as f64).collect();
        let total: f64 = totals.iter().sum();
        if days.len() < 3 || total == 0.0 {
            return Swing::default();
        }
        let (mut volume, mut share) = (Excess::default(), Excess::default());
        for hour in 0..24 {
            let usual = days.iter().map(|day| posts(&day[hour..=hour])).sum::<u64>() as f64 / total;
            for (day, of_day) in days.iter().zip(&totals) {
                let p = day.iter().map(|tally| tally[0]).sum::<u64>() as f64 / of_day.max(1.0);
                let (expected, n, k) = (of_day * usual, posts(&day[hour..=hour]) as f64, day[hour][0] as f64);
                volume.add((n - expected).powi(2) - expected, expected * expected);
                share.add((k - n * p).powi(2) - n * p * (1.0 - p), n * (n - 1.0).max(0.0) * p * (1.0 - p));
            }
        }
        // The means of each day and hour are estimated from the same counts: correct the degrees of freedom.
        let freedom = days.len() as f64 / (days.len() as f64 - 1.0) * 24.0 / 23.0;
        Swing { day: day_swing(totals), hour: volume.ratio() * freedom, share: share.ratio().min(0.5) }
    }

    fn day(&self, start: i64) -> [Tally; 24] {
        std::array::from_fn(|hour| self.at(start + hour as i64 * HOUR))
    }
}

fn posts(hours: &[Tally]) -> u64 {
    hours.iter().flatten().sum()
}

/// Variance beyond chance, relative to its unit.
#[derive(Default)]
struct Excess {
    found: f64,
    unit: f64,
}

impl Excess {
    fn add(&mut self, found: f64, unit: f64) {
        self.found += found;
        self.unit += unit;
    }

    fn ratio(&self) -> f64 {
        if self.unit > 0.0 { (self.found / self.unit).max(0.0) } else { 0.0 }
    }
}

fn day_swing(mut days: Vec<f64>) -> f64 {
    let middle = median(&mut days);
    let mut deviations: Vec<f64> = days.iter().map(|posts| (posts - middle).abs()).collect();
    let deviation = MAD_TO_SIGMA * median(&mut deviations);
    if middle > 0.0 { ((deviation / middle).powi(2) - 1.0 / middle).max(0.0) } else { 0.0 }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values {
        [] => 0.0,
        values if values.len() % 2 == 1 => values[values.len() / 2],
        values => f64::midpoint(values[values.len() / 2 - 1], values[values.len() / 2]),
    }
}
