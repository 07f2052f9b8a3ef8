//! How the running stream fills its gap by recent search, beside what comes live.

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::time::Instant;

use super::super::Settings;
use super::super::fill::Fill;
use super::{End, Event, Reader, wait};
use crate::source::Delivery;
use crate::source::twitter::account::Reservation;
use crate::source::twitter::budget::Item;
use crate::source::twitter::error::ApiError;
use crate::source::twitter::limits::Endpoint;
use crate::source::twitter::page::Page;
use crate::source::twitter::poll::LEAST;

/// What the gap-fill is at.
pub(super) enum Filling {
    Nothing,
    Waiting(BoxFuture<'static, ()>),
    Asking(BoxFuture<'static, Result<Value, ApiError>>, Reservation),
}

impl Reader<'_> {
    /// Begins a pass through the gap; the second one once search has had time to show what is late.
    pub(super) fn start_fill(&mut self, second: bool) {
        let now = self.outlet.now();
        self.fill = self.place.gap().map(|gap| Fill::new(gap, second, now));
        self.filling = if self.fill.is_some() { Filling::Waiting(Box::pin(async {})) } else { Filling::Nothing };
    }

    /// Asks for the next page.
    pub(super) fn ask(&mut self) {
        // A second pass waits without a fill: its end is known only now.
        if self.fill.is_none() {
            self.start_fill(true);
        }
        let Some(fill) = &self.fill else { return };
        let Settings { account, name, query, page, .. } = &self.settings;
        let paid = match account.reserve(name, Item::Post, *page, LEAST) {
            Ok(paid) => paid,
            Err(exhausted) => {
                self.filling = Filling::Waiting(wait(&self.settings, exhausted.until));
                account.report(self.outlet, Item::Post, 1);
                return;
            }
        };
        let request = fill.request(query, paid.posts().clamp(LEAST, 100));
        let (account, metrics) = (account.clone(), self.outlet.metrics.clone());
        let asking = async move { account.call_for_posts(Endpoint::Search, &request, &metrics).await };
        self.filling = Filling::Asking(Box::pin(asking), paid);
    }

    pub(super) async fn filled(&mut self, answer: Result<Value, ApiError>, paid: Reservation) -> Result<(), End> {
        self.filling = Filling::Nothing;
        let page = match answer.and_then(|answer| Page::read(&answer)) {
            Ok(page) => page,
            Err(error) => {
                self.fill_failed(&error);
                return Ok(());
            }
        };
        paid.settle(page.len() as u64);
        self.patience.succeeded();
        let Some(fill) = &mut self.fill else { return Ok(()) };
        let more = fill.take(&page);
        let (newest, second) = (fill.newest, fill.second);
        if more {
            self.filling = Filling::Waiting(Box::pin(async {}));
        }
        let mut posts = page.posts;
        posts.iter_mut().for_each(|post| post.topic.clone_from(&self.settings.topic));
        let mut delivery = Delivery { posts, unusable: page.unusable, notices: page.notices, ..Delivery::default() };
        if !more {
            self.passed(newest, second);
        }
        delivery.cursor = self.cursor();
        self.deliver(delivery).await
    }

    /// A pass is at its end, and all it brought is being delivered.
    fn passed(&mut self, newest: Option<u64>, second: bool) {
        self.fill = None;
        let late = self.settings.overlap;
        if let Some(newest) = newest {
            self.place.narrowed(newest, late);
        }
        if std::mem::take(&mut self.once_more) {
            self.start_fill(false);
        } else if second || late.is_zero() {
            self.place.filled();
        } else {
            let until = Instant::now() + late.unsigned_abs();
            self.filling = Filling::Waiting(Box::pin(tokio::time::sleep_until(until)));
        }
    }

    fn fill_failed(&mut self, error: &ApiError) {
        let now = self.outlet.now();
        let held = self.patience.held(error, now);
        let anew = match (error, &mut self.fill) {
            (ApiError::Invalid { problem, .. }, Some(fill)) => fill.refused(problem, now),
            _ => false,
        };
        let until = if anew { now } else { held.until };
        let why = format!("filling the stream's gap: {}", held.why);
        tracing::info!(source = self.settings.name, %until, "{why}");
        self.outlet.health.update(|report| report.last_error = Some(why));
        self.filling = Filling::Waiting(wait(&self.settings, until));
    }
}

/// The next event of the gap-fill; the state it ends is replaced here or by who handles it.
pub(super) async fn fill_event(filling: &mut Filling) -> Event {
    match filling {
        Filling::Nothing => std::future::pending().await,
        Filling::Waiting(wait) => {
            wait.await;
            Event::FillDue
        }
        Filling::Asking(asking, _) => {
            let answer = asking.await;
            match std::mem::replace(filling, Filling::Nothing) {
                Filling::Asking(_, paid) => Event::Filled(answer, paid),
                _ => Event::FillDue,
            }
        }
    }
}
