//! [`Http`]: the client, on a small runtime of its own, as a notifier blocks its thread.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Certificate, Response, Url};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use super::retry_after::retry_after;
use super::transport_error::lost;
use crate::notify::address::is_loopback;
use crate::notify::redact::Discretion;
use crate::notify::{Notification, NotifyError};
use crate::secret::Secret;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// So much of an answer is read; what comes after is not waited for.
const MOST_BYTES: usize = 64 << 10;

/// What is sent: a POST of JSON.
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

    /// With a header; one that cannot stand in a request is left out.
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
    /// Taken only when this is dropped.
    runtime: Option<Runtime>,
    client: reqwest::Client,
    timeout: Duration,
    discretion: Discretion,
}

impl Http {
    /// A client for `url`, which trusts the machine's certificates and those of `ca_file`, and quotes none of `secrets`.
    ///
    /// # Errors
    /// In one line, when `ca_file` is none or TLS cannot be set up.
    pub(in crate::notify) fn new(
        url: &Url,
        timeout: Duration,
        ca_file: Option<&Path>,
        secrets: &[&Secret],
    ) -> Result<Self, String> {
        // Another part of the process may have been first, with the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("vigie/", env!("CARGO_PKG_VERSION")))
            // A redirect could carry the secrets to another host.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            // Messages are rare: a kept connection has long been closed by the other side when the next one comes.
            .pool_max_idle_per_host(0);
        if is_loopback(url) {
            builder = builder.no_proxy();
        }
        // A machine without any certificates can still tell its neighbour over plain HTTP.
        builder = if url.scheme() == "http" {
            builder.tls_certs_only([])
        } else {
            builder.tls_certs_merge(ca_file.map(certificates).transpose()?.unwrap_or_default())
        };
        let client = builder.build().map_err(|error| format!("TLS cannot be set up: {}", without_address(error)))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no runtime for its client: {error}"))?;
        Ok(Self { runtime: Some(runtime), client, timeout, discretion: Discretion::new(secrets) })
    }

    /// Sends `request`, which tells of `about`, and judges the answer by its status.
    ///
    /// # Errors
    /// When no answer came in time, or one that says that it was not taken.
    pub(in crate::notify) fn send(&self, request: Request, about: &Notification) -> Result<Answer, NotifyError> {
        let sent = String::from_utf8_lossy(&request.body).into_owned();
        let mut answer = self.answer(request)?;
        answer.words = self.discretion.quote(&answer.body, &sent, about);
        answer.judge()
    }

    fn answer(&self, request: Request) -> Result<Answer, NotifyError> {
        let Some(runtime) = &self.runtime else {
            return Err(NotifyError::Passing { reason: "vigie is stopping".into(), retry_after: None });
        };
        runtime.block_on(async {
            let deadline = Instant::now() + self.timeout;
            let sending = self.client.post(request.url).headers(request.headers).body(request.body).send();
            let response = match timeout_at(deadline, sending).await {
                Ok(response) => response.map_err(|error| lost(&error))?,
                Err(_) => {
                    let reason = format!("it does not answer within {} s (timeout)", self.timeout.as_secs_f32());
                    return Err(NotifyError::Passing { reason, retry_after: None });
                }
            };
            let (status, headers) = (response.status(), response.headers());
            let location = headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let retry_after = retry_after(headers);
            let (body, whole) = read(response, deadline).await;
            Ok(Answer { status, retry_after, location, body, whole, words: String::new() })
        })
    }
}

impl Drop for Http {
    /// A runtime that is dropped where others run, as at a start that fails, would panic, and one waits for name servers.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The body as far as it comes and counts, and whether that is all.
async fn read(mut response: Response, deadline: Instant) -> (String, bool) {
    let mut body = Vec::new();
    let whole = loop {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
            Ok(Ok(None)) => break true,
            Ok(Err(_)) | Err(_) => break false,
        }
        if body.len() > MOST_BYTES {
            body.truncate(MOST_BYTES);
            break false;
        }
    };
    (String::from_utf8_lossy(&body).into_owned(), whole)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let shown = path.display();
    let pem = std::fs::read(path).map_err(|error| format!("ca_file {shown} cannot be read: {error}"))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|_| format!("ca_file {shown} holds no PEM certificates"))?;
    if found.is_empty() { Err(format!("ca_file {shown} holds no PEM certificates")) } else { Ok(found) }
}

fn without_address(error: reqwest::Error) -> String {
    match lost(&error.without_url()) {
        NotifyError::Passing { reason, .. } | NotifyError::Permanent { reason } => {
            format!("{reason}; is the package ca-certificates installed? or set ca_file")
        }
    }
}
