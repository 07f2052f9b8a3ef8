//! Executes commands on the monitor's thread, between two batches.

use anyhow::Context as _;

use super::MonitorThread;
use crate::monitor::UndoneFeedback;
use crate::pipeline::command::{Command, Corrected};
use crate::pipeline::post_path::topic_settings;

impl MonitorThread {
    /// Executes and answers `command`.
    pub(super) fn handle_command(&mut self, command: Command) -> anyhow::Result<()> {
        match command {
            Command::Reload { loaded, model, receivers, done } => {
                let rules = loaded.rules.clone();
                self.model = model;
                self.persist(&mut |this| {
                    this.commit()?;
                    let monitor = this.monitor.take().context("the store is not open")?;
                    let mut monitor = monitor.reopen(rules.clone())?;
                    monitor.configure_topics(topic_settings(&loaded.config));
                    monitor.set_model(this.model.clone());
                    this.monitor = Some(monitor);
                    Ok(())
                })?;
                let now = self.now()?;
                self.dispatch.reload(&loaded.config, receivers, now)?;
                self.loaded = *loaded;
                self.persist(&mut Self::dispatch)?;
                self.publisher.status.send_modify(|status| status.model = self.model.id.clone());
                self.publish();
                // The caller may have gone.
                let _ = done.send(());
            }
            Command::Forget { who, done } => {
                let mut receipt = None;
                self.persist(&mut |this| {
                    let now = this.now()?;
                    receipt = Some(this.monitor()?.forget(&who, now)?);
                    this.scrub_outbox()
                })?;
                receipt.and_then(|receipt| done.send(receipt).ok());
            }
            Command::Subject { correction, done } => {
                let mut found = None;
                self.persist(&mut |this| {
                    let now = this.now()?;
                    found = this.monitor()?.find_subject(&correction.what, correction.is_text, now)?;
                    Ok(())
                })?;
                let _ = done.send(found);
            }
            Command::Correct { corrections, done } => {
                let mut given = Vec::new();
                self.persist(&mut |this| {
                    given.clear();
                    let now = this.now()?;
                    let monitor = this.monitor()?;
                    monitor.advance(now);
                    for Corrected { correction, subject, read: (model, prediction) } in &corrections {
                        given.push(monitor.record_feedback(correction, subject.clone(), (model, prediction), now)?);
                    }
                    Ok(monitor.flush()?)
                })?;
                for (record, Corrected { subject, .. }) in given.iter().zip(&corrections) {
                    self.telemetry.feedback_received(record, subject.language.as_deref());
                }
                self.publish();
                let _ = done.send(given);
            }
            Command::UndoFeedback { posts, done } => {
                let mut undone: Vec<Option<UndoneFeedback>> = Vec::new();
                self.persist(&mut |this| {
                    let now = this.now()?;
                    let monitor = this.monitor()?;
                    monitor.advance(now);
                    // After a failure of the store it continues: a label must not be taken back twice.
                    while let Some(post) = posts.get(undone.len()) {
                        undone.push(monitor.undo_feedback(post, now)?);
                    }
                    Ok(monitor.flush()?)
                })?;
                for UndoneFeedback { number, feedback, label } in undone.iter().flatten() {
                    self.telemetry.feedback_undone(*number, feedback, *label);
                }
                self.publish();
                let _ = done.send(undone.into_iter().map(|undone| undone.map(|undone| undone.label)).collect());
            }
            Command::Alerts { ask, done } => {
                let answer = self.ask(ask)?;
                let _ = done.send(answer);
            }
        }
        Ok(())
    }
}
