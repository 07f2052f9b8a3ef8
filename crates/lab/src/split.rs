//! [`Split`]: which rows of a single dump are held out for evaluation. Used by the grid and by
//! [`QuickFit`](super::QuickFit).

use jiff::Timestamp;
use serde::Serialize;
use twox_hash::XxHash64;

/// How a single dump is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// The latest rows are held out, as a deployed model meets posts later than its training posts.
    Time,
    /// Rows are drawn: by the seed in the grid, by their text in a fit.
    Random,
}

impl Split {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Random => "random",
        }
    }

    /// Whether each row is held out: `share` of them, at least one and not all of two or more. Rows of equal time
    /// keep the dump's order.
    pub(super) fn held_out(self, times: &[Option<Timestamp>], share: f64, seed: u64) -> Vec<bool> {
        let rows = times.len();
        let mut order: Vec<usize> = (0..rows).collect();
        match self {
            Self::Time => order.sort_by_key(|row| times.get(*row).copied().flatten()),
            Self::Random => order.sort_by_key(|row| XxHash64::oneshot(seed, &(*row as u64).to_le_bytes())),
        }
        let rounded = (share * rows as f64).round() as usize;
        let taken = rounded.clamp(1, rows.saturating_sub(1).max(1));
        let mut held_out = vec![false; rows];
        for row in order.into_iter().rev().take(taken) {
            held_out[row] = true;
        }
        held_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(seconds: &[i64]) -> Vec<Option<Timestamp>> {
        seconds.iter().map(|second| Timestamp::from_second(*second).ok()).collect()
    }

    #[test]
    fn by_time_the_latest_are_held_out() {
        let times = times(&[5, 1, 4, 4, 2]);
        assert_eq!(Split::Time.held_out(&times, 0.4, 7), [true, false, false, true, false]);
        assert_eq!(Split::Time.held_out(&times, 0.01, 7), [true, false, false, false, false], "at least one");
        assert_eq!(Split::Time.held_out(&times, 0.99, 7), [true, false, true, true, true], "at most all but one");
        assert!(Split::Time.held_out(&[], 0.5, 7).is_empty());
    }

    #[test]
    fn at_random_the_seed_decides() {
        let times = times(&[0; 1000]);
        let drawn = |seed| Split::Random.held_out(&times, 0.2, seed);
        assert_eq!(drawn(7).iter().filter(|held_out| **held_out).count(), 200);
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        let early = drawn(7)[..500].iter().filter(|held_out| **held_out).count();
        assert!((60..140).contains(&early), "{early} of 200 in the first half");
    }
}
