//! [`TopicWindow`]: everything counted for one topic. It puts buckets, cascades, words, samples and history together,
//! and answers rules and messages. `arrival` counts posts, `stored` loads and saves.

mod arrival;
mod stored;

pub use arrival::Arrival;

use super::authors::Authors;
use super::buckets::Buckets;
use super::cascade::Cascades;
use super::history::{History, relabel_stored_hour};
use super::samples::Samples;
use super::seen_ids::SeenIds;
use super::slot::SLOT;
use super::words::{DistinctiveWord, TermKind, WordCounts};
use super::{Config, Counts, Sample, Span, plain_name};
use crate::classify::Label;
use crate::store::{Batch, Store, StoreError};

/// Length of [`TopicWindow::day_history`] in seconds.
const DAY: i64 = 86_400;
/// Minimum length of its steps in seconds.
const MIN_STEP: i64 = 900;
/// Maximum length in seconds of the window whose words are counted.
const MAX_WORDS_WINDOW: i64 = 6 * 3_600;

const HOUR: i64 = 3_600;

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
            plain_name: plain_name(name),
        }
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

    /// Start of the window whose words are counted, in Unix seconds.
    fn words_start(&self) -> i64 {
        self.buckets.edge() - self.sampled.min(MAX_WORDS_WINDOW)
    }

    /// Closes the open bucket.
    pub fn advance(&mut self) {
        self.buckets.advance();
        let edge = self.buckets.edge();
        self.authors.expire(edge);
        // Samples and words expire slot by slot: in most minutes none does.
        let slot = |back: i64, edge: i64| (edge - back).div_euclid(SLOT);
        let spans = [self.sampled, self.sampled.min(MAX_WORDS_WINDOW)];
        if spans.into_iter().any(|back| slot(back, edge) != slot(back, edge - self.width)) {
            self.drop_slots();
        }
    }

    fn drop_expired(&mut self) {
        self.authors.expire(self.buckets.edge());
        self.drop_slots();
    }

    fn drop_slots(&mut self) {
        self.samples.drop_before(self.buckets.edge() - self.sampled);
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

    /// Which buckets the late posts among [`TopicWindow::closed`] belong to, the oldest first.
    pub fn closed_late(&self) -> &[super::LateShare] {
        self.buckets.closed_late()
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

    /// Counts the post `id` of `time` (Unix seconds), which counted as `from`, as `to`. The store is changed with the next save;
    /// where the hour of the post is only there, it is changed with `batch`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn relabel(
        &mut self,
        (store, batch): (&Store, &mut Batch),
        (id, time): (&str, i64),
        (from, to): (Label, Label),
    ) -> Result<(), StoreError> {
        self.buckets.relabel(time, from, to);
        if !self.history.relabel(time, from, to) {
            relabel_stored_hour((store, batch), (&self.name, time), (from, to))?;
        }
        if to != Label::Negative {
            self.samples.drop_post(id);
        }
        Ok(())
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

    /// Posts before this time (Unix seconds) are not counted any more.
    fn settled(&self) -> i64 {
        self.watermark.map_or(i64::MIN / 2, |watermark| watermark - self.lateness)
    }
}

/// Length of the longest window.
fn sampled(spans: &[Span]) -> i64 {
    spans.iter().filter(|span| span.near == 0).map(|span| span.far).max().unwrap_or(0)
}
