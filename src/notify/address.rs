//! URLs of receivers: which are allowed, and which stay on this machine.

use reqwest::Url;

pub(super) use crate::http_client::{is_loopback, is_this_machine};

/// Parses `text` as a URL that nobody can eavesdrop on.
///
/// # Errors
/// The second half of a sentence. It does not repeat `text`, which may be a secret.
pub(crate) fn parse_url(text: &str, insecure: bool) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is not a URL; expected e.g. https://host/path")?;
    match url.scheme() {
        _ if url.host_str().is_none_or(str::is_empty) => Err("has no host; expected e.g. https://host/path"),
        "https" => Ok(url),
        "http" if insecure || is_loopback(&url) => Ok(url),
        "http" => Err("uses plain http, which can be intercepted; expected https, or set insecure = true"),
        _ => Err("is not an https URL"),
    }
}

/// Like [`parse_url`], for a URL in the configuration file, which is not secret.
pub(super) fn parse_public_url(text: &str, insecure: bool) -> Result<Url, &'static str> {
    let url = parse_url(text, insecure)?;
    let bare = url.username().is_empty() && url.password().is_none();
    if bare { Ok(url) } else { Err("contains a password; put the whole URL in a file, and set url_file to it") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_read_on_the_way_is_refused() {
        for good in ["https://example.com/x", "http://127.0.0.1:9093", "http://localhost/x", "http://[::1]:80/"] {
            assert!(parse_url(good, false).is_ok(), "{good}");
        }
        for bad in ["http://example.com/x", "example.com", "", "ftp://example.com", "file:///x", "https://"] {
            assert!(parse_url(bad, false).is_err(), "{bad}");
        }
        assert!(parse_url("http://example.com/x", true).is_ok());
    }

    #[test]
    fn a_password_belongs_in_no_configuration() {
        let error = parse_public_url("https://me:hunter2@example.com", false).unwrap_err();
        assert!(error.contains("url_file") && !error.contains("hunter2"), "{error}");
        assert!(
            parse_public_url("https://example.com", false).is_ok()
                && parse_url("https://me:x@example.com", false).is_ok()
        );
    }
}
