//! [`SignalSender`]: sends the batches of one signal, with retries. Each signal has its own, so that a collector that refuses one
//! gets the others.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::exporter::ExportError;
use super::shared::Shared;
use super::signal::Signal;

/// Wait after the first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const MAX_WAIT: Duration = Duration::from_secs(60);

/// See the module. `post` sends a body, and returns how many of its records were refused.
pub(super) struct SignalSender<'a, P> {
    pub(super) signal: Signal,
    pub(super) shared: &'a Shared,
    pub(super) post: P,
    pub(super) stop: &'a CancellationToken,
    /// The last attempt failed: it was logged.
    pub(super) is_failing: bool,
}

impl<P: AsyncFnMut(Vec<u8>) -> Result<u64, ExportError>> SignalSender<'_, P> {
    /// Sends a batch of `records` again and again, until it is accepted or refused; once telemetry stops, one more time. False
    /// where the collector could not be reached until then.
    pub(super) async fn deliver(&mut self, body: Vec<u8>, records: u64) -> bool {
        let mut wait = FIRST_WAIT;
        loop {
            let is_last = self.stop.is_cancelled();
            match self.attempt(body.clone(), records).await {
                Err(ExportError::Transient { retry_after, .. }) if !is_last => {
                    // The collector knows best when; but a wait of hours would be a mistake.
                    let pause = retry_after.unwrap_or(wait).min(MAX_WAIT);
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = self.stop.cancelled() => {}
                    }
                    wait = (wait * 2).min(MAX_WAIT);
                }
                Err(error) => {
                    self.shared.count_dropped(self.signal, records);
                    return matches!(error, ExportError::Rejected(_));
                }
                Ok(()) => return true,
            }
        }
    }

    /// Sends a batch once.
    pub(super) async fn attempt(&mut self, body: Vec<u8>, records: u64) -> Result<(), ExportError> {
        let result = (self.post)(body).await;
        self.log(result.as_ref().err());
        match result {
            Ok(rejected) => {
                if rejected > 0 {
                    tracing::warn!(signal = self.signal.as_str(), rejected, "the collector refused some telemetry");
                }
                self.shared.count_dropped(self.signal, rejected.min(records));
                self.shared.count_sent(self.signal, records.saturating_sub(rejected));
                Ok(())
            }
            Err(error) => {
                self.shared.count_failure(self.signal);
                Err(error)
            }
        }
    }

    /// Logs the first of several failures, and their end.
    fn log(&mut self, error: Option<&ExportError>) {
        let signal = self.signal.as_str();
        match error {
            Some(error @ ExportError::Transient { .. }) if !self.is_failing => {
                tracing::warn!(signal, %error, "telemetry cannot be sent; will retry");
            }
            Some(error @ ExportError::Rejected(_)) if !self.is_failing => {
                tracing::warn!(signal, %error, "telemetry was refused and is dropped");
            }
            None if self.is_failing => tracing::info!(signal, "telemetry is sent again"),
            _ => {}
        }
        self.is_failing = error.is_some();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn transient(seconds: Option<u64>) -> Result<u64, ExportError> {
        Err(ExportError::Transient { reason: "later".into(), retry_after: seconds.map(Duration::from_secs) })
    }

    /// Delivers with these answers in sequence; returns whether it went well, and how long it took.
    async fn deliver(
        shared: &Shared,
        stop: &CancellationToken,
        answers: Vec<Result<u64, ExportError>>,
    ) -> (bool, Duration) {
        let mut answers = answers.into_iter();
        let post = async |_| answers.next().unwrap();
        let mut sender = SignalSender { signal: Signal::Logs, shared, post, stop, is_failing: false };
        let started = Instant::now();
        let went_well = sender.deliver(Vec::new(), 10).await;
        (went_well, started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_unless_the_collector_says_how_long() {
        let (shared, stop) = (Shared::for_test(), CancellationToken::new());
        let answers = vec![transient(None), transient(None), transient(Some(7)), Ok(2)];
        assert_eq!(deliver(&shared, &stop, answers).await, (true, Duration::from_secs(1 + 2 + 7)));
        assert_eq!((shared.sent(Signal::Logs), shared.dropped(Signal::Logs)), (8, 2));
        let forever = (0..9).map(|_| transient(None)).chain([transient(Some(86_400)), Ok(0)]).collect();
        let expected = Duration::from_secs(1 + 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60 + 60);
        assert_eq!(deliver(&shared, &stop, forever).await, (true, expected));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_dropped_at_once() {
        let (shared, stop) = (Shared::for_test(), CancellationToken::new());
        let answers = vec![Err(ExportError::Rejected("HTTP 400".into()))];
        assert_eq!(deliver(&shared, &stop, answers).await, (true, Duration::ZERO));
        assert_eq!((shared.sent(Signal::Logs), shared.dropped(Signal::Logs)), (0, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_end_there_is_one_more_attempt_and_no_wait() {
        let (shared, stop) = (Shared::for_test(), CancellationToken::new());
        stop.cancel();
        assert_eq!(deliver(&shared, &stop, vec![transient(None)]).await, (false, Duration::ZERO));
        assert_eq!(shared.dropped(Signal::Logs), 10);
    }
}
