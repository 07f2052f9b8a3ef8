//! [`TrackingServer`]: address and credentials of an MLflow server, from its URL and from the variables that MLflow's
//! own clients read. Credentials come from the environment only, and are never shown.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const TIMEOUT: &str = "MLFLOW_HTTP_REQUEST_TIMEOUT";

/// Why no server can be used. Never repeats a part of an address that may be secret.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error("the MLflow address is not a URL; expected e.g. http://127.0.0.1:5000")]
    NotAUrl,
    #[error(
        "the MLflow address is {0}://...; expected the http or https address of a server, e.g. http://127.0.0.1:5000"
    )]
    Scheme(String),
    #[error(
        "the MLflow address contains a user or a password, which process lists and logs would show: remove them \
         and set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
    )]
    Credentials,
    #[error("environment variable {0} is not valid in an HTTP header; expected one line of visible ASCII")]
    Token(&'static str),
    #[error("environment variable {TIMEOUT} is {0:?}; expected seconds, e.g. 30")]
    Timeout(String),
}

/// An MLflow server.
#[derive(Clone)]
pub struct TrackingServer {
    pub(super) url: Url,
    /// The value of `Authorization`.
    pub(super) authorization: Option<String>,
    /// Must not be quoted from a response.
    pub(super) secrets: Vec<String>,
    pub(super) ca_file: Option<PathBuf>,
    /// For one response. Uploads get more time, by their size.
    pub(super) timeout: Duration,
}

impl fmt::Debug for TrackingServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackingServer").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl fmt::Display for TrackingServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

impl TrackingServer {
    /// The server at `url`. `environment` provides credentials (`MLFLOW_TRACKING_USERNAME` and `_PASSWORD`, or
    /// `_TOKEN`), a certificate to trust (`MLFLOW_TRACKING_SERVER_CERT_PATH`) and a timeout
    /// (`MLFLOW_HTTP_REQUEST_TIMEOUT`, seconds).
    ///
    /// # Errors
    /// If `url` is not the address of a server or contains credentials, or a variable is malformed.
    pub fn new(url: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, AddressError> {
        let mut url = Url::parse(url.trim()).map_err(|_| AddressError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(AddressError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(AddressError::NotAUrl);
        }
        // People copy the address of its web page: http://host/#/experiments/1.
        url.set_fragment(None);
        url.set_query(None);
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let (authorization, secrets) = credentials(&set)?;
        let timeout = set(TIMEOUT).map(|text| seconds(&text)).transpose()?.unwrap_or(DEFAULT_TIMEOUT);
        let ca_file = set("MLFLOW_TRACKING_SERVER_CERT_PATH").map(PathBuf::from);
        Ok(Self { url, authorization, secrets, ca_file, timeout })
    }

    /// Whether credentials would be sent unencrypted over the network.
    pub(super) fn sends_secrets_in_clear(&self) -> bool {
        self.authorization.is_some() && self.url.scheme() == "http" && !self.is_loopback()
    }

    /// Whether it is on this machine, where no proxy is used.
    pub(super) fn is_loopback(&self) -> bool {
        vigie_http::is_loopback(&self.url)
    }
}

/// In MLflow's order: user and password take precedence over a token.
fn credentials(set: &dyn Fn(&str) -> Option<String>) -> Result<(Option<String>, Vec<String>), AddressError> {
    let (user, password) = (set("MLFLOW_TRACKING_USERNAME"), set("MLFLOW_TRACKING_PASSWORD"));
    if let (Some(user), Some(password)) = (user, password) {
        let both = STANDARD.encode(format!("{user}:{password}"));
        return Ok((Some(format!("Basic {both}")), vec![password, both]));
    }
    let Some(token) = set("MLFLOW_TRACKING_TOKEN") else { return Ok((None, Vec::new())) };
    let token = token.trim().to_owned();
    if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(AddressError::Token("MLFLOW_TRACKING_TOKEN"));
    }
    Ok((Some(format!("Bearer {token}")), vec![token]))
}

fn seconds(text: &str) -> Result<Duration, AddressError> {
    let parsed = text.trim().parse().ok().filter(|seconds: &f64| *seconds > 0.0);
    let duration = parsed.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| AddressError::Timeout(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, variables: &[(&str, &str)]) -> Result<TrackingServer, AddressError> {
        TrackingServer::new(url, &|name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn credentials_in_an_address_are_refused_and_not_repeated() {
        for url in ["http://me:hunter2@host", "https://hunter2@host/x"] {
            let message = server(url, &[]).unwrap_err().to_string();
            assert!(!message.contains("hunter2") && message.contains("MLFLOW_TRACKING_PASSWORD"), "{message}");
        }
        for (url, expected) in
            [("databricks", "not a URL"), ("sqlite:///x.db", "sqlite://"), ("file:./mlruns", "file://")]
        {
            let message = server(url, &[]).unwrap_err().to_string();
            assert!(message.contains(expected), "{url}: {message}");
        }
    }

    #[test]
    fn user_and_password_take_precedence_over_a_token_and_are_never_shown() {
        let both = [
            ("MLFLOW_TRACKING_USERNAME", "me"),
            ("MLFLOW_TRACKING_PASSWORD", "hunter2"),
            ("MLFLOW_TRACKING_TOKEN", "t0ken"),
        ];
        let basic = server("http://host", &both).unwrap();
        assert_eq!(basic.authorization.as_deref(), Some("Basic bWU6aHVudGVyMg=="));
        assert!(basic.sends_secrets_in_clear());
        let bearer = server("https://host", both.get(2..).unwrap()).unwrap();
        assert_eq!(bearer.authorization.as_deref(), Some("Bearer t0ken"));
        assert!(!bearer.sends_secrets_in_clear());
        for server in [basic, bearer] {
            let shown = format!("{server} {server:?}");
            assert!(!shown.contains("hunter2") && !shown.contains("t0ken") && !shown.contains("bWU6"), "{shown}");
        }
        assert!(server("http://host", &[("MLFLOW_TRACKING_TOKEN", "two words")]).is_err());
        assert_eq!(server("http://host", &[("MLFLOW_TRACKING_TOKEN", "")]).unwrap().authorization, None);
    }

    #[test]
    fn the_timeout_is_in_seconds() {
        assert_eq!(server("http://host", &[(TIMEOUT, "0.5")]).unwrap().timeout, Duration::from_millis(500));
        for invalid in ["soon", "-1", "0", "NaN", "1e300"] {
            assert!(server("http://host", &[(TIMEOUT, invalid)]).is_err(), "{invalid}");
        }
    }

    #[test]
    fn an_address_copied_from_the_web_page_is_understood() {
        let shown = server("http://localhost:5000/#/experiments/1?x=y", &[]).unwrap();
        assert_eq!(shown.to_string(), "http://localhost:5000");
        assert!(shown.is_loopback() && !server("http://host", &[]).unwrap().is_loopback());
        assert_eq!(server("https://host/ml/flow/", &[]).unwrap().to_string(), "https://host/ml/flow");
    }
}
