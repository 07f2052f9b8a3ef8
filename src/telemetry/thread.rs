//! [`RunningTelemetry`]: the thread that sends, on a runtime that nothing else uses: neither a slow collector nor a busy daemon
//! makes the other wait.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use jiff::SignedDuration;
use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Telemetry;
use super::config::Config;
use super::exporter::Exporter;
use super::queue::Queue;
use super::request;
use super::settings::{Settings, TelemetryError};
use super::shared::Shared;
use super::signal::Signal;
use super::signal_sender::SignalSender;
use crate::clock::Clock;

/// At the end, what waits is sent within this time; the rest is lost.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Telemetry that runs until [`RunningTelemetry::stop`], or is off.
pub struct RunningTelemetry {
    pub handle: Telemetry,
    thread: Option<TelemetryThread>,
}

struct TelemetryThread {
    stop: CancellationToken,
    ended: Receiver<()>,
}

impl RunningTelemetry {
    /// Starts the thread, unless no endpoint is set. `environment` reads a variable.
    ///
    /// # Errors
    /// When the endpoint, the headers or the certificates cannot be used.
    pub fn start(
        config: &Config,
        environment: &dyn Fn(&str) -> Option<String>,
        clock: Clock,
    ) -> Result<Self, TelemetryError> {
        let Some(settings) = Settings::find(config, environment)? else {
            return Ok(Self { handle: Telemetry::default(), thread: None });
        };
        let shared = Arc::new(Shared::new(config.clone(), clock));
        let stop = CancellationToken::new();
        let work = Work {
            shared: shared.clone(),
            exporter: Exporter::new(&settings)?,
            resource: request::resource(&settings.service_name),
            stop: stop.clone(),
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(TelemetryError::Thread)?;
        let (ending, ended) = sync_channel(1);
        std::thread::Builder::new()
            .name("telemetry".into())
            .spawn(move || {
                run(runtime, &work);
                // Nobody may wait any more.
                let _ = ending.send(());
            })
            .map_err(TelemetryError::Thread)?;
        Ok(Self { handle: Telemetry::new(shared), thread: Some(TelemetryThread { stop, ended }) })
    }

    /// Sends what waits, and ends; within three seconds.
    pub fn stop(self) {
        if let Some(TelemetryThread { stop, ended }) = self.thread {
            stop.cancel();
            if ended.recv_timeout(FLUSH_TIMEOUT).is_err() {
                tracing::warn!("telemetry that could not be sent in time is lost");
            }
        }
    }
}

/// What the thread works with.
struct Work {
    shared: Arc<Shared>,
    exporter: Exporter,
    resource: Resource,
    stop: CancellationToken,
}

fn run(runtime: Runtime, work: &Work) {
    let config = &work.shared.config;
    runtime.block_on(async {
        tokio::join!(
            async {
                if config.logs {
                    work.send_records(Signal::Logs, &work.shared.logs, request::logs).await;
                }
            },
            async {
                if config.traces {
                    work.send_records(Signal::Traces, &work.shared.spans, request::traces).await;
                }
            },
            async {
                if config.metrics {
                    work.send_metrics().await;
                }
            },
        )
    });
    // A name server that does not answer must not be waited for.
    runtime.shutdown_background();
}

impl Work {
    /// Sends the records of `queue` at each interval, or as soon as there is a full batch.
    async fn send_records<T>(&self, signal: Signal, queue: &Queue<T>, encode: fn(&Resource, Vec<T>) -> Vec<u8>) {
        let post = async |body| self.exporter.post(signal, body).await;
        let mut sender = SignalSender { signal, shared: &self.shared, post, stop: &self.stop, is_failing: false };
        loop {
            tokio::select! {
                () = sleep(duration(self.shared.config.interval)) => {}
                () = queue.batch_ready() => {}
                () = self.stop.cancelled() => {}
            }
            let is_last = self.stop.is_cancelled();
            let mut reached = true;
            while reached
                && let batch = queue.take()
                && !batch.is_empty()
            {
                let records = batch.len() as u64;
                reached = sender.deliver(encode(&self.resource, batch), records).await;
            }
            if is_last || !reached {
                return;
            }
        }
    }

    /// Sends all metrics at each interval. Those that cannot be sent are not sent again: the next ones hold their values.
    async fn send_metrics(&self) {
        let signal = Signal::Metrics;
        let post = async |body| self.exporter.post(signal, body).await;
        let mut sender = SignalSender { signal, shared: &self.shared, post, stop: &self.stop, is_failing: false };
        loop {
            tokio::select! {
                () = sleep(duration(self.shared.config.metrics_interval)) => {}
                () = self.stop.cancelled() => {}
            }
            let is_last = self.stop.is_cancelled();
            let metrics = self.shared.read_metrics();
            let count = metrics.len() as u64;
            // It was logged and counted.
            let _ = sender.attempt(request::metrics(&self.resource, metrics), count).await;
            if is_last {
                return;
            }
        }
    }
}

/// The checks of the configuration allow no negative one.
fn duration(duration: SignedDuration) -> Duration {
    Duration::try_from(duration).unwrap_or_default()
}
