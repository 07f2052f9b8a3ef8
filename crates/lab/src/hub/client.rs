//! [`Hub`]: requests listings and files.
//!
//! The token is sent to the endpoint only: a redirect to another host (which stores large files) is followed without
//! it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue, RANGE};
use reqwest::{Client, Response, Url};
use vigie_http::{Blocking, Options, root_cause};

use super::listing::{Listing, ListingError};
use super::{HubError, HubSettings, RepoName};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum silence of a server.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: usize = 10;
/// In bytes; a listing has a few hundred per file.
const MAX_LISTING: usize = 16 << 20;
/// Header with the Hub's reason for an error status.
const ERROR_CODE: &str = "x-error-code";

/// See the module.
#[derive(Clone)]
pub struct Hub {
    pub(super) settings: HubSettings,
    base: Url,
    http: Client,
    blocking: Arc<Blocking>,
    /// Before the first retry of a request that returned no data; twice as long before the second.
    pub(super) pause: Duration,
}

impl Hub {
    /// # Errors
    /// If the endpoint is not a URL, or TLS cannot be set up.
    pub fn new(settings: HubSettings) -> Result<Self, HubError> {
        let base = Url::parse(&settings.endpoint).map_err(|_| HubError::Endpoint)?;
        let mut headers = HeaderMap::new();
        if let Some(token) = &settings.token {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| HubError::Token)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let options = Options {
            headers,
            connect_timeout: CONNECT_TIMEOUT,
            read_timeout: Some(READ_TIMEOUT),
            redirects: MAX_REDIRECTS,
            ..Options::default()
        };
        let http = vigie_http::client(&base, options).map_err(|error| HubError::Client(error.to_string()))?;
        let blocking = Blocking::new().map_err(|error| HubError::Client(error.to_string()))?;
        Ok(Self { settings, base, http, blocking: Arc::new(blocking), pause: Duration::from_secs(2) })
    }

    /// Waits `pause` instead of two seconds before the first retry.
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// The files of the model at its revision.
    pub(super) fn listing(&self, name: &RepoName) -> Result<Listing, HubError> {
        let path = ["api", "models"].into_iter().chain(name.repo.split('/')).chain(["revision", &name.revision]);
        let request = self.http.get(self.url(path)?).query(&[("blobs", "true")]);
        let response = self.blocking.run(async { request.send().await });
        let response = response.map_err(|error| self.unreachable(&name.repo, &error))?;
        if !response.status().is_success() {
            return Err(self.refusal(name, &name.to_string(), &response));
        }
        let json = self.blocking.run(read(response)).map_err(|error| self.unreachable(&name.repo, &error))?;
        Listing::parse(&name.repo, &json).map_err(|error| match error {
            ListingError::Escape(file) => HubError::Escape { repo: name.repo.clone(), file },
            ListingError::Protocol(reason) => HubError::Protocol { endpoint: self.endpoint(), reason },
        })
    }

    /// Requests a file of the commit, from byte `from` on. The caller checks the status.
    pub(super) fn file(&self, repo: &str, commit: &str, file: &str, from: u64) -> Result<Response, RequestFailure> {
        let url = self.url(repo.split('/').chain(["resolve", commit]).chain(file.split('/')));
        // Byte ranges refer to the file itself, not to a compressed form.
        let request = self.http.get(url.map_err(RequestFailure::Permanent)?).header(ACCEPT_ENCODING, "identity");
        let request = if from > 0 { request.header(RANGE, format!("bytes={from}-")) } else { request };
        let response = self.blocking.run(async { request.send().await });
        response.map_err(|error| RequestFailure::Transient(cause(&error)))
    }

    /// The next bytes of a response; `None` at its end.
    pub(super) fn chunk(&self, response: &mut Response) -> Result<Option<impl AsRef<[u8]> + use<>>, RequestFailure> {
        let chunk = self.blocking.run(async { response.chunk().await });
        chunk.map_err(|error| RequestFailure::Transient(cause(&error)))
    }

    /// The error for a status of 400 or above, with its remedy.
    pub(super) fn refusal(&self, name: &RepoName, what: &str, response: &Response) -> HubError {
        let (endpoint, repo) = (self.endpoint(), name.repo.clone());
        let code = response.headers().get(ERROR_CODE).and_then(|code| code.to_str().ok()).unwrap_or_default();
        let has_token = self.settings.has_token();
        match (response.status().as_u16(), code) {
            (401 | 403, "GatedRepo") if !has_token => HubError::Gated { endpoint, repo },
            (401, _) if !has_token => HubError::UnknownOrPrivate { endpoint, repo },
            (404, "RevisionNotFound") => HubError::NoRevision { endpoint, repo, revision: name.revision.clone() },
            (404, "" | "RepoNotFound") | (401, "RepoNotFound") => HubError::NoRepo { endpoint, repo },
            (401 | 403, _) => HubError::Refused { endpoint, repo },
            (status, _) => HubError::Status { endpoint, what: what.to_owned(), status },
        }
    }

    pub(super) fn unreachable(&self, repo: &str, error: &reqwest::Error) -> HubError {
        HubError::Unreachable { endpoint: self.endpoint(), repo: repo.to_owned(), cause: cause(error) }
    }

    pub(super) fn endpoint(&self) -> String {
        self.settings.endpoint.clone()
    }

    /// A URL below the endpoint. A slash within a segment, as in the revision `refs/pr/3`, is escaped.
    fn url<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Result<Url, HubError> {
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| HubError::Endpoint)?.pop_if_empty().extend(path);
        Ok(url)
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Why a request failed, or ended before the file was complete.
pub(super) enum RequestFailure {
    /// Worth a retry.
    Transient(String),
    Permanent(HubError),
}

/// The body. A listing longer than [`MAX_LISTING`] is truncated, so it fails to parse.
async fn read(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_LISTING {
            break;
        }
    }
    Ok(body)
}

/// What went wrong, without the address.
fn cause(error: &reqwest::Error) -> String {
    let what = match error {
        error if error.is_timeout() => "timeout",
        error if error.is_connect() => "no connection",
        error if error.is_redirect() => "too many redirects",
        _ => "connection lost",
    };
    root_cause(error).map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}"))
}
