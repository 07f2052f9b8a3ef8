//! [`Reader`]: the running stream: it connects, delivers what comes, fills gaps beside that, and connects again.

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::account::Reservation;
use super::super::budget::{Exhausted, Item};
use super::super::error::ApiError;
use super::super::hold::Patience;
use super::super::limits::Endpoint;
use super::super::model::number;
use super::super::page::Page;
use super::super::poll::LEAST;
use super::super::wait::wait_until;
use super::batch::Batch;
use super::fill::Fill;
use super::link::{Link, LinkEvent, Opened, connect};
use super::message::Message;
use super::place::Place;
use super::retry::{Failure, HEALTHY, Retry};
use super::{Settings, State};
use crate::source::{Cursor, Delivery, Outlet, SourceFailure, SourceState};

/// Posts of the stream that are paid for ahead.
const AHEAD: u64 = 20;
/// A wait that people need not be told of.
const SHORT: SignedDuration = SignedDuration::from_secs(1);

/// What the gap-fill is at.
enum Filling {
    Nothing,
    Waiting(BoxFuture<'static, ()>),
    Asking(BoxFuture<'static, Result<Value, ApiError>>, Reservation),
}

enum Event {
    Stop,
    BatchDue,
    Link(LinkEvent),
    FillDue,
    Filled(Result<Value, ApiError>, Reservation),
}

/// Why the reader ends.
enum End {
    Stopped,
    Failed(SourceFailure),
}

pub(super) struct Reader<'a> {
    settings: Settings,
    outlet: &'a Outlet,
    stop: CancellationToken,
    link: Link,
    retry: Retry,
    /// Whether the rules are known to be in step.
    in_step: bool,
    /// Our rule, where X told its identifier.
    rule: Option<String>,
    batch: Batch,
    /// Pays for what the open stream brings.
    paid: Option<Reservation>,
    place: Place,
    fill: Option<Fill>,
    /// Whether the gap became longer during the pass.
    once_more: bool,
    filling: Filling,
    patience: Patience,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: Settings, outlet: &'a Outlet, stop: CancellationToken, through: u64) -> Self {
        Self {
            settings,
            outlet,
            stop,
            link: Link::Waiting { wait: Box::pin(async {}), clear: false },
            retry: Retry::new(),
            in_step: false,
            rule: None,
            batch: Batch::default(),
            paid: None,
            place: Place::new(through),
            fill: None,
            once_more: false,
            filling: Filling::Nothing,
            patience: Patience::new(),
        }
    }

    pub(super) async fn run(mut self) -> Result<(), SourceFailure> {
        loop {
            let event = self.event().await;
            match self.handle(event).await {
                Ok(()) => {}
                Err(End::Failed(failure)) => return Err(failure),
                Err(End::Stopped) => break,
            }
        }
        // Best effort: what is not taken now is before the cursor's end and comes again.
        let _ = self.outlet.try_deliver(self.live_delivery());
        self.outlet.health.update(|report| report.state = SourceState::Stopped);
        Ok(())
    }

    async fn event(&mut self) -> Event {
        let due = self.batch.due();
        let batch_due = async move {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Event::Stop,
            () = batch_due => Event::BatchDue,
            event = self.link.event() => Event::Link(event),
            event = fill_event(&mut self.filling) => event,
        }
    }

    async fn handle(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Stop => return Err(End::Stopped),
            Event::BatchDue => self.flush().await?,
            Event::Link(LinkEvent::Due { clear }) => self.connect(clear),
            Event::Link(LinkEvent::Connected(Ok(opened))) => self.connected(opened),
            Event::Link(LinkEvent::Connected(Err(error))) => {
                // Those words say the way out.
                let held = self.patience.held(&error, self.outlet.now());
                self.failed(Failure::of(&error, held.until), &held.why);
            }
            Event::Link(LinkEvent::Bytes(bytes)) => self.read(&bytes).await?,
            Event::Link(LinkEvent::Lost(why)) => self.failed(Failure::Lost, &why),
            Event::FillDue => self.ask(),
            Event::Filled(answer, paid) => self.filled(answer, paid).await?,
        }
        Ok(())
    }

    fn connect(&mut self, clear: bool) {
        if let Err(exhausted) = self.pay() {
            self.unpaid(&exhausted);
            return;
        }
        let connecting = connect(self.settings.clone(), self.outlet.metrics.clone(), clear, !self.in_step);
        self.link = Link::Connecting(Box::pin(connecting));
    }

    fn connected(&mut self, opened: Opened) {
        tracing::info!(source = self.settings.name, "X's stream is open");
        if !self.in_step {
            self.rule.clone_from(&opened.rule);
        }
        self.in_step = true;
        self.link = Link::open(opened);
        self.heard();
        self.place.connected();
        // A pass that is under way reads on, and another one follows for what it began too early to see.
        self.once_more = self.fill.is_some();
        if !self.once_more {
            self.start_fill(false);
        }
    }

    async fn read(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.heard();
        let Link::Open(open) = &mut self.link else { return Ok(()) };
        if !open.healthy && open.since.elapsed() >= HEALTHY.unsigned_abs() {
            open.healthy = true;
            self.retry.recovered();
            // Somebody may change them meanwhile: the next connection looks again.
            self.in_step = false;
        }
        open.lines.push(bytes);
        let mut ending = None;
        while let Link::Open(open) = &mut self.link
            && let Some(line) = open.lines.next_line()
        {
            let (rule, tag) = (self.rule.as_deref(), self.settings.tag.as_str());
            ending = self.batch.take(Message::read(&line), self.settings.topic.as_deref(), |matched| {
                let ours = |of: &super::message::MatchedRule| Some(&*of.id) == rule || of.tag.as_deref() == Some(tag);
                rule.is_none() || matched.is_empty() || matched.iter().any(ours)
            });
            if ending.is_some() {
                break;
            }
            if self.batch.is_full() {
                self.flush().await?;
            }
        }
        if let Some(why) = ending {
            self.failed(Failure::Lost, &why);
        }
        Ok(())
    }

    /// There is no stream: waits as long as this kind of failure asks for.
    fn failed(&mut self, failure: Failure, why: &str) {
        let now = self.outlet.now();
        let next = self.retry.after(failure, now);
        if failure == Failure::NoRules {
            self.in_step = false;
        }
        let until = now.checked_add(next.wait).unwrap_or(Timestamp::MAX);
        tracing::info!(source = self.settings.name, wait_ms = next.wait.as_millis(), "no stream from X: {why}");
        self.link = Link::Waiting { wait: wait(&self.settings, until), clear: next.clear };
        self.paid = None;
        self.outlet.health.update(|report| {
            report.last_error = Some(why.to_owned());
            if matches!(failure, Failure::Blocked { .. }) {
                report.state = SourceState::Blocked { why: why.to_owned() };
            } else if next.wait >= SHORT {
                report.state = SourceState::Waiting { until, why: why.to_owned() };
            }
        });
    }

    fn unpaid(&mut self, exhausted: &Exhausted) {
        self.failed(Failure::Blocked { until: exhausted.until }, &exhausted.to_string());
        self.settings.account.report(self.outlet, Item::Post, 1);
    }

    fn pay(&mut self) -> Result<(), Exhausted> {
        if self.paid.is_none() {
            self.paid = Some(self.settings.account.reserve(&self.settings.name, Item::Post, AHEAD, 1)?);
        }
        Ok(())
    }

    /// Delivers what the stream brought.
    async fn flush(&mut self) -> Result<(), End> {
        let delivery = self.live_delivery();
        self.deliver(delivery).await?;
        if matches!(self.link, Link::Open(_))
            && let Err(exhausted) = self.pay()
        {
            self.unpaid(&exhausted);
        }
        Ok(())
    }

    fn live_delivery(&mut self) -> Delivery {
        let batch = std::mem::take(&mut self.batch);
        match self.paid.take() {
            Some(paid) => paid.settle(batch.billed),
            // The stream has just ended: what it brought was paid for none the less.
            None => self.book(batch.billed),
        }
        let mut delivery = batch.into_delivery();
        let now = self.outlet.now();
        for id in delivery.posts.iter().filter_map(|post| number(&post.id)) {
            self.place.delivered(id, now);
        }
        delivery.cursor = self.cursor();
        delivery
    }

    fn book(&self, billed: u64) {
        if billed > 0
            && let Ok(paid) = self.settings.account.reserve(&self.settings.name, Item::Post, 0, 0)
        {
            paid.settle(billed);
        }
    }

    fn cursor(&self) -> Option<Cursor> {
        let state = State { through: self.place.cursor(), paid: self.settings.account.share(&self.settings.name) };
        Cursor::new(&state).ok()
    }

    async fn deliver(&mut self, delivery: Delivery) -> Result<(), End> {
        self.settings.account.report(self.outlet, Item::Post, 1);
        tokio::select! {
            biased;
            delivered = self.outlet.deliver(delivery) => delivered.map_err(End::Failed),
            () = self.stop.cancelled() => Err(End::Stopped),
        }
    }

    fn heard(&self) {
        let now = self.outlet.now();
        self.outlet.health.update(|report| {
            report.last_success = Some(now);
            report.state = SourceState::Working;
        });
    }

    /// Begins a pass through the gap; the second one once search has had time to show what is late.
    fn start_fill(&mut self, second: bool) {
        let now = self.outlet.now();
        self.fill = self.place.gap().map(|gap| Fill::new(gap, second, now));
        self.filling = if self.fill.is_some() { Filling::Waiting(Box::pin(async {})) } else { Filling::Nothing };
    }

    /// Asks for the next page.
    fn ask(&mut self) {
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

    async fn filled(&mut self, answer: Result<Value, ApiError>, paid: Reservation) -> Result<(), End> {
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
        let anew = matches!(error, ApiError::Invalid { .. }) && self.fill.as_mut().is_some_and(Fill::refused);
        let until = if anew { now } else { held.until };
        let why = format!("filling the stream's gap: {}", held.why);
        tracing::info!(source = self.settings.name, %until, "{why}");
        self.outlet.health.update(|report| report.last_error = Some(why));
        self.filling = Filling::Waiting(wait(&self.settings, until));
    }
}

fn wait(settings: &Settings, until: Timestamp) -> BoxFuture<'static, ()> {
    let clock = settings.clock.clone();
    Box::pin(async move { wait_until(&clock, until).await })
}

/// The next event of the gap-fill; the state it ends is replaced here or by who handles it.
async fn fill_event(filling: &mut Filling) -> Event {
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
