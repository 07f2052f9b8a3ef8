//! [`MessageCounts`]: how many messages receivers would have got about the alerts of a rule. The alerts of a backtest go through the
//! daemon's own dispatcher, with its routes, grouping, inhibitions and reminders, and nothing is sent.

use anyhow::Context as _;
use jiff::Timestamp;

use crate::alert::{Alert, Transition, TransitionKind};
use crate::config::Config;
use crate::notify::dispatch::Delivery;
use crate::notify::{Dispatcher, Kind};
use crate::store::Store;

/// Messages to all receivers together, as if nobody acknowledged and nothing were silenced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageCounts {
    /// An incident began, or began again.
    pub first: u64,
    /// It changed, or was escalated.
    pub updates: u64,
    pub reminders: u64,
    pub ends: u64,
}

impl MessageCounts {
    pub fn total(&self) -> u64 {
        self.first + self.updates + self.reminders + self.ends
    }

    /// Of `rule`, among the alerts of all rules up to `until`: others share its messages or inhibit them.
    pub(super) fn count(config: &Config, fired: &[Alert], rule: &str, until: Timestamp) -> anyhow::Result<Self> {
        let is_kept_back =
            |alert: &Alert| config.topics.iter().any(|topic| topic.watch_only && topic.name == alert.topic);
        let transitions = transitions(fired.iter().filter(|alert| !is_kept_back(alert)), until);
        let mut counts = Self::default();
        let Some(first) = transitions.first() else { return Ok(counts) };
        let dir = tempfile::tempdir().context("cannot create a temporary directory for counting messages")?;
        let mut dispatcher = Dispatcher::open(&Store::open(dir.path())?, config.routing(), first.at)?;
        let mut now = first.at;
        let mut pass = |dispatcher: &mut Dispatcher, to: Timestamp| {
            counts.deliver(dispatcher, rule, now);
            while let Some(due) = dispatcher.next_due(now).filter(|due| *due <= to) {
                now = due;
                counts.deliver(dispatcher, rule, now);
            }
            now = now.max(to);
        };
        for transition in &transitions {
            pass(&mut dispatcher, transition.at);
            dispatcher.process(transition, transition.at);
        }
        // The messages about the last ends are due a little later.
        pass(&mut dispatcher, until.checked_add(config.notify.group_interval).unwrap_or(until));
        Ok(counts)
    }

    /// Counts what is due at `now`, and records it as delivered.
    fn deliver(&mut self, dispatcher: &mut Dispatcher, rule: &str, now: Timestamp) {
        loop {
            let batches = dispatcher.tick(now, &|_| None);
            if batches.is_empty() {
                return;
            }
            for batch in batches {
                let own = batch.notifications.iter().filter(|it| it.alerts.iter().any(|alert| alert.rule == rule));
                own.for_each(|notification| self.add(notification.kind));
                dispatcher.record_attempt(&batch.receiver, &batch.key, &Delivery::Delivered, now);
            }
        }
    }

    fn add(&mut self, kind: Kind) {
        *match kind {
            Kind::Opened | Kind::Reopened => &mut self.first,
            Kind::Changed | Kind::Escalated => &mut self.updates,
            Kind::Repeated => &mut self.reminders,
            Kind::Resolved => &mut self.ends,
            // The dispatcher makes none of these.
            Kind::Test => return,
        } += 1;
    }
}

/// The beginnings and the ends of `alerts`, in their order.
fn transitions<'a>(alerts: impl Iterator<Item = &'a Alert>, until: Timestamp) -> Vec<Transition> {
    let mut transitions = Vec::new();
    for alert in alerts {
        let begun = Alert { ends_at: None, ..alert.clone() };
        transitions.push(Transition { status: TransitionKind::Firing, at: alert.fired_at, alert: begun });
        if let Some(at) = alert.ends_at.filter(|at| *at <= until) {
            transitions.push(Transition { status: TransitionKind::Resolved, at, alert: alert.clone() });
        }
    }
    transitions.sort_by_key(|transition| transition.at);
    transitions
}
