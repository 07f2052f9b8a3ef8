//! [`Detector`]: counts in, a score out; above its threshold it is an alarm.

use vigie::simulate::{MinuteCounts, Tally};

pub(crate) trait Detector: Send {
    /// Adds the counts of a minute, and returns the score at its end.
    fn push(&mut self, minute: &MinuteCounts) -> f64;

    fn clone_box(&self) -> Box<dyn Detector>;
}

/// A sum over the last `length` minutes.
#[derive(Debug, Clone)]
pub(crate) struct Slide<T> {
    ring: Vec<T>,
    at: usize,
    filled: usize,
}

impl<T: Copy + Default> Slide<T> {
    pub(crate) fn new(length: usize) -> Self {
        Self { ring: vec![T::default(); length], at: 0, filled: 0 }
    }

    /// Adds a value, and returns the one that leaves.
    pub(crate) fn put(&mut self, value: T) -> T {
        let out = std::mem::replace(&mut self.ring[self.at], value);
        self.at = (self.at + 1) % self.ring.len();
        self.filled = (self.filled + 1).min(self.ring.len());
        out
    }

    pub(crate) fn len(&self) -> usize {
        self.filled
    }
}

/// Negative posts and all posts of the last minutes.
#[derive(Debug, Clone)]
pub(crate) struct Sliding {
    slide: Slide<[u32; 2]>,
    pub(crate) negative: u64,
    pub(crate) posts: u64,
}

impl Sliding {
    pub(crate) fn new(minutes: usize) -> Self {
        Self { slide: Slide::new(minutes), negative: 0, posts: 0 }
    }

    pub(crate) fn put(&mut self, tally: Tally) {
        let (negative, posts) = (tally[0], tally.iter().sum::<u64>());
        let [k, n] = self.slide.put([negative as u32, posts as u32]);
        self.negative = self.negative + negative - u64::from(k);
        self.posts = self.posts + posts - u64::from(n);
    }

    pub(crate) fn minutes(&self) -> usize {
        self.slide.len()
    }

    pub(crate) fn rate(&self) -> f64 {
        self.negative as f64 / self.posts.max(1) as f64
    }
}
