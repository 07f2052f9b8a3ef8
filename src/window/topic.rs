//! [`TopicWindow`]: everything counted for one topic, and its place in the store.

use serde::{Deserialize, Serialize};

use super::buckets::Buckets;
use super::cascade::Cascades;
use super::history::History;
use super::samples::Samples;
use super::seen_ids::Seen;
use super::words::{Kind, Told, Words};
use super::{Config, Counts, Hour, Sample, Span};
use crate::classify::{ClassifiedPost, Label, plain_reason};
use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::text::{Profile, clean};

/// Seconds that [`TopicWindow::course`] looks back.
const DAY: i64 = 86_400;
/// Shortest of its steps, in seconds.
const STEP: i64 = 900;
/// Longest window whose words are counted, in seconds.
const LONGEST_WORDS: i64 = 6 * 3_600;

const HOUR: i64 = 3_600;

/// What became of a post that reached a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Counted,
    /// Counted as a repetition of one that voted.
    Copied,
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

/// One step of a topic's last day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Unix seconds.
    pub start: i64,
    pub counts: Counts,
    /// The negative rate that counted as normal then, in `[0, 1]`.
    pub normal: Option<f64>,
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
    cascades: Cascades,
    words: Words,
    reasons: Words,
    /// The topic's own name, of which everybody writes: lower case, without spaces.
    plain_name: String,
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
        let empty = Self::new(config, spans, name, edge);
        let known: Option<Known> = store.get(&Key::new(Table::Topic).text(name))?;
        let Known { since, watermark } = known.unwrap_or(Known { since: edge, watermark: None });
        let settled = watermark.unwrap_or(i64::MIN / 2) - empty.lateness;
        let learnt = learnt.unwrap_or(since);
        Ok(Self {
            watermark,
            since,
            learnt,
            moved: known.is_none(),
            buckets: empty.buckets.load(store, name)?,
            seen: Seen::load(store, name)?,
            samples: Samples::load(store, name)?,
            history: History::load(store, name, settled.min(learnt).min(edge - DAY))?,
            cascades: empty.cascades.load(store, name)?,
            words: empty.words.load(store, name)?,
            reasons: empty.reasons.load(store, name)?,
            ..empty
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
            buckets: Buckets::new(width, edge, spans, DAY + STEP),
            seen: Seen::default(),
            samples: Samples::default(),
            history: History::default(),
            cascades: Cascades::new(config.cascade.as_secs()),
            words: Words::new(Kind::Word),
            reasons: Words::new(Kind::Reason),
            plain_name: name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect(),
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
        let arrival = self.arrive(classified, true);
        if arrival == Arrival::Counted {
            self.samples.offer(classified.post.created_at.as_second(), classified);
            self.note_words(classified);
        }
        arrival
    }

    /// Counts a post of which nothing else is to be kept.
    pub fn count(&mut self, classified: &ClassifiedPost) -> Arrival {
        self.arrive(classified, false)
    }

    fn arrive(&mut self, classified: &ClassifiedPost, keep: bool) -> Arrival {
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
        let watermark = self.watermark.unwrap_or(time);
        let copied = self.cascades.repeats(watermark, &classified.post, keep);
        let counts = if copied { Counts::copy() } else { Counts::one(classified.prediction.label) };
        let counts = counts.reaching(classified.post.details.followers.unwrap_or(0));
        self.buckets.add(time, counts);
        self.history.add(time, counts);
        if copied { Arrival::Copied } else { Arrival::Counted }
    }

    fn note_words(&mut self, classified: &ClassifiedPost) {
        let time = classified.post.created_at.as_second();
        if classified.prediction.label != Label::Negative || time < self.worded_from() {
            return;
        }
        let text = clean(Profile::Classic, &classified.post.text);
        let name = &self.plain_name;
        self.words.add(time, text.split(' ').filter(|word| is_telling(word) && !is_of_name(word, name)));
        if let Some(reason) = &classified.post.details.reason {
            self.reasons.add(time, std::iter::once(plain_reason(reason).as_str()));
        }
    }

    /// From when on words are counted and not yet part of what is usual, in Unix seconds.
    fn worded_from(&self) -> i64 {
        self.buckets.edge() - self.sampled.min(LONGEST_WORDS)
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
        let settled = self.settled().min(self.learnt).min(self.buckets.edge() - DAY);
        self.buckets.discard();
        self.history.discard(settled);
    }

    /// Closes the open bucket.
    pub fn advance(&mut self) {
        self.buckets.advance();
        self.let_go();
    }

    fn let_go(&mut self) {
        self.samples.drop_before(self.buckets.edge() - self.sampled);
        let from = self.worded_from();
        self.words.fold_before(from);
        self.reasons.fold_before(from);
    }

    /// Whether nothing is left that a rule could count.
    pub fn is_quiet(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Moves a quiet topic's edge to `edge` at once.
    pub fn jump(&mut self, edge: i64) {
        self.buckets.jump(edge);
        self.let_go();
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

    /// Words that more negative posts of the last `length` seconds hold than is usual, the most telling first.
    pub fn words(&self, length: i64, count: usize) -> Vec<Told> {
        self.words.standing_out(self.buckets.edge() - length, count)
    }

    /// Why the posts of the last `length` seconds are negative, where that is known; the most frequent first.
    pub fn reasons(&self, length: i64, count: usize) -> Vec<Told> {
        self.reasons.most_frequent(self.buckets.edge() - length, count)
    }

    /// The last day in equal steps, the oldest first, up to the edge.
    pub fn course(&self) -> Vec<Step> {
        let step = STEP.max(self.width) / self.width * self.width;
        let edge = self.buckets.edge();
        let starts = (1..=DAY / step).rev().map(|back| edge - back * step);
        let look = |start| Step {
            start,
            counts: self.buckets.between(start, start + step),
            normal: self.history.normal(start),
        };
        starts.map(look).collect()
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

    /// Lets go of the hashes of these posts, given by `id_hash`. What is stored is not touched.
    pub fn forget_hashes(&mut self, ids: &[u64]) {
        self.cascades.forget(ids);
    }

    /// Lets go of hashes of posts not heard of, and of words not used, since `time` (Unix seconds); false where there were
    /// none.
    pub fn expire(&mut self, time: i64) -> bool {
        let posts = self.cascades.drop_before(time);
        let words = self.words.expire(time);
        self.reasons.expire(time) | words | posts
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
        self.cascades.save(batch, &self.name)?;
        self.words.save(batch, &self.name)?;
        self.reasons.save(batch, &self.name)?;
        let done = self.settled().min(self.learnt).min(self.buckets.edge() - DAY);
        self.history.save(batch, &self.name, done)
    }

    /// No post before this time (Unix seconds) counts any more.
    fn settled(&self) -> i64 {
        self.watermark.map_or(i64::MIN / 2, |watermark| watermark - self.lateness)
    }
}

/// Whether a cleaned word can tell what a post is about. Negations are kept for the models; they tell nothing here.
fn is_telling(word: &str) -> bool {
    let letters = word.chars().count();
    (3..=30).contains(&letters) && !matches!(word, "not" | "pas" | "non" | "nor" | "too" | "very")
}

/// Whether `word` is of the topic's own name, as "air", "paradis" and "airparadis" are.
fn is_of_name(word: &str, name: &str) -> bool {
    !name.is_empty() && (name.contains(word) || word.contains(name))
}

/// The longest window.
fn sampled(spans: &[Span]) -> i64 {
    spans.iter().filter(|span| span.near == 0).map(|span| span.far).max().unwrap_or(0)
}
