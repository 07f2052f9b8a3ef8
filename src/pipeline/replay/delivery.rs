//! [`Telling`]: a replay that tells the configured receivers, in event time and without waiting.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::Config;
use crate::monitor::Monitor;
use crate::notify::dispatch::Outcome;
use crate::notify::{Dispatcher, Notification, Notifier, NotifyError, Observer};
use crate::pipeline::Receiving;
use crate::store::Batch;

/// Waits between the attempts at one notification, of the wall clock.
const WAITS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(4)];

/// See the module.
pub(super) struct Telling {
    dispatcher: Dispatcher,
    receivers: BTreeMap<String, Box<dyn Notifier>>,
    now: Timestamp,
    /// Transitions that were taken before the monitor committed them.
    taken: usize,
}

impl Telling {
    pub(super) fn new(monitor: &Monitor, config: &Config, receivers: Vec<Receiving>) -> anyhow::Result<Self> {
        let now = monitor.edge().unwrap_or(Timestamp::MIN);
        let dispatcher = Dispatcher::open(monitor.store(), config.routing(), now)?;
        Ok(Self { dispatcher, receivers: receivers.into_iter().collect(), now, taken: 0 })
    }

    /// Lets time pass for `monitor` up to `until`, and stops wherever something is to be told: with the numbers of that
    /// moment. What was told before the next commit is told again after a kill, under the same keys.
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
        for transition in monitor.fresh().get(self.taken..).unwrap_or_default() {
            self.pass(monitor, transition.at);
            self.dispatcher.take(transition, transition.at);
            self.taken += 1;
        }
    }

    /// Takes the rest of the outbox over, each transition at its own time, and tells what is due up to `until`.
    pub(super) fn deliver(
        &mut self,
        monitor: &mut Monitor,
        observers: &mut [Box<dyn Observer>],
        until: Timestamp,
    ) -> anyhow::Result<()> {
        let taken = std::mem::take(&mut self.taken);
        for (number, transition) in monitor.waiting().enumerate() {
            for observer in &mut *observers {
                observer.observe(transition)?;
            }
            if number >= taken {
                self.pass(monitor, transition.at);
                self.dispatcher.take(transition, transition.at);
            }
        }
        self.pass(monitor, until);
        let mut batch = Batch::default();
        self.dispatcher.save(&mut batch)?;
        monitor.hand_over(batch)?;
        self.dispatcher.saved();
        Ok(())
    }

    /// Lets event time pass up to `until`.
    fn pass(&mut self, monitor: &Monitor, until: Timestamp) {
        self.tell(monitor);
        while let Some(due) = self.dispatcher.next_due(self.now).filter(|due| *due <= until) {
            self.now = due;
            self.tell(monitor);
        }
        self.now = self.now.max(until);
    }

    fn tell(&mut self, monitor: &Monitor) {
        loop {
            let out = self.dispatcher.tick(self.now, &|alert| monitor.as_it_fires(alert));
            if out.is_empty() {
                return;
            }
            for notification in out {
                let outcome = self.send(&notification);
                match &outcome {
                    Err(error) => {
                        tracing::warn!(receiver = notification.receiver, %error, "a receiver could not be told");
                    }
                    Ok(Some(complaint)) => {
                        tracing::warn!(receiver = notification.receiver, complaint, "a receiver was told in part");
                    }
                    Ok(None) => {}
                }
                self.dispatcher.attempted(&notification.receiver, &notification.key, &outcome, self.now);
            }
        }
    }

    fn send(&mut self, notification: &Notification) -> Outcome {
        let gone = || NotifyError::Permanent { reason: "there is no such receiver".into() };
        let notifier = self.receivers.get_mut(&notification.receiver).ok_or_else(gone)?;
        let mut outcome = Ok(());
        for wait in WAITS {
            sleep(wait);
            outcome = notifier.notify(notification);
            if !matches!(outcome, Err(NotifyError::Passing { .. })) {
                break;
            }
        }
        outcome.map(|()| notifier.complaint())
    }
}
