//! [`Server`]: where an MLflow server is and how to be let in, by its URL and by the variables that MLflow's own clients
//! read. Credentials come from the environment only, and never show.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const TIMEOUT: &str = "MLFLOW_HTTP_REQUEST_TIMEOUT";

/// Why there is no server to speak to. Repeats no part of an address that may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error("the MLflow address is none; wanted such as http://127.0.0.1:5000")]
    NotAUrl,
    #[error(
        "the MLflow address is {0}://...; wanted http or https, the address of a server such as http://127.0.0.1:5000"
    )]
    Scheme(String),
    #[error(
        "the MLflow address holds a user or a password, which lists of processes and logs would show: leave them out, \
         and set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
    )]
    Credentials,
    #[error("{0} in the environment cannot stand in a request: wanted one line of visible ASCII")]
    Token(&'static str),
    #[error("{TIMEOUT} in the environment is {0:?}; wanted seconds, such as 30")]
    Timeout(String),
}

/// An MLflow server.
#[derive(Clone)]
pub struct Server {
    pub(super) url: Url,
    /// The value of `Authorization`.
    pub(super) authorization: Option<String>,
    /// What must not be quoted from an answer.
    pub(super) secrets: Vec<String>,
    pub(super) ca_file: Option<PathBuf>,
    /// For one answer. What is uploaded gets longer, by its size.
    pub(super) timeout: Duration,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

impl Server {
    /// The server at `url`, with what `environment` says of credentials (`MLFLOW_TRACKING_USERNAME` and `_PASSWORD`, or
    /// `_TOKEN`), of a certificate to trust (`MLFLOW_TRACKING_SERVER_CERT_PATH`) and of patience
    /// (`MLFLOW_HTTP_REQUEST_TIMEOUT`, seconds).
    ///
    /// # Errors
    /// When `url` is no address of a server or holds credentials, or a variable is malformed.
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
        // Its web page's address is one that people copy: http://host/#/experiments/1.
        url.set_fragment(None);
        url.set_query(None);
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let (authorization, secrets) = credentials(&set)?;
        let timeout = set(TIMEOUT).map(|text| seconds(&text)).transpose()?.unwrap_or(DEFAULT_TIMEOUT);
        let ca_file = set("MLFLOW_TRACKING_SERVER_CERT_PATH").map(PathBuf::from);
        Ok(Self { url, authorization, secrets, ca_file, timeout })
    }

    /// Whether credentials would go over the network for all to read.
    pub(super) fn tells_secrets(&self) -> bool {
        self.authorization.is_some() && self.url.scheme() == "http" && !self.is_loopback()
    }

    /// Whether it is on this machine, which no proxy stands before.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// As MLflow's clients choose: user and password before a token.
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

    fn server(url: &str, variables: &[(&str, &str)]) -> Result<Server, AddressError> {
        Server::new(url, &|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn credentials_in_an_address_are_refused_and_not_repeated() {
        for url in ["http://me:hunter2@host", "https://hunter2@host/x"] {
            let said = server(url, &[]).unwrap_err().to_string();
            assert!(!said.contains("hunter2") && said.contains("MLFLOW_TRACKING_PASSWORD"), "{said}");
        }
        for (url, wanted) in [("databricks", "is none"), ("sqlite:///x.db", "sqlite://"), ("file:./mlruns", "file://")]
        {
            let said = server(url, &[]).unwrap_err().to_string();
            assert!(said.contains(wanted), "{url}: {said}");
        }
    }

    #[test]
    fn user_and_password_go_before_a_token_and_never_show() {
        let both = [
            ("MLFLOW_TRACKING_USERNAME", "me"),
            ("MLFLOW_TRACKING_PASSWORD", "hunter2"),
            ("MLFLOW_TRACKING_TOKEN", "t0ken"),
        ];
        let basic = server("http://host", &both).unwrap();
        assert_eq!(basic.authorization.as_deref(), Some("Basic bWU6aHVudGVyMg=="));
        assert!(basic.tells_secrets());
        let bearer = server("https://host", both.get(2..).unwrap()).unwrap();
        assert_eq!(bearer.authorization.as_deref(), Some("Bearer t0ken"));
        assert!(!bearer.tells_secrets());
        for server in [basic, bearer] {
            let shown = format!("{server} {server:?}");
            assert!(!shown.contains("hunter2") && !shown.contains("t0ken") && !shown.contains("bWU6"), "{shown}");
        }
        assert!(server("http://host", &[("MLFLOW_TRACKING_TOKEN", "two words")]).is_err());
        assert_eq!(server("http://host", &[("MLFLOW_TRACKING_TOKEN", "")]).unwrap().authorization, None);
    }

    #[test]
    fn patience_is_in_seconds() {
        assert_eq!(server("http://host", &[(TIMEOUT, "0.5")]).unwrap().timeout, Duration::from_millis(500));
        for wrong in ["soon", "-1", "0", "NaN", "1e300"] {
            assert!(server("http://host", &[(TIMEOUT, wrong)]).is_err(), "{wrong}");
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
