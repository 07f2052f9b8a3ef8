//! Requests the status of the daemon: once, or repeatedly on a thread.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::terminal;
use crate::http_client::{self, Options, root_cause};
use crate::pipeline::status::Status;

/// Timeout of a response from the same machine.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Time to end in order after a signal.
const EXIT_GRACE: Duration = Duration::from_secs(2);

/// Why the status is unknown.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{url:?} is not a valid URL; expected e.g. --url http://127.0.0.1:9469")]
    Url { url: String },
    #[error("cannot create the HTTP client: {0}")]
    Client(String),
    #[error(
        "no answer from {url}: {cause}; is the daemon running (`systemctl status vigie`, or `vigie run`)? \
         If it listens on another address, set --url"
    )]
    Unreachable { url: String, cause: String },
    #[error("{url} answered {code}; is that vigie? Set --url to its address (`web.listen`)")]
    Code { url: String, code: u16 },
    #[error("vigie {version} cannot read the answer of {url}: {cause}; is the daemon of another version?",
        version = env!("CARGO_PKG_VERSION"))]
    NotStatus { url: String, cause: serde_json::Error },
}

/// Client of one daemon.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    client: reqwest::Client,
    url: String,
}

impl Fetcher {
    /// # Errors
    /// When `base` is not an HTTP URL.
    pub(super) fn new(base: &str) -> Result<Self, FetchError> {
        let url = format!("{}/api/v1/status", base.trim_end_matches('/'));
        let address = reqwest::Url::parse(base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
            .ok_or_else(|| FetchError::Url { url: base.to_owned() })?;
        // A proxy cannot reach an address of this machine. A reverse proxy of the daemon may redirect.
        let options = Options { proxies: false, redirects: 10, timeout: Some(TIMEOUT), ..Options::default() };
        let client = http_client::client(&address, options).map_err(|error| FetchError::Client(error.to_string()))?;
        Ok(Self { client, url })
    }

    /// The response body, JSON.
    pub(super) async fn answer(&self) -> Result<String, FetchError> {
        let unreachable =
            |error: reqwest::Error| FetchError::Unreachable { url: self.url.clone(), cause: root(&error) };
        let answer = self.client.get(&self.url).send().await.map_err(unreachable)?;
        let code = answer.status();
        if !code.is_success() {
            return Err(FetchError::Code { url: self.url.clone(), code: code.as_u16() });
        }
        answer.text().await.map_err(unreachable)
    }

    pub(super) fn read(&self, answer: &str) -> Result<Status, FetchError> {
        serde_json::from_str(answer).map_err(|cause| FetchError::NotStatus { url: self.url.clone(), cause })
    }

    async fn status(&self) -> Result<Status, FetchError> {
        self.read(&self.answer().await?)
    }
}

/// The innermost cause, without the URL, which is already in the message.
fn root(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("timeout after {} s", TIMEOUT.as_secs());
    }
    root_cause(error).unwrap_or_else(|| "unknown cause".to_owned())
}

/// Runs a future on this thread.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

/// Events of the polling thread.
pub(super) enum PollEvent {
    Answer(Box<Result<Status, FetchError>>),
    /// The process got a signal to stop.
    Terminated,
}

/// A thread that polls the status until this is dropped.
pub(super) struct StatusPoller {
    pub(super) events: mpsc::Receiver<PollEvent>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl StatusPoller {
    pub(super) fn start(fetcher: Fetcher, interval: SignedDuration) -> Self {
        let (sender, events) = mpsc::channel();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let poller = async move { stopped.run_until_cancelled(ask(fetcher, interval, sender)).await };
        let thread = std::thread::spawn(move || drop(block_on(poller)));
        Self { events, stop, thread: Some(thread) }
    }
}

impl Drop for StatusPoller {
    fn drop(&mut self) {
        self.stop.cancel();
        self.thread.take().map(JoinHandle::join);
    }
}

async fn ask(fetcher: Fetcher, interval: SignedDuration, events: mpsc::Sender<PollEvent>) {
    let again = async {
        loop {
            tokio::time::sleep(interval.unsigned_abs()).await;
            if events.send(PollEvent::Answer(Box::new(fetcher.status().await))).is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = again => {}
        () = terminated() => {
            drop(events.send(PollEvent::Terminated));
            // A terminal that takes no more output blocks the main thread: then the process ends here.
            tokio::time::sleep(EXIT_GRACE).await;
            terminal::abandon();
            std::process::exit(0);
        }
    }
}

/// Waits for a signal that would end the process without restoring the terminal.
async fn terminated() {
    let signals = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()].map(signal);
    let [Ok(mut terminate), Ok(mut hangup), Ok(mut interrupt)] = signals else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
        _ = interrupt.recv() => {}
    }
}
