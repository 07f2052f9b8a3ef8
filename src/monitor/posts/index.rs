//! The indexes of the posts table: where the posts of a topic and label are, and those of an identifier, author or cascade.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::SLOT;
use crate::classify::Label;
use crate::store::{Batch, Key, Range, StoreError, Table, View};

/// Parts that terms are spread over: a search for one reads a part.
const BUCKETS: u64 = 64;
/// Bits of a block's number that say which one of its commit it is.
const PART_BITS: u32 = 20;

/// Names a block; they sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlockId {
    /// The second of its newest post, in Unix time.
    pub(crate) newest: i64,
    pub(crate) number: u64,
}

impl BlockId {
    pub(super) fn new(newest: i64, commit: u64, part: u64) -> Self {
        Self { newest, number: (commit << PART_BITS) | part }
    }

    pub(crate) fn key(self) -> Key {
        Key::new(Table::Post).time(self.newest).number(self.number)
    }

    /// The block that a key ends in; none for a key too short for one.
    pub(crate) fn of_key(key: &Key) -> Option<Self> {
        let (newest, number) = key.last_time_and_number()?;
        Some(Self { newest, number })
    }

    /// The start of its slot, in Unix seconds.
    pub(crate) fn slot(self) -> i64 {
        self.newest - self.newest.rem_euclid(SLOT)
    }

    pub(super) fn commit(self) -> u64 {
        self.number >> PART_BITS
    }
}

/// The key under which the number of a block's posts of a topic and label is stored.
pub(crate) fn label_key(topic: &str, label: Label, block: BlockId) -> Key {
    label_prefix(topic, label).time(block.newest).number(block.number)
}

/// What all keys of a topic and label begin with.
pub(crate) fn label_prefix(topic: &str, label: Label) -> Key {
    Key::new(Table::PostLabel).text(topic).number(label as u64)
}

/// The blocks that hold posts of a topic and label, the newest first, from `from` up to, and not including, `until` (Unix
/// seconds).
pub(crate) fn blocks_of_label<'a>(
    view: &'a View<'_>,
    topic: &str,
    label: Label,
    (from, until): (i64, i64),
) -> Result<impl Iterator<Item = Result<BlockId, StoreError>> + use<'a>, StoreError> {
    let prefix = label_prefix(topic, label);
    let found = view.range(&prefix.clone().time(from), &prefix.time(until))?;
    Ok(found.rev().filter_map(|entry| entry.map(|(key, _)| BlockId::of_key(&key)).transpose()))
}

/// What a post can be found by, as a hash. A search finds other posts too, though rarely: compare what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Term(u64);

impl Term {
    /// Of a post's identifier or cascade, as `id_hash` gives it.
    pub(crate) fn of_hash(hash: u64) -> Self {
        Self(hash)
    }

    /// Of an author, by a name as the selector normalises it.
    pub(crate) fn author(name: &str) -> Self {
        // Not that of identifiers: the same digits may name a post and an author.
        Self(twox_hash::XxHash64::oneshot(3, name.as_bytes()))
    }

    fn bucket(self) -> u64 {
        self.0 % BUCKETS
    }

    fn hash(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// One block of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Posting {
    hash: u32,
    /// Seconds from the slot's start to the block's newest post.
    newest: u16,
    /// Which block of its commit.
    part: u32,
}

/// The postings of a commit in one slot, by bucket.
#[derive(Debug, Default)]
pub(super) struct Postings(BTreeMap<u64, Vec<Posting>>);

impl Postings {
    pub(super) fn extend(&mut self, terms: impl IntoIterator<Item = (Term, BlockId)>) {
        for (term, block) in terms {
            self.0.entry(term.bucket()).or_default().push(Posting::new(term, block));
        }
    }

    pub(super) fn put_all(self, batch: &mut Batch, slot: i64, commit: u64) -> Result<(), StoreError> {
        for (bucket, mut postings) in self.0 {
            // Sorted, so that the same posts give the same record in whatever order they came.
            postings.sort_unstable();
            postings.dedup();
            batch.put(&term_key(bucket, slot, commit), &postings)?;
        }
        Ok(())
    }
}

impl Posting {
    pub(super) fn new(term: Term, block: BlockId) -> Self {
        let newest = u16::try_from(block.newest - block.slot()).unwrap_or_default();
        Self { hash: term.hash(), newest, part: (block.number & ((1 << PART_BITS) - 1)) as u32 }
    }

    pub(crate) fn block(self, slot: i64, commit: u64) -> BlockId {
        BlockId::new(slot + i64::from(self.newest), commit, self.part.into())
    }
}

fn term_key(bucket: u64, slot: i64, commit: u64) -> Key {
    Key::new(Table::PostTerm).number(bucket).time(slot).number(commit)
}

fn damaged(error: &postcard::Error) -> StoreError {
    StoreError::Damaged { table: Some(Table::PostTerm), reason: error.to_string() }
}

/// The key of the record that holds a block's posting of `term`.
pub(super) fn key_of_term(term: Term, block: BlockId) -> Key {
    term_key(term.bucket(), block.slot(), block.commit())
}

/// The blocks that hold posts of a term, the newest first, in the slots from that of `from` up to `until` (Unix seconds).
pub(crate) struct BlocksOfTerm<'a> {
    records: Range<'a>,
    hash: u32,
    /// A record of the next slot, which was read already.
    ahead: Option<(i64, Vec<BlockId>)>,
    ready: VecDeque<BlockId>,
}

/// See [`BlocksOfTerm`].
pub(crate) fn blocks_of_term<'a>(
    view: &'a View<'_>,
    term: Term,
    (from, until): (i64, i64),
) -> Result<BlocksOfTerm<'a>, StoreError> {
    let bucket = Key::new(Table::PostTerm).number(term.bucket());
    let from = from.saturating_sub(from.rem_euclid(SLOT));
    let records = view.range(&bucket.clone().time(from), &bucket.time(until))?;
    Ok(BlocksOfTerm { records, hash: term.hash(), ahead: None, ready: VecDeque::new() })
}

impl BlocksOfTerm<'_> {
    /// The slot of the next record that has the term, and its blocks.
    fn next_record(&mut self) -> Option<Result<(i64, Vec<BlockId>), StoreError>> {
        loop {
            let (key, value) = match self.records.next_back()? {
                Ok(record) => record,
                Err(error) => return Some(Err(error)),
            };
            let Some(BlockId { newest: slot, number: commit }) = BlockId::of_key(&key) else { continue };
            let postings = match postcard::from_bytes::<Vec<Posting>>(&value) {
                Ok(postings) => postings,
                Err(error) => return Some(Err(damaged(&error))),
            };
            let found = postings.into_iter().filter(|posting| posting.hash == self.hash);
            let blocks: Vec<BlockId> = found.map(|posting| posting.block(slot, commit)).collect();
            if !blocks.is_empty() {
                return Some(Ok((slot, blocks)));
            }
        }
    }
}

impl Iterator for BlocksOfTerm<'_> {
    type Item = Result<BlockId, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(block) = self.ready.pop_front() {
            return Some(Ok(block));
        }
        // Commits of one slot overlap in time: all their blocks are sorted together.
        let (slot, mut blocks) = match self.ahead.take() {
            Some(ahead) => ahead,
            None => match self.next_record()? {
                Ok(record) => record,
                Err(error) => return Some(Err(error)),
            },
        };
        loop {
            match self.next_record() {
                Some(Ok((same, more))) if same == slot => blocks.extend(more),
                Some(Ok(other)) => {
                    self.ahead = Some(other);
                    break;
                }
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        blocks.sort_unstable_by(|a, b| b.cmp(a));
        blocks.dedup();
        self.ready = blocks.into();
        self.ready.pop_front().map(Ok)
    }
}
