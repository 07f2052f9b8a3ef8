//! Outcomes of attempts: what was delivered, refused or failed, in the notification log and in the state of the receiver.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Dispatcher;
use super::history::HistoryEvent;
use super::receiver_state::RefusalVerdict;
use super::refusal::Refusal;
use super::reports::SentReport;
use crate::notify::{Kind, MessageForm, NotifyError};

/// The outcome of one attempt to deliver a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    Delivered,
    /// Delivered to some recipients, and why not to the others.
    Partial(String),
    Failed(NotifyError),
}

impl Delivery {
    /// The outcome of [`Notifier::notify`](crate::notify::Notifier::notify), with what it left undelivered.
    pub fn new(sent: Result<(), NotifyError>, partial_failure: Option<String>) -> Self {
        match (sent, partial_failure) {
            (Err(error), _) => Self::Failed(error),
            (Ok(()), Some(reason)) => Self::Partial(reason),
            (Ok(()), None) => Self::Delivered,
        }
    }
}

/// A request that is being sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InFlight {
    pub(super) key: String,
    pub(super) messages: Vec<InFlightMessage>,
    /// A report in place of messages.
    pub(super) report: Option<SentReport>,
}

/// The message about one incident in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InFlightMessage {
    pub(super) incident: String,
    pub(super) kind: Kind,
    pub(super) form: MessageForm,
    pub(super) firing: BTreeSet<String>,
    pub(super) ended: BTreeSet<String>,
    /// Alerts of earlier incidents that the same message reports as missed.
    pub(super) missed: Vec<(String, BTreeSet<String>)>,
}

impl Dispatcher {
    /// Records the outcome of the request that was sent to `receiver` under `key`.
    pub fn record_attempt(&mut self, receiver: &str, key: &str, delivery: &Delivery, now: Timestamp) {
        let Some(sent) = self.in_flight.remove(receiver) else { return };
        // A late answer to an earlier attempt says nothing about the current one.
        if sent.key != key {
            self.in_flight.insert(receiver.to_owned(), sent);
            return;
        }
        self.record_history(receiver, &sent, delivery, now);
        let state = self.receiver_states.entry(receiver.to_owned()).or_default();
        self.dirty.receivers.insert(receiver.to_owned());
        match delivery {
            Delivery::Delivered => state.record_success(None),
            // Some recipients have it: sending it again would reach them twice.
            Delivery::Partial(reason) => state.record_success(Some(reason.clone())),
            // The receiver answers, and refuses this report only.
            Delivery::Failed(NotifyError::Rejected { .. }) if sent.report.is_some() => {}
            Delivery::Failed(error @ NotifyError::Rejected { .. }) => {
                return self.record_refusal(receiver, &sent, error, now);
            }
            // The log entry stays as it was, so that the next tick sends the state of then.
            Delivery::Failed(error) => return state.record_failure(error, key, now),
        }
        if let Some(report) = &sent.report {
            self.record_report(report, delivery);
        }
        for message in sent.messages {
            if let Some(group) = self.groups.get_mut(&message.incident)
                && let Some(entry) = group.log.get_mut(receiver)
            {
                entry.record_delivered(&message.firing, &message.ended, now);
                self.dirty.groups.insert(message.incident);
            }
            for (incident, ended) in message.missed {
                if let Some(entry) = self.groups.get_mut(&incident).and_then(|group| group.log.get_mut(receiver)) {
                    entry.clear_undelivered(&BTreeSet::new(), &ended);
                    self.dirty.groups.insert(incident);
                }
            }
        }
        self.close_finished(now);
    }

    /// Writes the outcome into the history of each incident that the request was about.
    fn record_history(&mut self, receiver: &str, sent: &InFlight, delivery: &Delivery, now: Timestamp) {
        for message in &sent.messages {
            let Some(group) = self.groups.get_mut(&message.incident) else { continue };
            let receiver = receiver.to_owned();
            let event = match delivery {
                Delivery::Delivered => HistoryEvent::Notified { receiver, kind: message.kind, problem: None },
                Delivery::Partial(reason) => {
                    HistoryEvent::Notified { receiver, kind: message.kind, problem: Some(reason.clone()) }
                }
                Delivery::Failed(error) => HistoryEvent::NotNotified { receiver, error: error.to_string() },
            };
            if group.record(now, event) {
                self.dirty.groups.insert(message.incident.clone());
            }
        }
    }

    /// A request was refused for its content.
    fn record_refusal(&mut self, receiver: &str, sent: &InFlight, error: &NotifyError, now: Timestamp) {
        let incidents: Vec<&str> = sent.messages.iter().map(|message| message.incident.as_str()).collect();
        let is_last = sent.messages.iter().all(|message| message.form.smaller().is_none());
        let state = self.receiver_states.entry(receiver.to_owned()).or_default();
        match state.record_refusal(&incidents, is_last) {
            RefusalVerdict::SplitBatch => {}
            RefusalVerdict::Message => {
                for message in &sent.messages {
                    let Some(group) = self.groups.get_mut(&message.incident) else { continue };
                    let Some(entry) = group.log.get_mut(receiver) else { continue };
                    let content = (&message.firing, &message.ended);
                    entry.refusal = Some(Refusal::new(content, message.form, &error.to_string(), now));
                    self.dirty.groups.insert(message.incident.clone());
                }
            }
            RefusalVerdict::Receiver => {
                state.record_failure(error, &sent.key, now);
                self.clear_refusals(receiver);
            }
        }
    }

    /// Releases the messages that `receiver` refused: its fault, or the configuration, may have changed.
    pub(super) fn clear_refusals(&mut self, receiver: &str) {
        for group in self.groups.values_mut() {
            let entry = group.log.get_mut(receiver);
            if entry.is_some_and(|entry| entry.refusal.take().is_some()) {
                self.dirty.groups.insert(group.id.clone());
            }
        }
    }

    /// The request to `receiver` was not sent after all.
    pub fn cancel_in_flight(&mut self, receiver: &str) {
        self.in_flight.remove(receiver);
    }

    /// Whether a request is in flight.
    pub fn is_sending(&self) -> bool {
        !self.in_flight.is_empty()
    }
}
