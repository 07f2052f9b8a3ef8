//! Fills the gap of the stream with recent search while live posts arrive.

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use super::super::StreamSettings;
use super::super::gap_fill::GapFill;
use super::{Event, ReaderExit, StreamReader, wait_future};
use crate::source::SourceBatch;
use crate::source::twitter::account::Reservation;
use crate::source::twitter::budget::BilledItem;
use crate::source::twitter::error::ApiError;
use crate::source::twitter::page::ResponsePage;
use crate::source::twitter::poll::MIN_PAGE_POSTS;
use crate::source::twitter::rate_limits::Endpoint;
use crate::source::twitter::snowflake::{first_at, time_of};

/// The operational alert about a gap.
const GAP_ALERT: &str = "StreamGapNotFilled";
/// A gap that could not be filled for this long is an alert.
const GAP_ALERT_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// How long lost posts are reported.
const LOST_REPORTED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// State of the gap-fill.
pub(super) enum FillState {
    Idle,
    Waiting(BoxFuture<'static, ()>),
    Requesting(BoxFuture<'static, Result<Value, ApiError>>, Reservation),
}

impl StreamReader<'_> {
    /// Starts a pass through the gap. The second pass starts once late posts are indexed.
    pub(super) fn start_fill(&mut self, second: bool) {
        self.progress = PassProgress { search: 0, newest: None, started: Some(self.out.now()) };
        self.start_search(second);
    }

    /// Starts the pass of one search through the gap.
    fn start_search(&mut self, second: bool) {
        let now = self.out.now();
        self.fill = self.position.gap().map(|gap| GapFill::new(gap, second, now));
        self.fill_state = if self.fill.is_some() { FillState::Waiting(Box::pin(async {})) } else { FillState::Idle };
    }

    /// Requests the next page.
    pub(super) fn request_page(&mut self) {
        // The second pass is created only now, when its end is known.
        if self.fill.is_none() {
            self.start_fill(true);
        }
        let Some(fill) = &self.fill else { return };
        let StreamSettings { account, name, searches, page, .. } = &self.settings;
        let query = searches.get(self.progress.search).map(String::as_str).unwrap_or_default();
        let reservation = match account.reserve(name, BilledItem::Post, *page, MIN_PAGE_POSTS) {
            Ok(reservation) => reservation,
            Err(exhausted) => {
                self.fill_state = FillState::Waiting(wait_future(&self.settings, exhausted.until));
                account.report_budget(self.out, BilledItem::Post, 1);
                return;
            }
        };
        let request = fill.request(query, reservation.posts().clamp(MIN_PAGE_POSTS, 100));
        let (account, metrics) = (account.clone(), self.out.metrics.clone());
        let request = async move { account.fetch_posts(Endpoint::Search, &request, &metrics).await };
        self.fill_state = FillState::Requesting(Box::pin(request), reservation);
    }

    /// Sends a page of the gap-fill and continues the pass.
    pub(super) async fn record_fill_page(
        &mut self,
        response: Result<Value, ApiError>,
        reservation: Reservation,
    ) -> Result<(), ReaderExit> {
        self.fill_state = FillState::Idle;
        let page = match response.and_then(|response| ResponsePage::read(&response)) {
            Ok(page) => page,
            Err(error) => {
                self.retry_fill(&error);
                return Ok(());
            }
        };
        reservation.settle(page.len() as u64);
        self.fill_retry.reset();
        self.report_gap_readable();
        let Some(fill) = &mut self.fill else { return Ok(()) };
        let more = fill.record_page(&page);
        let (newest, second) = (fill.newest, fill.second);
        if more {
            self.fill_state = FillState::Waiting(Box::pin(async {}));
        }
        let mut posts = page.posts;
        posts.iter_mut().for_each(|post| post.topic.clone_from(&self.settings.topic));
        let mut batch =
            SourceBatch { posts, rejected: page.rejected, compliance: page.compliance, ..SourceBatch::default() };
        if !more {
            self.finish_pass(newest, second);
        }
        batch.cursor = self.cursor();
        self.send(batch).await
    }

    /// Ends a pass whose posts are being sent, and starts the next one if there is one.
    fn finish_pass(&mut self, newest: Option<u64>, second: bool) {
        self.fill = None;
        let late = self.settings.overlap;
        self.progress.record(newest);
        if self.progress.search + 1 < self.settings.searches.len() {
            self.progress.search += 1;
            self.start_search(second);
            return;
        }
        if let Some(newest) = self.progress.reached() {
            self.position.narrow_gap(newest, late);
        }
        if std::mem::take(&mut self.repeat_pass) {
            self.start_fill(false);
        } else if second || late.is_zero() {
            self.position.close_gap();
        } else {
            let until = Instant::now() + late.unsigned_abs();
            self.fill_state = FillState::Waiting(Box::pin(tokio::time::sleep_until(until)));
        }
    }

    /// Schedules the next request after an error.
    fn retry_fill(&mut self, error: &ApiError) {
        let now = self.out.now();
        let pause = self.fill_retry.pause_after(error, now);
        let adapted = match (error, &mut self.fill) {
            (ApiError::Invalid { problem, .. }, Some(fill)) => fill.adapt_to_rejection(problem, now),
            _ => false,
        };
        let until = if adapted { now } else { pause.until };
        let why = format!("gap-fill of the stream failed: {}", pause.why);
        tracing::warn!(source = self.settings.name, %until, why, "gap-fill paused");
        let since = *self.fill_failing_since.get_or_insert(now);
        if adapted && matches!(error, ApiError::Invalid { .. }) && self.fill.as_ref().is_some_and(GapFill::lost_posts) {
            self.gap_lost_at = Some(now);
            self.report_gap(&format!("are lost: {}", pause.why));
        // An operator must act, or it has failed for long: until then posts of the gap are missing.
        } else if pause.needs_operator || now.duration_since(since) >= GAP_ALERT_AFTER {
            self.report_gap(&format!("are missing: {}", pause.why));
        }
        self.out.health.update(|report| report.last_error = Some(why));
        self.fill_state = FillState::Waiting(wait_future(&self.settings, until));
    }
}

impl StreamReader<'_> {
    /// Reports that posts of the gap are not there, with the span of the gap.
    fn report_gap(&self, what: &str) {
        let Some(gap) = self.position.gap() else { return };
        let shown =
            |id: u64| time_of(id).map_or_else(|| "the start".into(), |time| time.strftime("%F %T UTC").to_string());
        let until = gap.until.map_or_else(|| "now".to_owned(), shown);
        let text = format!("posts from {} to {until} {what}", shown(gap.from));
        self.out.health.update(|report| drop(report.problems.insert(GAP_ALERT.to_owned(), text)));
    }

    /// A page of the gap was read: the gap is being filled. Lost posts stay reported for a while.
    fn report_gap_readable(&mut self) {
        self.fill_failing_since = None;
        let now = self.out.now();
        if self.gap_lost_at.is_some_and(|lost| now.duration_since(lost) < LOST_REPORTED_FOR) {
            return;
        }
        self.gap_lost_at = None;
        self.out.health.update(|report| drop(report.problems.remove(GAP_ALERT)));
    }
}

/// How far a pass through the gap has come. It takes one search after another.
#[derive(Debug, Default)]
pub(super) struct PassProgress {
    /// Number of the search.
    search: usize,
    /// The oldest of the newest posts that the searches found.
    newest: Option<u64>,
    started: Option<Timestamp>,
}

impl PassProgress {
    fn record(&mut self, newest: Option<u64>) {
        self.newest = match (self.newest, newest) {
            (Some(before), Some(newest)) => Some(before.min(newest)),
            (before, newest) => before.or(newest),
        };
    }

    /// Everything up to this post was found by every search: a post that was written since the pass started may be one of a
    /// search that was over by then.
    fn reached(&self) -> Option<u64> {
        let limit = if self.search == 0 { None } else { self.started.map(first_at) };
        self.newest.map(|newest| newest.min(limit.unwrap_or(u64::MAX)))
    }
}

/// Waits for the next event of the gap-fill. This function or the handler of the event replaces the state.
pub(super) async fn fill_event(state: &mut FillState) -> Event {
    match state {
        FillState::Idle => std::future::pending().await,
        FillState::Waiting(wait) => {
            wait.await;
            Event::FillDue
        }
        FillState::Requesting(request, _) => {
            let response = request.await;
            match std::mem::replace(state, FillState::Idle) {
                FillState::Requesting(_, reservation) => Event::FillPage(response, reservation),
                _ => Event::FillDue,
            }
        }
    }
}
