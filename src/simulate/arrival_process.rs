//! [`ArrivalProcess`]: the number of posts of each label, minute by minute.

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Beta, Distribution, Gamma, Poisson};

use super::incident::SimulatedIncident;
use super::rhythm::{Rhythm, Swing};
use super::{DAY, HOUR, MINUTE, Tally};

/// An endless Poisson process. Its rate is the rhythm times a gamma factor per day and one per hour; its share of negative
/// posts is drawn each hour from a beta distribution. A clone continues from the same moment.
#[derive(Debug, Clone)]
pub struct ArrivalProcess {
    rhythm: Arc<Rhythm>,
    /// Mean over the day.
    posts_per_hour: f64,
    swing: Swing,
    incident: Option<SimulatedIncident>,
    rng: ChaCha8Rng,
    /// Start of the next minute, in Unix seconds.
    next: i64,
    day_factor: f64,
    hour_factor: f64,
    shares: [f64; 3],
}

/// One minute's posts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinuteCounts {
    /// In Unix seconds.
    pub start: i64,
    pub tally: Tally,
    pub in_incident: bool,
    /// Expected posts by label without an incident, on this day and in this hour. No detector can know it.
    pub usual: [f64; 3],
}

impl ArrivalProcess {
    /// From `start` (Unix seconds) on, with the volume and swing of the rhythm.
    pub fn new(rhythm: Arc<Rhythm>, start: i64, seed: u64) -> Self {
        let mut process = Self {
            posts_per_hour: rhythm.posts_per_hour,
            swing: rhythm.swing,
            rhythm,
            incident: None,
            rng: ChaCha8Rng::seed_from_u64(seed),
            next: start - start.rem_euclid(MINUTE),
            day_factor: 1.0,
            hour_factor: 1.0,
            shares: [0.0; 3],
        };
        process.begin_day();
        process.begin_hour();
        process
    }

    /// With another volume: posts per hour, mean over the day.
    #[must_use]
    pub fn with_volume(mut self, posts_per_hour: f64) -> Self {
        self.posts_per_hour = posts_per_hour;
        self
    }

    /// With another swing than the dump's. Restarts the day and the hour.
    #[must_use]
    pub fn with_swing(mut self, swing: Swing) -> Self {
        self.swing = swing;
        self.begin_day();
        self.begin_hour();
        self
    }

    #[must_use]
    pub fn with_incident(mut self, incident: SimulatedIncident) -> Self {
        self.incident = Some(incident);
        self
    }

    /// Continues with another seed; the factors of the current day and hour stay the same.
    #[must_use]
    pub fn reseeded(mut self, seed: u64) -> Self {
        self.rng = ChaCha8Rng::seed_from_u64(seed);
        self
    }

    /// Start of the next minute, in Unix seconds.
    pub fn now(&self) -> i64 {
        self.next
    }

    pub(super) fn posts_per_hour(&self) -> f64 {
        self.posts_per_hour
    }

    fn begin_day(&mut self) {
        self.day_factor = factor(self.swing.day, &mut self.rng);
    }

    fn begin_hour(&mut self) {
        self.hour_factor = factor(self.swing.hour, &mut self.rng);
        let [negative, neutral, positive] = self.rhythm.shares(self.next);
        let drawn = share(negative, self.swing.share, &mut self.rng);
        let rest = if negative < 1.0 { (1.0 - drawn) / (1.0 - negative) } else { 0.0 };
        self.shares = [drawn, neutral * rest, positive * rest];
    }
}

impl Iterator for ArrivalProcess {
    type Item = MinuteCounts;

    fn next(&mut self) -> Option<MinuteCounts> {
        let start = self.next;
        let per_hour = self.posts_per_hour * self.rhythm.volume(start) * self.day_factor * self.hour_factor;
        let per_minute = per_hour * MINUTE as f64 / HOUR as f64;
        let (shares, in_incident) = match &self.incident {
            Some(incident) if incident.contains(start) => (incident.apply(self.shares, start), true),
            _ => (self.shares, false),
        };
        let tally = shares.map(|share| poisson(per_minute * share, &mut self.rng));
        let minute = MinuteCounts { start, tally, in_incident, usual: self.shares.map(|share| per_minute * share) };
        self.next += MINUTE;
        if self.next.rem_euclid(DAY) == 0 {
            self.begin_day();
        }
        if self.next.rem_euclid(HOUR) == 0 {
            self.begin_hour();
        }
        Some(minute)
    }
}

/// A gamma-distributed factor with mean 1 and this variance.
fn factor(variance: f64, rng: &mut ChaCha8Rng) -> f64 {
    if variance <= 0.0 {
        return 1.0;
    }
    Gamma::new(1.0 / variance, variance).map_or(1.0, |gamma| gamma.sample(rng))
}

/// A beta-distributed share with mean `mean`, such that two posts of an hour have this `correlation`.
fn share(mean: f64, correlation: f64, rng: &mut ChaCha8Rng) -> f64 {
    if correlation <= 0.0 || mean <= 0.0 || mean >= 1.0 {
        return mean;
    }
    let size = 1.0 / correlation - 1.0;
    Beta::new(mean * size, (1.0 - mean) * size).map_or(mean, |beta| beta.sample(rng))
}

fn poisson(mean: f64, rng: &mut ChaCha8Rng) -> u64 {
    if mean <= 0.0 {
        return 0;
    }
    Poisson::new(mean).map_or(0, |poisson| poisson.sample(rng) as u64)
}
