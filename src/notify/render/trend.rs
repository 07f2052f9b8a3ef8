//! The direction of a trend: the last hour compared with the hour before.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::alert::Point;

const HOUR: i64 = 3_600;
/// A difference of counts beyond this many standard deviations is significant: one in twenty by chance, each way.
const SIGNIFICANCE_Z: f64 = 1.645;
/// With fewer negative posts in both hours together no trend is shown.
const MIN_POSTS: u64 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    Rising,
    Falling,
    Steady,
}

/// Negative posts of one span and of the span before it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Trend {
    pub(super) direction: Direction,
    pub(super) now: u64,
    pub(super) before: u64,
    /// Length of each span.
    pub(super) seconds: i64,
    /// The end of the later span, in Unix seconds.
    pub(super) until: i64,
}

/// The trend; none for too few points or posts.
pub(super) fn compute(points: &[Point]) -> Option<Trend> {
    let step = step(points)?;
    let count = usize::try_from(HOUR / step.as_secs().max(1)).unwrap_or(1).max(1);
    let later = points.get(points.len().checked_sub(count)?..)?;
    let earlier = points.get(points.len().checked_sub(count * 2)?..points.len() - count)?;
    let sum = |points: &[Point]| points.iter().fold(0_u64, |sum, point| sum.saturating_add(point.negative));
    let (now, before) = (sum(later), sum(earlier));
    let total = now.saturating_add(before);
    if total < MIN_POSTS {
        return None;
    }
    // Two Poisson counts over equal times: their difference, over its standard deviation were they equal.
    let score = (now as f64 - before as f64) / (total as f64).sqrt();
    let direction = match score {
        score if score > SIGNIFICANCE_Z => Direction::Rising,
        score if score < -SIGNIFICANCE_Z => Direction::Falling,
        _ => Direction::Steady,
    };
    let until = later.last()?.start.checked_add(step).ok()?.as_second();
    Some(Trend { direction, now, before, seconds: step.as_secs().saturating_mul(count as i64), until })
}

/// Negative posts per hour as a row of bars, and their maximum; none without any.
pub(super) fn spark(points: &[Point]) -> Option<(String, u64)> {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const MAX_BARS: usize = 48;
    let count = usize::try_from(HOUR / step(points)?.as_secs().max(1)).unwrap_or(1).max(1);
    // From the end, so that the last bar is a whole hour.
    let hour = |points: &[Point]| points.iter().fold(0_u64, |sum, point| sum.saturating_add(point.negative));
    let hours: Vec<u64> = points.rchunks_exact(count).take(MAX_BARS).map(hour).collect();
    let most = hours.iter().copied().max().filter(|most| *most > 0)?;
    let bar = |hour: &u64| BARS.get((u128::from(*hour) * 7).div_ceil(u128::from(most)) as usize).copied();
    Some((hours.iter().rev().filter_map(bar).collect(), most))
}

/// The length of a step; none for fewer than two points, or points out of order.
pub(super) fn step(points: &[Point]) -> Option<SignedDuration> {
    let [first, second, ..] = points else { return None };
    let step = second.start.duration_since(first.start);
    (step.as_secs() > 0).then_some(step)
}

/// When the last step ends.
pub(super) fn end(points: &[Point]) -> Option<Timestamp> {
    points.last()?.start.checked_add(step(points)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(negative: &[u64], minutes: i64) -> Vec<Point> {
        let at = |place: usize| Timestamp::from_second(place as i64 * minutes * 60).unwrap();
        let point =
            |(place, negative): (usize, &u64)| Point { start: at(place), posts: 99, negative: *negative, normal: None };
        negative.iter().enumerate().map(point).collect()
    }

    #[test]
    fn an_hour_is_compared_with_the_hour_before() {
        let trend = compute(&points(&[90, 10, 10, 20, 21], 30)).unwrap();
        assert_eq!((trend.now, trend.before, trend.seconds, trend.until), (41, 20, 3_600, 9_000));
        assert_eq!(trend.direction, Direction::Rising);
        let directions = |negative: &[u64]| compute(&points(negative, 60)).map(|trend| trend.direction);
        assert_eq!(directions(&[40, 20]), Some(Direction::Falling));
        assert_eq!(directions(&[20, 22]), Some(Direction::Steady), "chance");
        assert_eq!(directions(&[1, 2]), None, "too few");
        assert_eq!(directions(&[50]), None, "no hour before");
        assert_eq!(compute(&points(&[1, 9], 120)).unwrap().seconds, 7_200, "steps longer than an hour");
        assert_eq!(compute(&[]), None);
    }

    #[test]
    fn bars_are_whole_hours() {
        assert_eq!(spark(&points(&[9, 0, 0, 1, 2, 8, 6], 30)), Some(("▁▃█".into(), 14)));
        assert_eq!(spark(&points(&[0, 0], 60)), None);
    }
}
