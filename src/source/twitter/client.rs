//! [`Client`]: the HTTP client for the API of X. It sends the token to one host only and returns JSON or an [`ApiError`].

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, Response, Url};
use serde_json::Value;

use super::config::AccountConfig;
use super::error::{ApiError, Problem};
use super::gzip::GzipDecoder;
use super::headers::RateHeaders;
use crate::clock::Clock;
use crate::http_client::{self, Options};
use crate::secret::Secret;

/// Size limit of a response; a page of 100 posts has a few hundred kilobytes.
const MAX_RESPONSE_BYTES: usize = 16 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a stream; its errors are [`ApiError::Network`].
pub type Bytes = BoxStream<'static, Result<Vec<u8>, ApiError>>;

/// A request to a path below the base URL, such as `/2/tweets/search/recent`.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Value>,
}

impl Request {
    pub fn get(path: impl Into<String>, query: Vec<(&'static str, String)>) -> Self {
        Self { method: Method::GET, path: path.into(), query, body: None }
    }
}

/// See the module.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: Secret,
    timeout: Duration,
    clock: Clock,
}

impl Client {
    /// # Errors
    /// When TLS cannot be set up; the message is one line.
    pub(super) fn new(config: &AccountConfig, token: Secret, clock: Clock) -> Result<Self, String> {
        let timeout = Duration::try_from(config.timeout).unwrap_or(CONNECT_TIMEOUT);
        let failed =
            |cause: &dyn std::fmt::Display| format!("cannot create an HTTP client for {}: {cause}", config.base_url);
        let url = Url::parse(&config.base_url).map_err(|error| failed(&error))?;
        // The timeout of a whole request is set per request: a stream has none.
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]);
        let options = Options { headers, connect_timeout: CONNECT_TIMEOUT.min(timeout), ..Options::default() };
        let http = http_client::client(&url, options).map_err(|error| failed(&error))?;
        Ok(Self { http, base: config.base_url.trim_end_matches('/').to_owned(), token, timeout, clock })
    }

    /// Sends a request and reads the whole response. Errors come with headers, too.
    pub(super) async fn fetch_json(&self, request: &Request) -> (RateHeaders, Result<Value, ApiError>) {
        let response = tokio::time::timeout(self.timeout, async {
            match self.send(request).await {
                Ok((headers, response)) => (headers, self.read_json(headers, response).await),
                Err(error) => (RateHeaders::default(), Err(error)),
            }
        });
        response.await.unwrap_or_else(|_| (RateHeaders::default(), Err(self.timeout_error())))
    }

    /// Sends a request, waits for the headers of the response and returns its body as a stream.
    pub(super) async fn open_stream(&self, request: &Request) -> (RateHeaders, Result<Bytes, ApiError>) {
        let head = async {
            match self.send(request).await {
                Ok((headers, response)) if response.status().is_success() => (headers, Ok(body_stream(response))),
                Ok((headers, response)) => {
                    let refused = self.read_json(headers, response).await;
                    (headers, Err(refused.err().unwrap_or_else(|| ApiError::Malformed("expected a stream".into()))))
                }
                Err(error) => (RateHeaders::default(), Err(error)),
            }
        };
        let response = tokio::time::timeout(self.timeout, head);
        response.await.unwrap_or_else(|_| (RateHeaders::default(), Err(self.timeout_error())))
    }

    async fn send(&self, request: &Request) -> Result<(RateHeaders, Response), ApiError> {
        let url = Url::parse_with_params(&format!("{}{}", self.base, request.path), &request.query)
            .map_err(|error| ApiError::Network(format!("x.base_url {:?} is not a URL: {error}", self.base)))?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.token.expose()))
            .map_err(|_| ApiError::Network("the token is not valid in a header".into()))?;
        bearer.set_sensitive(true);
        let mut built = self.http.request(request.method.clone(), url).header(AUTHORIZATION, bearer);
        if let Some(body) = &request.body {
            built = built.json(body);
        }
        let response = built.send().await.map_err(|error| ApiError::Network(describe_error(&error)))?;
        Ok((RateHeaders::read(response.headers(), (self.clock)()), response))
    }

    async fn read_json(&self, headers: RateHeaders, response: Response) -> Result<Value, ApiError> {
        let status = response.status();
        let body = read_body(response).await?;
        let json: Result<Value, _> = serde_json::from_slice(&body);
        if status.is_success() {
            // The message of serde_json may quote the body.
            return json.map_err(|error| {
                let (line, column) = (error.line(), error.column());
                ApiError::Malformed(format!("invalid JSON at line {line}, column {column} of {} bytes", body.len()))
            });
        }
        let problem = Problem::read(&json.unwrap_or_default(), Some(&self.token));
        let status = status.as_u16();
        Err(ApiError::from_status(status, problem, headers.retry_at(status)))
    }

    fn timeout_error(&self) -> ApiError {
        ApiError::Network(format!("no response within {} s (x.timeout)", self.timeout.as_secs_f32()))
    }
}

fn body_stream(response: Response) -> Bytes {
    let mut decoder = GzipDecoder::for_headers(response.headers());
    let chunks = response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(|error| ApiError::Network(describe_error(&error)))?;
        match &mut decoder {
            Some(decoder) => {
                decoder.decode(&chunk).map_err(|error| ApiError::Malformed(format!("invalid gzip: {error}")))
            }
            None => Ok(chunk.to_vec()),
        }
    });
    chunks.boxed()
}

async fn read_body(response: Response) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    let mut chunks = body_stream(response);
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk?);
        if body.len() > MAX_RESPONSE_BYTES {
            return Err(ApiError::Malformed(format!("it is larger than {} MiB", MAX_RESPONSE_BYTES >> 20)));
        }
    }
    Ok(body)
}

/// The failure and its root cause, without the URL, whose query is private.
fn describe_error(error: &reqwest::Error) -> String {
    let what = match error {
        error if error.is_timeout() => "timed out",
        error if error.is_connect() => "connection failed",
        error if error.is_body() || error.is_decode() => "response aborted",
        _ => "request failed",
    };
    http_client::root_cause(error).map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}"))
}
