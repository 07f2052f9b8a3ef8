//! How a block of posts is stored: a header with the names that its posts share (sources, topics, models, languages), then
//! the posts, each as short as its parts allow.

mod packed;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CascadeId, Counting, MAX_BLOCK_BYTES, MAX_BLOCK_POSTS, SLOT, StoredPost};
use crate::classify::Label;
use crate::post::PublicMetrics;
use crate::store::{StoreError, Table};
use crate::window::id_hash;

pub(crate) use packed::PackedPost;

/// A share in `[0, 1]` is stored as a number of these.
const SHARES: f32 = 65_535.0;

/// A post by reference, to be stored.
#[derive(Debug, Clone)]
pub(super) struct PostRef<'a, T> {
    pub(super) id: &'a str,
    pub(super) source: &'a str,
    pub(super) created_at: Timestamp,
    pub(super) stated_at: Option<Timestamp>,
    pub(super) author: Option<&'a str>,
    pub(super) author_id: Option<&'a str>,
    pub(super) url: Option<&'a str>,
    pub(super) text: &'a str,
    pub(super) lang: Option<&'a str>,
    pub(super) topics: T,
    pub(super) label: Label,
    pub(super) probabilities: [f32; 3],
    pub(super) reason: Option<&'a str>,
    pub(super) model: &'a str,
    pub(super) counting: Counting,
    pub(super) cascade: CascadeId,
    pub(super) followers: Option<u64>,
    pub(super) metrics: Option<PublicMetrics>,
}

/// A block in the making.
#[derive(Debug)]
pub(crate) struct Block {
    header: Header,
    /// The newest post, in milliseconds after the slot's start.
    newest: u32,
    /// The posts, encoded one after another.
    bytes: Vec<u8>,
    /// Topic (by the place of its name), label and posts.
    labels: Vec<(u32, Label, u32)>,
}

/// What stands before the posts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Start of the slot, in Unix seconds.
    slot: i64,
    /// The oldest post, in milliseconds after it.
    oldest: u32,
    posts: u32,
    names: Vec<String>,
}

/// A post in a block; names by their place in the header.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    #[serde(borrow)]
    id: Id<'a>,
    /// Milliseconds after the slot's start.
    after: u32,
    /// The time that the post states, where that is not used, in Unix milliseconds.
    stated: Option<i64>,
    source: u32,
    model: u32,
    topics: Cow<'a, [u32]>,
    lang: Option<u32>,
    author: Option<&'a str>,
    author_id: Option<Id<'a>>,
    url: Option<Url<'a>>,
    label: Label,
    negative: u16,
    neutral: u16,
    reason: Option<u32>,
    counting: Counting,
    /// None where the post is the first of its cascade.
    cascade: Option<u64>,
    followers: Option<u64>,
    metrics: Option<PublicMetrics>,
    text: &'a str,
}

/// Most identifiers are numbers, which take half the bytes of their digits.
#[derive(Serialize, Deserialize)]
enum Id<'a> {
    Number(u64),
    Text(&'a str),
}

/// Most addresses end in the post's identifier, and begin alike.
#[derive(Serialize, Deserialize)]
enum Url<'a> {
    BeforeId(u32),
    Whole(&'a str),
}

impl<'a> Id<'a> {
    fn of(text: &'a str) -> Self {
        // "007" and "+7" are numbers too, and would come back as "7".
        match text.parse::<u64>() {
            Ok(number) if !text.starts_with(['0', '+']) => Self::Number(number),
            _ => Self::Text(text),
        }
    }

    fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => Cow::Borrowed(*text),
        }
    }
}

impl Block {
    /// An empty block for posts of the slot that starts at `slot` (Unix seconds).
    pub(super) fn new(slot: i64) -> Self {
        let header = Header { slot, oldest: u32::MAX, posts: 0, names: Vec::new() };
        Self { header, newest: 0, bytes: Vec::new(), labels: Vec::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.header.posts >= MAX_BLOCK_POSTS || self.bytes.len() >= MAX_BLOCK_BYTES
    }

    /// The second of the newest post, in Unix time.
    pub(super) fn newest(&self) -> i64 {
        self.header.slot + i64::from(self.newest / 1_000)
    }

    /// How many posts of which topic and label it holds.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&str, Label, u32)> {
        self.labels.iter().map(|(topic, label, posts)| (self.header.name(*topic), *label, *posts))
    }

    pub(super) fn push<'a>(&mut self, post: &PostRef<'a, impl Iterator<Item = &'a str> + Clone>) {
        let after = post.created_at.as_millisecond() - self.header.slot * 1_000;
        let after = u32::try_from(after).unwrap_or_default();
        (self.header.oldest, self.newest) = (self.header.oldest.min(after), self.newest.max(after));
        self.header.posts += 1;
        let mut place = |name: &str| self.header.place(name);
        let topics: Vec<u32> = post.topics.clone().map(&mut place).collect();
        let url = post.url.map(|url| match url.strip_suffix(post.id) {
            Some(before) if !post.id.is_empty() => Url::BeforeId(place(before)),
            _ => Url::Whole(url),
        });
        let packed = Packed {
            id: Id::of(post.id),
            after,
            stated: post.stated_at.map(Timestamp::as_millisecond),
            source: place(post.source),
            model: place(post.model),
            topics: Cow::Borrowed(&topics),
            lang: post.lang.map(&mut place),
            author: post.author,
            author_id: post.author_id.map(Id::of),
            url,
            label: post.label,
            negative: share(post.probabilities[0]),
            neutral: share(post.probabilities[1]),
            reason: post.reason.map(&mut place),
            counting: post.counting,
            cascade: Some(post.cascade.0).filter(|root| *root != id_hash(post.id)),
            followers: post.followers,
            metrics: post.metrics,
            text: post.text,
        };
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes =
            postcard::to_extend(&packed, bytes).expect("a vector grows, and every part of a post can be written");
        for topic in topics {
            match self.labels.iter_mut().find(|(known, label, _)| (*known, *label) == (topic, post.label)) {
                Some((_, _, posts)) => *posts += 1,
                None => self.labels.push((topic, post.label, 1)),
            }
        }
    }

    /// The bytes to be stored.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let mut bytes = postcard::to_stdvec(&self.header).map_err(StoreError::Encode)?;
        bytes.extend_from_slice(&self.bytes);
        Ok(bytes)
    }
}

impl Header {
    fn place(&mut self, name: &str) -> u32 {
        // A block has a dozen names: comparing them is faster than hashing.
        let known = self.names.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        }) as u32
    }

    fn name(&self, place: u32) -> &str {
        self.names.get(place as usize).map_or("", String::as_str)
    }

    /// When its oldest post was written, in Unix milliseconds.
    pub(crate) fn oldest(&self) -> i64 {
        self.slot * 1_000 + i64::from(self.oldest)
    }
}

impl<'a> From<&'a StoredPost> for PostRef<'a, std::iter::Map<std::slice::Iter<'a, String>, fn(&'a String) -> &'a str>> {
    fn from(post: &'a StoredPost) -> Self {
        Self {
            id: &post.id,
            source: &post.source,
            created_at: post.created_at,
            stated_at: post.stated_at,
            author: post.author.as_deref(),
            author_id: post.author_id.as_deref(),
            url: post.url.as_deref(),
            text: &post.text,
            lang: post.lang.as_deref(),
            topics: post.topics.iter().map(String::as_str),
            label: post.label,
            probabilities: post.probabilities,
            reason: post.reason.as_deref(),
            model: &post.model,
            counting: post.counting,
            cascade: post.cascade,
            followers: post.followers,
            metrics: post.metrics,
        }
    }
}

/// A block of these posts, which lie in one slot; none where there are none.
pub(crate) fn of_posts(posts: &[StoredPost]) -> Option<Block> {
    let time = posts.first()?.created_at.as_second();
    let mut block = Block::new(time - time.rem_euclid(SLOT));
    posts.iter().for_each(|post| block.push(&PostRef::from(post)));
    Some(block)
}

/// The header of a stored block, without its posts.
///
/// # Errors
/// When the bytes are not those of a block.
pub(crate) fn header(bytes: &[u8]) -> Result<Header, StoreError> {
    Ok(postcard::take_from_bytes::<Header>(bytes).map_err(|error| damaged(&error))?.0)
}

/// The posts of a stored block.
///
/// # Errors
/// When the bytes are not those of a block.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<StoredPost>, StoreError> {
    let mut posts = Vec::new();
    visit(bytes, |_, post| posts.push(post.to_post()))?;
    Ok(posts)
}

/// Shows each post of a stored block to `visit`, with its place, without a copy.
///
/// # Errors
/// When the bytes are not those of a block.
pub(crate) fn visit(bytes: &[u8], mut visit: impl FnMut(u32, PackedPost<'_>)) -> Result<(), StoreError> {
    let (header, mut rest) = postcard::take_from_bytes::<Header>(bytes).map_err(|error| damaged(&error))?;
    for place in 0..header.posts {
        let (packed, behind) = postcard::take_from_bytes::<Packed<'_>>(rest).map_err(|error| damaged(&error))?;
        visit(place, PackedPost::new(&header, packed)?);
        rest = behind;
    }
    if rest.is_empty() { Ok(()) } else { Err(damaged(&format_args!("{} bytes too many", rest.len()))) }
}

/// The post at `place` of a stored block, if it has one there.
///
/// # Errors
/// When the bytes are not those of a block.
pub(crate) fn post_at(bytes: &[u8], place: u32) -> Result<Option<StoredPost>, StoreError> {
    let mut found = None;
    visit(bytes, |other, post| {
        if other == place {
            found = Some(post.to_post());
        }
    })?;
    Ok(found)
}

fn share(probability: f32) -> u16 {
    (probability * SHARES).round() as u16
}

fn damaged(reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged { table: Some(Table::Post), reason: reason.to_string() }
}
