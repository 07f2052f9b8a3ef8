//! The posts that the page lists, in the order that was asked for, and one of each cascade.

use std::collections::HashSet;

use serde::Serialize;

use super::PAGE;
use super::parameters::PostsParameters;
use crate::classify::Label;
use crate::monitor::StoredPost;
use crate::query::{MAX_SIMILAR_COMPARED, Order, PageToken, Query, SimilarPosts, Survey};
use crate::store::StoreError;
use crate::text::readable;

/// A post of the list.
#[derive(Debug, Serialize)]
pub(super) struct PostView {
    /// Its text without HTML entities.
    #[serde(flatten)]
    post: StoredPost,
    predicted: Label,
    corrected: bool,
    /// Further posts of its cascade that match.
    copies: u64,
    /// The probability of the label that counts.
    confidence: f32,
}

impl PostView {
    fn new(post: StoredPost, copies: u64) -> Self {
        let (predicted, corrected) = (post.predicted(), post.is_corrected());
        let confidence = post.probabilities.get(post.label as usize).copied().unwrap_or_default();
        let post = StoredPost { text: readable(&post.text), ..post };
        Self { post, predicted, corrected, copies, confidence }
    }
}

/// Some posts, and where to continue.
#[derive(Debug, Default)]
pub(super) struct PostList {
    /// None where the survey has them, because it counts all posts in any case.
    pub(super) posts: Option<Vec<StoredPost>>,
    pub(super) next: Option<PageToken>,
    pub(super) similar: Option<SimilarView>,
}

/// The post whose like are listed.
#[derive(Debug, Serialize)]
pub(super) struct SimilarView {
    id: String,
    text: String,
    /// Only so many posts were compared with it.
    bound: Option<usize>,
}

/// The posts that the page lists.
pub(super) fn read(query: &Query, asked: &PostsParameters) -> Result<PostList, StoreError> {
    if let Some(id) = &asked.similar {
        let Some(found) = query.similar(id, &asked.filter, PAGE)? else { return Ok(PostList::default()) };
        let SimilarPosts { post, posts, compared_until } = found;
        let bound = compared_until.map(|_| MAX_SIMILAR_COMPARED);
        let similar = SimilarView { text: readable(&post.text), id: post.id, bound };
        return Ok(PostList { posts: Some(posts), next: None, similar: Some(similar) });
    }
    match asked.order {
        Order::Newest => {
            let page = query.page(&asked.filter, PAGE, asked.page)?;
            Ok(PostList { posts: Some(page.posts), next: page.next, similar: None })
        }
        Order::Doubtful | Order::Influential => Ok(PostList::default()),
    }
}

/// One post of each cascade, with the number of further ones; all of them where one cascade is asked for.
pub(super) fn folded(posts: Vec<StoredPost>, survey: &Survey, in_cascade: bool) -> Vec<PostView> {
    let mut seen = HashSet::new();
    let shown = posts.into_iter().filter(|post| in_cascade || seen.insert(post.cascade));
    shown
        .map(|post| {
            let cascade = survey.cascades.iter().find(|(cascade, _)| *cascade == post.cascade && !in_cascade);
            let copies = cascade.map_or(0, |(_, posts)| posts - 1);
            PostView::new(post, copies)
        })
        .collect()
}
