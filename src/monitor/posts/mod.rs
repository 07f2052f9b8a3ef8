//! The posts table: every classified post of a topic, for as long as `retention.posts_days` allows. The monitor writes it
//! in the same batch as the windows; `query` reads it.
//!
//! ```text
//!   Post       (newest second, block number)                  a block of posts: [`block`]
//!   PostLabel  (topic, label, newest second, block number)    how many of them the block holds
//!   PostTerm   (bucket, slot, commit)                         hashes of identifiers, authors and cascades, and their blocks
//! ```
//!
//! Posts are stored in blocks, and indexes point to blocks: sled's cost follows the number of records. A commit makes one
//! block for each slot of time that its posts lie in, or more where they do not fit into one. All posts of a block lie in
//! one slot, so that a reader who goes back in time knows when a block can hold nothing newer.

pub(crate) mod block;
pub(crate) mod erase;
pub(crate) mod index;
pub(in crate::monitor) mod relabel;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::label_schema::{label_schema, metrics_schema};
use super::privacy::selector::{normal_author, reposted};
use crate::classify::{ClassifiedPost, Label};
use crate::post::PublicMetrics;
use crate::store::{Batch, StoreError};
use crate::text::readable;
use crate::window::{Sample, id_hash};
use block::{Block, PostRef};
use index::{BlockId, Postings, Term};

/// Seconds of event time that share a block.
pub(crate) const SLOT: i64 = 300;
/// Posts in a block.
const MAX_BLOCK_POSTS: u32 = 128;
/// Bytes of a block, about. sled keeps up to 16 records in a page, and a page of more than 128 KiB in a file apart, whose failure it
/// does not survive: seen on a full disk.
const MAX_BLOCK_BYTES: usize = 6 << 10;

/// How a stored post was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    Counted,
    /// It repeats a post that voted.
    Copied,
    /// It was older than the lateness allows, and not counted.
    TooLate,
}

/// Names a cascade: a hash of the identifier of its first post. As text 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CascadeId(pub(crate) u64);

/// A post as it is kept. Personal data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StoredPost {
    /// The source's own identifier.
    pub id: String,
    /// The source that received it.
    pub source: String,
    pub created_at: Timestamp,
    /// The time that the post states, where it cannot be true; `created_at` is then when it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_at: Option<Timestamp>,
    /// Handle without `@`.
    pub author: Option<String>,
    /// The source's own identifier of the author.
    pub author_id: Option<String>,
    /// Where the post can be read.
    pub url: Option<String>,
    /// As posted.
    pub text: String,
    /// BCP 47 language as the source states it.
    pub lang: Option<String>,
    pub topics: Vec<String>,
    /// The one that counts: the model's, or what a person put in its place.
    #[schema(schema_with = label_schema)]
    pub label: Label,
    /// In the order of [`Label::ALL`]; to four digits.
    pub probabilities: [f32; 3],
    /// Why it is negative, where that is known.
    pub reason: Option<String>,
    /// The model that read it.
    pub model: String,
    pub counting: Counting,
    #[schema(value_type = String)]
    pub cascade: CascadeId,
    /// Accounts that follow the author.
    pub followers: Option<u64>,
    #[schema(schema_with = metrics_schema)]
    pub metrics: Option<PublicMetrics>,
}

/// The posts since the last commit.
#[derive(Debug, Default)]
pub(super) struct PendingPosts {
    slots: BTreeMap<i64, Slot>,
}

/// Those of one slot.
#[derive(Debug, Default)]
struct Slot {
    /// The last one takes further posts.
    blocks: Vec<Block>,
    /// The index of a block in `blocks`, for each term of its posts.
    terms: Vec<(Term, u32)>,
}

impl PendingPosts {
    /// Adds a post that was counted in `topics`.
    pub(super) fn push(
        &mut self,
        source: &str,
        topics: &[&str],
        classified: &ClassifiedPost,
        model: &str,
        (counting, cascade): (Counting, CascadeId),
    ) {
        let ClassifiedPost { post, prediction } = classified;
        self.insert(&PostRef {
            id: &post.id,
            source,
            created_at: post.created_at,
            stated_at: post.details.stated_at,
            author: post.author.as_deref(),
            author_id: post.details.author_id.as_deref(),
            url: post.details.url.as_deref(),
            text: &post.text,
            lang: post.lang.as_deref(),
            topics: topics.iter().copied(),
            label: prediction.label,
            probabilities: prediction.probabilities,
            reason: post.details.reason.as_deref(),
            model,
            counting,
            cascade,
            followers: post.details.followers,
            metrics: post.details.metrics,
        });
    }

    fn insert<'a>(&mut self, post: &PostRef<'a, impl Iterator<Item = &'a str> + Clone>) {
        let time = post.created_at.as_second();
        let start = time - time.rem_euclid(SLOT);
        let slot = self.slots.entry(start).or_default();
        if slot.blocks.last().is_none_or(Block::is_full) {
            slot.blocks.push(Block::new(start));
        }
        let place = slot.blocks.len() as u32 - 1;
        if let Some(block) = slot.blocks.last_mut() {
            block.push(post);
        }
        each_term(post, |term| slot.terms.push((term, place)));
    }

    /// Removes the posts that `erased` selects, and returns them.
    pub(super) fn remove(&mut self, erased: impl Fn(&StoredPost) -> bool) -> Result<Vec<StoredPost>, StoreError> {
        let mut removed = Vec::new();
        for slot in std::mem::take(&mut self.slots).into_values() {
            for block in slot.blocks {
                for post in block::decode(&block.encode()?)? {
                    if erased(&post) {
                        removed.push(post);
                    } else {
                        self.insert(&PostRef::from(&post));
                    }
                }
            }
        }
        Ok(removed)
    }

    /// Moves all posts to `batch`. `commit` numbers commits and never repeats.
    pub(super) fn save(&mut self, batch: &mut Batch, commit: u64) -> Result<(), StoreError> {
        let mut part = 0;
        for (start, slot) in std::mem::take(&mut self.slots) {
            let mut ids = Vec::with_capacity(slot.blocks.len());
            for block in &slot.blocks {
                let id = BlockId::new(block.newest(), commit, part);
                part += 1;
                batch.put_raw(&id.key(), block.encode()?);
                for (topic, label, posts) in block.labels() {
                    batch.put(&index::label_key(topic, label, id), &posts)?;
                }
                ids.push(id);
            }
            let mut postings = Postings::default();
            for (term, place) in slot.terms {
                postings.extend(ids.get(place as usize).map(|id| (term, *id)));
            }
            postings.put_all(batch, start, commit)?;
        }
        Ok(())
    }
}

/// What a post is found by: its identifier, its cascade, and the names of its author and of whom it reposts.
fn each_term<'a>(post: &PostRef<'a, impl Iterator<Item = &'a str> + Clone>, mut note: impl FnMut(Term)) {
    let own = id_hash(post.id.trim());
    note(Term::of_hash(own));
    // The first post of a cascade is found by its identifier.
    if post.cascade.0 != own {
        note(Term::of_hash(post.cascade.0));
    }
    for name in [post.author, post.author_id].into_iter().flatten() {
        note(Term::author(&normal_author(name)));
    }
    if let Some(name) = reposted(post.text) {
        note(Term::author(&name));
    }
}

impl StoredPost {
    /// The model's own label; [`StoredPost::label`] is another one where a person corrected it.
    pub fn predicted(&self) -> Label {
        Label::most_likely(self.probabilities)
    }

    pub fn is_corrected(&self) -> bool {
        self.label != self.predicted()
    }

    /// What an alert shows of it.
    pub(crate) fn to_sample(&self) -> Sample {
        Sample {
            id: self.id.clone(),
            created_at: self.created_at,
            author: self.author.clone(),
            author_id: self.author_id.clone(),
            url: self.url.clone(),
            text: readable(&self.text),
            negative: self.probabilities[0],
        }
    }

    fn terms(&self) -> Vec<Term> {
        let mut terms = Vec::new();
        each_term(&PostRef::from(self), |term| terms.push(term));
        terms
    }
}

impl CascadeId {
    /// The cascade that starts with the post `id`.
    pub fn of_post(id: &str) -> Self {
        Self(id_hash(id.trim()))
    }
}

impl fmt::Display for CascadeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<CascadeId> for String {
    fn from(id: CascadeId) -> Self {
        id.to_string()
    }
}

impl FromStr for CascadeId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        id.map(Self).ok_or_else(|| "expected the 16 hexadecimal digits of a cascade".to_owned())
    }
}

impl TryFrom<String> for CascadeId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests;
