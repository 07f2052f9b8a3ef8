//! Recovery of the monitor's thread when its store fails or its code panics: reopen the store and repeat the work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::MonitorThread;
use crate::monitor::Monitor;
use crate::pipeline::post_path::topic_settings;
use crate::pipeline::restart_policy::RestartDecision;
use crate::store::Store;

/// Longest wait before a failed store is reopened; shorter than what counts as stuck.
const MAX_WAIT: Duration = Duration::from_secs(10);

impl MonitorThread {
    /// Runs `work` until it succeeds: after a failure the store is reopened and the work repeated.
    pub(super) fn persist(&mut self, work: &mut dyn FnMut(&mut Self) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut wait = Duration::from_millis(500);
        loop {
            let done = catch_unwind(AssertUnwindSafe(|| work(self)));
            let error = match done {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => {
                    self.metrics.monitor.store_failures.inc();
                    error
                }
                Err(_) => {
                    let error = anyhow::anyhow!("a bug in vigie, please report it");
                    self.metrics.daemon.deaths.with_label_values(&["monitor"]).inc();
                    match self.restart_policy.record_failure((self.wall)()) {
                        RestartDecision::GiveUp => {
                            return Err(error.context("the monitor failed three times in five minutes"));
                        }
                        RestartDecision::RestartAfter(_) => error,
                    }
                }
            };
            self.store_failed(&error);
            loop {
                if self.stop.is_cancelled() {
                    return Err(error.context(
                        "the store failed, and the last posts are not committed: their sources will send them again",
                    ));
                }
                std::thread::sleep(wait);
                wait = (wait * 2).min(MAX_WAIT);
                match self.open_again() {
                    Ok(()) => break,
                    Err(error) => self.store_failed(&error),
                }
            }
        }
    }

    fn open_again(&mut self) -> anyhow::Result<()> {
        self.monitor = None; // releases the store's lock first
        let store = Store::open(&self.state)?;
        self.query.attach(&store);
        let config = &self.loaded.config;
        let mut monitor = Monitor::open(store, config.window.clone(), self.loaded.rules.clone())?;
        monitor.keep_posts(config.retention.keeps_posts());
        monitor.configure_topics(topic_settings(config));
        monitor.set_model(self.model.clone());
        self.monitor = Some(monitor);
        self.rewind_if_ahead()?;
        tracing::info!("store available again");
        Ok(())
    }

    /// Reports the failure where no store is needed: in the log, on the overview page, and to the receivers.
    fn store_failed(&mut self, error: &anyhow::Error) {
        let summary = format!("{error:#}");
        tracing::error!(error = summary, "store unavailable: sources paused");
        self.publisher.store_failed(&summary, (self.wall)());
        if self.outage.is_none() {
            let at = (self.wall)();
            self.outage = Some((at, summary.clone()));
            self.dispatch.store_failed(&summary, at);
        }
    }
}
