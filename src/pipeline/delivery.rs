//! [`Telling`]: the monitor's thread decides who is told what, by the dispatcher; a thread for each receiver tells it, so
//! that a slow one delays nothing else.
//!
//! ```text
//!   outbox --> take --> tick --> one commit: out of the outbox, into incidents --> line of the receiver --> Notifier
//!                                                                       Event::Attempted <--/
//! ```
//!
//! A crash anywhere leaves either the transition in the outbox or the incident that owes a notification.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use anyhow::Context as _;
use jiff::Timestamp;

use super::monitor_thread::Event;
use crate::alert::{Status, Transition};
use crate::metrics::{Metrics, Notify};
use crate::monitor::{Monitor, problem_begins};
use crate::notify::dispatch::Outcome;
use crate::notify::{Dispatcher, Log, Notification, Notifier, NotifyError, Observer, Routing};
use crate::store::Batch;

/// A receiver's name, and the way to it.
pub type Receiving = (String, Box<dyn Notifier>);

/// What a receiver's thread found.
pub(super) struct Attempted {
    receiver: String,
    key: String,
    outcome: Outcome,
}

/// See the module.
pub(super) struct Telling {
    pub(super) dispatcher: Dispatcher,
    lines: BTreeMap<String, SyncSender<Notification>>,
    events: SyncSender<Event>,
    metrics: Metrics,
}

impl Telling {
    /// Goes on where `monitor`'s store left off; what fires and was never given out is.
    pub(super) fn new(
        monitor: &Monitor,
        routing: Routing,
        receivers: Vec<Receiving>,
        events: SyncSender<Event>,
        metrics: Metrics,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let mut dispatcher = Dispatcher::open(monitor.store(), routing, now)?;
        for alert in
            monitor.firing().filter(|alert| !monitor.waiting().any(|told| told.alert.fingerprint == alert.fingerprint))
        {
            if !dispatcher.knows(alert) {
                dispatcher.take(&Transition { status: Status::Firing, at: now, alert: alert.clone() }, now);
            }
        }
        let mut telling = Self { dispatcher, lines: BTreeMap::new(), events, metrics };
        telling.open_lines(receivers)?;
        Ok(telling)
    }

    fn open_lines(&mut self, receivers: Vec<Receiving>) -> anyhow::Result<()> {
        self.lines.clear(); // their threads end with what they are at
        for (name, notifier) in receivers {
            let (line, notifications) = sync_channel(1);
            let (events, series, receiver) = (self.events.clone(), self.metrics.notify.clone(), name.clone());
            thread::Builder::new()
                .name(format!("tell {name}").chars().take(15).collect())
                .spawn(move || tell(&receiver, notifier, &notifications, &events, &series))
                .with_context(|| format!("no thread for the receiver {name}"))?;
            self.lines.insert(name, line);
        }
        Ok(())
    }

    /// Takes what is in the outbox over, decides, saves, and sends.
    pub(super) fn work(&mut self, monitor: &mut Monitor, now: Timestamp) -> anyhow::Result<()> {
        for transition in monitor.waiting() {
            let status = match transition.status {
                Status::Firing => "firing",
                Status::Resolved => "resolved",
            };
            self.metrics.monitor.transitions.with_label_values(&[status]).inc();
            Log.observe(transition)?;
            self.dispatcher.take(transition, now);
        }
        let out = self.tick(monitor, now);
        if let Err(error) = self.save(monitor) {
            out.iter().for_each(|notification| self.dispatcher.abandon(&notification.receiver));
            return Err(error);
        }
        self.send(out, now);
        self.show(now);
        Ok(())
    }

    fn tick(&mut self, monitor: &Monitor, now: Timestamp) -> Vec<Notification> {
        self.dispatcher.tick(now, &|alert| monitor.as_it_fires(alert))
    }

    /// Commits what changed, and takes over what was in the outbox.
    pub(super) fn save(&mut self, monitor: &mut Monitor) -> anyhow::Result<()> {
        if self.dispatcher.has_news() || monitor.outbox() > 0 {
            let mut batch = Batch::default();
            self.dispatcher.save(&mut batch)?;
            monitor.hand_over(batch)?;
            self.dispatcher.saved();
        }
        Ok(())
    }

    fn send(&mut self, out: Vec<Notification>, now: Timestamp) {
        for notification in out {
            let (receiver, key) = (notification.receiver.clone(), notification.key.clone());
            let sent = self.lines.get(&receiver).is_some_and(|line| line.try_send(notification).is_ok());
            if !sent {
                let error =
                    NotifyError::Passing { reason: "it is still busy with an earlier one".into(), retry_after: None };
                self.dispatcher.attempted(&receiver, &key, &Err(error), now);
            }
        }
    }

    pub(super) fn attempted(&mut self, attempted: &Attempted, now: Timestamp) {
        let Attempted { receiver, key, outcome } = attempted;
        match outcome {
            Err(error) => tracing::error!(receiver, %error, "a receiver could not be told; it is tried again"),
            Ok(Some(complaint)) => tracing::warn!(receiver, complaint, "a receiver was told in part"),
            Ok(None) => {}
        }
        self.dispatcher.attempted(receiver, key, outcome, now);
    }

    /// Tells everybody that nothing can be stored, without storing that.
    pub(super) fn store_failed(&mut self, summary: &str, now: Timestamp) {
        let transition = problem_begins("StoreFailed", "store", summary, now);
        // A log that cannot be written has nobody to tell.
        let _ = Log.observe(&transition);
        self.dispatcher.take_urgent(&transition, now);
        let out = self.dispatcher.tick(now, &|_| None);
        self.send(out, now);
    }

    /// Receivers and routes of another configuration.
    pub(super) fn reload(&mut self, routing: Routing, receivers: Vec<Receiving>, now: Timestamp) -> anyhow::Result<()> {
        self.dispatcher.reload(routing, now);
        self.open_lines(receivers)
    }

    fn show(&self, now: Timestamp) {
        let series = &self.metrics.notify;
        series.incidents.set(self.dispatcher.incidents(false, now).len() as i64);
        series.silences.set(self.dispatcher.silences(false, now).len() as i64);
        let (silenced, inhibited) = self.dispatcher.quiet(now);
        series.suppressed.with_label_values(&["silence"]).set(silenced as i64);
        series.suppressed.with_label_values(&["inhibition"]).set(inhibited as i64);
        for (name, fault) in self.dispatcher.receivers() {
            series.failing.with_label_values(&[name]).set(i64::from(fault.is_some()));
        }
    }
}

/// A receiver's thread: until nothing can come any more.
fn tell(
    name: &str,
    mut notifier: Box<dyn Notifier>,
    notifications: &Receiver<Notification>,
    events: &SyncSender<Event>,
    series: &Notify,
) {
    while let Ok(notification) = notifications.recv() {
        let started = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| notifier.notify(&notification))).unwrap_or_else(|_| {
            Err(NotifyError::Passing { reason: "a fault of this program, please report it".into(), retry_after: None })
        });
        series.duration.with_label_values(&[name]).observe(started.elapsed().as_secs_f64());
        series.sent.with_label_values(&[name, if outcome.is_ok() { "ok" } else { "failed" }]).inc();
        if outcome.is_ok() && notification.sequence == 0 {
            let fired = notification.alerts.iter().map(|alert| alert.fired_at).min().unwrap_or(notification.at);
            let late = notification.at.duration_since(fired).as_secs_f64().max(0.0) + started.elapsed().as_secs_f64();
            series.latency.observe(late);
        }
        let outcome = outcome.map(|()| notifier.complaint());
        let attempted = Attempted { receiver: name.to_owned(), key: notification.key, outcome };
        if events.send(Event::Attempted(attempted)).is_err() {
            return;
        }
    }
}
