//! Asking the running daemon over its local API, with the token that only the owner of the state can read.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What the API answers where it refuses.
#[derive(Debug, serde::Deserialize)]
struct Refusal {
    error: String,
}

/// Sends `body` to `path`, and returns the answer.
///
/// # Errors
/// When no daemon runs on `state`, or it refuses: in its own words.
pub(super) fn ask<A: DeserializeOwned>(
    listen: SocketAddr,
    state: &Path,
    path: &str,
    body: &impl Serialize,
    patience: Duration,
) -> anyhow::Result<A> {
    let file = state.join("api-token");
    let token = std::fs::read_to_string(&file).with_context(|| {
        format!("no vigie runs on {0}, or its token {1} cannot be read: start `vigie run`, or name its state with --state DIR", state.display(), file.display())
    })?;
    let url = format!("http://{}{path}", super::reachable(listen));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(post(&url, token.trim(), body, patience))
}

async fn post<A: DeserializeOwned>(
    url: &str,
    token: &str,
    body: &impl Serialize,
    patience: Duration,
) -> anyhow::Result<A> {
    // reqwest wants a provider even for plain HTTP; one that is there already serves as well.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().timeout(patience).build().context("no HTTP client")?;
    let answer = client.post(url).bearer_auth(token).json(body).send().await;
    let answer = answer.map_err(reqwest::Error::without_url).with_context(|| {
        format!("no vigie answers at {url}: does it run, and is `web.listen` the one it runs with?")
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
