//! [`Authors`]: who wrote about a topic in the last day, by hash. Ten posts of one person are not the voice of ten people: each
//! further post of an author adds less to the votes that rules count.
//!
//! The posts of one author resemble each other. With the correlation `r` of their labels, `m` posts say as much as
//! `m / (1 + (m - 1) r)` posts of different people (the design effect of Kish 1965, with authors as clusters). The k-th post
//! adds the difference: 1, 0.54, 0.34, 0.23, ... and all posts of one author together stay below `1 / r`, 3.3 votes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::buckets::bucket_start;
use crate::classify::Label;
use crate::post::Post;
use crate::store::{Batch, Key, Store, StoreError, Table};

/// Correlation of the labels of one author's posts about one topic. Measured on the airline dump: 0.31 for posts within an
/// hour, 0.30 within a day and within three days.
const CORRELATION: f64 = 0.3;
/// Seconds for which an author's posts are remembered.
const HORIZON: i64 = 24 * 3_600;
/// Length of a slot in seconds. A slot expires as a whole.
const SLOT: i64 = 6 * 3_600;
/// Votes of a stored record. The last record of a slot is written again until it is full: a record for each commit would cost
/// more than everything else that is stored of a quiet topic.
const CHUNK: usize = 256;
/// Maximum number of posts that are remembered. Where there are more in a day, one author decides nothing.
const MAX_POSTS: usize = 65_536;
/// Thousandths of a vote in a vote.
pub(super) const VOTE: u64 = 1_000;

/// The stored form of a post: seconds since the start of its slot, hash of its author, whether it is negative.
type StoredVote = (u32, u64, bool);

#[derive(Debug, Default, Clone)]
struct AuthorSlot {
    votes: Vec<StoredVote>,
    /// How many of the votes are stored.
    saved: usize,
}

impl AuthorSlot {
    /// Numbers of the stored records.
    fn chunks(&self) -> std::ops::Range<usize> {
        0..self.saved.div_ceil(CHUNK)
    }
}

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

/// See the module.
#[derive(Debug, Default, Clone)]
pub(super) struct Authors {
    slots: BTreeMap<i64, AuthorSlot>,
    known: HashMap<u64, PostsOfAuthor>,
    posts: usize,
    /// Stored records to be removed: start of the slot, number.
    expired: Vec<(i64, usize)>,
}

impl Authors {
    pub(super) fn load(store: &Store, topic: &str) -> Result<Self, StoreError> {
        let mut authors = Self::default();
        for entry in store.scan::<(i64, Vec<StoredVote>)>(&Key::new(Table::Author).text(topic)) {
            let (_, (start, votes)) = entry?;
            for (_, author, negative) in &votes {
                authors.count(*author, *negative);
            }
            authors.posts += votes.len();
            let slot = authors.slots.entry(start).or_default();
            slot.votes.extend(votes);
            slot.saved = slot.votes.len();
        }
        Ok(authors)
    }

    /// Adds a post of `time`; `watermark` is the newest time of the topic (both in Unix seconds). A post without an author is
    /// one of a different person. With `keep` false nothing of the author is remembered.
    pub(super) fn add(&mut self, watermark: i64, time: i64, post: &Post, label: Label, keep: bool) -> Voice {
        self.expire(watermark);
        let is_negative = label == Label::Negative;
        let Some(author) = author_hash(post) else {
            return Voice { discount: 0, is_first_negative: is_negative };
        };
        let before = self.known.get(&author).copied().unwrap_or_default();
        if keep {
            let start = bucket_start(time, SLOT);
            let offset = u32::try_from(time - start).unwrap_or_default();
            self.slots.entry(start).or_default().votes.push((offset, author, is_negative));
            self.count(author, is_negative);
            self.posts += 1;
            // The slot that is being filled stays: without it the posts of now would have no history at all.
            while self.posts > MAX_POSTS && self.slots.len() > 1 {
                let first = self.slots.pop_first();
                self.drop_slot(first);
            }
        }
        Voice { discount: VOTE - vote(before.all + 1), is_first_negative: is_negative && before.negative == 0 }
    }

    /// Number of people who wrote a negative post at `from` or later (Unix seconds), as far as authors are known.
    pub(super) fn negative_authors(&self, from: i64) -> u64 {
        let slots = self.slots.range(bucket_start(from, SLOT)..);
        let votes = slots.flat_map(|(start, slot)| slot.votes.iter().map(move |vote| (*start, vote)));
        let negative = votes.filter(|(start, (offset, _, negative))| *negative && start + i64::from(*offset) >= from);
        negative.map(|(_, (_, author, _))| author).collect::<BTreeSet<_>>().len() as u64
    }

    fn count(&mut self, author: u64, negative: bool) {
        let posts = self.known.entry(author).or_default();
        posts.all += 1;
        posts.negative += u32::from(negative);
    }

    /// Drops slots that ended a horizon before `now` (Unix seconds).
    pub(super) fn expire(&mut self, now: i64) {
        while self.slots.first_key_value().is_some_and(|(start, _)| start + SLOT + HORIZON <= now) {
            let first = self.slots.pop_first();
            self.drop_slot(first);
        }
    }

    /// Drops slots that start after `time`.
    pub(super) fn drop_after(&mut self, time: i64) {
        while self.slots.last_key_value().is_some_and(|(start, _)| *start > time) {
            let last = self.slots.pop_last();
            self.drop_slot(last);
        }
    }

    fn drop_slot(&mut self, slot: Option<(i64, AuthorSlot)>) {
        let Some((start, slot)) = slot else { return };
        self.posts -= slot.votes.len();
        self.expired.extend(slot.chunks().map(|chunk| (start, chunk)));
        for (_, author, negative) in slot.votes {
            if let Some(posts) = self.known.get_mut(&author) {
                posts.all -= 1;
                posts.negative -= u32::from(negative);
                if posts.all == 0 {
                    self.known.remove(&author);
                }
            }
        }
    }

    /// Drops what is kept of these authors of `topic`, given as [`name_hash`], and adds to `batch` what removes it from the
    /// store. What is not stored yet stays so: its posts are not committed.
    pub(super) fn forget(&mut self, batch: &mut Batch, topic: &str, authors: &[u64]) -> Result<(), StoreError> {
        self.known.retain(|author, _| !authors.contains(author));
        for (start, slot) in &mut self.slots {
            let is_gone = |vote: &StoredVote| authors.contains(&vote.1);
            let gone = slot.votes.iter().filter(|vote| is_gone(vote)).count();
            let gone_of_saved = slot.votes.iter().take(slot.saved).filter(|vote| is_gone(vote)).count();
            let stored = slot.chunks();
            slot.votes.retain(|vote| !is_gone(vote));
            self.posts -= gone;
            slot.saved -= gone_of_saved;
            if gone_of_saved == 0 {
                continue;
            }
            stored.for_each(|chunk| batch.remove(&key(topic, *start, chunk)));
            for (chunk, votes) in slot.votes.get(..slot.saved).unwrap_or_default().chunks(CHUNK).enumerate() {
                batch.put(&key(topic, *start, chunk), &(*start, votes))?;
            }
        }
        Ok(())
    }

    /// Writes what is not stored yet, and removes what expired.
    pub(super) fn save(&mut self, batch: &mut Batch, topic: &str) -> Result<(), StoreError> {
        for (start, chunk) in self.expired.drain(..) {
            batch.remove(&key(topic, start, chunk));
        }
        for (start, slot) in self.slots.iter_mut().filter(|(_, slot)| slot.saved < slot.votes.len()) {
            let first = slot.saved / CHUNK;
            for (chunk, votes) in slot.votes.chunks(CHUNK).enumerate().skip(first) {
                batch.put(&key(topic, *start, chunk), &(*start, votes))?;
            }
            slot.saved = slot.votes.len();
        }
        Ok(())
    }
}

fn key(topic: &str, start: i64, chunk: usize) -> Key {
    Key::new(Table::Author).text(topic).time(start).number(chunk as u64)
}

/// Thousandths of a vote of an author's k-th post, from 1 on.
fn vote(k: u32) -> u64 {
    let effective = |posts: f64| posts / (1.0 + (posts - 1.0) * CORRELATION);
    let k = f64::from(k);
    let before = if k > 1.0 { effective(k - 1.0) } else { 0.0 };
    ((effective(k) - before) * VOTE as f64).round() as u64
}

/// The hash of a post's author: of the identifier, which outlives a change of the handle, or else of the handle.
fn author_hash(post: &Post) -> Option<u64> {
    let name = post.details.author_id.as_deref().or(post.author.as_deref()).filter(|name| !name.trim().is_empty());
    name.map(name_hash)
}

/// The hash of an author's identifier or handle, in any case and with or without `@`.
pub(crate) fn name_hash(name: &str) -> u64 {
    let name = name.trim().trim_start_matches('@').to_lowercase();
    twox_hash::XxHash64::oneshot(5, name.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn post(author: &str) -> Post {
        let author = (!author.is_empty()).then(|| author.to_owned());
        Post { author, ..Post::default() }
    }

    fn votes(authors: &mut Authors, author: &str, time: i64) -> u64 {
        VOTE - authors.add(time, time, &post(author), Label::Negative, true).discount
    }

    #[test]
    fn the_first_post_counts_and_each_further_one_less() {
        let mut authors = Authors::default();
        let angry: Vec<u64> = (0..5).map(|minute| votes(&mut authors, "ann", minute * 60)).collect();
        assert_eq!(angry, [1_000, 538, 337, 230, 167]);
        assert_eq!(votes(&mut authors, "@Ann ", 400), 127, "the same person");
        assert_eq!(votes(&mut authors, "bob", 500), 1_000);
        assert_eq!(
            (votes(&mut authors, "", 501), votes(&mut authors, "", 502)),
            (1_000, 1_000),
            "authors are not known"
        );
        assert!((1..10_000).map(vote).sum::<u64>() < 3_334, "one person never has more than 3.3 votes");
        assert_eq!(votes(&mut authors, "ann", HORIZON + SLOT), 1_000, "a day later it is news again");
    }

    #[test]
    fn people_are_counted_and_not_posts() {
        let mut authors = Authors::default();
        for minute in 0..8 {
            authors.add(minute * 60, minute * 60, &post("ann"), Label::Negative, true);
        }
        authors.add(480, 480, &post("bob"), Label::Positive, true);
        authors.add(500, 500, &post("cid"), Label::Negative, true);
        assert_eq!(authors.negative_authors(0), 2);
        assert_eq!(authors.negative_authors(421), 1, "ann's last post was at 420");
        let voice = authors.add(501, 501, &post("bob"), Label::Negative, true);
        assert!(voice.is_first_negative && voice.discount > 0, "a second post, but the first complaint");
    }

    #[test]
    fn a_forgotten_author_is_gone_from_memory_and_store() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let mut authors = Authors::default();
        let save = |authors: &mut Authors| {
            let mut batch = Batch::default();
            authors.save(&mut batch, "t").unwrap();
            store.commit(batch).unwrap();
        };
        for (time, author) in (0..).zip(["ann", "bob", "ann"]) {
            votes(&mut authors, author, time);
        }
        save(&mut authors);
        votes(&mut authors, "cid", 3);
        let mut batch = Batch::default();
        authors.forget(&mut batch, "t", &[name_hash("ANN")]).unwrap();
        store.commit(batch).unwrap();
        assert_eq!(Authors::load(&store, "t").unwrap().posts, 1, "cid's post is not committed yet");
        assert_eq!(authors.posts, 2);
        save(&mut authors);
        let mut loaded = Authors::load(&store, "t").unwrap();
        assert_eq!((loaded.posts, loaded.negative_authors(0)), (2, 2));
        assert_eq!(votes(&mut loaded, "ann", 9), 1_000);
    }

    proptest! {
        /// Whatever happens, a restart changes nothing, and the totals equal a recount.
        #[test]
        fn any_sequence_survives_a_restart(
            steps in proptest::collection::vec((0_i64..4_000, 0_u8..4, any::<bool>(), any::<bool>()), 1..60),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path()).unwrap();
            let mut authors = Authors::default();
            let mut time = 0;
            for (later, who, negative, restart) in steps {
                time += later;
                let label = if negative { Label::Negative } else { Label::Neutral };
                authors.add(time, time, &post(&who.to_string()), label, true);
                if restart {
                    let mut batch = Batch::default();
                    authors.save(&mut batch, "t").unwrap();
                    store.commit(batch).unwrap();
                    let loaded = Authors::load(&store, "t").unwrap();
                    prop_assert_eq!(loaded.negative_authors(0), authors.negative_authors(0));
                    authors = loaded;
                }
                let kept: usize = authors.slots.values().map(|slot| slot.votes.len()).sum();
                prop_assert_eq!(kept, authors.posts);
                prop_assert_eq!(authors.known.values().map(|posts| posts.all as usize).sum::<usize>(), kept);
            }
        }
    }
}
