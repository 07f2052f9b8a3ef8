//! [`Authors`]: who wrote about a topic in the last day, by hash. Ten posts of one person are not the voice of ten people: each
//! further post of an author adds less to the votes that rules count.
//!
//! The posts of one author resemble each other. With the correlation `r` of their labels, `m` posts say as much as
//! `m / (1 + (m - 1) r)` posts of different people (the design effect of Kish 1965, with authors as clusters). The k-th post
//! adds the difference: 1, 0.54, 0.34, 0.23, ... and all posts of one author together stay below `1 / r`, 3.3 votes.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::classify::Label;
use crate::post::Post;
use crate::stats::cluster_weight;
use crate::store::{Batch, Key, Store, StoreError, Table};

/// Correlation of the labels of one author's posts about one topic. Measured on the airline dump: 0.31 for posts within an
/// hour, 0.30 within a day and within three days.
const CORRELATION: f64 = 0.3;
/// Seconds for which an author's posts are remembered.
const HORIZON: i64 = 24 * 3_600;
/// Maximum number of posts that are remembered. Where there are more in a day, one author decides nothing.
const MAX_POSTS: usize = 65_536;
/// Votes of a stored record. The last record is written again until it is full: a record for each commit would cost more than
/// everything else that is stored of a quiet topic.
const CHUNK: u64 = 256;
/// The hash of an unknown author, who is another person in each post.
const UNKNOWN: u64 = 0;
/// Thousandths of a vote in a vote.
pub(super) const VOTE: u64 = 1_000;

/// Unix seconds of a post, hash of its author, whether it is negative.
type AuthorVote = (i64, u64, bool);

/// The posts of one author within the horizon.
#[derive(Debug, Default, Clone, Copy)]
struct PostsOfAuthor {
    all: u32,
    negative: u32,
}

/// How a post counts, given what its author wrote before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Voice {
    /// Thousandths of a vote that the post lacks.
    pub(super) discount: u64,
    /// Whether this is the first negative post of its author.
    pub(super) is_first_negative: bool,
}

/// See the module. Votes have numbers; a stored record holds those of `CHUNK` numbers, with the number of the first.
#[derive(Debug, Default, Clone)]
pub(super) struct Authors {
    /// In the order of arrival.
    votes: VecDeque<AuthorVote>,
    /// Number of the first of them.
    first: u64,
    /// Votes before this number are stored.
    saved: u64,
    /// Number of the oldest record in the store, and whether it holds votes that expired since.
    oldest_record: u64,
    is_stale: bool,
    known: HashMap<u64, PostsOfAuthor>,
}

impl Authors {
    pub(super) fn load(store: &Store, topic: &str) -> Result<Self, StoreError> {
        let mut authors = Self::default();
        for entry in store.scan::<(u64, Vec<AuthorVote>)>(&Key::new(Table::Author).text(topic)) {
            let (_, (first, votes)) = entry?;
            if authors.votes.is_empty() {
                (authors.first, authors.oldest_record) = (first, first / CHUNK);
            }
            votes.into_iter().for_each(|vote| authors.push(vote));
        }
        authors.saved = authors.next();
        Ok(authors)
    }

    /// Adds a post of `time`; `watermark` is the newest time of the topic (both in Unix seconds). A post without an author is
    /// one of a different person. With `keep` false nothing of the author is remembered.
    pub(super) fn add(&mut self, watermark: i64, time: i64, post: &Post, label: Label, keep: bool) -> Voice {
        let author = author_hash(post);
        self.add_author(watermark, time, (author, if keep { author } else { UNKNOWN }), label)
    }

    /// As [`Authors::add`], for the hash of an author, and the one that is remembered.
    pub(super) fn add_author(
        &mut self,
        watermark: i64,
        time: i64,
        (author, remembered): (u64, u64),
        label: Label,
    ) -> Voice {
        self.expire(watermark);
        let is_negative = label == Label::Negative;
        let before = self.known.get(&author).copied().unwrap_or_default();
        self.push((time, remembered, is_negative));
        if self.votes.len() > MAX_POSTS {
            self.pop();
        }
        Voice { discount: VOTE - vote(before.all + 1), is_first_negative: is_negative && before.negative == 0 }
    }

    /// Number of people who wrote a negative post at `from` or later (Unix seconds); none where not all of them are known.
    pub(super) fn negative_authors(&self, from: i64) -> Option<u64> {
        let is_cut = self.votes.len() == MAX_POSTS && self.votes.front().is_some_and(|(time, ..)| *time > from);
        let negative = self.votes.iter().filter(|(time, _, negative)| *negative && *time >= from);
        let authors: BTreeSet<u64> = negative.map(|(_, author, _)| *author).collect();
        (!is_cut && !authors.contains(&UNKNOWN)).then_some(authors.len() as u64)
    }

    /// Drops posts that are older than the horizon at `now` (Unix seconds).
    pub(super) fn expire(&mut self, now: i64) {
        while self.votes.front().is_some_and(|(time, ..)| *time + HORIZON <= now) {
            self.pop();
        }
    }

    fn push(&mut self, vote: AuthorVote) {
        let (_, author, negative) = vote;
        if author != UNKNOWN {
            let posts = self.known.entry(author).or_default();
            posts.all += 1;
            posts.negative += u32::from(negative);
        }
        self.votes.push_back(vote);
    }

    fn pop(&mut self) {
        let Some((_, author, negative)) = self.votes.pop_front() else { return };
        self.is_stale |= self.first < self.saved;
        self.first += 1;
        if let Some(posts) = self.known.get_mut(&author) {
            posts.all -= 1;
            posts.negative -= u32::from(negative);
            if posts.all == 0 {
                self.known.remove(&author);
            }
        }
    }

    /// Number of the next vote.
    fn next(&self) -> u64 {
        self.first + self.votes.len() as u64
    }

    /// Drops what is kept of these authors of `topic`, given as [`name_hash`], and adds to `batch` what removes it from the
    /// store: their posts become those of unknown authors. What is not stored yet stays so, as its posts are not committed.
    pub(super) fn forget(&mut self, batch: &mut Batch, topic: &str, authors: &[u64]) -> Result<(), StoreError> {
        self.known.retain(|author, _| !authors.contains(author));
        let mut changed = BTreeSet::new();
        for (number, (_, author, _)) in (self.first..).zip(&mut self.votes) {
            if authors.contains(author) {
                *author = UNKNOWN;
                changed.insert(number / CHUNK);
            }
        }
        // The oldest record also has votes that expired since: it is written whatever it holds.
        changed.insert(self.first / CHUNK);
        changed.into_iter().try_for_each(|record| self.write(batch, topic, record, self.saved))
    }

    /// Writes what is not stored yet, and removes what expired.
    pub(super) fn save(&mut self, batch: &mut Batch, topic: &str) -> Result<(), StoreError> {
        if std::mem::take(&mut self.is_stale) {
            if self.votes.is_empty() {
                // The next vote begins a record, so that this one can go.
                self.first = self.first.next_multiple_of(CHUNK);
                self.saved = self.first;
            }
            while self.oldest_record < self.first / CHUNK {
                batch.remove(&key(topic, self.oldest_record));
                self.oldest_record += 1;
            }
            // Nobody's hash stays longer than the horizon.
            self.write(batch, topic, self.oldest_record, self.saved)?;
        }
        let next = self.next();
        if self.saved < next {
            let from = self.saved.max(self.first) / CHUNK;
            (from..=(next - 1) / CHUNK).try_for_each(|record| self.write(batch, topic, record, next))?;
            self.saved = next;
        }
        Ok(())
    }

    /// Writes a record with the votes before number `end`.
    fn write(&self, batch: &mut Batch, topic: &str, record: u64, end: u64) -> Result<(), StoreError> {
        let start = (record * CHUNK).max(self.first);
        let end = ((record + 1) * CHUNK).min(end);
        let place = |number: u64| usize::try_from(number - self.first).unwrap_or(usize::MAX);
        if start < end {
            let votes: Vec<&AuthorVote> = self.votes.range(place(start)..place(end)).collect();
            batch.put(&key(topic, record), &(start, votes))
        } else {
            batch.remove(&key(topic, record));
            Ok(())
        }
    }
}

fn key(topic: &str, record: u64) -> Key {
    Key::new(Table::Author).text(topic).number(record)
}

/// Thousandths of a vote of an author's k-th post, from 1 on.
fn vote(k: u32) -> u64 {
    let effective = |posts: f64| posts * cluster_weight(posts, CORRELATION);
    let k = f64::from(k);
    let before = if k > 1.0 { effective(k - 1.0) } else { 0.0 };
    ((effective(k) - before) * VOTE as f64).round() as u64
}

/// The hash of a post's author: of the identifier, which outlives a change of the handle, or else of the handle.
fn author_hash(post: &Post) -> u64 {
    let name = post.details.author_id.as_deref().or(post.author.as_deref()).filter(|name| !name.trim().is_empty());
    name.map_or(UNKNOWN, name_hash)
}

/// The hash of an author's identifier or handle, in any case and with or without `@`.
pub(crate) fn name_hash(name: &str) -> u64 {
    let name = name.trim().trim_start_matches('@').to_lowercase();
    twox_hash::XxHash64::oneshot(5, name.as_bytes())
}

#[cfg(test)]
mod tests;
