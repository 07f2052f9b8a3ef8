//! [`Client`]: JSON requests and uploads to one MLflow server, and what its answers mean. Blocks, on a small runtime of
//! its own, as the lab is synchronous.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Method, RequestBuilder, Response, Url};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::address::Server;
use super::fault_scope::Fault;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read: a metric's history of 100,000 epochs.
const MOST_BYTES: usize = 64 << 20;
/// So many characters of MLflow's own words are quoted.
const MOST_WORDS: usize = 300;
/// The slowest upload that is waited for, in bytes a second.
const SLOWEST: u64 = 50_000;
/// A server that asks for no more than this is asked again; one that asks for more is left alone.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const TRIES: usize = 4;

/// See the module.
pub(super) struct Client {
    /// Taken only when this is dropped.
    runtime: Option<Runtime>,
    http: reqwest::Client,
    server: Server,
}

/// What a request carries.
#[derive(Clone, Copy)]
pub(super) enum Payload<'a> {
    Query(&'a [(&'a str, &'a str)]),
    Json(&'a Value),
    File(&'a Path),
}

impl Client {
    /// # Errors
    /// In one line, when the file of certificates is none or TLS cannot be set up.
    pub(super) fn new(server: &Server) -> Result<Self, String> {
        // Another part of the process may have been first, with the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        if let Some(mut value) = server.authorization.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("vigie/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // A redirect could carry the credentials to another host.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // Between two runs lie seconds, after which servers drop a connection (MLflow's own after five): a request that
            // meets the drop is lost, and with it the run goes to the spool.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT.min(server.timeout));
        if server.is_loopback() {
            builder = builder.no_proxy();
        }
        // A machine without any certificates can still tell its neighbour over plain HTTP.
        builder = if server.url.scheme() == "http" {
            builder.tls_certs_only([])
        } else {
            builder.tls_certs_merge(server.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default())
        };
        let http = builder.build().map_err(|error| format!("TLS cannot be set up: {}", deepest(&error)))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no runtime for the MLflow client: {error}"))?;
        Ok(Self { runtime: Some(runtime), http, server: server.clone() })
    }

    /// Sends one request and gives the JSON of its answer; `Null` where it has none. `path` is below the server's URL,
    /// its segments as they are to be read there.
    ///
    /// # Errors
    /// When no answer came in time, or one that says no.
    pub(super) fn send(&self, method: &Method, path: &[&str], payload: Payload<'_>) -> Result<Value, Fault> {
        let mut left = TRIES;
        loop {
            left -= 1;
            match self.send_once(method, path, payload) {
                // Only what says that nothing was done may be said again without asking what was.
                Err(Fault { retry_after: Some(wait), .. }) if left > 0 && wait <= LONGEST_WAIT => {
                    std::thread::sleep(wait);
                }
                answered => return answered,
            }
        }
    }

    fn send_once(&self, method: &Method, path: &[&str], payload: Payload<'_>) -> Result<Value, Fault> {
        let Some(runtime) = &self.runtime else { return Err(Fault::server("vigie is stopping")) };
        runtime.block_on(async {
            let request = self.http.request(method.clone(), self.url(path)?);
            let request = self.fill(request, payload)?;
            let response = request.send().await.map_err(|error| lost(&error, self.server.timeout))?;
            self.judge(response).await
        })
    }

    fn url(&self, path: &[&str]) -> Result<Url, Fault> {
        let mut url = self.server.url.clone();
        let mut segments = url.path_segments_mut().map_err(|()| Fault::server("its address is none"))?;
        segments.pop_if_empty().extend(path);
        drop(segments);
        Ok(url)
    }

    fn fill(&self, request: RequestBuilder, payload: Payload<'_>) -> Result<RequestBuilder, Fault> {
        let patience = self.server.timeout;
        Ok(match payload {
            Payload::Query(query) => request.query(query).timeout(patience),
            Payload::Json(body) => request.json(body).timeout(patience),
            Payload::File(path) => {
                let unread = |error: std::io::Error| Fault::run(format!("{} cannot be read: {error}", path.display()));
                let file = File::open(path).map_err(unread)?;
                let length = file.metadata().map_err(unread)?.len();
                request
                    .header(CONTENT_TYPE, "application/octet-stream")
                    .header(CONTENT_LENGTH, length)
                    .timeout(patience + Duration::from_secs(length / SLOWEST))
                    .body(tokio::fs::File::from_std(file))
            }
        })
    }

    async fn judge(&self, response: Response) -> Result<Value, Fault> {
        let status = response.status();
        let retry_after = retry_after(status.as_u16(), response.headers());
        let body = read(response).await.map_err(|error| lost(&error, self.server.timeout))?;
        let json = serde_json::from_slice::<Value>(&body);
        if status.is_success() {
            return match json {
                Ok(json) => Ok(json),
                Err(_) if body.is_empty() => Ok(Value::Null),
                Err(_) => Err(Fault::server("it answers what is no JSON; is that an MLflow server?")),
            };
        }
        let json = json.unwrap_or_default();
        let code = json.get("error_code").and_then(Value::as_str).map(|code| self.quotable(code, 60));
        let words = json.get("message").and_then(Value::as_str).unwrap_or_default();
        Err(Fault::of_answer(status.as_u16(), code, &self.quotable(words, MOST_WORDS), retry_after))
    }

    /// On one line, not too long, and without a secret.
    fn quotable(&self, text: &str, most: usize) -> String {
        let plain = self.server.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
        let words: Vec<&str> = plain.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let line = words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(most) {
            Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or_default()),
            None => line,
        }
    }
}

impl Drop for Client {
    /// A runtime that is dropped where others run would panic, and one waits for name servers.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            break; // it is no JSON then
        }
    }
    Ok(body)
}

/// In seconds, as servers and proxies that limit rates send it; only where the request was not done.
fn retry_after(status: u16, headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER).filter(|_| matches!(status, 429 | 503))?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// No answer: what went wrong, without the address.
fn lost(error: &reqwest::Error, patience: Duration) -> Fault {
    let cause = deepest(error);
    Fault::server(match error {
        error if error.is_connect() => format!("no connection: {cause}"),
        error if error.is_timeout() => format!("it does not answer within {} s (timeout)", patience.as_secs_f32()),
        error if error.is_builder() => format!("no request can be made: {cause}"),
        _ => format!("the connection broke off: {cause}"),
    })
}

/// The first cause of all; where `error` is its own, its kind, as its text holds the address.
fn deepest(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    loop {
        let wrapped = cause.downcast_ref().and_then(std::io::Error::get_ref);
        match wrapped.map(|inner| inner as &dyn Error).or_else(|| cause.source()) {
            Some(inner) => cause = inner,
            None if cause.is::<reqwest::Error>() => return "no more is known".to_owned(),
            None => return cause.to_string(),
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let shown = format!("{} (MLFLOW_TRACKING_SERVER_CERT_PATH)", path.display());
    let pem = std::fs::read(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let found = Certificate::from_pem_bundle(&pem).ok().filter(|found| !found.is_empty());
    found.ok_or_else(|| format!("{shown} holds no PEM certificates"))
}
