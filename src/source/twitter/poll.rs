//! [`Poll`]: the loop that search and mentions share. It asks for what is new, delivers page by page with a cursor that
//! never runs ahead, and waits: between polls, and for what holds it up.

use std::collections::HashSet;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::budget::{Exhausted, Item};
use super::client::Request;
use super::cursor::{Gap, Position, Since, earlier};
use super::error::ApiError;
use super::hold::{Held, Patience};
use super::interval::Interval;
use super::limits::Endpoint;
use super::page::Page;
use super::wait::wait_until;
use super::walk::{Step, Walk};
use super::{Config, snowflake};
use crate::source::{Cursor, Delivery, MAX_DELIVERY, Outlet, Post, Source, SourceFailure, SourceState, Unusable};

/// The fewest posts that X lets ask for.
pub(super) const LEAST: u64 = 10;
/// More than this is read in slices, the oldest first, so that older posts do not come too late behind newer ones.
const MOST_AT_ONCE: SignedDuration = SignedDuration::from_mins(61);
const SLICE: SignedDuration = SignedDuration::from_mins(30);
/// Slices grow to this while they fit into a page, within which posts are put in order.
const WIDEST_SLICE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is polled.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub endpoint: Endpoint,
    pub item: Item,
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    /// The parameter that takes the token of the next page.
    pub token: &'static str,
    /// How far back X goes.
    pub reach: Option<SignedDuration>,
    /// For people.
    pub what: String,
}

/// See the module.
pub(super) struct Poll {
    account: Account,
    target: Target,
    name: String,
    topic: Option<String>,
    page: u64,
    overlap: SignedDuration,
    longest: SignedDuration,
    interval: Interval,
    patience: Patience,
    position: Position,
    /// Whether the cursor has been delivered at all.
    known: bool,
}

/// Why a poll ended early.
enum Trouble {
    Api(ApiError),
    Budget(Exhausted),
    Ended(SourceFailure),
}

impl Poll {
    /// # Errors
    /// When `cursor` is not one of its own.
    pub(super) fn new(
        config: &Config,
        target: Target,
        account: &Account,
        cursor: Option<&Cursor>,
    ) -> Result<Self, String> {
        let read = |cursor: &Cursor| {
            cursor.read::<Position>().map_err(|error| {
                format!(
                    "its cursor in the store is not one of this kind of source ({error}): give the source a new name"
                )
            })
        };
        let now = account.now();
        let (position, known) = match cursor {
            Some(cursor) => (read(cursor)?, true),
            None => (Position::start(earlier(now, config.backfill), now, account.share(&config.name)), false),
        };
        account.restore(&config.name, position.paid);
        Ok(Self {
            account: account.clone(),
            target,
            name: config.name.clone(),
            topic: config.topic.clone(),
            page: config.page.into(),
            overlap: config.overlap,
            longest: config.interval_max,
            interval: Interval::new(config.interval_min, config.interval_max),
            patience: Patience::new(),
            position,
            known,
        })
    }

    async fn poll_for_ever(&mut self, outlet: &Outlet) -> Result<(), SourceFailure> {
        outlet.health.update(|report| {
            report.what = self.target.what.clone();
            report.stalled_after = Some(self.longest * 2 + SignedDuration::from_mins(2));
        });
        loop {
            self.account.report(outlet, self.target.item, LEAST);
            let polled = self.poll(outlet).await;
            self.account.report(outlet, self.target.item, LEAST);
            let until = match polled {
                Ok(new) => self.after(new, outlet),
                Err(Trouble::Ended(failure)) => return Err(failure),
                Err(Trouble::Api(error)) if self.goes_on_without_its_past(&error, outlet) => continue,
                Err(Trouble::Api(error)) => hold(outlet, self.patience.held(&error, self.account.now())),
                Err(Trouble::Budget(exhausted)) => hold(outlet, Held::spent(&exhausted)),
            };
            wait_until(self.account.clock(), until).await;
        }
    }

    /// When to poll again after a poll that brought `new` posts.
    fn after(&mut self, new: usize, outlet: &Outlet) -> Timestamp {
        let wait = self.interval.after(new, usize::try_from(self.page).unwrap_or(usize::MAX), thrifty(outlet));
        self.account.now().checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// Reads what is left of the last poll, then what is new; how many posts are.
    async fn poll(&mut self, outlet: &Outlet) -> Result<usize, Trouble> {
        let before = self.position.newest;
        let mut new = 0;
        while let Some(gap) = self.position.gap {
            new += self.fill(gap, outlet).await?;
        }
        new += self.catch_up(outlet).await?;
        let now = self.account.now();
        let thrifty = thrifty(outlet);
        let (since, again) = self.position.since(if thrifty { SignedDuration::ZERO } else { self.overlap }, now);
        let since = since.within(self.target.reach, now);
        new += self.walk(Walk::new(since, None), before, outlet).await?;
        // What is left out while money is short is not made up for.
        if again || thrifty {
            self.position.reread = now;
        }
        while let Some(gap) = self.position.gap {
            new += self.fill(gap, outlet).await?;
        }
        if !self.known {
            // So that a restart before the first post begins where this start did.
            self.deliver(Page::default(), outlet).await?;
        }
        Ok(new)
    }

    /// Reads what is long past in slices.
    async fn catch_up(&mut self, outlet: &Outlet) -> Result<usize, Trouble> {
        let (mut width, mut new) = (SLICE, 0);
        while let Some((since, end)) = self.slice(width) {
            let mut in_slice = self.walk(Walk::to(since, end), None, outlet).await?;
            while let Some(gap) = self.position.gap {
                in_slice += self.fill(gap, outlet).await?;
            }
            self.position.newest = self.position.newest.max(Some(snowflake::first_at(end).saturating_sub(1)));
            // That long ago nothing is shown late any more.
            self.position.reread = self.position.reread.max(end);
            let few = in_slice as u64 <= self.page / 4;
            width = if few { width.saturating_mul(2).min(WIDEST_SLICE) } else { SLICE };
            new += in_slice;
        }
        Ok(new)
    }

    async fn fill(&mut self, gap: Gap, outlet: &Outlet) -> Result<usize, Trouble> {
        let since = gap.since.within(self.target.reach, self.account.now());
        let Some(gap) = Gap::new(since, gap.until) else {
            self.position.gap = None;
            return Ok(0);
        };
        self.walk(Walk::new(gap.since, Some(gap.until)), None, outlet).await
    }

    /// The oldest part of what is to be read, while that is much: where it begins, and a whole second where it ends.
    fn slice(&self, width: SignedDuration) -> Option<(Since, Timestamp)> {
        let now = self.account.now();
        let (since, _) = self.position.since(SignedDuration::ZERO, now);
        let since = since.within(self.target.reach, now);
        let begin = since.time().filter(|begin| now.duration_since(*begin) > MOST_AT_ONCE)?;
        let end = begin.checked_add(width).ok()?.min(earlier(now, SLICE));
        Some((since, Timestamp::from_second(end.as_second()).ok()?))
    }

    /// Goes through the pages of a window; how many posts are newer than `before`, or all of them without one.
    async fn walk(&mut self, mut walk: Walk, before: Option<u64>, outlet: &Outlet) -> Result<usize, Trouble> {
        let mut new = HashSet::new();
        loop {
            let page = self.page(&walk, outlet).await?;
            let ids = page.posts.iter().filter_map(|post| super::model::number(&post.id));
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
    async fn deliver(&mut self, page: Page, outlet: &Outlet) -> Result<(), Trouble> {
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

    /// Whether X refuses the place to go on from, as older than its index; then it goes on from the oldest it has.
    fn goes_on_without_its_past(&mut self, error: &ApiError, outlet: &Outlet) -> bool {
        let ApiError::Invalid { problem, .. } = error else { return false };
        let named = ["since_id", "until_id"]
            .iter()
            .any(|name| problem.parameters.iter().any(|parameter| parameter == name) || problem.detail.contains(name));
        let can = named && (self.position.newest.is_some() || self.position.gap.is_some());
        if can {
            self.position.forget_old(self.account.now());
            tracing::warn!(
                source = outlet.source(),
                "X gives no posts as old as the last that was read: some are lost"
            );
        }
        can
    }
}

impl Source for Poll {
    fn run<'a>(&'a mut self, outlet: &'a Outlet, stop: CancellationToken) -> BoxFuture<'a, Result<(), SourceFailure>> {
        Box::pin(async move {
            let ended = tokio::select! {
                biased;
                () = stop.cancelled() => Ok(()),
                ended = self.poll_for_ever(outlet) => ended,
            };
            outlet.health.update(|report| report.state = SourceState::Stopped);
            ended
        })
    }
}

/// Takes a delivery's worth off the front.
fn head(posts: &mut Vec<Post>, unusable: &mut Vec<Unusable>) -> (Vec<Post>, Vec<Unusable>) {
    let first: Vec<Post> = posts.drain(..posts.len().min(MAX_DELIVERY)).collect();
    let room = MAX_DELIVERY - first.len();
    (first, unusable.drain(..unusable.len().min(room)).collect())
}

/// Whether money is short.
fn thrifty(outlet: &Outlet) -> bool {
    outlet.health.report().problems.keys().any(|name| name.starts_with("Budget"))
}

/// Says why it is held up, and until when.
fn hold(outlet: &Outlet, held: Held) -> Timestamp {
    tracing::warn!(source = outlet.source(), until = %held.until, why = held.why, "a source is held up");
    outlet.health.update(|report| {
        report.last_error = Some(held.why.clone());
        report.state = match held.needs_somebody {
            true => SourceState::Blocked { why: held.why },
            false => SourceState::Waiting { until: held.until, why: held.why },
        };
    });
    held.until
}
