//! [`NotificationDispatch`]: the monitor's thread decides by the dispatcher which receiver gets what; one thread per receiver delivers it,
//! so that a slow receiver delays nothing else.
//!
//! ```text
//!   outbox --> take --> tick --> one commit: out of the outbox, into incidents --> queue of the receiver --> Notifier
//!                                                                       Event::Attempted <--/
//! ```
//!
//! A crash anywhere leaves either the transition in the outbox or an incident with an undelivered notification.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use anyhow::Context as _;
use jiff::Timestamp;

use super::command::ReceiverHandle;
use super::incident_board::BoardPublisher;
use super::message::{DeliveryAttempt, Event};
use super::report_writer::ReportWriter;
use crate::alert::{OperationalAlert, Transition, TransitionKind};
use crate::config::Config;
use crate::logging::SPANS;
use crate::metrics::{Metrics, Notify};
use crate::monitor::{Monitor, begin_operational_alert};
use crate::notify::dispatch::Delivery;
use crate::notify::{Dispatcher, Log, NotificationBatch, Notifier, NotifyError, Routing, TransitionSink};
use crate::store::Batch;
use crate::telemetry::{IncidentWatch, Telemetry};

/// See the module's documentation.
pub(super) struct NotificationDispatch {
    pub(super) dispatcher: Dispatcher,
    queues: BTreeMap<String, SyncSender<NotificationBatch>>,
    events: SyncSender<Event>,
    board: BoardPublisher,
    reports: ReportWriter,
    metrics: Metrics,
    telemetry: Telemetry,
    incidents: IncidentWatch,
}

impl NotificationDispatch {
    /// Continues from the state in `monitor`'s store. Alerts that fire and were never dispatched are dispatched now.
    pub(super) fn new(
        monitor: &Monitor,
        routing: Routing,
        receivers: Vec<ReceiverHandle>,
        (events, board, reports): (SyncSender<Event>, BoardPublisher, ReportWriter),
        (metrics, telemetry): (Metrics, Telemetry),
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let mut dispatcher = Dispatcher::open(monitor.store(), routing, now)?;
        let incidents = IncidentWatch::new(&dispatcher.incidents(false, now));
        for alert in monitor
            .firing()
            .filter(|alert| !monitor.outbox().any(|queued| queued.alert.fingerprint == alert.fingerprint))
        {
            if !dispatcher.contains(alert) {
                dispatcher.process(&Transition { status: TransitionKind::Firing, at: now, alert: alert.clone() }, now);
            }
        }
        let queues = BTreeMap::new();
        let mut dispatch = Self { dispatcher, queues, events, board, reports, metrics, telemetry, incidents };
        dispatch.start_receivers(receivers)?;
        dispatch.publish(true, now);
        Ok(dispatch)
    }

    fn start_receivers(&mut self, receivers: Vec<ReceiverHandle>) -> anyhow::Result<()> {
        self.queues.clear(); // their threads end after the notification in flight
        for ReceiverHandle { name, notifier } in receivers {
            let (queue, batches) = sync_channel(1);
            let (events, series, receiver) = (self.events.clone(), self.metrics.notify.clone(), name.clone());
            let reports = self.reports.clone();
            thread::Builder::new()
                .name(format!("to {name}").chars().take(15).collect())
                .spawn(move || run_receiver(&receiver, notifier, &reports, &batches, &events, &series))
                .with_context(|| format!("cannot start a thread for the receiver {name}"))?;
            self.queues.insert(name, queue);
        }
        Ok(())
    }

    /// Passes the outbox to the dispatcher, decides, saves, and sends.
    pub(super) fn work(&mut self, monitor: &mut Monitor, now: Timestamp) -> anyhow::Result<()> {
        for transition in monitor.outbox() {
            let status = match transition.status {
                TransitionKind::Firing => "firing",
                TransitionKind::Resolved => "resolved",
            };
            self.metrics.monitor.transitions.with_label_values(&[status]).inc();
            Log.write(transition)?;
            self.dispatcher.process(transition, now);
        }
        let out = self.tick(monitor, now);
        let changed = self.dispatcher.is_dirty();
        if let Err(error) = self.save(monitor) {
            out.iter().for_each(|batch| self.dispatcher.cancel_in_flight(&batch.receiver));
            return Err(error);
        }
        self.send(out, now);
        self.show(now);
        self.publish(changed, now);
        Ok(())
    }

    /// Publishes the incidents where they `changed`, for pages and telemetry.
    fn publish(&mut self, changed: bool, now: Timestamp) {
        let Self { board, dispatcher, telemetry, incidents, .. } = self;
        if let Some(published) = board.publish(dispatcher, changed, now) {
            telemetry.incidents_changed(incidents, &published.incidents);
        }
    }

    fn tick(&mut self, monitor: &Monitor, now: Timestamp) -> Vec<NotificationBatch> {
        self.dispatcher.tick(now, &|alert| monitor.current_alert(alert))
    }

    /// Commits what changed, and empties the outbox in the same batch.
    pub(super) fn save(&mut self, monitor: &mut Monitor) -> anyhow::Result<()> {
        if self.dispatcher.is_dirty() || monitor.outbox().len() > 0 {
            let mut batch = Batch::default();
            self.dispatcher.save(&mut batch)?;
            monitor.ack_outbox(batch)?;
            self.dispatcher.mark_saved();
        }
        Ok(())
    }

    fn send(&mut self, out: Vec<NotificationBatch>, now: Timestamp) {
        for batch in out {
            let (receiver, key) = (batch.receiver.clone(), batch.key.clone());
            let sent = self.queues.get(&receiver).is_some_and(|queue| queue.try_send(batch).is_ok());
            if !sent {
                let error = NotifyError::Transient {
                    reason: "it is still busy with an earlier notification".into(),
                    retry_after: None,
                };
                self.dispatcher.record_attempt(&receiver, &key, &Delivery::Failed(error), now);
            }
        }
    }

    pub(super) fn record_attempt(&mut self, attempted: &DeliveryAttempt, now: Timestamp) {
        let DeliveryAttempt { receiver, key, delivery } = attempted;
        match delivery {
            Delivery::Failed(error @ NotifyError::Rejected { .. }) => {
                tracing::error!(receiver, %error, "message refused for its content");
            }
            Delivery::Failed(error) => tracing::error!(receiver, %error, "notification failed; will retry"),
            Delivery::Partial(failure) => {
                tracing::warn!(receiver, failure, "notification delivered to some recipients only");
            }
            Delivery::Delivered => {}
        }
        self.dispatcher.record_attempt(receiver, key, delivery, now);
    }

    /// Notifies the receivers that the store has failed, without storing that.
    pub(super) fn store_failed(&mut self, summary: &str, now: Timestamp) {
        let transition = begin_operational_alert(OperationalAlert::StoreFailed, "store", summary, now);
        // Nothing else can report a log that cannot be written.
        let _ = Log.write(&transition);
        self.dispatcher.process_urgent(&transition, now);
        let out = self.dispatcher.tick(now, &|_| None);
        self.send(out, now);
        self.publish(true, now);
    }

    /// Takes the alerts of incidents from the store again, after posts were erased from them there.
    pub(super) fn reload_alerts(&mut self, monitor: &Monitor, now: Timestamp) -> anyhow::Result<()> {
        self.dispatcher.load_alerts(monitor.store())?;
        // What pages show must not hold these posts either.
        self.publish(true, now);
        Ok(())
    }

    /// Applies the receivers and routes of a new configuration.
    pub(super) fn reload(
        &mut self,
        config: &Config,
        receivers: Vec<ReceiverHandle>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        self.reports.reload(config);
        self.dispatcher.reload(config.routing().with_reports(config.reports.clone()), now);
        self.start_receivers(receivers)
    }

    fn show(&self, now: Timestamp) {
        let series = &self.metrics.notify;
        series.incidents.set(self.dispatcher.firing_incidents() as i64);
        series.silences.set(self.dispatcher.silences(false, now).len() as i64);
        let (silenced, inhibited) = self.dispatcher.suppressed_counts(now);
        series.suppressed.with_label_values(&["silence"]).set(silenced as i64);
        series.suppressed.with_label_values(&["inhibition"]).set(inhibited as i64);
        for (name, fault) in self.dispatcher.receivers() {
            series.failing.with_label_values(&[name]).set(i64::from(fault.is_some()));
        }
    }
}

/// Sends what is in `batch`. A report is written here: that takes a while, and has the numbers of the moment.
fn deliver(
    receiver: &str,
    notifier: &mut dyn Notifier,
    reports: &ReportWriter,
    batch: &NotificationBatch,
) -> Result<(), NotifyError> {
    let Some(due) = &batch.report else { return notifier.notify_batch(&batch.notifications) };
    let message = reports.message(due, receiver).map_err(|error| NotifyError::Transient {
        reason: format!("the report {} cannot be written: {error:#}", due.name),
        retry_after: None,
    })?;
    notifier.send_report(&message)?;
    tracing::info!(report = due.name, receiver, until = %due.span.until, "report sent");
    Ok(())
}

/// A receiver's thread: runs until its queue is closed.
fn run_receiver(
    name: &str,
    mut notifier: Box<dyn Notifier>,
    reports: &ReportWriter,
    batches: &Receiver<NotificationBatch>,
    events: &SyncSender<Event>,
    series: &Notify,
) {
    while let Ok(batch) = batches.recv() {
        let started = Instant::now();
        let span = notification_span(name, batch.notifications.len());
        let entered = span.enter();
        let outcome = catch_unwind(AssertUnwindSafe(|| deliver(name, notifier.as_mut(), reports, &batch)))
            .unwrap_or_else(|_| {
                Err(NotifyError::Transient { reason: "a bug in vigie, please report it".into(), retry_after: None })
            });
        if outcome.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        drop(entered);
        // It must not last until the monitor takes the attempt.
        drop(span);
        series.duration.with_label_values(&[name]).observe(started.elapsed().as_secs_f64());
        series.sent.with_label_values(&[name, if outcome.is_ok() { "ok" } else { "failed" }]).inc();
        for notification in
            batch.notifications.iter().filter(|notification| outcome.is_ok() && notification.sequence == 0)
        {
            let fired = notification.alerts.iter().map(|alert| alert.fired_at).min().unwrap_or(notification.at);
            let late = notification.at.duration_since(fired).as_secs_f64().max(0.0) + started.elapsed().as_secs_f64();
            series.latency.observe(late);
        }
        let delivery = Delivery::new(outcome, notifier.partial_failure());
        let attempt = DeliveryAttempt { receiver: name.to_owned(), key: batch.key, delivery };
        if events.send(Event::Attempted(attempt)).is_err() {
            return;
        }
    }
}

/// The span of a delivery, for telemetry.
fn notification_span(receiver: &str, notifications: usize) -> tracing::Span {
    tracing::trace_span!(
        target: SPANS,
        "notify",
        otel.kind = "client",
        otel.status_code = tracing::field::Empty,
        receiver,
        notifications,
    )
}
