//! What the monitor's thread does when its store fails or its own code panics: open the store again, and do the work anew.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::Monitoring;
use crate::monitor::Monitor;
use crate::pipeline::restart_policy::Verdict;
use crate::store::Store;

/// Longest wait before a store that failed is opened again; shorter than what counts as stuck.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Monitoring {
    /// Does `work` to its end: after a failure the store is opened again and the work done anew.
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
                    let error = anyhow::anyhow!("a fault of this program, please report it");
                    self.metrics.daemon.deaths.with_label_values(&["monitor"]).inc();
                    match self.deaths.note((self.wall)()) {
                        Verdict::GiveUp => return Err(error.context("the monitor died three times in five minutes")),
                        Verdict::RestartAfter(_) => error,
                    }
                }
            };
            self.store_failed(&error);
            loop {
                if self.stop.is_cancelled() {
                    return Err(error
                        .context("the store failed, and what came last is not committed: its sources give it again"));
                }
                std::thread::sleep(wait);
                wait = (wait * 2).min(LONGEST_WAIT);
                match self.open_again() {
                    Ok(()) => break,
                    Err(error) => self.store_failed(&error),
                }
            }
        }
    }

    fn open_again(&mut self) -> anyhow::Result<()> {
        self.monitor = None; // gives the store back first: it is locked
        let store = Store::open(&self.state)?;
        let mut monitor = Monitor::open(store, self.loaded.config.window.clone(), self.loaded.rules.clone())?;
        monitor.read_by(self.model.clone());
        self.monitor = Some(monitor);
        tracing::info!("the store is open again");
        Ok(())
    }

    /// Says so where the store is not needed to say it: in the log, on the status page, and to the receivers.
    fn store_failed(&mut self, error: &anyhow::Error) {
        let summary = format!("{error:#}");
        tracing::error!(error = summary, "nothing can be stored; sources wait, and nothing is lost");
        self.board.store_failed(&summary, (self.wall)());
        if self.outage.is_none() {
            let at = (self.wall)();
            self.outage = Some((at, summary.clone()));
            self.telling.store_failed(&summary, at);
        }
    }
}
