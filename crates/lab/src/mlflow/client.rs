//! [`Client`]: JSON requests and uploads to one MLflow server, and the meaning of its responses. Blocks on a small
//! private runtime, as the lab is synchronous.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::Value;
use vigie_http::{Blocking, ClientError, Options, root_cause};

use super::address::TrackingServer;
use super::request_error::RequestError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for a metric's history of 100,000 epochs.
const MAX_RESPONSE_BYTES: usize = 64 << 20;
/// Characters of MLflow's error message that are quoted.
const MAX_QUOTED_CHARS: usize = 300;
/// In bytes per second; slower uploads time out.
const MIN_UPLOAD_RATE: u64 = 50_000;
/// Requests are retried if the server asks for at most this delay.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(10);
const MAX_ATTEMPTS: usize = 4;

/// See the module.
pub(super) struct Client {
    blocking: Blocking,
    http: reqwest::Client,
    server: TrackingServer,
}

/// The content of a request.
#[derive(Clone, Copy)]
pub(super) enum Payload<'a> {
    Query(&'a [(&'a str, &'a str)]),
    Json(&'a Value),
    File(&'a Path),
}

impl Client {
    /// # Errors
    /// In one line, if the certificate file is invalid or TLS cannot be set up.
    pub(super) fn new(server: &TrackingServer) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        if let Some(mut value) = server.authorization.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let options = Options {
            headers,
            // Servers close connections that are idle for seconds between two runs (MLflow's own after five): a request
            // on such a connection fails, and the run would go to the spool.
            keep_connections: false,
            connect_timeout: CONNECT_TIMEOUT.min(server.timeout),
            ca_file: server.ca_file.as_deref(),
            ..Options::default()
        };
        let http = vigie_http::client(&server.url, options).map_err(|error| match error {
            ClientError::Tls(_) => error.to_string(),
            error => format!("MLFLOW_TRACKING_SERVER_CERT_PATH: {error}"),
        })?;
        let blocking = Blocking::new().map_err(|error| format!("no runtime for the MLflow client: {error}"))?;
        Ok(Self { blocking, http, server: server.clone() })
    }

    /// Sends one request and returns the JSON of the response; `Null` if it has none. `path` is below the server's URL,
    /// in unescaped segments.
    ///
    /// # Errors
    /// If no response arrives in time, or if it has an error status.
    pub(super) fn send(&self, method: &Method, path: &[&str], payload: Payload<'_>) -> Result<Value, RequestError> {
        let mut left = MAX_ATTEMPTS;
        loop {
            left -= 1;
            match self.send_once(method, path, payload) {
                // Only a response that guarantees that nothing was done may be retried without checking.
                Err(RequestError { retry_after: Some(wait), .. }) if left > 0 && wait <= MAX_RETRY_AFTER => {
                    std::thread::sleep(wait);
                }
                answered => return answered,
            }
        }
    }

    fn send_once(&self, method: &Method, path: &[&str], payload: Payload<'_>) -> Result<Value, RequestError> {
        self.blocking.run(async {
            let request = self.http.request(method.clone(), self.url(path)?);
            let request = self.fill(request, payload)?;
            let response = request.send().await.map_err(|error| transport_error(&error, self.server.timeout))?;
            self.check_response(response).await
        })
    }

    fn url(&self, path: &[&str]) -> Result<Url, RequestError> {
        let mut url = self.server.url.clone();
        let mut segments = url.path_segments_mut().map_err(|()| RequestError::server("its address is invalid"))?;
        segments.pop_if_empty().extend(path);
        drop(segments);
        Ok(url)
    }

    fn fill(&self, request: RequestBuilder, payload: Payload<'_>) -> Result<RequestBuilder, RequestError> {
        let timeout = self.server.timeout;
        Ok(match payload {
            Payload::Query(query) => request.query(query).timeout(timeout),
            Payload::Json(body) => request.json(body).timeout(timeout),
            Payload::File(path) => {
                let unread =
                    |error: std::io::Error| RequestError::run(format!("{} cannot be read: {error}", path.display()));
                let file = File::open(path).map_err(unread)?;
                let length = file.metadata().map_err(unread)?.len();
                request
                    .header(CONTENT_TYPE, "application/octet-stream")
                    .header(CONTENT_LENGTH, length)
                    .timeout(timeout + Duration::from_secs(length / MIN_UPLOAD_RATE))
                    .body(tokio::fs::File::from_std(file))
            }
        })
    }

    async fn check_response(&self, response: Response) -> Result<Value, RequestError> {
        let status = response.status();
        let retry_after = retry_after(status.as_u16(), response.headers());
        let body = read(response).await.map_err(|error| transport_error(&error, self.server.timeout))?;
        let json = serde_json::from_slice::<Value>(&body);
        if status.is_success() {
            return match json {
                Ok(json) => Ok(json),
                Err(_) if body.is_empty() => Ok(Value::Null),
                Err(_) => Err(RequestError::server("its response is not JSON; is this an MLflow server?")),
            };
        }
        let json = json.unwrap_or_default();
        let code = json.get("error_code").and_then(Value::as_str).map(|code| self.quotable(code, 60));
        let text = json.get("message").and_then(Value::as_str).unwrap_or_default();
        Err(RequestError::from_response(status.as_u16(), code, &self.quotable(text, MAX_QUOTED_CHARS), retry_after))
    }

    /// In one line, truncated, and without secrets.
    fn quotable(&self, text: &str, max: usize) -> String {
        let plain = self.server.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
        let words: Vec<&str> = plain.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let line = words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(max) {
            Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or_default()),
            None => line,
        }
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_RESPONSE_BYTES {
            break; // truncated, so it fails to parse
        }
    }
    Ok(body)
}

/// In seconds, from servers and proxies that limit rates; only for statuses that mean the request was not executed.
fn retry_after(status: u16, headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER).filter(|_| matches!(status, 429 | 503))?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The error without a response: what went wrong, without the address.
fn transport_error(error: &reqwest::Error, timeout: Duration) -> RequestError {
    let cause = root_cause(error).unwrap_or_else(|| "no further detail".to_owned());
    RequestError::server(match error {
        error if error.is_connect() => format!("no connection: {cause}"),
        error if error.is_timeout() => format!("no response within {} s (timeout)", timeout.as_secs_f32()),
        error if error.is_builder() => format!("invalid request: {cause}"),
        _ => format!("connection lost: {cause}"),
    })
}
