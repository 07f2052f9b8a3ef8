//! [`Poll`]: the loop that search and mentions share. It asks for what is new, delivers page by page with a cursor that
//! never runs ahead, and waits: between polls, and for what holds it up.

mod pages;
mod past;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::Config;
use super::account::Account;
use super::budget::{Exhausted, Item};
use super::cursor::{Position, earlier};
use super::error::ApiError;
use super::hold::{Held, Patience};
use super::interval::Interval;
use super::limits::Endpoint;
use super::page::Page;
use super::wait::wait_until;
use super::walk::Walk;
use crate::source::{Cursor, Outlet, Source, SourceFailure, SourceState};

/// The fewest posts that X lets ask for.
pub(super) const LEAST: u64 = 10;
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
        self.give_up_what_is_out_of_reach(outlet);
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
