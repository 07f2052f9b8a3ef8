//! How a poll walks through pages, and hands them over with a cursor that never runs ahead of them.

use std::collections::HashSet;

use super::super::client::Request;
use super::super::model::number;
use super::super::page::Page;
use super::super::walk::{Step, Walk};
use super::{LEAST, Poll, Trouble};
use crate::post::{Post, Unusable};
use crate::source::{Cursor, Delivery, MAX_DELIVERY, Outlet, SourceFailure, SourceState};

impl Poll {
    /// Goes through the pages of a window; how many posts are newer than `before`, or all of them without one.
    pub(super) async fn walk(
        &mut self,
        mut walk: Walk,
        before: Option<u64>,
        outlet: &Outlet,
    ) -> Result<usize, Trouble> {
        let mut new = HashSet::new();
        loop {
            let page = self.page(&walk, outlet).await?;
            let ids = page.posts.iter().filter_map(|post| number(&post.id));
            new.extend(ids.filter(|id| before.is_none_or(|before| *id > before)));
            let step = walk.take(&page);
            self.position.newest = self.position.newest.max(walk.newest);
            self.position.gap = if step == Step::Done { None } else { walk.rest() };
            self.position.paid = self.account.share(&self.name);
            if !page.is_empty() {
                self.deliver(page, outlet).await?;
            }
            if step != Step::Next {
                return Ok(new.len());
            }
        }
    }

    /// Asks for a page that the budget pays for.
    async fn page(&mut self, walk: &Walk, outlet: &Outlet) -> Result<Page, Trouble> {
        let target = &self.target;
        let money = self.account.reserve(&self.name, target.item, self.page, LEAST).map_err(Trouble::Budget)?;
        let mut request = Request::get(target.path.clone(), target.query.clone());
        request.query.push(("max_results", money.posts().to_string()));
        request.query.extend(walk.window());
        request.query.extend(walk.token().map(|token| (target.token, token.to_owned())));
        let answer = self.account.call_for_posts(target.endpoint, &request, &outlet.metrics).await;
        let page = answer.and_then(|answer| Page::read(&answer)).map_err(Trouble::Api)?;
        money.settle(page.paid());
        if page.errors > 0 {
            outlet.metrics.request(target.endpoint.name(), "partial");
        }
        self.patience.succeeded();
        let now = self.account.now();
        outlet.health.update(|report| {
            report.last_success = Some(now);
            report.state = SourceState::Working;
        });
        Ok(page)
    }

    /// Hands over a page, the oldest post first; the cursor goes with the last of it.
    pub(super) async fn deliver(&mut self, page: Page, outlet: &Outlet) -> Result<(), Trouble> {
        let (mut posts, mut unusable) = (page.posts, page.unusable);
        posts.reverse();
        for post in &mut posts {
            post.topic.clone_from(&self.topic);
        }
        while posts.len() + unusable.len() > MAX_DELIVERY {
            let (posts, unusable) = head(&mut posts, &mut unusable);
            let part = Delivery { posts, unusable, ..Delivery::default() };
            outlet.deliver(part).await.map_err(Trouble::Ended)?;
        }
        let failed = |error: serde_json::Error| Trouble::Ended(SourceFailure::Failed(format!("no cursor: {error}")));
        let cursor = Some(Cursor::new(&self.position).map_err(failed)?);
        let last = Delivery { posts, unusable, notices: page.notices, cursor, durable: None };
        outlet.deliver(last).await.map_err(Trouble::Ended)?;
        self.known = true;
        Ok(())
    }
}

/// Takes a delivery's worth off the front.
fn head(posts: &mut Vec<Post>, unusable: &mut Vec<Unusable>) -> (Vec<Post>, Vec<Unusable>) {
    let first: Vec<Post> = posts.drain(..posts.len().min(MAX_DELIVERY)).collect();
    let room = MAX_DELIVERY - first.len();
    (first, unusable.drain(..unusable.len().min(room)).collect())
}
