//! Common detectors, each with several window lengths.

use vigie::simulate::{MinuteCounts, Tally};

use crate::detector::{Detector, Slide, Sliding};

/// Minutes of history from which a baseline learns the normal level.
const PAST: usize = 7 * 1_440;
/// Windows with fewer posts are not evaluated: their share is mostly noise.
const MIN_POSTS: u64 = 20;

/// A baseline with one of its settings.
#[derive(Clone)]
pub(crate) struct Baseline {
    pub(crate) family: &'static str,
    pub(crate) setting: String,
    make: Make,
    parameters: Parameters,
    /// It has information that no real detector has: it only shows what is possible.
    pub(crate) is_oracle: bool,
}

type Make = fn(Parameters) -> Box<dyn Detector>;

#[derive(Debug, Clone, Copy)]
struct Parameters {
    minutes: usize,
    weight: f64,
}

impl Baseline {
    pub(crate) fn detector(&self) -> Box<dyn Detector> {
        (self.make)(self.parameters)
    }
}

/// All baselines.
pub(crate) fn all() -> Vec<Baseline> {
    let mut all = Vec::new();
    let mut add = |family, make: Make, minutes: &[usize], weights: &[f64]| {
        for minutes in minutes {
            for weight in weights {
                let weighted = if weights.len() > 1 { format!(", weight {weight}") } else { String::new() };
                let setting = format!("{minutes} min{weighted}");
                let parameters = Parameters { minutes: *minutes, weight: *weight };
                all.push(Baseline { family, setting, make, parameters, is_oracle: false });
            }
        }
    };
    add("fixed share", |p| Box::new(FixedShare(Sliding::new(p.minutes))), &[15, 30, 60, 180], &[1.0]);
    add("3 sigma", |p| Box::new(Sigma::new(p.minutes)), &[15, 30, 60, 180], &[1.0]);
    add("EWMA of the rate", |p| Box::new(EwmaRate::new(p)), &[5, 15, 60], &[0.1, 0.3]);
    add("EWMA of negatives", |p| Box::new(EwmaCount::new(p)), &[5, 15, 60], &[0.1, 0.3]);
    add("p-chart", |p| Box::new(PChart::new(p.minutes)), &[15, 30, 60, 180], &[1.0]);
    for increase in [0.05, 0.1, 0.2, 0.3] {
        let makes: [(&str, Make); 2] = [
            ("posts added", |p| Box::new(Clairvoyant { rate_increase: p.weight, is_added: true, sum: 0.0 })),
            ("posts replaced", |p| Box::new(Clairvoyant { rate_increase: p.weight, is_added: false, sum: 0.0 })),
        ];
        for (posts, make) in makes {
            let (setting, parameters) = (format!("{increase}, {posts}"), Parameters { minutes: 1, weight: increase });
            all.push(Baseline { family: "oracle", setting, make, parameters, is_oracle: true });
        }
    }
    all
}

/// The share of negative posts of the last minutes.
#[derive(Clone)]
struct FixedShare(Sliding);

impl Detector for FixedShare {
    fn push(&mut self, minute: &MinuteCounts) -> f64 {
        let tally = minute.tally;
        self.0.put(tally);
        if self.0.posts >= MIN_POSTS { self.0.rate() } else { 0.0 }
    }

    fn clone_box(&self) -> Box<dyn Detector> {
        Box::new(self.clone())
    }
}

/// The share, in standard deviations of the past week above its mean.
#[derive(Clone)]
struct Sigma {
    window: Sliding,
    past: Slide<f64>,
    sum: f64,
    squares: f64,
}

impl Sigma {
    fn new(minutes: usize) -> Self {
        Self { window: Sliding::new(minutes), past: Slide::new(PAST), sum: 0.0, squares: 0.0 }
    }
}

impl Detector for Sigma {
    fn push(&mut self, minute: &MinuteCounts) -> f64 {
        let tally = minute.tally;
        self.window.put(tally);
        if self.window.posts < MIN_POSTS {
            return 0.0;
        }
        let rate = self.window.rate();
        let known = self.past.len() as f64;
        let mean = self.sum / known;
        let deviation = (self.squares / known - mean * mean).max(1e-6).sqrt();
        let out = self.past.put(rate);
        self.sum += rate - out;
        self.squares += rate * rate - out * out;
        if known >= 1_440.0 { (rate - mean) / deviation } else { 0.0 }
    }

    fn clone_box(&self) -> Box<dyn Detector> {
        Box::new(self.clone())
    }
}

/// Counts of whole intervals.
#[derive(Clone)]
struct Interval {
    minutes: usize,
    passed: usize,
    negative: f64,
    posts: f64,
}

impl Interval {
    fn new(minutes: usize) -> Self {
        Self { minutes, passed: 0, negative: 0.0, posts: 0.0 }
    }

    /// Negative posts and all posts of the interval that ends with this minute, if one does.
    fn put(&mut self, tally: Tally) -> Option<(f64, f64)> {
        self.negative += tally[0] as f64;
        self.posts += tally.iter().sum::<u64>() as f64;
        self.passed += 1;
        if self.passed < self.minutes {
            return None;
        }
        let ended = (self.negative, self.posts);
        *self = Self::new(self.minutes);
        Some(ended)
    }
}

/// EWMA chart (Roberts 1959) of the rate of each interval, with the variance of its number of posts.
#[derive(Clone)]
struct EwmaRate {
    interval: Interval,
    past: Sliding,
    weight: f64,
    average: Option<f64>,
    variance: f64,
    value: f64,
}

impl EwmaRate {
    fn new(p: Parameters) -> Self {
        let (interval, past) = (Interval::new(p.minutes), Sliding::new(PAST));
        Self { interval, past, weight: p.weight, average: None, variance: 0.0, value: 0.0 }
    }
}

impl Detector for EwmaRate {
    fn push(&mut self, minute: &MinuteCounts) -> f64 {
        let tally = minute.tally;
        self.past.put(tally);
        if let Some((negative, posts)) = self.interval.put(tally).filter(|(_, posts)| *posts > 0.0) {
            let (p, w) = (self.past.rate(), self.weight);
            let average = w * negative / posts + (1.0 - w) * self.average.unwrap_or(p);
            self.variance = w * w * p * (1.0 - p) / posts + (1.0 - w) * (1.0 - w) * self.variance;
            self.average = Some(average);
            let known = self.past.minutes() >= 1_440;
            self.value = if known { (average - p) / self.variance.max(1e-9).sqrt() } else { 0.0 };
        }
        self.value
    }

    fn clone_box(&self) -> Box<dyn Detector> {
        Box::new(self.clone())
    }
}

/// The same for the number of negative posts, with its mean and deviation of the past week.
#[derive(Clone)]
struct EwmaCount {
    interval: Interval,
    past: Slide<f64>,
    sum: f64,
    squares: f64,
    weight: f64,
    average: Option<f64>,
    value: f64,
}

impl EwmaCount {
    fn new(p: Parameters) -> Self {
        let past = Slide::new(PAST / p.minutes);
        let interval = Interval::new(p.minutes);
        Self { interval, past, sum: 0.0, squares: 0.0, weight: p.weight, average: None, value: 0.0 }
    }
}

impl Detector for EwmaCount {
    fn push(&mut self, minute: &MinuteCounts) -> f64 {
        let tally = minute.tally;
        if let Some((negative, _)) = self.interval.put(tally) {
            let known = self.past.len() as f64;
            let mean = self.sum / known.max(1.0);
            let deviation = (self.squares / known.max(1.0) - mean * mean).max(1e-6).sqrt();
            let average = self.weight * negative + (1.0 - self.weight) * self.average.unwrap_or(negative);
            self.average = Some(average);
            let out = self.past.put(negative);
            self.sum += negative - out;
            self.squares += negative * negative - out * out;
            let enough = known * self.interval.minutes as f64 >= 1_440.0;
            self.value = if enough { (average - mean) / deviation } else { 0.0 };
        }
        self.value
    }

    fn clone_box(&self) -> Box<dyn Detector> {
        Box::new(self.clone())
    }
}

/// Shewhart's p-chart: the share of an interval, in its standard errors above that of the past week.
#[derive(Clone)]
struct PChart {
    interval: Interval,
    past: Sliding,
    value: f64,
}

impl PChart {
    fn new(minutes: usize) -> Self {
        Self { interval: Interval::new(minutes), past: Sliding::new(PAST), value: 0.0 }
    }
}

impl Detector for PChart {
    fn push(&mut self, minute: &MinuteCounts) -> f64 {
        let tally = minute.tally;
        self.past.put(tally);
        if let Some((negative, posts)) = self.interval.put(tally) {
            let p = self.past.rate();
            let known = self.past.minutes() >= 1_440 && posts >= MIN_POSTS as f64 && p > 0.0 && p < 1.0;
            self.value = if known { (negative / posts - p) / (p * (1.0 - p) / posts).sqrt() } else { 0.0 };
        }
        self.value
    }

    fn clone_box(&self) -> Box<dyn Detector> {
        Box::new(self.clone())
    }
}

/// Page's CUSUM of the log-likelihood ratio with the true rate of the hour and the size of the coming incident. For a sudden
/// shift, no detector is faster at the same false-alarm rate (Moustakides 1986).
#[derive(Clone)]
struct Clairvoyant {
    rate_increase: f64,
    is_added: bool,
    sum: f64,
}

impl Detector for Clairvoyant {
    fn push(&mut self, minute: &MinuteCounts) -> f64 {
        let all: f64 = minute.usual.iter().sum();
        let usual = minute.usual[0] / all;
        let share = (usual + self.rate_increase).min(0.98);
        if share <= usual {
            return self.sum;
        }
        let rest = (1.0 - share) / (1.0 - usual);
        let times = if self.is_added { [share / usual / rest, 1.0, 1.0] } else { [share / usual, rest, rest] };
        let ratio =
            |label: usize| minute.tally[label] as f64 * times[label].ln() - minute.usual[label] * (times[label] - 1.0);
        self.sum = (self.sum + (0..3).map(ratio).sum::<f64>()).max(0.0);
        self.sum
    }

    fn clone_box(&self) -> Box<dyn Detector> {
        Box::new(self.clone())
    }
}
