//! A page of posts, newest first: blocks are read as far back as the page needs, and their posts sorted.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Filter, candidates};
use crate::monitor::{StoredPost, block};
use crate::store::{StoreError, View};

/// Posts compared with the filter for one page, about.
const MAX_COMPARED: usize = 100_000;

/// Some posts, and where to continue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page {
    /// The newest first.
    pub posts: Vec<StoredPost>,
    /// Where the next page starts; none after the last.
    #[schema(value_type = Option<String>)]
    pub next: Option<PageToken>,
}

/// The place of a post in the order of pages: by time, then by where it is stored. As text, to be passed back as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PageToken {
    /// Unix milliseconds.
    time: i64,
    block: u64,
    place: u32,
}

/// A post that was found, ordered by its place.
struct Found {
    token: PageToken,
    post: StoredPost,
}

pub(super) fn read(
    view: &View<'_>,
    filter: &Filter,
    limit: usize,
    after: Option<PageToken>,
) -> Result<Page, StoreError> {
    let (from, until) = filter.span();
    let until = after.map_or(until, |token| until.min(token.time.div_euclid(1_000) + 1));
    let mut found: BinaryHeap<Found> = BinaryHeap::new();
    let (mut posts, mut next, mut compared) = (Vec::new(), None, 0);
    for id in candidates::of(view, filter, (from, until))? {
        let id = id?;
        // Posts newer than every block to come are in their final order.
        take(&mut found, &mut posts, &mut next, limit, |token| token.time.div_euclid(1_000) > id.newest);
        if posts.len() == limit {
            return Ok(Page { posts, next });
        }
        let resume = PageToken { time: (id.newest + 1) * 1_000, block: 0, place: 0 };
        // The next page starts with this block, unless that would be no progress.
        if compared >= MAX_COMPARED && after.is_none_or(|after| resume < after) {
            return Ok(Page { posts, next: Some(resume) });
        }
        let Some(bytes) = view.get_raw(&id.key())? else { continue };
        // The page continues from an older post: newer blocks of its slot are skipped.
        if after.is_some_and(|after| block::header(&bytes).is_ok_and(|header| header.oldest() > after.time)) {
            continue;
        }
        block::visit(&bytes, |place, post| {
            compared += 1;
            let token = PageToken { time: post.created_at().as_millisecond(), block: id.number, place };
            if after.is_none_or(|after| token < after) && filter.matches(&post) {
                found.push(Found { token, post: post.to_post() });
            }
        })?;
    }
    take(&mut found, &mut posts, &mut next, limit, |_| true);
    let more = !found.is_empty();
    Ok(Page { posts, next: next.filter(|_| more) })
}

/// Moves posts to the page while they are `settled` and there is room; `last` is the place of the last one.
fn take(
    found: &mut BinaryHeap<Found>,
    posts: &mut Vec<StoredPost>,
    last: &mut Option<PageToken>,
    limit: usize,
    settled: impl Fn(&PageToken) -> bool,
) {
    while posts.len() < limit && found.peek().is_some_and(|top| settled(&top.token)) {
        if let Some(Found { token, post }) = found.pop() {
            posts.push(post);
            *last = Some(token);
        }
    }
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.time, self.block, self.place)
    }
}

impl FromStr for PageToken {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let mut parts = text.split('.');
            let (time, block, place) = (parts.next()?, parts.next()?, parts.next()?);
            let token = Self { time: time.parse().ok()?, block: block.parse().ok()?, place: place.parse().ok()? };
            // Far enough from the end of time to calculate with.
            (parts.next().is_none() && token.time.abs() < i64::MAX / 4).then_some(token)
        };
        read().ok_or_else(|| "expected the `next` of an earlier page".to_owned())
    }
}

impl From<PageToken> for String {
    fn from(token: PageToken) -> Self {
        token.to_string()
    }
}

impl TryFrom<String> for PageToken {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        self.token == other.token
    }
}

impl Eq for Found {}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> Ordering {
        self.token.cmp(&other.token)
    }
}
