//! [`PostTally`]: the stored posts of one topic in a time, counted: reasons, words, the most copied and the farthest reaching. A
//! post that repeats another counts as a copy of it, and not again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use super::ReportPost;
use super::words::WordTally;
use crate::classify::{Label, normalise_reason};
use crate::monitor::{CascadeId, Counting, StoredPost};

/// Posts shown of each kind.
pub(super) const MAX_POSTS: usize = 3;
/// Copies that make a post worth showing for them.
const MIN_COPIES: u64 = 2;
/// Negative posts with a reason that shares need.
pub(super) const MIN_REASONS: u64 = 20;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct PostTally {
    /// Posts that voted.
    pub posts: u64,
    /// The most frequent first.
    pub reasons: Vec<(String, u64)>,
    pub(super) words: WordTally,
    pub copied: Vec<ReportPost>,
    pub reached: Vec<ReportPost>,
}

/// Counts posts one by one.
#[derive(Debug, Default)]
pub(super) struct TallyBuilder {
    posts: u64,
    reasons: BTreeMap<String, u64>,
    words: WordTally,
    cascades: HashMap<CascadeId, u64>,
    reached: BinaryHeap<Reverse<Reaching>>,
}

/// A post ordered by how many it may have reached; then the older first, and by its identifier.
#[derive(Debug)]
struct Reaching {
    reach: u64,
    post: StoredPost,
}

impl TallyBuilder {
    pub(super) fn new(topic: &str) -> Self {
        Self { words: WordTally::new(topic), ..Self::default() }
    }

    pub(super) fn add(&mut self, post: &StoredPost) {
        match post.counting {
            Counting::Counted => {}
            Counting::Copied => {
                *self.cascades.entry(post.cascade).or_default() += 1;
                return;
            }
            // It is in no rate: its reason must be in no share either.
            Counting::TooLate => return,
        }
        self.posts += 1;
        self.words.add(post);
        if post.label == Label::Negative {
            post.reason.iter().for_each(|reason| *self.reasons.entry(normalise_reason(reason)).or_default() += 1);
        }
        let reach = reach(post);
        let least = self.reached.peek().map_or(0, |Reverse(least)| least.reach);
        if reach > 0 && (self.reached.len() < MAX_POSTS || reach >= least) {
            self.reached.push(Reverse(Reaching { reach, post: post.clone() }));
            if self.reached.len() > MAX_POSTS {
                self.reached.pop();
            }
        }
    }

    /// The result; `find` returns the first post of a cascade.
    ///
    /// # Errors
    /// Those of `find`.
    pub(super) fn finish<E>(
        self,
        find: &mut dyn FnMut(CascadeId) -> Result<Option<StoredPost>, E>,
    ) -> Result<PostTally, E> {
        let mut reasons: Vec<(String, u64)> = self.reasons.into_iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut cascades: Vec<(CascadeId, u64)> = self.cascades.iter().map(|(id, copies)| (*id, *copies)).collect();
        cascades.sort_by_key(|(id, copies)| (Reverse(*copies), *id));
        let mut copied = Vec::new();
        for (id, copies) in cascades {
            if copied.len() == MAX_POSTS || copies < MIN_COPIES {
                break;
            }
            // Its posts may have been erased.
            copied.extend(find(id)?.map(|post| report_post(&post, copies)));
        }
        let mut reached: Vec<Reaching> = self.reached.into_iter().map(|Reverse(reaching)| reaching).collect();
        reached.sort_by(|a, b| b.cmp(a));
        let copies = |post: &StoredPost| self.cascades.get(&post.cascade).copied().unwrap_or_default();
        let reached = reached.iter().map(|Reaching { post, .. }| report_post(post, copies(post)));
        // A post is shown once.
        let is_new = |post: &ReportPost| copied.iter().all(|other: &ReportPost| other.post.id != post.post.id);
        let reached = reached.filter(is_new).collect();
        Ok(PostTally { posts: self.posts, reasons, words: self.words, copied, reached })
    }
}

fn report_post(post: &StoredPost, copies: u64) -> ReportPost {
    ReportPost { post: post.to_sample(), label: post.label, copies, reach: reach(post) }
}

/// Followers of the author, and reactions.
fn reach(post: &StoredPost) -> u64 {
    let reactions =
        post.metrics.map_or(0, |metrics| metrics.reposts + metrics.replies + metrics.likes + metrics.quotes);
    post.followers.unwrap_or(0).saturating_add(reactions)
}

impl PartialEq for Reaching {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Reaching {}

impl PartialOrd for Reaching {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Reaching {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let older = other.post.created_at.cmp(&self.post.created_at);
        self.reach.cmp(&other.reach).then(older).then_with(|| other.post.id.cmp(&self.post.id))
    }
}
