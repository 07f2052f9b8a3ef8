//! [`StreamReader`]: the running stream. It connects, sends posts, fills gaps in parallel, and reconnects.

mod fill_requests;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::super::account::Reservation;
use super::super::budget::{BilledItem, BudgetExhausted};
use super::super::error::ApiError;
use super::super::model::parse_id;
use super::super::retry_policy::RetryPolicy;
use super::super::wait::wait_until;
use super::batch::StreamBatch;
use super::connection::{Connection, ConnectionEvent, NewStream, connect};
use super::gap_fill::GapFill;
use super::message::StreamMessage;
use super::position::StreamPosition;
use super::reconnect::{ConnectionFailure, HEALTHY_AFTER, ReconnectPolicy};
use super::{StreamCursor, StreamSettings};
use crate::source::{Cursor, SourceBatch, SourceFailure, SourceSender, SourceState};
use fill_requests::{FillState, PassProgress, fill_event};

/// Posts whose budget is reserved in advance.
const PREPAID_POSTS: u64 = 20;
/// Shorter waits are not reported.
const MIN_REPORTED_WAIT: SignedDuration = SignedDuration::from_secs(1);

enum Event {
    Stop,
    BatchDue,
    Connection(ConnectionEvent),
    FillDue,
    FillPage(Result<Value, ApiError>, Reservation),
}

/// Why the reader ends.
enum ReaderExit {
    Stopped,
    Failed(SourceFailure),
}

pub(super) struct StreamReader<'a> {
    settings: StreamSettings,
    out: &'a SourceSender,
    stop: CancellationToken,
    connection: Connection,
    reconnect: ReconnectPolicy,
    /// Whether the rules are synchronised.
    rules_synced: bool,
    /// IDs of our rules, as far as X reported them.
    rules: Vec<String>,
    batch: StreamBatch,
    /// Budget for the posts of the open stream.
    reservation: Option<Reservation>,
    position: StreamPosition,
    fill: Option<GapFill>,
    /// Which of the searches the pass is at, and what it found so far.
    progress: PassProgress,
    /// Since when no page of the gap could be read.
    fill_failing_since: Option<Timestamp>,
    /// When posts of the gap were lost.
    gap_lost_at: Option<Timestamp>,
    /// Whether the gap grew during the current pass.
    repeat_pass: bool,
    fill_state: FillState,
    /// Of connecting and of reading the gap apart: one may be blocked while the other works.
    connect_retry: RetryPolicy,
    fill_retry: RetryPolicy,
}

impl<'a> StreamReader<'a> {
    pub(super) fn new(settings: StreamSettings, out: &'a SourceSender, stop: CancellationToken, through: u64) -> Self {
        Self {
            settings,
            out,
            stop,
            connection: Connection::Waiting { wait: Box::pin(async {}), clear: false },
            reconnect: ReconnectPolicy::new(),
            rules_synced: false,
            rules: Vec::new(),
            batch: StreamBatch::default(),
            reservation: None,
            position: StreamPosition::new(through),
            fill: None,
            progress: PassProgress::default(),
            fill_failing_since: None,
            gap_lost_at: None,
            repeat_pass: false,
            fill_state: FillState::Idle,
            connect_retry: RetryPolicy::new(),
            fill_retry: RetryPolicy::new(),
        }
    }

    pub(super) async fn run(mut self) -> Result<(), SourceFailure> {
        loop {
            let event = self.next_event().await;
            match self.handle_event(event).await {
                Ok(()) => {}
                Err(ReaderExit::Failed(failure)) => return Err(failure),
                Err(ReaderExit::Stopped) => break,
            }
        }
        // Best effort: the cursor does not cover a batch that is not accepted, so a restart reads its posts again.
        let _ = self.out.try_send(self.take_live_batch());
        self.out.health.update(|report| report.state = SourceState::Stopped);
        Ok(())
    }

    async fn next_event(&mut self) -> Event {
        let due = self.batch.flush_at();
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
            event = self.connection.next_event() => Event::Connection(event),
            event = fill_event(&mut self.fill_state) => event,
        }
    }

    async fn handle_event(&mut self, event: Event) -> Result<(), ReaderExit> {
        match event {
            Event::Stop => return Err(ReaderExit::Stopped),
            Event::BatchDue => self.flush().await?,
            Event::Connection(ConnectionEvent::Due { clear }) => self.connect(clear),
            Event::Connection(ConnectionEvent::Connected(Ok(opened))) => self.start_reading(opened),
            // Rules that somebody deleted are added again: nobody has to act.
            Event::Connection(ConnectionEvent::Connected(Err(error @ ApiError::Invalid { status: 409, .. }))) => {
                self.schedule_reconnect(ConnectionFailure::NoRules, &error.to_string(), false);
            }
            Event::Connection(ConnectionEvent::Connected(Err(error))) => {
                // The text of the pause names the remedy.
                let pause = self.connect_retry.pause_after(&error, self.out.now());
                let failure = ConnectionFailure::from_error(&error, pause.until);
                self.schedule_reconnect(failure, &pause.why, pause.needs_operator);
            }
            Event::Connection(ConnectionEvent::Bytes(bytes)) => self.read_bytes(&bytes).await?,
            Event::Connection(ConnectionEvent::Lost(why)) => {
                self.schedule_reconnect(ConnectionFailure::Lost, &why, false);
            }
            Event::FillDue => self.request_page(),
            Event::FillPage(response, reservation) => self.record_fill_page(response, reservation).await?,
        }
        Ok(())
    }

    fn connect(&mut self, clear: bool) {
        if let Err(exhausted) = self.reserve_budget() {
            self.pause_for_budget(&exhausted);
            return;
        }
        let connecting = connect(self.settings.clone(), self.out.metrics.clone(), clear, !self.rules_synced);
        self.connection = Connection::Connecting(Box::pin(connecting));
    }

    fn start_reading(&mut self, opened: NewStream) {
        tracing::info!(source = self.settings.name, "stream of X connected");
        self.connect_retry.reset();
        if !self.rules_synced {
            self.rules.clone_from(&opened.rules);
        }
        self.rules_synced = true;
        self.connection = Connection::open(opened);
        self.out.report_success();
        self.position.record_connection();
        // A pass that is in progress continues; another one follows for posts that it started too early to see.
        self.repeat_pass = self.fill.is_some();
        if !self.repeat_pass {
            self.start_fill(false);
        }
    }

    async fn read_bytes(&mut self, bytes: &[u8]) -> Result<(), ReaderExit> {
        self.out.report_success();
        let Connection::Open(open) = &mut self.connection else { return Ok(()) };
        if !open.healthy && open.since.elapsed() >= HEALTHY_AFTER.unsigned_abs() {
            open.healthy = true;
            self.reconnect.reset();
            // Another program may change the rules: the next connection checks them again.
            self.rules_synced = false;
        }
        open.lines.push(bytes);
        let mut ending = None;
        while let Connection::Open(open) = &mut self.connection
            && let Some(line) = open.lines.next_line()
        {
            let (rules, tag) = (&self.rules, self.settings.tag.as_str());
            let all_known = rules.len() >= self.settings.rules.len();
            ending = self.batch.add_message(StreamMessage::read(&line), self.settings.topic.as_deref(), |matched| {
                let is_ours =
                    |of: &super::message::MatchedRule| rules.contains(&of.id) || of.tag.as_deref() == Some(tag);
                !all_known || matched.is_empty() || matched.iter().any(is_ours)
            });
            if ending.is_some() {
                break;
            }
            if self.batch.is_full() {
                self.flush().await?;
            }
        }
        if let Some(why) = ending {
            self.schedule_reconnect(ConnectionFailure::Lost, &why, false);
        }
        Ok(())
    }

    /// Schedules the next connection after a failure and reports the pause.
    fn schedule_reconnect(&mut self, failure: ConnectionFailure, why: &str, needs_operator: bool) {
        let now = self.out.now();
        let next = self.reconnect.next_attempt(failure, now);
        if failure == ConnectionFailure::NoRules {
            self.rules_synced = false;
        }
        let until = now.checked_add(next.wait).unwrap_or(Timestamp::MAX);
        self.connection = Connection::Waiting { wait: wait_future(&self.settings, until), clear: next.clear };
        self.reservation = None;
        if needs_operator || next.wait >= MIN_REPORTED_WAIT {
            self.out.report_pause(until, why, needs_operator);
        } else {
            // Reconnects at once: the state does not change, so that it does not flicker.
            tracing::info!(
                source = self.settings.name,
                wait_ms = next.wait.as_millis(),
                why,
                "stream of X disconnected"
            );
            self.out.health.update(|report| report.last_error = Some(why.to_owned()));
        }
    }

    fn pause_for_budget(&mut self, exhausted: &BudgetExhausted) {
        self.schedule_reconnect(ConnectionFailure::Blocked { until: exhausted.until }, &exhausted.to_string(), true);
        self.settings.account.report_budget(self.out, BilledItem::Post, 1);
    }

    fn reserve_budget(&mut self) -> Result<(), BudgetExhausted> {
        if self.reservation.is_none() {
            self.reservation =
                Some(self.settings.account.reserve(&self.settings.name, BilledItem::Post, PREPAID_POSTS, 1)?);
        }
        Ok(())
    }

    /// Sends what the stream received.
    async fn flush(&mut self) -> Result<(), ReaderExit> {
        let batch = self.take_live_batch();
        self.send(batch).await?;
        if matches!(self.connection, Connection::Open(_))
            && let Err(exhausted) = self.reserve_budget()
        {
            self.pause_for_budget(&exhausted);
        }
        Ok(())
    }

    fn take_live_batch(&mut self) -> SourceBatch {
        let received = std::mem::take(&mut self.batch);
        match self.reservation.take() {
            Some(reservation) => reservation.settle(received.billed),
            // The stream has just ended: its last posts are charged all the same.
            None => self.charge(received.billed),
        }
        let mut batch = received.into_source_batch();
        let now = self.out.now();
        for id in batch.posts.iter().filter_map(|post| parse_id(&post.id)) {
            self.position.record_post(id, now);
        }
        batch.cursor = self.cursor();
        batch
    }

    fn charge(&self, billed: u64) {
        if billed > 0
            && let Ok(reservation) = self.settings.account.reserve(&self.settings.name, BilledItem::Post, 0, 0)
        {
            reservation.settle(billed);
        }
    }

    fn cursor(&self) -> Option<Cursor> {
        let state = StreamCursor {
            through: self.position.cursor(),
            spend: self.settings.account.spend_of(&self.settings.name),
        };
        Cursor::new(&state).ok()
    }

    async fn send(&mut self, batch: SourceBatch) -> Result<(), ReaderExit> {
        self.settings.account.report_budget(self.out, BilledItem::Post, 1);
        tokio::select! {
            biased;
            sent = self.out.send(batch) => sent.map_err(ReaderExit::Failed),
            () = self.stop.cancelled() => Err(ReaderExit::Stopped),
        }
    }
}

fn wait_future(settings: &StreamSettings, until: Timestamp) -> BoxFuture<'static, ()> {
    let clock = settings.clock.clone();
    Box::pin(async move { wait_until(&clock, until).await })
}
