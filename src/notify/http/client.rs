//! [`Http`]: the client. It has its own small runtime, because a notifier blocks its thread.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Response, Url};
use tokio::time::{Instant, timeout_at};

use super::answer::{HttpResponse, is_page};
use super::retry_after;
use super::transport_error::transport_error;
use crate::http_client::{self, Blocking, ClientError, Options};
use crate::notify::redact::Redactor;
use crate::notify::{MessageContents, NotifyError};
use crate::secret::Secret;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of an answer that are read.
const MAX_BYTES: usize = 64 << 10;

/// A POST of JSON.
pub(in crate::notify) struct Request {
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    pub(in crate::notify) fn json(url: &Url, body: Vec<u8>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Self { url: url.clone(), headers, body }
    }

    /// Adds a header, unless its value is not valid in a request.
    pub(in crate::notify) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub(in crate::notify) fn bearer(mut self, token: &Secret) -> Self {
        // A secret of this form is visible ASCII.
        if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) {
            value.set_sensitive(true);
            self.headers.insert(AUTHORIZATION, value);
        }
        self
    }
}

/// See the module.
pub(in crate::notify) struct Http {
    blocking: Blocking,
    client: reqwest::Client,
    timeout: Duration,
    redactor: Redactor,
}

impl Http {
    /// A client for `url`. It trusts the machine's certificates and those of `ca_file`, and never quotes `secrets`.
    ///
    /// # Errors
    /// In one line, when `ca_file` is not valid or TLS cannot be set up.
    pub(in crate::notify) fn new(
        url: &Url,
        timeout: Duration,
        ca_file: Option<&Path>,
        secrets: &[&Secret],
    ) -> Result<Self, String> {
        let options = Options {
            connect_timeout: CONNECT_TIMEOUT.min(timeout),
            // Messages are rare: by the next one, the other side has closed any kept connection.
            keep_connections: false,
            ca_file,
            ..Options::default()
        };
        let client = http_client::client(url, options).map_err(|error| match error {
            ClientError::Tls(_) => format!("{error}; install the package ca-certificates, or set ca_file"),
            error => format!("ca_file {error}"),
        })?;
        let blocking = Blocking::new().map_err(|error| format!("cannot start the HTTP runtime: {error}"))?;
        Ok(Self { blocking, client, timeout, redactor: Redactor::new(secrets) })
    }

    /// Sends `request`, which is about `about`, and checks the status of the answer.
    ///
    /// # Errors
    /// When no answer came in time, or the answer is a rejection.
    pub(in crate::notify) fn send(
        &self,
        request: Request,
        about: &dyn MessageContents,
    ) -> Result<HttpResponse, NotifyError> {
        let sent = String::from_utf8_lossy(&request.body).into_owned();
        let mut answer = self.answer(request)?;
        answer.redacted = self.redactor.redact(&answer.body, &sent, about);
        answer.check_status()
    }

    fn answer(&self, request: Request) -> Result<HttpResponse, NotifyError> {
        self.blocking.run(async {
            let deadline = Instant::now() + self.timeout;
            let sending = self.client.post(request.url).headers(request.headers).body(request.body).send();
            let response = match timeout_at(deadline, sending).await {
                Ok(response) => response.map_err(|error| transport_error(&error))?,
                Err(_) => {
                    let reason = format!("no answer within {} s (timeout)", self.timeout.as_secs_f32());
                    return Err(NotifyError::Transient { reason, retry_after: None });
                }
            };
            let (status, headers) = (response.status(), response.headers());
            let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let location = headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let retry_after = retry_after(headers);
            let (body, complete) = read(response, deadline).await;
            let is_page = is_page(media_type.as_deref(), &body);
            Ok(HttpResponse { status, retry_after, location, body, is_page, complete, redacted: String::new() })
        })
    }
}

/// The body up to the limit, and whether it is complete.
async fn read(mut response: Response, deadline: Instant) -> (String, bool) {
    let mut body = Vec::new();
    let complete = loop {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
            Ok(Ok(None)) => break true,
            Ok(Err(_)) | Err(_) => break false,
        }
        if body.len() > MAX_BYTES {
            body.truncate(MAX_BYTES);
            break false;
        }
    };
    (String::from_utf8_lossy(&body).into_owned(), complete)
}
