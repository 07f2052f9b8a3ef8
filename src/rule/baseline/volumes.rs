//! [`Volumes`]: the usual number of votes of each hour of the week, from what its cell, the same hour of other days and the hours
//! around it have seen.
//!
//! ```text
//!   overall --> hours around (of all days) --> hour of the day --> hour of the week
//! ```
//!
//! Each arrow is a gamma prior around the level on its left. Counts of an hour vary more than by chance, by the spread `s`: an
//! hour with the mean `m` says as much as `1 / (1 + s m)` hours of a Poisson process (quasi-likelihood), so that one odd hour
//! of the first day is not trusted, while a night that was silent five times is silent.

use super::{CELLS, Cell};

/// Shapes of the gamma priors: an hour of the day differs from the hours around it by a factor of two or so (standard deviation
/// 0.7 of the mean), a day of the week from the other days by a third.
const DAY_SHAPE: f64 = 2.0;
const WEEK_SHAPE: f64 = 10.0;
/// Weight of the overall mean, in hours, among the hours around.
const OVERALL_HOURS: f64 = 0.2;
/// Weights of the hours around, by their distance.
const AROUND: [(usize, f64); 4] = [(1, 1.0), (23, 1.0), (2, 0.5), (22, 0.5)];
/// The spread is not known to be smaller after any number of hours.
const MIN_SPREAD: f64 = 0.05;

/// Votes per hour of each hour of the week; empty before the first learned hour.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Volumes(Vec<f64>);

impl Volumes {
    /// From the cells, their sums over each hour of the day, and over all.
    pub(super) fn new(cells: &[Cell], day: &[Cell], all: Cell, spread: f64) -> Self {
        if all.hours <= 0.0 {
            return Self::default();
        }
        let overall = f64::from(all.posts) / f64::from(all.hours);
        let of_day: Vec<f64> = (0..24)
            .map(|hour| {
                let known = day.get(hour).copied().unwrap_or_default();
                estimate(known, around(day, hour, overall), DAY_SHAPE, spread)
            })
            .collect();
        let of_week = (0..CELLS).map(|slot| {
            let prior = of_day.get(slot % 24).copied().unwrap_or(overall);
            estimate(cells.get(slot).copied().unwrap_or_default(), prior, WEEK_SHAPE, spread)
        });
        Self(of_week.collect())
    }

    /// Votes per hour in this hour of the week.
    pub(super) fn at(&self, slot: usize) -> Option<f64> {
        self.0.get(slot).copied()
    }
}

/// Votes per hour in the hours around `hour`.
fn around(day: &[Cell], hour: usize, overall: f64) -> f64 {
    let (mut posts, mut hours) = (overall * OVERALL_HOURS, OVERALL_HOURS);
    for (distance, weight) in AROUND {
        let cell = day.get((hour + distance) % 24).copied().unwrap_or_default();
        posts += weight * f64::from(cell.posts);
        hours += weight * f64::from(cell.hours);
    }
    posts / hours
}

/// The mean of a cell, with a gamma prior around `prior`.
fn estimate(cell: Cell, prior: f64, shape: f64, spread: f64) -> f64 {
    let (posts, hours) = (f64::from(cell.posts), f64::from(cell.hours));
    let prior_hours = shape / prior.max(1e-9);
    let mut mean = (posts + shape) / (hours + prior_hours);
    // The weight of an hour depends on the mean: twice is close to the fixed point.
    for _ in 0..2 {
        let weight = 1.0 / (1.0 + spread.max(MIN_SPREAD) * mean);
        mean = (weight * posts + shape) / (weight * hours + prior_hours);
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(hours: f32, per_hour: f32) -> Cell {
        Cell { hours, posts: hours * per_hour, ..Cell::default() }
    }

    #[test]
    fn a_silent_night_is_known_after_some_nights_and_one_odd_hour_is_not_trusted() {
        let silent = |nights| estimate(cell(nights, 0.0), 12.0, DAY_SHAPE, 0.1);
        assert!(silent(1.0) < 3.0 && silent(5.0) < 0.5 && silent(20.0) < 0.12, "{} {}", silent(5.0), silent(20.0));
        let odd = estimate(cell(1.0, 2.0), 20.0, DAY_SHAPE, 0.3);
        assert!((5.0..12.0).contains(&odd), "two posts in the first hour of a topic: {odd}");
        let busy = estimate(cell(5.0, 200.0), 150.0, DAY_SHAPE, 0.1);
        assert!((190.0..201.0).contains(&busy), "{busy}");
        let weekend = estimate(cell(4.0, 120.0), 200.0, WEEK_SHAPE, 0.1);
        assert!((115.0..165.0).contains(&weekend), "{weekend}");
    }

    #[test]
    fn hours_that_were_never_seen_are_like_those_around_them() {
        let mut day = vec![Cell::default(); 24];
        day[9] = cell(2.0, 100.0);
        day[11] = cell(2.0, 80.0);
        let all = cell(4.0, 90.0);
        let volumes = Volumes::new(&[], &day, all, 0.1);
        assert!((85.0..95.0).contains(&volumes.at(10).unwrap()), "{:?}", volumes.at(10));
        assert_eq!(Volumes::new(&[], &[], Cell::default(), 0.1).at(0), None);
    }
}
