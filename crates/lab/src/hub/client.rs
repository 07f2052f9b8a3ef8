//! [`Hub`]: requests listings and files, through hf-hub's client with its token and addresses.
//!
//! The token is sent to the endpoint only: a redirect to another host (which stores large files) is followed without
//! it.

use std::time::Duration;

use hf_hub::api::sync::{Api, ApiBuilder, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::typestate::WithoutBody;
use ureq::{Body, RequestBuilder};

use super::listing::{Listing, ListingError};
use super::{HubError, HubSettings, RepoName};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum silence of a server.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// In bytes; a listing has a few hundred per file.
const MAX_LISTING: u64 = 16 << 20;
/// Header with the Hub's reason for an error status.
const ERROR_CODE: &str = "x-error-code";

/// See the module.
#[derive(Clone)]
pub struct Hub {
    pub(super) settings: HubSettings,
    api: Api,
    /// Before the first retry of a request that returned no data; twice as long before the second.
    pub(super) pause: Duration,
}

impl Hub {
    pub fn new(settings: HubSettings) -> Self {
        let api = ApiBuilder::from_cache(Cache::new(settings.cache.clone()))
            .with_endpoint(settings.endpoint.clone())
            .with_token(settings.token.clone())
            .with_user_agent("vigie", env!("CARGO_PKG_VERSION"))
            .with_progress(false)
            .build();
        // Of 0.5.0 it fails only where native-tls does, which is not compiled in.
        Self { settings, api: api.expect("hf-hub builds its client from plain values"), pause: Duration::from_secs(2) }
    }

    /// Waits `pause` instead of two seconds before the first retry.
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// The files of the model at its revision.
    pub(super) fn listing(&self, name: &RepoName) -> Result<Listing, HubError> {
        let request = self.repo(&name.repo, &name.revision).info_request().query("blobs", "true");
        let mut response = tuned(request).call().map_err(|error| self.unreachable(&name.repo, &error))?;
        if !response.status().is_success() {
            return Err(self.refusal(name, &name.to_string(), &response));
        }
        let json = response.body_mut().with_config().limit(MAX_LISTING).read_to_vec();
        let json = json.map_err(|error| self.unreachable(&name.repo, &error))?;
        Listing::parse(&name.repo, &json).map_err(|error| match error {
            ListingError::Escape(file) => HubError::Escape { repo: name.repo.clone(), file },
            ListingError::Protocol(reason) => HubError::Protocol { endpoint: self.endpoint(), reason },
        })
    }

    /// Requests a file of the commit, from byte `from` on. The caller checks the status.
    pub(super) fn file(
        &self,
        repo: &str,
        commit: &str,
        file: &str,
        from: u64,
    ) -> Result<Response<Body>, Box<ureq::Error>> {
        let repo = self.repo(repo, commit);
        let request = repo.info_request().uri(repo.url(file)).header("accept-encoding", "identity");
        let request = if from > 0 { request.header("range", format!("bytes={from}-")) } else { request };
        tuned(request).call().map_err(Box::new)
    }

    /// The error for a status of 400 or above, with its remedy.
    pub(super) fn refusal(&self, name: &RepoName, what: &str, response: &Response<Body>) -> HubError {
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

    pub(super) fn unreachable(&self, repo: &str, error: &ureq::Error) -> HubError {
        HubError::Unreachable { endpoint: self.endpoint(), repo: repo.to_owned(), cause: error.to_string() }
    }

    pub(super) fn endpoint(&self) -> String {
        self.settings.endpoint.clone()
    }

    fn repo(&self, repo: &str, revision: &str) -> ApiRepo {
        self.api.repo(Repo::with_revision(repo.to_owned(), RepoType::Model, revision.to_owned()))
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// hf-hub sets no time limit, and trusts the certificates it was compiled with alone.
fn tuned(request: RequestBuilder<WithoutBody>) -> RequestBuilder<WithoutBody> {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    request
        .config()
        .http_status_as_error(false)
        .tls_config(tls)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_recv_response(Some(READ_TIMEOUT))
        .timeout_per_read(Some(READ_TIMEOUT))
        .build()
}
