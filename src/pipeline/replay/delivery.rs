//! [`ReplayDelivery`]: delivers a replay's alerts to the configured receivers, in event time and without waiting.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::Config;
use crate::monitor::Monitor;
use crate::notify::dispatch::Delivery;
use crate::notify::{Dispatcher, NotificationBatch, Notifier, NotifyError, TransitionSink};
use crate::pipeline::ReceiverHandle;
use crate::store::Batch;

/// Waits between the attempts at one notification, in wall-clock time.
const WAITS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(4)];

/// See the module's documentation.
pub(super) struct ReplayDelivery {
    dispatcher: Dispatcher,
    receivers: BTreeMap<String, Box<dyn Notifier>>,
    now: Timestamp,
    /// Transitions that the dispatcher received before the monitor committed them.
    taken: usize,
}

impl ReplayDelivery {
    pub(super) fn new(monitor: &Monitor, config: &Config, receivers: Vec<ReceiverHandle>) -> anyhow::Result<Self> {
        let now = monitor.edge().unwrap_or(Timestamp::MIN);
        let dispatcher = Dispatcher::open(monitor.store(), config.routing(), now)?;
        Ok(Self {
            dispatcher,
            receivers: receivers.into_iter().map(|receiver| (receiver.name, receiver.notifier)).collect(),
            now,
            taken: 0,
        })
    }

    /// Advances `monitor` to `until`, and stops wherever a notification is due: it then has the numbers of that moment. What is
    /// delivered before the next commit is delivered again after a kill, under the same keys.
    pub(super) fn follow(&mut self, monitor: &mut Monitor, until: Timestamp) {
        while let Some(due) = self.dispatcher.next_due(self.now).filter(|due| *due <= until) {
            monitor.advance(due);
            self.take_fresh(monitor);
            self.pass(monitor, due);
        }
        monitor.advance(until);
        self.take_fresh(monitor);
    }

    fn take_fresh(&mut self, monitor: &Monitor) {
        for transition in monitor.new_transitions().get(self.taken..).unwrap_or_default() {
            self.pass(monitor, transition.at);
            self.dispatcher.process(transition, transition.at);
            self.taken += 1;
        }
    }

    /// Passes the rest of the outbox to the dispatcher, each transition at its own time, and delivers what is due up to `until`.
    pub(super) fn deliver(
        &mut self,
        monitor: &mut Monitor,
        observers: &mut [Box<dyn TransitionSink>],
        until: Timestamp,
    ) -> anyhow::Result<()> {
        let taken = std::mem::take(&mut self.taken);
        for (number, transition) in monitor.outbox().enumerate() {
            for observer in &mut *observers {
                observer.write(transition)?;
            }
            if number >= taken {
                self.pass(monitor, transition.at);
                self.dispatcher.process(transition, transition.at);
            }
        }
        self.pass(monitor, until);
        let mut batch = Batch::default();
        self.dispatcher.save(&mut batch)?;
        monitor.ack_outbox(batch)?;
        self.dispatcher.mark_saved();
        Ok(())
    }

    /// Advances event time to `until`.
    fn pass(&mut self, monitor: &Monitor, until: Timestamp) {
        self.deliver_due(monitor);
        while let Some(due) = self.dispatcher.next_due(self.now).filter(|due| *due <= until) {
            self.now = due;
            self.deliver_due(monitor);
        }
        self.now = self.now.max(until);
    }

    fn deliver_due(&mut self, monitor: &Monitor) {
        loop {
            let out = self.dispatcher.tick(self.now, &|alert| monitor.current_alert(alert));
            if out.is_empty() {
                return;
            }
            for batch in out {
                let receiver = &batch.receiver;
                let delivery = self.send(&batch);
                match &delivery {
                    Delivery::Failed(error) => tracing::warn!(receiver, %error, "notification failed"),
                    Delivery::Partial(failure) => {
                        tracing::warn!(receiver, failure, "notification delivered to some recipients only");
                    }
                    Delivery::Delivered => {}
                }
                self.dispatcher.record_attempt(receiver, &batch.key, &delivery, self.now);
            }
        }
    }

    fn send(&mut self, batch: &NotificationBatch) -> Delivery {
        let Some(notifier) = self.receivers.get_mut(&batch.receiver) else {
            return Delivery::Failed(NotifyError::Permanent { reason: "unknown receiver".into() });
        };
        let mut outcome = Ok(());
        for wait in WAITS {
            sleep(wait);
            outcome = notifier.notify_batch(&batch.notifications);
            if !matches!(outcome, Err(NotifyError::Transient { .. })) {
                break;
            }
        }
        Delivery::new(outcome, notifier.partial_failure())
    }
}
