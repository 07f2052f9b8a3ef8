//! Reads the pages of a poll and sends each with a cursor that does not run ahead of it.

use std::collections::HashSet;

use super::super::client::Request;
use super::super::model::parse_id;
use super::super::page::ResponsePage;
use super::super::walk::{PageWalk, WalkStep};
use super::{MIN_PAGE_POSTS, PollError, PollSource};
use crate::post::{Post, RejectedRecord};
use crate::source::{Cursor, MAX_BATCH, SourceBatch, SourceFailure, SourceSender};

impl PollSource {
    /// Reads the pages of a window. Returns the number of posts newer than `before`, or of all posts without it.
    pub(super) async fn walk(
        &mut self,
        mut walk: PageWalk,
        before: Option<u64>,
        out: &SourceSender,
    ) -> Result<usize, PollError> {
        let mut new = HashSet::new();
        loop {
            let page = self.fetch_page(&walk, out).await?;
            let ids = page.posts.iter().filter_map(|post| parse_id(&post.id));
            new.extend(ids.filter(|id| before.is_none_or(|before| *id > before)));
            let step = walk.record_page(&page);
            self.position.newest = self.position.newest.max(walk.newest);
            self.position.gap = if step == WalkStep::Done { None } else { walk.remaining() };
            self.position.spend = self.account.spend_of(&self.name);
            if !page.is_empty() {
                self.send_page(page, out).await?;
            }
            if step != WalkStep::Next {
                return Ok(new.len());
            }
        }
    }

    /// Requests a page that the budget covers.
    async fn fetch_page(&mut self, walk: &PageWalk, out: &SourceSender) -> Result<ResponsePage, PollError> {
        let target = &self.target;
        let reservation =
            self.account.reserve(&self.name, target.item, self.page, MIN_PAGE_POSTS).map_err(PollError::Budget)?;
        let mut request = Request::get(target.path.clone(), target.query.clone());
        request.query.push(("max_results", reservation.posts().to_string()));
        request.query.extend(walk.window());
        request.query.extend(walk.page_token().map(|token| (target.page_parameter, token.to_owned())));
        let response = self.account.fetch_posts(target.endpoint, &request, &out.metrics).await;
        let page = response.and_then(|response| ResponsePage::read(&response)).map_err(PollError::Api)?;
        reservation.settle(page.billed());
        if page.errors > 0 {
            out.metrics.request(target.endpoint.name(), "partial");
        }
        self.retry_policy.reset();
        out.report_success();
        Ok(page)
    }

    /// Sends a page, oldest post first; the cursor goes with the last batch of it.
    pub(super) async fn send_page(&mut self, page: ResponsePage, out: &SourceSender) -> Result<(), PollError> {
        let (mut posts, mut rejected) = (page.posts, page.rejected);
        posts.reverse();
        for post in &mut posts {
            post.topic.clone_from(&self.topic);
        }
        while posts.len() + rejected.len() > MAX_BATCH {
            let (posts, rejected) = take_batch(&mut posts, &mut rejected);
            let part = SourceBatch { posts, rejected, ..SourceBatch::default() };
            out.send(part).await.map_err(PollError::Ended)?;
        }
        let failed = |error: serde_json::Error| {
            PollError::Ended(SourceFailure::Failed(format!("cannot serialise the cursor: {error}")))
        };
        let cursor = Some(Cursor::new(&self.position).map_err(failed)?);
        let last = SourceBatch { posts, rejected, compliance: page.compliance, cursor, ack: None };
        out.send(last).await.map_err(PollError::Ended)?;
        self.cursor_sent = true;
        Ok(())
    }
}

/// Takes up to [`MAX_BATCH`] records from the front.
fn take_batch(posts: &mut Vec<Post>, rejected: &mut Vec<RejectedRecord>) -> (Vec<Post>, Vec<RejectedRecord>) {
    let first: Vec<Post> = posts.drain(..posts.len().min(MAX_BATCH)).collect();
    let room = MAX_BATCH - first.len();
    (first, rejected.drain(..rejected.len().min(room)).collect())
}
