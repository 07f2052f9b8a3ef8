//! Fills the gap of the stream with recent search while live posts arrive.

use futures_util::future::BoxFuture;
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

/// State of the gap-fill.
pub(super) enum FillState {
    Idle,
    Waiting(BoxFuture<'static, ()>),
    Requesting(BoxFuture<'static, Result<Value, ApiError>>, Reservation),
}

impl StreamReader<'_> {
    /// Starts a pass through the gap. The second pass starts once late posts are indexed.
    pub(super) fn start_fill(&mut self, second: bool) {
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
        let StreamSettings { account, name, query, page, .. } = &self.settings;
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
        self.retry_policy.reset();
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
        if let Some(newest) = newest {
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
        let pause = self.retry_policy.pause_after(error, now);
        let adapted = match (error, &mut self.fill) {
            (ApiError::Invalid { problem, .. }, Some(fill)) => fill.adapt_to_rejection(problem, now),
            _ => false,
        };
        let until = if adapted { now } else { pause.until };
        let why = format!("gap-fill of the stream failed: {}", pause.why);
        tracing::info!(source = self.settings.name, %until, why, "gap-fill paused");
        self.out.health.update(|report| report.last_error = Some(why));
        self.fill_state = FillState::Waiting(wait_future(&self.settings, until));
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
