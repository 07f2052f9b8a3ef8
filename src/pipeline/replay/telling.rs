//! [`Telling`]: a replay that tells the configured receivers, in event time and without waiting.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::Config;
use crate::monitor::Monitor;
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
}

impl Telling {
    pub(super) fn new(monitor: &Monitor, config: &Config, receivers: Vec<Receiving>) -> anyhow::Result<Self> {
        let now = monitor.edge().unwrap_or(Timestamp::MIN);
        let dispatcher = Dispatcher::open(monitor.store(), config.routing(), now)?;
        Ok(Self { dispatcher, receivers: receivers.into_iter().collect(), now })
    }

    /// Takes the outbox over, each transition at its own time, and tells what is due up to `until`. Saved last: a replay
    /// that is killed tells again, under the same keys.
    pub(super) fn deliver(
        &mut self,
        monitor: &mut Monitor,
        observers: &mut [Box<dyn Observer>],
        until: Timestamp,
    ) -> anyhow::Result<()> {
        for transition in monitor.waiting() {
            for observer in &mut *observers {
                observer.observe(transition)?;
            }
            self.pass(transition.at);
            self.dispatcher.take(transition, transition.at);
        }
        self.pass(until);
        let mut batch = Batch::default();
        self.dispatcher.save(&mut batch)?;
        monitor.hand_over(batch)?;
        self.dispatcher.saved();
        Ok(())
    }

    /// Lets event time pass up to `until`.
    fn pass(&mut self, until: Timestamp) {
        self.tell();
        while let Some(due) = self.dispatcher.next_due(self.now).filter(|due| *due <= until) {
            self.now = due;
            self.tell();
        }
        self.now = self.now.max(until);
    }

    fn tell(&mut self) {
        loop {
            // Numbers as of the last transition: those of the monitor lie ahead of the time that passes here.
            let out = self.dispatcher.tick(self.now, &|_| None);
            if out.is_empty() {
                return;
            }
            for notification in out {
                let outcome = self.send(&notification);
                if let Err(error) = &outcome {
                    tracing::warn!(receiver = notification.receiver, %error, "a receiver could not be told");
                }
                self.dispatcher.attempted(&notification.receiver, &notification.key, &outcome, self.now);
            }
        }
    }

    fn send(&mut self, notification: &Notification) -> Result<(), NotifyError> {
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
        outcome
    }
}
