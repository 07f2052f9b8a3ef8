//! Asks the daemon how it is: once, or again and again on a thread of its own.

use std::error::Error;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::pipeline::status::Status;

/// For a whole answer of a server on the same machine.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{url:?} is no address of a web server; wanted such as --url http://127.0.0.1:9469")]
    Url { url: String },
    #[error("the client for the daemon cannot be made: {0}")]
    Client(String),
    #[error(
        "no answer from {url}: {cause}; is the daemon running (`systemctl status vigie`, or `vigie run`)? \
         If it listens elsewhere, name that with --url"
    )]
    Unreachable { url: String, cause: String },
    #[error("{url} answered {code}; is that vigie? Name its address, `web.listen`, with --url")]
    Code { url: String, code: u16 },
    #[error("{url} answered what vigie {version} does not understand: {cause}; is the daemon of another version?",
        version = env!("CARGO_PKG_VERSION"))]
    NotStatus { url: String, cause: serde_json::Error },
}

/// Asks one daemon.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    client: reqwest::Client,
    url: String,
}

impl Fetcher {
    /// # Errors
    /// When `base` is no URL of a web server.
    pub(super) fn new(base: &str) -> Result<Self, FetchError> {
        // The one installed first stays: that is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!("{}/api/v1/status", base.trim_end_matches('/'));
        let is_web = reqwest::Url::parse(base)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
        if !is_web {
            return Err(FetchError::Url { url: base.to_owned() });
        }
        // A proxy for the world outside does not know what listens on this machine.
        let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build();
        Ok(Self { client: client.map_err(|error| FetchError::Client(root(&error)))?, url })
    }

    /// The body, JSON.
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

/// The innermost cause, without the URL, which the message has already.
fn root(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("none within {} s", TIMEOUT.as_secs());
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Runs a future to its end on this thread.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

/// What came from the thread that asks.
pub(super) enum News {
    Answer(Box<Result<Status, FetchError>>),
    /// The process was told to end.
    Terminated,
}

/// A thread that asks again and again, until this is dropped.
pub(super) struct Asking {
    pub(super) news: mpsc::Receiver<News>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Asking {
    pub(super) fn start(fetcher: Fetcher, interval: SignedDuration) -> Self {
        let (sender, news) = mpsc::channel();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let asking = async move { stopped.run_until_cancelled(ask(fetcher, interval, sender)).await };
        let thread = std::thread::spawn(move || drop(block_on(asking)));
        Self { news, stop, thread: Some(thread) }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.stop.cancel();
        self.thread.take().map(JoinHandle::join);
    }
}

async fn ask(fetcher: Fetcher, interval: SignedDuration, news: mpsc::Sender<News>) {
    let again = async {
        loop {
            tokio::time::sleep(interval.unsigned_abs()).await;
            if news.send(News::Answer(Box::new(fetcher.status().await))).is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = again => {}
        () = terminated() => drop(news.send(News::Terminated)),
    }
}

/// A signal that would end the process with the terminal left as it is.
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
