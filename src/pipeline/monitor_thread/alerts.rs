//! What the monitor's thread is asked of incidents and silences.

use std::time::Duration;

use anyhow::Context as _;

use super::Monitoring;
use crate::notify::dispatch::AskError;
use crate::pipeline::command::{Answer, Ask};

impl Monitoring {
    /// Looks, or changes and commits that.
    pub(super) fn ask(&mut self, ask: Ask) -> anyhow::Result<Result<Answer, AskError>> {
        let now = self.now()?;
        let dispatcher = &mut self.telling.dispatcher;
        let answer = match ask {
            Ask::List { all } => {
                let (incidents, silences) = (dispatcher.incidents(all, now), dispatcher.silences(all, now));
                Ok(Answer::List { now, incidents, silences })
            }
            Ask::Show { id } => match dispatcher.incident(&id, now) {
                Some(incident) => Ok(Answer::Incident(Box::new(incident))),
                None => Err(AskError::NoIncident(id)),
            },
            Ask::Acknowledge { id, by } => dispatcher.acknowledge(&id, &by, now).map(|()| Answer::Done),
            Ask::Unacknowledge { id } => dispatcher.unacknowledge(&id).map(|()| Answer::Done),
            Ask::Silence { matchers, seconds, by, comment } => {
                let lasts = Duration::from_secs(seconds);
                dispatcher.silence(matchers, lasts, &by, &comment, now).map(Answer::Silence)
            }
            Ask::Unsilence { id } => dispatcher.unsilence(&id, now).map(|()| Answer::Done),
        };
        self.persist(&mut Self::tell)?;
        Ok(answer)
    }

    /// What was taken out of stored alerts goes from those in memory too.
    pub(super) fn forget_told(&mut self) -> anyhow::Result<()> {
        let Self { monitor, telling, .. } = self;
        let monitor = monitor.as_mut().context("the store is not open")?;
        Ok(telling.dispatcher.load_alerts(monitor.store())?)
    }
}
