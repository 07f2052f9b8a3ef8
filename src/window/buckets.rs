//! [`Buckets`]: counts per bucket of one topic, and running sums over the registered spans. A stored record holds the
//! buckets of one hour: one record per bucket would cost more than everything else that is stored of a quiet topic.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Counts;
use crate::classify::Label;
use crate::store::{Batch, Key, Store, StoreError, Table};

/// Length in seconds of the buckets that share a record.
const RECORD: i64 = 3_600;

/// A range of closed buckets, from `far` to `near` seconds before the edge; whole buckets.
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
    /// Starts of the buckets that are not empty, in order.
    filled: VecDeque<i64>,
    /// Closing the bucket at an edge before this one changes no sum: no filled bucket enters or leaves a span.
    still_until: i64,
    sums: Vec<(Span, Counts)>,
    /// Seconds for which buckets are kept: the longest span, or longer if charts show more.
    horizon: i64,
    /// Starts of the records to be written, and of stored records that expire.
    changed: BTreeSet<i64>,
    lapsing: BTreeSet<i64>,
    /// Late posts since the last bucket was closed: they were counted in closed buckets.
    late: Counts,
    /// Counts of the last closed bucket plus the late posts of earlier buckets until then.
    closed: Counts,
    late_changed: bool,
    /// Late votes since the last bucket was closed, by the start of their bucket. Not stored: a restart costs one bucket's.
    late_by_bucket: BTreeMap<i64, f64>,
    /// The same of the last closed bucket, as shares of what their buckets hold.
    closed_late: Vec<LateShare>,
}

/// How much of a bucket came after it was closed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LateShare {
    /// Start of the bucket, in Unix seconds.
    pub start: i64,
    /// Late votes of its votes, in `(0, 1]`.
    pub share: f64,
}

impl Buckets {
    /// Empty buckets. They are kept for the longest span, and for at least `shown` seconds.
    pub(super) fn new(width: i64, edge: i64, spans: &[Span], shown: i64) -> Self {
        Self {
            width,
            edge,
            first: edge,
            ring: VecDeque::new(),
            filled: VecDeque::new(),
            still_until: i64::MIN,
            sums: spans.iter().map(|span| (*span, Counts::default())).collect(),
            horizon: spans.iter().map(|span| span.far).max().unwrap_or(0).max(shown),
            changed: BTreeSet::new(),
            lapsing: BTreeSet::new(),
            late: Counts::default(),
            closed: Counts::default(),
            late_changed: false,
            late_by_bucket: BTreeMap::new(),
            closed_late: Vec::new(),
        }
    }

    /// Adds the stored buckets of `topic`.
    pub(super) fn load(mut self, store: &Store, topic: &str) -> Result<Self, StoreError> {
        let buckets = &mut self;
        for entry in store.scan::<Vec<(i64, Counts)>>(&Key::new(Table::Bucket).text(topic)) {
            let (key, stored) = entry?;
            stored.into_iter().for_each(|(start, counts)| buckets.put(start, counts));
            buckets.lapsing.extend(key.last_time());
        }
        buckets.changed.clear();
        buckets.late = store.get(&Key::new(Table::Late).text(topic))?.unwrap_or_default();
        Ok(self)
    }

    /// Writes changed records to `batch`, and removes expired ones.
    pub(super) fn save(&mut self, batch: &mut Batch, topic: &str) -> Result<(), StoreError> {
        let key = |record: i64| Key::new(Table::Bucket).text(topic).time(record);
        while let Some(record) = self.lapsing.first().copied()
            && record + RECORD <= self.edge - self.horizon
        {
            self.lapsing.pop_first();
            self.changed.remove(&record);
            batch.remove(&key(record));
        }
        for record in std::mem::take(&mut self.changed) {
            let starts = (record..record + RECORD).step_by(usize::try_from(self.width).unwrap_or(usize::MAX));
            let counted = starts.map(|start| (start, self.at(start)));
            let counted: Vec<(i64, Counts)> = counted.filter(|(_, counts)| *counts != Counts::default()).collect();
            if !counted.is_empty() {
                batch.put(&key(record), &counted)?;
                self.lapsing.insert(record);
            }
        }
        if std::mem::take(&mut self.late_changed) {
            batch.put(&Key::new(Table::Late).text(topic), &self.late)?;
        }
        Ok(())
    }

    /// Drops pending changes without storing them.
    pub(super) fn discard(&mut self) {
        self.changed.clear();
        self.lapsing.clear();
    }

    /// Adds counts to the bucket of `time` (Unix seconds). A time after the open bucket counts in the open one; a time
    /// before the horizon is ignored.
    pub(super) fn add(&mut self, time: i64, counts: Counts) {
        let start = bucket_start(time, self.width).min(self.edge);
        self.still_until = i64::MIN;
        if start < self.edge {
            self.late += counts;
            self.late_changed = true;
            *self.late_by_bucket.entry(start).or_default() += counts.votes();
        }
        self.put(start, counts);
    }

    fn put(&mut self, start: i64, counts: Counts) {
        if start < self.edge - self.horizon {
            return;
        }
        self.cover(start);
        let Some(bucket) = self.index(start).and_then(|index| self.ring.get_mut(index)) else { return };
        *bucket += counts;
        self.fill(start);
        self.changed.insert(bucket_start(start, RECORD));
        for (span, sum) in &mut self.sums {
            if (self.edge - span.far..self.edge - span.near).contains(&start) {
                *sum += counts;
            }
        }
    }

    /// Moves one post of the bucket of `time` (Unix seconds) from a label to another; false where there is none to move.
    ///
    /// Only sums change: what rules have learned from the bucket as it closed stays as it was.
    pub(super) fn relabel(&mut self, time: i64, from: Label, to: Label) -> bool {
        let start = bucket_start(time, self.width).min(self.edge);
        let Some(bucket) = self.index(start).and_then(|index| self.ring.get_mut(index)) else { return false };
        let before = *bucket;
        if !bucket.relabel(from, to) {
            return false;
        }
        let after = *bucket;
        self.changed.insert(bucket_start(start, RECORD));
        for (span, sum) in &mut self.sums {
            if (self.edge - span.far..self.edge - span.near).contains(&start) {
                *sum -= before;
                *sum += after;
            }
        }
        true
    }

    /// Notes that the bucket of `start` is not empty.
    fn fill(&mut self, start: i64) {
        let place = self.filled.partition_point(|filled| *filled < start);
        // Mostly the newest one.
        if self.filled.get(place) != Some(&start) {
            self.filled.insert(place, start);
        }
    }

    /// The next edge at whose closing a sum changes, or the ring becomes shorter: `distance` seconds after the start of a filled
    /// bucket, for each distance at which a span begins or ends. Posts of the open bucket, and late ones, come on top.
    fn next_change(&self) -> i64 {
        let distances = self.sums.iter().flat_map(|(span, _)| [span.near, span.far]).chain([self.horizon]);
        let changes = distances.filter_map(|distance| {
            let place = self.filled.partition_point(|filled| *filled < self.edge - distance);
            Some(self.filled.get(place)? + distance)
        });
        changes.min().unwrap_or(i64::MAX)
    }

    /// Extends the ring to include `start`.
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
        // Most topics have no post in most minutes, and this is called for each of them.
        if self.edge < self.still_until {
            self.edge += self.width;
            self.closed = Counts::default();
            self.closed_late.clear();
            return;
        }
        for i in 0..self.sums.len() {
            let (span, mut sum) = self.sums[i];
            sum += self.at(self.edge - span.near);
            sum -= self.at(self.edge - span.far);
            self.sums[i].1 = sum;
        }
        self.late_changed |= self.late != Counts::default();
        self.closed = std::mem::take(&mut self.late);
        let late = std::mem::take(&mut self.late_by_bucket).into_iter();
        // Copies have no vote, and posts before the horizon no bucket: neither has a share.
        let late = late.filter(|(start, late)| *late > 0.0 && self.at(*start).votes() > 0.0);
        self.closed_late =
            late.map(|(start, late)| LateShare { start, share: (late / self.at(start).votes()).min(1.0) }).collect();
        self.closed += self.at(self.edge);
        self.edge += self.width;
        while self.first < self.edge - self.horizon && self.ring.pop_front().is_some() {
            self.first += self.width;
        }
        while self.filled.front().is_some_and(|filled| *filled < self.edge - self.horizon) {
            self.filled.pop_front();
        }
        self.still_until = self.next_change();
    }

    /// Moves the edge without closing bucket by bucket.
    ///
    /// Only valid while [`Buckets::is_empty`] is true.
    pub(super) fn jump(&mut self, edge: i64) {
        debug_assert!(self.is_empty());
        self.edge = edge;
        self.still_until = i64::MIN;
        self.closed = Counts::default();
        self.closed_late.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Sum over `span`; zero for a span that was not registered at the start.
    pub(super) fn sum(&self, span: Span) -> Counts {
        self.sums.iter().find(|(known, _)| *known == span).map(|(_, sum)| *sum).unwrap_or_default()
    }

    /// Start of the open bucket, in Unix seconds.
    pub(super) fn edge(&self) -> i64 {
        self.edge
    }

    /// The sum of the closed buckets from `start` to before `end` (Unix seconds).
    pub(super) fn between(&self, start: i64, end: i64) -> Counts {
        let starts = (start..end.min(self.edge)).step_by(usize::try_from(self.width).unwrap_or(usize::MAX));
        starts.fold(Counts::default(), |mut sum, start| {
            sum += self.at(start);
            sum
        })
    }

    /// Counts of the last closed bucket, including late posts of earlier ones. Summed over time, every post counts
    /// once.
    pub(super) fn closed(&self) -> Counts {
        self.closed
    }

    /// Which buckets the late posts among [`Buckets::closed`] belong to, the oldest first.
    pub(super) fn closed_late(&self) -> &[LateShare] {
        &self.closed_late
    }

    /// The last `count` buckets, the open one last.
    pub(super) fn recent(&self, count: usize) -> Vec<Counts> {
        (0..count as i64).rev().map(|ago| self.at(self.edge - ago * self.width)).collect()
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
    use proptest::prelude::*;

    use super::*;

    const WIDTH: i64 = 60;
    const SPANS: [Span; 3] = [Span { far: 180, near: 0 }, Span { far: 780, near: 180 }, Span { far: 60, near: 0 }];

    #[test]
    fn late_posts_are_a_share_of_their_bucket_once() {
        let mut buckets = Buckets::new(WIDTH, 600, &SPANS, 0);
        buckets.add(600, Counts::one(Label::Negative));
        buckets.advance();
        assert_eq!(buckets.closed_late(), []);
        // One more of that bucket, and two of an empty one before it.
        for time in [610, 540, 550] {
            buckets.add(time, Counts::one(Label::Negative));
        }
        buckets.advance();
        let expected = [LateShare { start: 540, share: 1.0 }, LateShare { start: 600, share: 0.5 }];
        assert_eq!(buckets.closed_late(), expected);
        buckets.add(480, Counts { copies: 1, ..Counts::default() });
        buckets.advance();
        assert_eq!(buckets.closed_late(), [], "a copy has no vote");
    }

    #[derive(Debug, Clone)]
    enum Step {
        /// A post this many seconds before the end of the open bucket.
        Post(i64),
        Advance(u8),
        /// A post this many seconds before the end of the open bucket becomes neutral.
        Relabel(i64),
        Restart,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (-120_i64..1_200).prop_map(Step::Post),
            3 => (1_u8..20).prop_map(Step::Advance),
            1 => (-120_i64..1_200).prop_map(Step::Relabel),
            1 => Just(Step::Restart),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sums_equal_a_recount_after_any_sequence(steps in proptest::collection::vec(step(), 1..60)) {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path()).unwrap();
            let mut buckets = Buckets::new(WIDTH, 0, &SPANS, 0);
            // Time, and whether it is negative.
            let mut posts: Vec<(i64, bool)> = Vec::new();
            let mut brought = 0;
            for step in steps {
                match step {
                    Step::Post(ago) => {
                        let time = buckets.edge() + WIDTH - 1 - ago;
                        buckets.add(time, Counts::one(Label::Negative));
                        posts.push((time.min(buckets.edge() + WIDTH - 1), true));
                    }
                    Step::Advance(times) => for _ in 0..times {
                        buckets.advance();
                        brought += buckets.closed().posts();
                    },
                    Step::Relabel(ago) => {
                        let time = (buckets.edge() + WIDTH - 1 - ago).min(buckets.edge());
                        let start = bucket_start(time, WIDTH);
                        let known = posts.iter_mut().find(|(at, negative)| bucket_start(*at, WIDTH) == start && *negative);
                        if buckets.relabel(time, Label::Negative, Label::Neutral) {
                            known.expect("only a counted post changes its label").1 = false;
                        }
                    }
                    Step::Restart => {
                        let mut batch = Batch::default();
                        buckets.save(&mut batch, "t").unwrap();
                        store.commit(batch).unwrap();
                        buckets = Buckets::new(WIDTH, buckets.edge(), &SPANS, 0).load(&store, "t").unwrap();
                        let records = store.scan::<Vec<(i64, Counts)>>(&Key::new(Table::Bucket)).count();
                        prop_assert!(records <= 2, "{} records for a horizon of 13 minutes", records);
                    }
                }
                let edge = buckets.edge();
                let open = posts.iter().filter(|(time, _)| *time >= edge).count() as u64;
                prop_assert_eq!(brought + open + buckets.late.posts(), posts.len() as u64);
                for span in SPANS {
                    let covered = edge - span.far..edge - span.near;
                    let of_span = posts.iter().filter(|(time, _)| covered.contains(time));
                    let expected = (of_span.clone().count() as u64, of_span.filter(|(_, negative)| *negative).count() as u64);
                    prop_assert_eq!((buckets.sum(span).posts(), buckets.sum(span).negative), expected, "{:?} at {}", span, edge);
                }
            }
        }
    }
}
