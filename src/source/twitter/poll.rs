//! [`PollSource`]: the polling loop of search and mentions. It requests new posts, sends them page by page with a cursor
//! that never runs ahead of them, and waits between polls and after failures.

mod catch_up;
mod pages;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::Config;
use super::account::Account;
use super::budget::{BilledItem, BudgetExhausted};
use super::error::ApiError;
use super::interval::PollInterval;
use super::page::ResponsePage;
use super::position::{PollPosition, earlier};
use super::rate_limits::Endpoint;
use super::retry_policy::{Pause, RetryPolicy};
use super::wait::wait_until;
use super::walk::PageWalk;
use crate::logging::SPANS;
use crate::source::{Cursor, Source, SourceFailure, SourceSender, SourceState};

/// Smallest page that X allows.
pub(super) const MIN_PAGE_POSTS: u64 = 10;

/// What is polled.
#[derive(Debug, Clone)]
pub(super) struct PollTarget {
    pub endpoint: Endpoint,
    pub item: BilledItem,
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    /// The parameter for the token of the next page.
    pub page_parameter: &'static str,
    /// How far back X serves posts.
    pub reach: Option<SignedDuration>,
    /// One line for operators.
    pub what: String,
}

/// See the module.
pub(super) struct PollSource {
    account: Account,
    target: PollTarget,
    name: String,
    topic: Option<String>,
    page: u64,
    overlap: SignedDuration,
    interval_max: SignedDuration,
    interval: PollInterval,
    retry_policy: RetryPolicy,
    position: PollPosition,
    /// Whether a cursor has been sent since the first start.
    cursor_sent: bool,
}

/// Why a poll failed.
enum PollError {
    Api(ApiError),
    Budget(BudgetExhausted),
    Ended(SourceFailure),
}

impl PollSource {
    /// # Errors
    /// When another kind of source wrote `cursor`.
    pub(super) fn new(
        config: &Config,
        target: PollTarget,
        account: &Account,
        cursor: Option<&Cursor>,
    ) -> Result<Self, String> {
        let read = |cursor: &Cursor| {
            cursor.read::<PollPosition>().map_err(|error| {
                format!("another kind of source wrote the stored cursor ({error}): give the source a new name")
            })
        };
        let now = account.now();
        let (position, cursor_sent) = match cursor {
            Some(cursor) => (read(cursor)?, true),
            None => (PollPosition::start(earlier(now, config.backfill), now, account.spend_of(&config.name)), false),
        };
        account.restore_spend(&config.name, position.spend);
        Ok(Self {
            account: account.clone(),
            target,
            name: config.name.clone(),
            topic: config.topic.clone(),
            page: config.page.into(),
            overlap: config.overlap,
            interval_max: config.interval_max,
            interval: PollInterval::new(config.interval_min, config.interval_max),
            retry_policy: RetryPolicy::new(),
            position,
            cursor_sent,
        })
    }

    async fn poll_until_failure(&mut self, out: &SourceSender) -> Result<(), SourceFailure> {
        out.health.update(|report| {
            report.what = self.target.what.clone();
            report.stalled_after = Some(self.interval_max * 2 + SignedDuration::from_mins(2));
        });
        loop {
            self.account.report_budget(out, self.target.item, MIN_PAGE_POSTS);
            let span = poll_span(out.source());
            let polled = self.poll(out).instrument(span.clone()).await;
            record_outcome(&span, &polled);
            self.account.report_budget(out, self.target.item, MIN_PAGE_POSTS);
            let until = match polled {
                Ok(new) => self.next_poll_at(new, out),
                Err(PollError::Ended(failure)) => return Err(failure),
                // The cursor is older than the index: the next poll starts at the oldest post there is.
                Err(PollError::Api(error)) if self.recover_from_expired(&error, out) => continue,
                Err(PollError::Api(error)) => {
                    report_pause(out, &self.retry_policy.pause_after(&error, self.account.now()))
                }
                Err(PollError::Budget(exhausted)) => report_pause(out, &Pause::for_budget(&exhausted)),
            };
            wait_until(self.account.clock(), until).await;
        }
    }

    /// When to poll again after a poll with `new` posts.
    fn next_poll_at(&mut self, new: usize, out: &SourceSender) -> Timestamp {
        let wait =
            self.interval.next_interval(new, usize::try_from(self.page).unwrap_or(usize::MAX), is_budget_low(out));
        self.account.now().checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// Reads the rest of the last poll, then new posts. Returns the number of new posts.
    async fn poll(&mut self, out: &SourceSender) -> Result<usize, PollError> {
        self.drop_expired(out);
        let before = self.position.newest;
        let mut new = 0;
        while let Some(gap) = self.position.gap {
            new += self.fill_gap(gap, out).await?;
        }
        new += self.catch_up(out).await?;
        let now = self.account.now();
        let save_budget = is_budget_low(out);
        let (since, rereads_overlap) =
            self.position.next_start(if save_budget { SignedDuration::ZERO } else { self.overlap }, now);
        let since = since.within(self.target.reach, now);
        new += self.walk(PageWalk::new(since, None), before, out).await?;
        // An overlap that is skipped to save budget is not read later.
        if rereads_overlap || save_budget {
            self.position.overlap_read_at = now;
        }
        while let Some(gap) = self.position.gap {
            new += self.fill_gap(gap, out).await?;
        }
        if !self.cursor_sent {
            // A restart before the first post then starts where this one did.
            self.send_page(ResponsePage::default(), out).await?;
        }
        Ok(new)
    }
}

impl Source for PollSource {
    fn run<'a>(
        &'a mut self,
        out: &'a SourceSender,
        stop: CancellationToken,
    ) -> BoxFuture<'a, Result<(), SourceFailure>> {
        Box::pin(async move {
            let ended = tokio::select! {
                biased;
                () = stop.cancelled() => Ok(()),
                ended = self.poll_until_failure(out) => ended,
            };
            out.health.update(|report| report.state = SourceState::Stopped);
            ended
        })
    }
}

/// The span of a poll, for telemetry.
fn poll_span(source: &str) -> Span {
    tracing::trace_span!(target: SPANS, "poll", otel.kind = "client", otel.status_code = Empty, source, posts = Empty)
}

fn record_outcome(span: &Span, polled: &Result<usize, PollError>) {
    match polled {
        Ok(new) => {
            span.record("posts", *new);
        }
        Err(PollError::Api(_)) => {
            span.record("otel.status_code", "ERROR");
        }
        // A spent budget and the end of the daemon are no failures of X.
        Err(PollError::Budget(_) | PollError::Ended(_)) => {}
    }
}

/// Whether the budget is nearly spent.
fn is_budget_low(out: &SourceSender) -> bool {
    out.health.report().problems.keys().any(|name| name.starts_with("Budget"))
}

/// Reports a pause and returns its end.
fn report_pause(out: &SourceSender, pause: &Pause) -> Timestamp {
    out.report_pause(pause.until, &pause.why, pause.needs_operator);
    pause.until
}
