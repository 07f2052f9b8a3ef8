//! [`Exporter`]: one request to the collector, and what its answer means.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode, Url};

use super::request;
use super::settings::{Settings, TelemetryError};
use super::signal::Signal;
use crate::http_client::root_cause;
use crate::notify::retry_after;

/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 64 << 10;

/// Why a request was not accepted. In one line, without secrets and without what was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    /// It may be accepted later.
    #[error("{reason}")]
    Transient { reason: String, retry_after: Option<Duration> },
    #[error("{0}")]
    Rejected(String),
}

/// See the module. Clones share their connections.
#[derive(Debug, Clone)]
pub(super) struct Exporter {
    client: Client,
    endpoint: Url,
}

impl Exporter {
    pub(super) fn new(settings: &Settings) -> Result<Self, TelemetryError> {
        Ok(Self { client: settings.client()?, endpoint: settings.endpoint.clone() })
    }

    /// Sends `body`; returns how many of its records were refused.
    pub(super) async fn post(&self, signal: Signal, body: Vec<u8>) -> Result<u64, ExportError> {
        let url = format!("{}/v1/{}", self.endpoint.as_str().trim_end_matches('/'), signal.as_str());
        let request = self.client.post(url).header(CONTENT_TYPE, "application/x-protobuf").body(body);
        let response = request.send().await.map_err(|error| transport(&error))?;
        if response.status().is_success() {
            return Ok(request::rejected(signal, &read(response).await));
        }
        Err(refusal(&response))
    }
}

/// The beginning of an answer; a collector that breaks off has accepted the request before.
async fn read(mut response: Response) -> Vec<u8> {
    let mut answer = Vec::new();
    while answer.len() < MAX_ANSWER
        && let Ok(Some(chunk)) = response.chunk().await
    {
        answer.extend_from_slice(&chunk);
    }
    answer
}

fn transport(error: &reqwest::Error) -> ExportError {
    let reason = if error.is_timeout() {
        "no answer in time".into()
    } else {
        root_cause(error).unwrap_or_else(|| "the request failed".into())
    };
    ExportError::Transient { reason, retry_after: None }
}

/// The statuses that the protocol lets a client retry; any other would be refused again.
fn refusal(response: &Response) -> ExportError {
    let status = response.status();
    let reason = format!("the collector answered HTTP {status}");
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            ExportError::Transient { reason, retry_after: retry_after(response.headers()) }
        }
        _ => ExportError::Rejected(reason),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::super::config::Config;
    use super::*;

    /// Answers one request with `answer`; returns the request.
    fn server(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            // The body is "body".
            while !request.ends_with(b"\r\n\r\nbody") {
                let mut buffer = [0; 1_024];
                let count = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..count]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        (url, serving)
    }

    fn exporter(url: &str) -> Exporter {
        let config = Config { endpoint: Some(format!("{url}/otlp/")), ..Config::default() };
        let environment = |name: &str| (name == "VIGIE_TELEMETRY_HEADERS").then(|| "x-key=hunter2".into());
        Exporter::new(&Settings::find(&config, &environment).unwrap().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_request_goes_to_the_path_of_its_signal_with_the_headers() {
        let (url, serving) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(exporter(&url).post(Signal::Logs, b"body".into()).await.unwrap(), 0);
        let request = serving.join().unwrap().to_ascii_lowercase();
        assert!(request.starts_with("post /otlp/v1/logs http/1.1\r\n"), "{request}");
        assert!(
            request.contains("content-type: application/x-protobuf") && request.contains("x-key: hunter2"),
            "{request}"
        );
    }

    #[tokio::test]
    async fn the_status_says_whether_to_try_again() {
        for (answer, expected) in [
            ("HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", Some(Some(7))),
            ("HTTP/1.1 503 Later\r\ncontent-length: 0\r\n\r\n", Some(None)),
            ("HTTP/1.1 400 Bad\r\ncontent-length: 0\r\n\r\n", None),
            ("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n", None),
            ("HTTP/1.1 307 There\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", None),
        ] {
            let (url, serving) = server(answer);
            let error = exporter(&url).post(Signal::Traces, b"body".into()).await.unwrap_err();
            serving.join().unwrap();
            let found = match &error {
                ExportError::Transient { retry_after, .. } => Some(retry_after.map(|wait| wait.as_secs())),
                ExportError::Rejected(_) => None,
            };
            assert_eq!(found, expected, "{answer}");
            assert!(!error.to_string().contains("hunter2") && error.to_string().contains("HTTP"), "{error}");
        }
    }

    #[tokio::test]
    async fn nobody_there_is_transient() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = exporter(&format!("http://{free}")).post(Signal::Metrics, Vec::new()).await.unwrap_err();
        assert!(matches!(&error, ExportError::Transient { reason, .. } if reason.contains("refused")), "{error}");
    }
}
