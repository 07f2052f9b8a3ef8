//! [`TopicWindow`]: everything counted for one topic. It puts buckets, cascades, words, samples and history together,
//! and loads and saves them.

use serde::{Deserialize, Serialize};

use super::authors::{Authors, Voice};
use super::buckets::Buckets;
use super::cascade::{Cascades, Placement};
use super::history::History;
use super::samples::Samples;
use super::seen_ids::SeenIds;
use super::words::{DistinctiveWord, TermKind, WordCounts};
use super::{Config, Counts, HourRecord, Sample, Span};
use crate::classify::{ClassifiedPost, normalise_reason};
use crate::store::{Batch, Key, Store, StoreError, Table};
use crate::text::{Profile, clean};

/// Length of [`TopicWindow::day_history`] in seconds.
const DAY: i64 = 86_400;
/// Minimum length of its steps in seconds.
const MIN_STEP: i64 = 900;
/// Maximum length in seconds of the window whose words are counted.
const MAX_WORDS_WINDOW: i64 = 6 * 3_600;

const HOUR: i64 = 3_600;

/// How a post was counted for a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// `root` is the hash of the identifier of the first post of its cascade.
    Counted { root: u64 },
    /// Counted as a copy: it repeats a counted post.
    Copied { root: u64 },
    /// Ignored: it was counted before.
    Duplicate,
    /// Ignored: older than the watermark by more than the lateness.
    TooLate,
}

/// The stored record of a topic; times in Unix seconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct TopicRecord {
    since: i64,
    watermark: Option<i64>,
}

/// One step of the last day of a topic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistoryStep {
    /// Unix seconds.
    pub start: i64,
    pub counts: Counts,
    /// The normal negative rate at that time, in `[0, 1]`.
    pub normal: Option<f64>,
}

/// The windows of one topic.
#[derive(Debug, Clone)]
pub struct TopicWindow {
    name: String,
    width: i64,
    lateness: i64,
    /// Length in seconds for which samples are kept: the longest window of a rule.
    sampled: i64,
    /// Newest event time counted, in Unix seconds.
    watermark: Option<i64>,
    /// Edge when the topic was created.
    since: i64,
    /// Hours that start before this are learned and need not be kept in memory.
    learned_until: i64,
    moved: bool,
    buckets: Buckets,
    seen: SeenIds,
    samples: Samples,
    history: History,
    cascades: Cascades,
    authors: Authors,
    words: WordCounts,
    reasons: WordCounts,
    /// The name of the topic in lower case and without spaces: it is in most posts, so it is not a distinctive word.
    plain_name: String,
}

impl TopicWindow {
    /// The stored windows of topic `name`, or empty ones. `edge` is the start of the open bucket in Unix seconds. Hours
    /// from `learned_until` on are kept in memory until [`TopicWindow::set_learned_until`] is called.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(
        store: &Store,
        config: &Config,
        spans: &[Span],
        name: &str,
        edge: i64,
        learned_until: Option<i64>,
    ) -> Result<Self, StoreError> {
        let empty = Self::new(config, spans, name, edge);
        let known: Option<TopicRecord> = store.get(&Key::new(Table::Topic).text(name))?;
        let TopicRecord { since, watermark } = known.unwrap_or(TopicRecord { since: edge, watermark: None });
        let settled = watermark.unwrap_or(i64::MIN / 2) - empty.lateness;
        let learned_until = learned_until.unwrap_or(since);
        Ok(Self {
            watermark,
            since,
            learned_until,
            moved: known.is_none(),
            buckets: empty.buckets.load(store, name)?,
            seen: SeenIds::load(store, name)?,
            samples: Samples::load(store, name)?,
            history: History::load(store, name, settled.min(learned_until).min(edge - DAY))?,
            cascades: empty.cascades.load(store, name)?,
            authors: Authors::load(store, name)?,
            words: empty.words.load(store, name)?,
            reasons: empty.reasons.load(store, name)?,
            ..empty
        })
    }

    /// Empty windows of a topic that is not stored.
    pub fn new(config: &Config, spans: &[Span], name: &str, edge: i64) -> Self {
        let width = config.bucket.as_secs();
        Self {
            name: name.into(),
            width,
            lateness: config.lateness.as_secs(),
            sampled: sampled(spans),
            watermark: None,
            since: edge,
            learned_until: edge,
            moved: true,
            buckets: Buckets::new(width, edge, spans, DAY + MIN_STEP),
            seen: SeenIds::default(),
            samples: Samples::default(),
            history: History::default(),
            cascades: Cascades::new(config.cascade.as_secs()),
            authors: Authors::default(),
            words: WordCounts::new(TermKind::Word),
            reasons: WordCounts::new(TermKind::Reason),
            plain_name: name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect(),
        }
    }

    /// Names of the topics in the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stored_names(store: &Store) -> Result<Vec<String>, StoreError> {
        store.scan::<TopicRecord>(&Key::new(Table::Topic)).map(|entry| Ok(entry?.0.first_text())).collect()
    }

    /// The hours of topic `name` in the store, oldest first, by their start in Unix seconds.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stored_hours(store: &Store, name: &str) -> Result<Vec<(i64, HourRecord)>, StoreError> {
        let hours = store.scan(&Key::new(Table::History).text(name));
        hours.map(|entry| entry.map(|(key, hour)| (key.last_time().unwrap_or_default(), hour))).collect()
    }

    /// Counts a post, and keeps it as a sample if it is one of the most negative.
    pub fn add(&mut self, classified: &ClassifiedPost) -> Arrival {
        let (arrival, voice) = self.arrive(classified, true);
        if matches!(arrival, Arrival::Counted { .. }) {
            self.samples.offer(classified.post.created_at.as_second(), classified);
            // Words count by author: the first complaint of a person, not each of them.
            if voice.is_some_and(|voice| voice.is_first_negative) {
                self.note_words(classified);
            }
        }
        arrival
    }

    /// Counts a post without keeping anything else of it.
    pub fn count(&mut self, classified: &ClassifiedPost) -> Arrival {
        self.arrive(classified, false).0
    }

    /// Counts a post; also returns how much its author counts, unless the post repeats another or is not counted.
    fn arrive(&mut self, classified: &ClassifiedPost, keep: bool) -> (Arrival, Option<Voice>) {
        let time = classified.post.created_at.as_second();
        if time < self.settled() {
            return (Arrival::TooLate, None);
        }
        if !self.seen.insert(time, &classified.post.id) {
            return (Arrival::Duplicate, None);
        }
        // A post from a clock that runs ahead must not make the posts of now too late.
        let reached = time.min(self.buckets.edge() + self.width);
        if self.watermark.is_none_or(|watermark| watermark < reached) {
            self.watermark = Some(reached);
            self.moved = true;
            self.seen.drop_before(self.settled());
        }
        let watermark = self.watermark.unwrap_or(time);
        let Placement { repeats: copied, root } = self.cascades.place(watermark, &classified.post, keep);
        let label = classified.prediction.label;
        let voice = (!copied).then(|| self.authors.add(watermark, time, &classified.post, label, keep));
        let counts = voice.map_or_else(Counts::copy, |voice| Counts::one(label).discounted(voice.discount));
        let counts = counts.reaching(classified.post.details.followers.unwrap_or(0));
        self.buckets.add(time, counts);
        self.history.add(time, counts);
        (if copied { Arrival::Copied { root } } else { Arrival::Counted { root } }, voice)
    }

    /// Whether the post `id` was counted, at whatever time: for posts whose own time is not used.
    pub fn has_seen(&self, id: &str) -> bool {
        self.seen.contains(id)
    }

    /// Removes what lies ahead of `now` (Unix seconds): a version of vigie that trusted such times stored it. Returns whether
    /// there was anything.
    pub fn repair_ahead(&mut self, now: i64) -> bool {
        if self.watermark.is_none_or(|watermark| watermark <= now) {
            return false;
        }
        self.watermark = Some(now);
        self.learned_until = self.learned_until.min(now);
        self.moved = true;
        self.seen.drop_after(now);
        self.samples.drop_after(now);
        true
    }

    fn note_words(&mut self, classified: &ClassifiedPost) {
        let time = classified.post.created_at.as_second();
        // Older words are part of the word baseline.
        if time < self.words_start() {
            return;
        }
        let text = clean(Profile::Classic, &classified.post.text);
        let name = &self.plain_name;
        self.words.add(time, text.split(' ').filter(|word| is_informative(word) && !is_of_name(word, name)));
        if let Some(reason) = &classified.post.details.reason {
            self.reasons.add(time, std::iter::once(normalise_reason(reason).as_str()));
        }
    }

    /// Start of the window whose words are counted, in Unix seconds.
    fn words_start(&self) -> i64 {
        self.buckets.edge() - self.sampled.min(MAX_WORDS_WINDOW)
    }

    /// Adds counts at `time` (Unix seconds) of posts that are not at hand.
    pub fn count_all(&mut self, time: i64, counts: Counts) {
        if counts != Counts::default() {
            self.watermark = self.watermark.max(Some(time));
            self.buckets.add(time, counts);
            self.history.add(time, counts);
        }
    }

    /// Drops what [`TopicWindow::save`] would store, for a topic that is not stored.
    pub fn discard(&mut self) {
        let settled = self.settled().min(self.learned_until).min(self.buckets.edge() - DAY);
        self.buckets.discard();
        self.history.discard(settled);
    }

    /// Closes the open bucket.
    pub fn advance(&mut self) {
        self.buckets.advance();
        self.drop_expired();
    }

    fn drop_expired(&mut self) {
        self.samples.drop_before(self.buckets.edge() - self.sampled);
        self.authors.expire(self.buckets.edge());
        let from = self.words_start();
        self.words.fold_before(from);
        self.reasons.fold_before(from);
    }

    /// Whether no bucket with posts is left.
    pub fn is_quiet(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Moves the edge of a quiet topic to `edge` in one step.
    pub fn jump(&mut self, edge: i64) {
        self.buckets.jump(edge);
        self.drop_expired();
    }

    /// Start of the open bucket, in Unix seconds: when the last one closed.
    pub fn edge(&self) -> i64 {
        self.buckets.edge()
    }

    /// Width of a bucket in seconds.
    pub fn width(&self) -> i64 {
        self.width
    }

    /// Newest event time of the topic, in Unix seconds.
    pub fn watermark(&self) -> Option<i64> {
        self.watermark
    }

    /// The edge when the topic was created, in Unix seconds.
    pub fn since(&self) -> i64 {
        self.since
    }

    /// Counts of the last closed bucket, including late posts of earlier ones. Summed over time, every post counts
    /// once.
    pub fn closed(&self) -> Counts {
        self.buckets.closed()
    }

    /// The counts of the hour that starts at `start`, once they cannot change any more.
    pub fn settled_hour(&self, start: i64) -> Option<Counts> {
        (start + HOUR <= self.settled()).then(|| self.history.counts(start))
    }

    /// Marks hours that start before `time` as learned: [`TopicWindow::settled_hour`] need not return them any more.
    pub fn set_learned_until(&mut self, time: i64) {
        self.learned_until = time;
    }

    pub fn sum(&self, span: Span) -> Counts {
        self.buckets.sum(span)
    }

    /// The last `count` buckets, oldest first, ending with the open one.
    pub fn recent(&self, count: usize) -> Vec<Counts> {
        self.buckets.recent(count)
    }

    /// Whether the topic was watched during the whole `span`; otherwise a low count may mean missing data.
    pub fn covers(&self, span: Span) -> bool {
        self.since <= self.buckets.edge() - span.far
    }

    /// The most negative posts of the last `length` seconds, including the open bucket.
    pub fn samples(&self, length: i64, count: usize) -> Vec<Sample> {
        self.samples.pick(self.buckets.edge() - length, count)
    }

    /// Words that are more frequent than usual in the negative posts of the last `length` seconds, most distinctive
    /// first.
    pub fn words(&self, length: i64, count: usize) -> Vec<DistinctiveWord> {
        self.words.distinctive(self.buckets.edge() - length, count)
    }

    /// Known reasons of the negative posts of the last `length` seconds, most frequent first.
    pub fn reasons(&self, length: i64, count: usize) -> Vec<DistinctiveWord> {
        self.reasons.most_frequent(self.buckets.edge() - length, count)
    }

    /// The last day up to the edge in equal steps, oldest first.
    pub fn day_history(&self) -> Vec<HistoryStep> {
        let step = MIN_STEP.max(self.width) / self.width * self.width;
        let edge = self.buckets.edge();
        let starts = (1..=DAY / step).rev().map(|back| edge - back * step);
        let look = |start| HistoryStep {
            start,
            counts: self.buckets.between(start, start + step),
            normal: self.history.normal(start),
        };
        starts.map(look).collect()
    }

    /// Every kept sample.
    pub fn kept(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter()
    }

    /// Drops the samples for which `matches` is true. Returns the slot and the identifier of each. The store is not
    /// changed.
    pub fn forget(&mut self, matches: &dyn Fn(&Sample) -> bool) -> Vec<(i64, String)> {
        self.samples.remove(matches)
    }

    /// Number of people who wrote a negative post in the last `length` seconds, including the open bucket; none where not all of
    /// them are known.
    pub fn negative_authors(&self, length: i64) -> Option<u64> {
        self.authors.negative_authors(self.buckets.edge() - length)
    }

    /// Drops what is kept of these authors, given as `name_hash`, and adds to `batch` what removes it from the store.
    ///
    /// # Errors
    /// When a record cannot be encoded.
    pub(crate) fn forget_authors(&mut self, batch: &mut Batch, names: &[u64]) -> Result<(), StoreError> {
        self.authors.forget(batch, &self.name, names)
    }

    /// Drops the cascade hashes of these posts, given as `id_hash`. The store is not changed.
    pub fn forget_hashes(&mut self, ids: &[u64]) {
        self.cascades.forget(ids);
    }

    /// Drops cascade hashes and words that did not occur since `time` (Unix seconds); returns false if there were none.
    pub fn expire(&mut self, time: i64) -> bool {
        let posts = self.cascades.drop_before(time);
        let words = self.words.expire(time);
        self.reasons.expire(time) | words | posts
    }

    /// Records the normal rate of the last closed bucket, for charts.
    pub fn note_normal(&mut self, rate: f64) {
        self.history.note_normal(self.buckets.edge() - self.width, rate);
    }

    /// Writes everything that changed since the last call to `batch`. `commit` is a unique number of the commit.
    ///
    /// # Errors
    /// When a record cannot be encoded.
    pub fn save(&mut self, batch: &mut Batch, commit: u64) -> Result<(), StoreError> {
        if std::mem::take(&mut self.moved) {
            let known = TopicRecord { since: self.since, watermark: self.watermark };
            batch.put(&Key::new(Table::Topic).text(&self.name), &known)?;
        }
        self.buckets.save(batch, &self.name)?;
        self.seen.save(batch, &self.name, commit)?;
        self.samples.save(batch, &self.name)?;
        self.cascades.save(batch, &self.name)?;
        self.authors.save(batch, &self.name)?;
        self.words.save(batch, &self.name)?;
        self.reasons.save(batch, &self.name)?;
        let done = self.settled().min(self.learned_until).min(self.buckets.edge() - DAY);
        self.history.save(batch, &self.name, done)
    }

    /// Posts before this time (Unix seconds) are not counted any more.
    fn settled(&self) -> i64 {
        self.watermark.map_or(i64::MIN / 2, |watermark| watermark - self.lateness)
    }
}

/// Whether a cleaned word says something about the subject of a post. Negations matter to the models, but not here.
fn is_informative(word: &str) -> bool {
    let letters = word.chars().count();
    (3..=30).contains(&letters) && !matches!(word, "not" | "pas" | "non" | "nor" | "too" | "very")
}

/// Whether `word` is a part of the topic's name, such as "air", "paradis" or "airparadis".
fn is_of_name(word: &str, name: &str) -> bool {
    !name.is_empty() && (name.contains(word) || word.contains(name))
}

/// Length of the longest window.
fn sampled(spans: &[Span]) -> i64 {
    spans.iter().filter(|span| span.near == 0).map(|span| span.far).max().unwrap_or(0)
}
