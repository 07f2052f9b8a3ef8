//! Maps values to coordinates of the canvas.

use crate::alert::Point;

/// Maps values to coordinates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    values: (f64, f64),
    places: (f32, f32),
}

impl Axis {
    /// None for a range of no length.
    pub(super) fn new(values: (f64, f64), places: (f32, f32)) -> Option<Self> {
        (values.0.is_finite() && values.1.is_finite() && values.0 < values.1).then_some(Self { values, places })
    }

    pub(super) fn place(&self, value: f64) -> f32 {
        let share = (value - self.values.0) / (self.values.1 - self.values.0);
        self.places.0 + (self.places.1 - self.places.0) * share as f32
    }

    pub(super) fn range(&self) -> (f64, f64) {
        self.values
    }
}

/// Shares of few posts fluctuate: each is computed over enough steps back for this many posts, ...
const TARGET_POSTS: u64 = 20;
/// ... over at most this many steps; ...
const MAX_STEPS: usize = 6;
/// ... with fewer posts than this there is a gap.
const MIN_POSTS: u64 = 5;

/// The negative share at each point, over enough posts to mean something.
pub(super) fn rolling(points: &[Point]) -> Vec<Option<(&Point, f64)>> {
    let share = |(place, point)| {
        let (mut posts, mut negative) = (0_u64, 0_u64);
        for earlier in points.iter().take(place + 1).rev().take(MAX_STEPS) {
            posts = posts.saturating_add(earlier.posts);
            negative = negative.saturating_add(earlier.negative.min(earlier.posts));
            if posts >= TARGET_POSTS {
                break;
            }
        }
        (posts >= MIN_POSTS).then(|| (point, negative as f64 / posts as f64))
    };
    points.iter().enumerate().map(share).collect()
}

/// A round number at or above `most`, for the top of an axis.
pub(super) fn top(most: u64) -> u64 {
    let size = 10_u64.pow(most.max(1).ilog10());
    let tops = [1, 2, 3, 4, 5, 6, 8, 10].map(|times| size.saturating_mul(times));
    tops.into_iter().find(|top| *top >= most).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn tops_are_round_and_high_enough() {
        assert_eq!([0, 1, 7, 23, 60, 99, 101].map(top), [1, 1, 8, 30, 60, 100, 200]);
        assert_eq!(top(u64::MAX), u64::MAX);
    }

    #[test]
    fn shares_look_back_until_they_mean_something() {
        let point = |posts, negative| Point { start: Timestamp::UNIX_EPOCH, posts, negative, normal: None };
        let points = [point(2, 2), point(8, 2), point(30, 15), point(0, 0)];
        let shares: Vec<Option<f64>> =
            rolling(&points).into_iter().map(|share| share.map(|(_, share)| share)).collect();
        assert_eq!(shares, [None, Some(0.4), Some(0.5), Some(0.5)]);
    }
}
