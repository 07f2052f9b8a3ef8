//! [`TopicWindow`]: everything counted for one topic, and its place in the store.

use serde::{Deserialize, Serialize};

use super::buckets::Buckets;
use super::history::History;
use super::samples::Samples;
use super::seen::Seen;
use super::{Config, Counts, Hour, Sample, Span};
use crate::classify::ClassifiedPost;
use crate::store::{Batch, Key, Store, StoreError, Table};

const HOUR: i64 = 3_600;

/// What became of a post that reached a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Counted,
    /// Counted before.
    Duplicate,
    /// Older than the watermark by more than the lateness.
    TooLate,
}

/// What is stored of a topic as a whole; Unix seconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Known {
    since: i64,
    watermark: Option<i64>,
}

/// The windows of one topic.
#[derive(Debug, Clone)]
pub struct TopicWindow {
    name: String,
    width: i64,
    lateness: i64,
    /// Seconds of samples kept: the longest window a rule looks at.
    sampled: i64,
    /// Newest event time counted, in Unix seconds.
    watermark: Option<i64>,
    /// Edge when the topic was first heard of.
    since: i64,
    /// Hours that start before this are learnt from, and need not be kept at hand.
    learnt: i64,
    moved: bool,
    buckets: Buckets,
    seen: Seen,
    samples: Samples,
    history: History,
}

impl TopicWindow {
    /// The windows of topic `name` as stored, or empty ones. `edge` is the start of the open bucket in Unix seconds; the
    /// hours from `learnt` on are kept until [`TopicWindow::learnt`] says more.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(
        store: &Store,
        config: &Config,
        spans: &[Span],
        name: &str,
        edge: i64,
        learnt: Option<i64>,
    ) -> Result<Self, StoreError> {
        let width = config.bucket.as_secs();
        let lateness = config.lateness.as_secs();
        let known: Option<Known> = store.get(&Key::new(Table::Topic).text(name))?;
        let Known { since, watermark } = known.unwrap_or(Known { since: edge, watermark: None });
        let settled = watermark.unwrap_or(i64::MIN / 2) - lateness;
        let learnt = learnt.unwrap_or(since);
        Ok(Self {
            name: name.into(),
            width,
            lateness,
            sampled: sampled(spans),
            watermark,
            since,
            learnt,
            moved: known.is_none(),
            buckets: Buckets::load(store, name, width, edge, spans)?,
            seen: Seen::load(store, name)?,
            samples: Samples::load(store, name)?,
            history: History::load(store, name, settled.min(learnt))?,
        })
    }

    /// Empty windows of a topic that no store knows.
    pub fn new(config: &Config, spans: &[Span], name: &str, edge: i64) -> Self {
        let width = config.bucket.as_secs();
        Self {
            name: name.into(),
            width,
            lateness: config.lateness.as_secs(),
            sampled: sampled(spans),
            watermark: None,
            since: edge,
            learnt: edge,
            moved: true,
            buckets: Buckets::new(width, edge, spans),
            seen: Seen::default(),
            samples: Samples::default(),
            history: History::default(),
        }
    }

    /// Names of the topics in the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stored_names(store: &Store) -> Result<Vec<String>, StoreError> {
        store.scan::<Known>(&Key::new(Table::Topic)).map(|entry| Ok(entry?.0.first_text())).collect()
    }

    /// The hours of topic `name` in the store, oldest first, by their start in Unix seconds.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stored_hours(store: &Store, name: &str) -> Result<Vec<(i64, Hour)>, StoreError> {
        let hours = store.scan(&Key::new(Table::History).text(name));
        hours.map(|entry| entry.map(|(key, hour)| (key.last_time().unwrap_or_default(), hour))).collect()
    }

    /// Counts a post, and keeps it where it is one of the most negative.
    pub fn add(&mut self, classified: &ClassifiedPost) -> Arrival {
        let arrival = self.count(classified);
        if arrival == Arrival::Counted {
            self.samples.offer(classified.post.created_at.as_second(), classified);
        }
        arrival
    }

    /// Counts a post of which nothing else is to be kept.
    pub fn count(&mut self, classified: &ClassifiedPost) -> Arrival {
        let time = classified.post.created_at.as_second();
        if time < self.settled() {
            return Arrival::TooLate;
        }
        if !self.seen.insert(time, &classified.post.id) {
            return Arrival::Duplicate;
        }
        if self.watermark.is_none_or(|watermark| watermark < time) {
            self.watermark = Some(time);
            self.moved = true;
            self.seen.drop_before(self.settled());
        }
        let counts = Counts::one(classified.prediction.label);
        self.buckets.add(time, counts);
        self.history.add(time, counts);
        Arrival::Counted
    }

    /// Counts posts of which nothing else is known, at `time` in Unix seconds.
    pub fn count_all(&mut self, time: i64, counts: Counts) {
        if counts != Counts::default() {
            self.watermark = self.watermark.max(Some(time));
            self.buckets.add(time, counts);
            self.history.add(time, counts);
        }
    }

    /// Lets go of what [`TopicWindow::save`] would have stored, for a topic that no store knows.
    pub fn discard(&mut self) {
        let settled = self.settled().min(self.learnt);
        self.buckets.discard();
        self.history.discard(settled);
    }

    /// Closes the open bucket.
    pub fn advance(&mut self) {
        self.buckets.advance();
        self.samples.drop_before(self.buckets.edge() - self.sampled);
    }

    /// Whether nothing is left that a rule could count.
    pub fn is_quiet(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Moves a quiet topic's edge to `edge` at once.
    pub fn jump(&mut self, edge: i64) {
        self.buckets.jump(edge);
        self.samples.drop_before(edge - self.sampled);
    }

    /// Start of the open bucket, in Unix seconds: when the last one closed.
    pub fn edge(&self) -> i64 {
        self.buckets.edge()
    }

    /// Width of a bucket in seconds.
    pub fn width(&self) -> i64 {
        self.width
    }

    /// The topic's newest event time, in Unix seconds.
    pub fn watermark(&self) -> Option<i64> {
        self.watermark
    }

    /// The edge when the topic was first heard of, in Unix seconds.
    pub fn since(&self) -> i64 {
        self.since
    }

    /// What the bucket closed last brought, late posts of earlier ones included: summed over all buckets, every post once.
    pub fn closed(&self) -> Counts {
        self.buckets.closed()
    }

    /// The hour that starts at `start`, once nothing more will count in it.
    pub fn settled_hour(&self, start: i64) -> Option<Counts> {
        (start + HOUR <= self.settled()).then(|| self.history.counts(start))
    }

    /// Hours that start before `time` need not be kept for [`TopicWindow::settled_hour`] any more.
    pub fn learnt(&mut self, time: i64) {
        self.learnt = time;
    }

    pub fn sum(&self, span: Span) -> Counts {
        self.buckets.sum(span)
    }

    /// The last `count` buckets, oldest first, the open one last; empty ones where nothing was counted.
    pub fn recent(&self, count: usize) -> Vec<Counts> {
        self.buckets.recent(count)
    }

    /// Whether the topic was watched for the whole of `span`, so that few posts in it mean few posts.
    pub fn covers(&self, span: Span) -> bool {
        self.since <= self.buckets.edge() - span.far
    }

    /// The most negative posts of the last `length` seconds, the open bucket included.
    pub fn samples(&self, length: i64, count: usize) -> Vec<Sample> {
        self.samples.pick(self.buckets.edge() - length, count)
    }

    /// Every post that is kept.
    pub fn kept(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter()
    }

    /// Lets go of the posts that are `doomed`; returns the last part of the keys they are stored under, and their ids.
    /// What is stored is not touched.
    pub fn forget(&mut self, doomed: &dyn Fn(&Sample) -> bool) -> Vec<(i64, String)> {
        self.samples.remove(doomed)
    }

    /// Remembers what was normal in the last closed bucket, for charts.
    pub fn note_normal(&mut self, rate: f64) {
        self.history.note_normal(self.buckets.edge() - self.width, rate);
    }

    /// Adds to `batch` whatever changed since the last call. `commit` numbers commits and never repeats.
    ///
    /// # Errors
    /// When a record cannot be encoded.
    pub fn save(&mut self, batch: &mut Batch, commit: u64) -> Result<(), StoreError> {
        if std::mem::take(&mut self.moved) {
            let known = Known { since: self.since, watermark: self.watermark };
            batch.put(&Key::new(Table::Topic).text(&self.name), &known)?;
        }
        self.buckets.save(batch, &self.name)?;
        self.seen.save(batch, &self.name, commit)?;
        self.samples.save(batch, &self.name)?;
        let done = self.settled().min(self.learnt);
        self.history.save(batch, &self.name, done)
    }

    /// No post before this time (Unix seconds) counts any more.
    fn settled(&self) -> i64 {
        self.watermark.map_or(i64::MIN / 2, |watermark| watermark - self.lateness)
    }
}

/// The longest window.
fn sampled(spans: &[Span]) -> i64 {
    spans.iter().filter(|span| span.near == 0).map(|span| span.far).max().unwrap_or(0)
}
