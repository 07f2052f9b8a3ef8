//! Requests to the local API of a running daemon, with the token from its state directory.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::http_client::{self, Options};
use crate::web;

/// The part of a problem+json body that people read.
#[derive(Debug, serde::Deserialize)]
struct Problem {
    detail: String,
}

/// Timeout of a response: rewriting a large store takes time.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Where the daemon with its state in `state` listens: where it says so, else `configured`. The configuration may have changed
/// since the daemon started, or may be that of another one.
pub(super) fn address(state: &Path, configured: SocketAddr) -> SocketAddr {
    super::reachable(web::published_address(state).unwrap_or(configured))
}

/// Sends `body` to `path`, such as `/api/v1/forget`, of the daemon with the state directory `state`; returns its
/// response. `configured` is its `web.listen`.
///
/// # Errors
/// When the token cannot be read, the daemon does not respond, or it rejects the request. Errors contain neither token
/// nor body.
pub(super) fn request<B: Serialize, A: DeserializeOwned>(
    configured: SocketAddr,
    state: &Path,
    (method, path): (Method, &str),
    body: Option<&B>,
) -> anyhow::Result<A> {
    let file = state.join("api-token");
    let token = std::fs::read_to_string(&file).with_context(|| {
        let (state, file) = (state.display(), file.display());
        format!("cannot read the token {file}: is `vigie run` running with its state in {state}, as the same user?")
    })?;
    let url = format!("http://{}{path}", address(state, configured));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(ask(method, &url, token.trim(), body))
}

async fn ask<B: Serialize, A: DeserializeOwned>(
    method: Method,
    url: &str,
    token: &str,
    body: Option<&B>,
) -> anyhow::Result<A> {
    let address = Url::parse(url).context("the address of the running vigie is not a URL")?;
    // A proxy cannot reach an address of this machine.
    let options = Options { proxies: false, timeout: Some(TIMEOUT), ..Options::default() };
    let client = http_client::client(&address, options).context("no HTTP client")?;
    let request = client.request(method, address).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    let answer = request
        .send()
        .await
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("no response from {url}: is `vigie run` running?"))?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(reqwest::Error::without_url).context("the response was interrupted")?;
    if !status.is_success() {
        if let Ok(Problem { detail }) = serde_json::from_slice(&body) {
            bail!("{detail}");
        }
        let said = super::printable(&String::from_utf8_lossy(&body), 200);
        bail!("vigie rejected the request to {url}: HTTP {status} {said}");
    }
    serde_json::from_slice(&body).with_context(|| format!("unexpected response from {url}; is that vigie?"))
}
