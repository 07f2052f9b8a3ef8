//! Answers requests about incidents and silences, on the monitor's thread.

use std::time::Duration;

use anyhow::Context as _;

use super::MonitorThread;
use crate::notify::dispatch::AlertQueryError;
use crate::pipeline::command::{AlertQuery, AlertReply};

impl MonitorThread {
    /// Answers a request, and commits what it changed.
    pub(super) fn ask(&mut self, ask: AlertQuery) -> anyhow::Result<Result<AlertReply, AlertQueryError>> {
        let now = self.now()?;
        let dispatcher = &mut self.dispatch.dispatcher;
        let answer = match ask {
            AlertQuery::List { all } => {
                let (incidents, silences) = (dispatcher.incidents(all, now), dispatcher.silences(all, now));
                Ok(AlertReply::List { now, incidents, silences })
            }
            AlertQuery::Show { id } => match dispatcher.incident(&id, now) {
                Some(incident) => Ok(AlertReply::Incident(Box::new(incident))),
                None => Err(AlertQueryError::NoIncident(id)),
            },
            AlertQuery::Acknowledge { id, by, comment } => {
                dispatcher.acknowledge(&id, &by, &comment, now).map(|()| AlertReply::Done)
            }
            AlertQuery::Unacknowledge { id, by } => {
                dispatcher.unacknowledge(&id, by.as_deref(), now).map(|()| AlertReply::Done)
            }
            AlertQuery::Note { id, by, text } => dispatcher.note(&id, &by, &text, now).map(|()| AlertReply::Done),
            AlertQuery::Silence { matchers, seconds, by, comment } => {
                let lasts = Duration::from_secs(seconds);
                dispatcher.silence(matchers, lasts, &by, &comment, now).map(AlertReply::Silence)
            }
            AlertQuery::Unsilence { id } => dispatcher.unsilence(&id, now).map(|()| AlertReply::Done),
        };
        self.persist(&mut Self::dispatch)?;
        Ok(answer)
    }

    /// Reloads the alerts in memory after stored ones were scrubbed.
    pub(super) fn scrub_outbox(&mut self) -> anyhow::Result<()> {
        let now = self.now()?;
        let Self { monitor, dispatch, .. } = self;
        dispatch.reload_alerts(monitor.as_ref().context("the store is not open")?, now)
    }
}
