//! [`Buckets`]: counts per bucket of one topic, and the running sums of the spans asked for.

use std::collections::{BTreeSet, VecDeque};

use super::Counts;

/// A stretch of closed buckets, from `far` to `near` seconds before the edge; whole buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub far: i64,
    pub near: i64,
}

impl Span {
    /// The last `length` seconds.
    pub fn last(length: i64) -> Self {
        Self { far: length, near: 0 }
    }

    /// The `length` seconds before the last `skipped`.
    pub fn before(skipped: i64, length: i64) -> Self {
        Self { far: skipped + length, near: skipped }
    }
}

/// Counts of one topic, bucket by bucket, as far back as the longest span reaches.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    /// Bucket width in seconds.
    width: i64,
    /// Start of the open bucket.
    edge: i64,
    /// Start of `ring[0]`; the ring has no gaps.
    first: i64,
    ring: VecDeque<Counts>,
    sums: Vec<(Span, Counts)>,
    /// How far back any span reaches, in seconds.
    horizon: i64,
    changed: BTreeSet<i64>,
    dropped: Vec<i64>,
}

impl Buckets {
    pub(super) fn new(width: i64, edge: i64, spans: &[Span]) -> Self {
        Self {
            width,
            edge,
            first: edge,
            ring: VecDeque::new(),
            sums: spans.iter().map(|span| (*span, Counts::default())).collect(),
            horizon: spans.iter().map(|span| span.far).max().unwrap_or(0),
            changed: BTreeSet::new(),
            dropped: Vec::new(),
        }
    }

    /// Counts in the bucket that holds `time` (Unix seconds). A time beyond the open bucket counts in the open one; one
    /// that no span reaches any more is left out.
    pub(super) fn add(&mut self, time: i64, counts: Counts) {
        let start = bucket_start(time, self.width).min(self.edge);
        if start < self.edge - self.horizon {
            return;
        }
        self.cover(start);
        let Some(bucket) = self.index(start).and_then(|index| self.ring.get_mut(index)) else { return };
        *bucket += counts;
        self.changed.insert(start);
        for (span, sum) in &mut self.sums {
            if (self.edge - span.far..self.edge - span.near).contains(&start) {
                *sum += counts;
            }
        }
    }

    /// Makes the ring reach `start`.
    fn cover(&mut self, start: i64) {
        if self.ring.is_empty() {
            self.first = start;
        }
        while start < self.first {
            self.ring.push_front(Counts::default());
            self.first -= self.width;
        }
        while self.first + self.width * self.ring.len() as i64 <= start {
            self.ring.push_back(Counts::default());
        }
    }

    /// Closes the open bucket.
    pub(super) fn advance(&mut self) {
        for i in 0..self.sums.len() {
            let (span, mut sum) = self.sums[i];
            sum += self.at(self.edge - span.near);
            sum -= self.at(self.edge - span.far);
            self.sums[i].1 = sum;
        }
        self.edge += self.width;
        while self.first < self.edge - self.horizon
            && let Some(bucket) = self.ring.pop_front()
        {
            if bucket != Counts::default() {
                self.dropped.push(self.first);
                self.changed.remove(&self.first);
            }
            self.first += self.width;
        }
    }

    /// Moves the edge without closing bucket by bucket.
    ///
    /// Only right while nothing is counted, which [`Buckets::is_empty`] tells.
    pub(super) fn jump(&mut self, edge: i64) {
        debug_assert!(self.is_empty());
        self.edge = edge;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Sum over `span`; zero for a span that was not asked for at the start.
    pub(super) fn sum(&self, span: Span) -> Counts {
        self.sums.iter().find(|(known, _)| *known == span).map(|(_, sum)| *sum).unwrap_or_default()
    }

    /// Start of the open bucket, in Unix seconds.
    pub(super) fn edge(&self) -> i64 {
        self.edge
    }

    /// Starts and counts of the buckets changed since the last call.
    pub(super) fn take_changed(&mut self) -> Vec<(i64, Counts)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|start| (start, self.at(start))).collect()
    }

    /// Starts of the buckets dropped since the last call.
    pub(super) fn take_dropped(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.dropped)
    }

    fn at(&self, start: i64) -> Counts {
        self.index(start).and_then(|index| self.ring.get(index)).copied().unwrap_or_default()
    }

    fn index(&self, start: i64) -> Option<usize> {
        usize::try_from((start - self.first).div_euclid(self.width)).ok()
    }
}

/// Start of the bucket that holds `time`, both in Unix seconds.
pub(super) fn bucket_start(time: i64, width: i64) -> i64 {
    time - time.rem_euclid(width)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::classify::Label;

    const WIDTH: i64 = 60;
    const SPANS: [Span; 3] = [Span { far: 180, near: 0 }, Span { far: 780, near: 180 }, Span { far: 60, near: 0 }];

    #[derive(Debug, Clone)]
    enum Step {
        /// A post so many seconds before the end of the open bucket.
        Post(i64),
        Advance(u8),
        Restart,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (-120_i64..1_200).prop_map(Step::Post),
            3 => (1_u8..20).prop_map(Step::Advance),
            1 => Just(Step::Restart),
        ]
    }

    /// What a restart does: the stored buckets, counted into a fresh ring.
    fn restarted(stored: &BTreeMap<i64, Counts>, edge: i64) -> Buckets {
        let mut buckets = Buckets::new(WIDTH, edge, &SPANS);
        for (start, counts) in stored {
            buckets.add(*start, *counts);
        }
        buckets.take_changed();
        buckets
    }

    proptest! {
        #[test]
        fn sums_equal_a_recount_after_any_sequence(steps in proptest::collection::vec(step(), 1..60)) {
            let mut buckets = Buckets::new(WIDTH, 0, &SPANS);
            let mut posts: Vec<i64> = Vec::new();
            let mut stored = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Post(ago) => {
                        let time = buckets.edge() + WIDTH - 1 - ago;
                        buckets.add(time, Counts::one(Label::Negative));
                        posts.push(time.min(buckets.edge() + WIDTH - 1));
                    }
                    Step::Advance(times) => (0..times).for_each(|_| buckets.advance()),
                    Step::Restart => buckets = restarted(&stored, buckets.edge()),
                }
                for start in buckets.take_dropped() {
                    stored.remove(&start);
                }
                stored.extend(buckets.take_changed());

                let edge = buckets.edge();
                for span in SPANS {
                    let covered = edge - span.far..edge - span.near;
                    let expected = posts.iter().filter(|time| covered.contains(time)).count() as u64;
                    prop_assert_eq!(buckets.sum(span).negative, expected, "{:?} at {}", span, edge);
                }
                prop_assert!(stored.len() as i64 <= 780 / WIDTH + 1);
            }
        }
    }
}
