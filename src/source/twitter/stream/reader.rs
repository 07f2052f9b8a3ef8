//! [`Reader`]: the running stream: it connects, delivers what comes, fills gaps beside that, and connects again.

mod filling;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::super::account::Reservation;
use super::super::budget::{Exhausted, Item};
use super::super::error::ApiError;
use super::super::hold::Patience;
use super::super::model::number;
use super::super::wait::wait_until;
use super::batch::Batch;
use super::fill::Fill;
use super::link::{Link, LinkEvent, Opened, connect};
use super::message::Message;
use super::place::Place;
use super::retry::{Failure, HEALTHY, Retry};
use super::{Settings, State};
use crate::source::{Cursor, Delivery, Outlet, SourceFailure, SourceState};
use filling::{Filling, fill_event};

/// Posts of the stream that are paid for ahead.
const AHEAD: u64 = 20;
/// A wait that people need not be told of.
const SHORT: SignedDuration = SignedDuration::from_secs(1);

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
}

fn wait(settings: &Settings, until: Timestamp) -> BoxFuture<'static, ()> {
    let clock = settings.clock.clone();
    Box::pin(async move { wait_until(&clock, until).await })
}
