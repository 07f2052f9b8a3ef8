//! The transport: one HTTP client for the API of X, which sends the token to one host only and answers in JSON or errors.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Response, Url};
use serde_json::Value;

use super::config::AccountConfig;
use super::error::{ApiError, Problem};
use super::headers::RateHeaders;
use crate::clock::Clock;
use crate::secret::Secret;

/// The largest answer that is read: a page of 100 posts takes a few hundred kilobytes.
const MOST_BYTES: usize = 16 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a stream as they come; its errors are [`ApiError::Network`].
pub type Bytes = BoxStream<'static, Result<Vec<u8>, ApiError>>;

/// What is asked: a path below the base URL, such as `/2/tweets/search/recent`.
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
    /// In one line, when TLS cannot be set up.
    pub(super) fn new(config: &AccountConfig, token: Secret, clock: Clock) -> Result<Self, String> {
        // Another part of the process may have been first, with the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let timeout = Duration::try_from(config.timeout).unwrap_or(CONNECT_TIMEOUT);
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("vigie/", env!("CARGO_PKG_VERSION")))
            // A redirect could carry the token to another host.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout));
        if is_loopback(&config.base_url) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| format!("no client for {}: {}", config.base_url, reason(&error)))?;
        Ok(Self { http, base: config.base_url.trim_end_matches('/').to_owned(), token, timeout, clock })
    }

    /// Sends, and reads the whole answer. The headers come with an error, too.
    pub(super) async fn call(&self, request: &Request) -> (RateHeaders, Result<Value, ApiError>) {
        let answered = tokio::time::timeout(self.timeout, async {
            match self.send(request).await {
                Ok((headers, response)) => (headers, self.read(headers, response).await),
                Err(error) => (RateHeaders::default(), Err(error)),
            }
        });
        answered.await.unwrap_or_else(|_| (RateHeaders::default(), Err(self.late())))
    }

    /// Sends, waits for the head of the answer, and gives its body as it comes, for as long as it comes.
    pub(super) async fn stream(&self, request: &Request) -> (RateHeaders, Result<Bytes, ApiError>) {
        let head = async {
            match self.send(request).await {
                Ok((headers, response)) if response.status().is_success() => (headers, Ok(bytes(response))),
                Ok((headers, response)) => {
                    let refused = self.read(headers, response).await;
                    (headers, Err(refused.err().unwrap_or_else(|| ApiError::Malformed("no stream".into()))))
                }
                Err(error) => (RateHeaders::default(), Err(error)),
            }
        };
        let answered = tokio::time::timeout(self.timeout, head);
        answered.await.unwrap_or_else(|_| (RateHeaders::default(), Err(self.late())))
    }

    async fn send(&self, request: &Request) -> Result<(RateHeaders, Response), ApiError> {
        let url = Url::parse_with_params(&format!("{}{}", self.base, request.path), &request.query)
            .map_err(|error| ApiError::Network(format!("x.base_url {:?} is no address: {error}", self.base)))?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.token.expose()))
            .map_err(|_| ApiError::Network("the token cannot stand in a header".into()))?;
        bearer.set_sensitive(true);
        let mut built = self.http.request(request.method.clone(), url).header(AUTHORIZATION, bearer);
        if let Some(body) = &request.body {
            built = built.json(body);
        }
        let response = built.send().await.map_err(|error| ApiError::Network(reason(&error)))?;
        Ok((RateHeaders::read(response.headers(), (self.clock)()), response))
    }

    async fn read(&self, headers: RateHeaders, response: Response) -> Result<Value, ApiError> {
        let status = response.status();
        let body = whole(response).await?;
        let json: Result<Value, _> = serde_json::from_slice(&body);
        if status.is_success() {
            // The library's own message may repeat what it read.
            return json.map_err(|error| {
                let (line, column) = (error.line(), error.column());
                ApiError::Malformed(format!("no JSON at line {line}, column {column} of {} bytes", body.len()))
            });
        }
        let problem = Problem::read(&json.unwrap_or_default(), Some(&self.token));
        let status = status.as_u16();
        Err(ApiError::of(status, problem, headers.until(status)))
    }

    fn late(&self) -> ApiError {
        ApiError::Network(format!("no answer within {} s (x.timeout)", self.timeout.as_secs_f32()))
    }
}

fn bytes(response: Response) -> Bytes {
    let lost = |error: reqwest::Error| ApiError::Network(reason(&error));
    response.bytes_stream().map_ok(|bytes| bytes.to_vec()).map_err(lost).boxed()
}

async fn whole(response: Response) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    let mut chunks = bytes(response);
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk?);
        if body.len() > MOST_BYTES {
            return Err(ApiError::Malformed(format!("it is longer than {} MiB", MOST_BYTES >> 20)));
        }
    }
    Ok(body)
}

/// Why it failed down to the first cause, without the address, whose query is nobody's business.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let what = match error {
        error if error.is_timeout() => "timed out",
        error if error.is_connect() => "no connection",
        error if error.is_body() || error.is_decode() => "the answer broke off",
        _ => "the request failed",
    };
    // An error without a deeper cause would print the address.
    if std::ptr::addr_eq(cause, error) { what.to_owned() } else { format!("{what}: {cause}") }
}

/// Whether an address names this machine, which no proxy stands before.
pub(super) fn is_loopback(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
