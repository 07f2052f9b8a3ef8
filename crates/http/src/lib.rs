//! [`client`] creates every HTTP client of vigie, so that TLS, user agent, proxies and redirects are configured in one place.
//! [`Blocking`] runs requests for callers that block their thread; [`causes`] and [`root_cause`] explain why one failed.
//!
//! The lab, the notifiers, the sources and the CLI use it; it imports no other crate of vigie.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Url, redirect};
use tokio::runtime::{Builder, Runtime};

/// The settings that differ between clients.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// Timeout of a connection attempt.
    pub connect_timeout: Duration,
    /// Timeout of a whole request, unless the request sets its own.
    pub timeout: Option<Duration>,
    /// Maximum silence of a server while its response is read.
    pub read_timeout: Option<Duration>,
    /// Maximum number of redirects. `Authorization` is not sent to another host; other headers with secrets are.
    pub redirects: usize,
    /// Use the proxies of the environment. Requests to this machine never use one.
    pub proxies: bool,
    /// Reuse idle connections.
    pub keep_connections: bool,
    /// Sent with every request.
    pub headers: HeaderMap,
    /// PEM file with certificates to trust besides those of the machine.
    pub ca_file: Option<&'a Path>,
}

impl Default for Options<'_> {
    /// Follows no redirects: one could send a secret to another host.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: None,
            read_timeout: None,
            redirects: 0,
            proxies: true,
            keep_connections: true,
            headers: HeaderMap::new(),
            ca_file: None,
        }
    }
}

/// Why a client cannot be created. Contains no URL, which may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{} cannot be read: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("{} contains no PEM certificates", path.display())]
    NoCertificates { path: PathBuf },
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// A client for requests to `url`.
///
/// # Errors
/// If the certificate file is invalid, or TLS cannot be set up.
pub fn client(url: &Url, options: Options<'_>) -> Result<Client, ClientError> {
    // Fails if another part of the process has already installed the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redirects = match options.redirects {
        0 => redirect::Policy::none(),
        max => redirect::Policy::limited(max),
    };
    let mut builder = Client::builder()
        .user_agent(concat!("vigie/", env!("CARGO_PKG_VERSION")))
        .default_headers(options.headers)
        .redirect(redirects)
        .referer(false)
        .connect_timeout(options.timeout.map_or(options.connect_timeout, |whole| options.connect_timeout.min(whole)));
    if let Some(timeout) = options.timeout {
        builder = builder.timeout(timeout);
    }
    if let Some(timeout) = options.read_timeout {
        builder = builder.read_timeout(timeout);
    }
    if !options.keep_connections {
        builder = builder.pool_max_idle_per_host(0);
    }
    if !options.proxies || is_loopback(url) {
        builder = builder.no_proxy();
    }
    // Plain HTTP also works on a machine without CA certificates, unless a redirect may lead to HTTPS.
    builder = if url.scheme() == "http" && options.redirects == 0 {
        builder.tls_certs_only([])
    } else {
        builder.tls_certs_merge(options.ca_file.map(certificates).transpose()?.unwrap_or_default())
    };
    builder.build().map_err(|error| ClientError::Tls(root_cause(&error).unwrap_or_else(|| "unknown cause".into())))
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, ClientError> {
    let path = path.to_path_buf();
    let pem = match std::fs::read(&path) {
        Ok(pem) => pem,
        Err(cause) => return Err(ClientError::Unreadable { path, cause }),
    };
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(ClientError::NoCertificates { path }),
    }
}

/// Whether a URL names this machine, which needs no proxy.
pub fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(is_this_machine)
}

/// Whether `host` names this machine.
pub fn is_this_machine(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// `error` and its chain of causes. `source` of an I/O error skips the error that it wraps; here that error is included.
pub fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error = *error;
        let wrapped = error.downcast_ref().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

/// The root cause; `None` if it is `error` itself, whose text contains the URL.
pub fn root_cause(error: &reqwest::Error) -> Option<String> {
    causes(error).last().filter(|cause| !cause.is::<reqwest::Error>()).map(ToString::to_string)
}

/// A small runtime for callers that block their thread on a request.
#[derive(Debug)]
pub struct Blocking {
    /// Taken only on drop.
    runtime: Option<Runtime>,
}

impl Blocking {
    /// # Errors
    /// If the system refuses an event queue.
    pub fn new() -> io::Result<Self> {
        Ok(Self { runtime: Some(Builder::new_current_thread().enable_all().build()?) })
    }

    /// Runs `future` on this thread. Requests must be sent inside it: their timers need the runtime.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let runtime = self.runtime.as_ref().expect("only `drop` takes the runtime");
        runtime.block_on(future)
    }
}

impl Drop for Blocking {
    /// Dropping a runtime inside another one panics, and waits for name servers: shut it down in the background.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_addresses_of_this_machine_are_loopback() {
        for this in ["http://localhost:9093", "http://127.0.0.1", "http://127.9.9.9/x", "https://[::1]:80/"] {
            assert!(is_loopback(&url(this)), "{this}");
        }
        for other in ["http://localhost.example.com", "http://128.0.0.1", "https://[::2]/"] {
            assert!(!is_loopback(&url(other)), "{other}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let with = |path| client(&url("https://example.com"), Options { ca_file: Some(path), ..Options::default() });
        let empty = with(file.path()).unwrap_err().to_string();
        assert!(empty.ends_with("contains no PEM certificates"), "{empty}");
        let missing = with(Path::new("/no/such/file")).unwrap_err().to_string();
        assert!(missing.starts_with("/no/such/file cannot be read"), "{missing}");
    }

    #[test]
    fn plain_http_needs_no_certificates_and_a_refused_connection_has_a_cause_without_the_address() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = url(&format!("http://{free}/secret"));
        let http = client(&url, Options::default()).unwrap();
        let error = Blocking::new().unwrap().run(async { http.get(url).send().await }).unwrap_err();
        let cause = root_cause(&error).unwrap();
        assert!(cause.contains("refused") && !cause.contains("secret"), "{cause}");
    }
}
