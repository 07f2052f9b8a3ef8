//! [`Flow`]: how many posts of each label come, minute by minute.

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Beta, Distribution, Gamma, Poisson};

use super::incident::Incident;
use super::rhythm::{Rhythm, Swing};
use super::{DAY, HOUR, MINUTE, Tally};

/// Counts without end: a Poisson process whose rate follows the rhythm times a gamma factor a day and one an hour, and whose
/// share of negative posts is drawn each hour from a beta distribution. Clone it to go on twice from one moment.
#[derive(Debug, Clone)]
pub struct Flow {
    rhythm: Arc<Rhythm>,
    /// In the mean over the day.
    posts_per_hour: f64,
    swing: Swing,
    incident: Option<Incident>,
    rng: ChaCha8Rng,
    /// Start of the next minute, in Unix seconds.
    next: i64,
    day_factor: f64,
    hour_factor: f64,
    shares: [f64; 3],
}

/// One minute's posts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minute {
    /// In Unix seconds.
    pub start: i64,
    pub tally: Tally,
    pub in_incident: bool,
    /// Posts by label that were to be expected without an incident, on this day and in this hour: what no detector knows.
    pub usual: [f64; 3],
}

impl Flow {
    /// From `start` (Unix seconds) on, at the rhythm's own volume and swing.
    pub fn new(rhythm: Arc<Rhythm>, start: i64, seed: u64) -> Self {
        let mut flow = Self {
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
        flow.begin_day();
        flow.begin_hour();
        flow
    }

    /// With so many posts an hour, in the mean over the day.
    #[must_use]
    pub fn with_volume(mut self, posts_per_hour: f64) -> Self {
        self.posts_per_hour = posts_per_hour;
        self
    }

    /// With another swing than the dump's. It starts anew.
    #[must_use]
    pub fn with_swing(mut self, swing: Swing) -> Self {
        self.swing = swing;
        self.begin_day();
        self.begin_hour();
        self
    }

    #[must_use]
    pub fn with_incident(mut self, incident: Incident) -> Self {
        self.incident = Some(incident);
        self
    }

    /// Goes on by other chances, as of another seed; the day and the hour stay as they are.
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

impl Iterator for Flow {
    type Item = Minute;

    fn next(&mut self) -> Option<Minute> {
        let start = self.next;
        let per_hour = self.posts_per_hour * self.rhythm.volume(start) * self.day_factor * self.hour_factor;
        let per_minute = per_hour * MINUTE as f64 / HOUR as f64;
        let (shares, in_incident) = match &self.incident {
            Some(incident) if incident.holds(start) => (incident.lifted(self.shares, start), true),
            _ => (self.shares, false),
        };
        let tally = shares.map(|share| poisson(per_minute * share, &mut self.rng));
        let minute = Minute { start, tally, in_incident, usual: self.shares.map(|share| per_minute * share) };
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

/// Of mean 1 and this variance.
fn factor(variance: f64, rng: &mut ChaCha8Rng) -> f64 {
    if variance <= 0.0 {
        return 1.0;
    }
    Gamma::new(1.0 / variance, variance).map_or(1.0, |gamma| gamma.sample(rng))
}

/// Of mean `mean`, where two posts of an hour correlate by `correlation`.
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
