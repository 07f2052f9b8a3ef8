//! Asking a running daemon over its local API, with the token that only who can read its state has.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What the API answers where it refuses in words.
#[derive(Debug, serde::Deserialize)]
struct Refusal {
    error: String,
}

/// Rewriting a large store takes a while.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the daemon with its state in `state` answers to `body` at `path`, such as `/api/v1/forget`.
///
/// # Errors
/// When the token cannot be read, nothing answers, or the daemon refuses. Says nothing of token and body.
pub(super) fn daemon<B: Serialize, A: DeserializeOwned>(
    listen: SocketAddr,
    state: &Path,
    (method, path): (Method, &str),
    body: Option<&B>,
) -> anyhow::Result<A> {
    let file = state.join("api-token");
    let token = std::fs::read_to_string(&file).with_context(|| {
        let (state, file) = (state.display(), file.display());
        format!("the token {file} cannot be read: does `vigie run` run, with its state in {state}, and is it yours?")
    })?;
    let url = format!("http://{}{path}", super::reachable(listen));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(ask(method, &url, token.trim(), body))
}

async fn ask<B: Serialize, A: DeserializeOwned>(
    method: Method,
    url: &str,
    token: &str,
    body: Option<&B>,
) -> anyhow::Result<A> {
    // reqwest wants a provider even for plain HTTP; one that is there already serves as well.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().context("no HTTP client")?;
    let request = client.request(method, url).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    let answer = request.send().await.map_err(reqwest::Error::without_url).with_context(|| {
        format!("no vigie answers at {url}: does `vigie run` run, and is `web.listen` the one it runs with?")
    })?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(reqwest::Error::without_url).context("vigie's answer broke off")?;
    if !status.is_success() {
        if let Ok(Refusal { error }) = serde_json::from_slice(&body) {
            bail!("{error}");
        }
        let said = super::printable(&String::from_utf8_lossy(&body), 200);
        bail!("the running vigie refused at {url}: HTTP {status} {said}");
    }
    serde_json::from_slice(&body).with_context(|| format!("what answers at {url} is no vigie"))
}
