//! Which report goes to which receiver, and when: at its time, once, also across restarts.
//!
//! ```text
//!   due --> sent --> delivered: done until the next one
//!    |       \----> failed: the receiver backs off, and the report is tried again
//!    |       \----> refused for its content: given up, and said so by `NotificationRejected`
//!    \--> a day late: skipped, and logged
//! ```
//!
//! A report that is new in the configuration begins with its next time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Dispatcher;
use super::attempts::{Delivery, InFlight};
use crate::notify::{DueReport, NotificationBatch, NotifyError, ReportConfig};

/// Later than this a report says nothing that the next one does not say.
const MAX_DELAY: SignedDuration = SignedDuration::from_hours(24);

/// A report to one receiver, as it is saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReportState {
    /// The end of the last period that was delivered or given up.
    settled: Timestamp,
    /// Why the receiver refused the last report.
    #[serde(default)]
    refused: Option<String>,
}

/// A report in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SentReport {
    id: String,
    until: Timestamp,
}

/// Names of reports and receivers have no `/`.
fn id(report: &str, receiver: &str) -> String {
    format!("{report}/{receiver}")
}

impl Dispatcher {
    /// The reports to send at `now`, at most one per receiver, and none to one that is busy or backs off. Alerts go first.
    pub(super) fn due_reports(&mut self, now: Timestamp) -> Vec<NotificationBatch> {
        let mut batches = Vec::new();
        for report in self.routing.reports.clone() {
            let Some(due) = report.last_due(now, self.routing.zone()) else { continue };
            for receiver in &report.receivers {
                if self.is_report_due(&report, receiver, &due, now) {
                    batches.extend(self.send_report(receiver, &due, now));
                }
            }
        }
        batches
    }

    fn is_report_due(&mut self, report: &ReportConfig, receiver: &str, due: &DueReport, now: Timestamp) -> bool {
        let id = id(&report.name, receiver);
        let Some(state) = self.reports.get_mut(&id) else {
            self.reports.insert(id.clone(), ReportState { settled: due.span.until, refused: None });
            self.dirty.reports.insert(id);
            return false;
        };
        if state.settled >= due.span.until {
            return false;
        }
        let is_late = now.duration_since(due.at) > MAX_DELAY;
        // Nothing was sent for so long that the reports in between are older than this one.
        if is_late || state.settled < due.span.since {
            let until = if is_late { due.span.until } else { due.span.since };
            tracing::warn!(
                report = report.name,
                receiver,
                since = %state.settled,
                %until,
                "report skipped: it could not be sent within a day of its time"
            );
            state.settled = until;
            self.dirty.reports.insert(id);
        }
        !is_late
    }

    fn send_report(&mut self, receiver: &str, due: &DueReport, now: Timestamp) -> Option<NotificationBatch> {
        let rate = self.routing.receiver(receiver)?.rate_limit;
        let state = self.receiver_states.entry(receiver.to_owned()).or_default();
        if state.ready_at(rate) > now || self.in_flight.contains_key(receiver) {
            return None;
        }
        state.record_send(rate, now);
        let key = format!("report-{}-{receiver}-{}", due.name, due.span.until.as_second());
        let sent = SentReport { id: id(&due.name, receiver), until: due.span.until };
        let in_flight = InFlight { key: key.clone(), messages: Vec::new(), report: Some(sent) };
        self.in_flight.insert(receiver.to_owned(), in_flight);
        Some(NotificationBatch {
            receiver: receiver.to_owned(),
            key,
            notifications: Vec::new(),
            report: Some(due.clone()),
        })
    }

    /// Records the outcome of a report; the state of its receiver is recorded by the caller.
    pub(super) fn record_report(&mut self, sent: &SentReport, delivery: &Delivery) {
        let refused = match delivery {
            Delivery::Delivered | Delivery::Partial(_) => None,
            // A report has no smaller form, and the next one will have other content.
            Delivery::Failed(error @ NotifyError::Rejected { .. }) => Some(error.to_string()),
            Delivery::Failed(_) => return,
        };
        if let Some(state) = self.reports.get_mut(&sent.id) {
            *state = ReportState { settled: sent.until, refused };
            self.dirty.reports.insert(sent.id.clone());
        }
    }

    /// The report that `receiver` refused last, and its answer.
    pub(super) fn refused_report(&self, receiver: &str) -> Option<(&str, &str)> {
        self.routing.reports.iter().find_map(|report| {
            let state = self.reports.get(&id(&report.name, receiver))?;
            Some((report.name.as_str(), state.refused.as_deref()?))
        })
    }

    /// Forgets reports that left the configuration: one that comes back begins anew.
    pub(super) fn forget_removed_reports(&mut self) {
        let configured: Vec<String> = self
            .routing
            .reports
            .iter()
            .flat_map(|report| report.receivers.iter().map(|receiver| id(&report.name, receiver)))
            .collect();
        let removed: Vec<String> = self.reports.keys().filter(|id| !configured.contains(id)).cloned().collect();
        for id in removed {
            self.reports.remove(&id);
            self.dirty.reports.insert(id);
        }
    }
}
