//! Addresses of receivers: which may be used at all, and which stay on this machine.

use std::net::IpAddr;

use reqwest::Url;

/// The address `text`, where what is sent cannot be read on the way.
///
/// # Errors
/// Half a sentence that does not repeat `text`, which may be a secret.
pub(super) fn address(text: &str, insecure: bool) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no address: wanted such as https://host/path")?;
    match url.scheme() {
        _ if url.host_str().is_none_or(str::is_empty) => Err("names no host: wanted such as https://host/path"),
        "https" => Ok(url),
        "http" if insecure || is_loopback(&url) => Ok(url),
        "http" => Err("is plain http, which can be read on the way: wanted https, or insecure = true"),
        _ => Err("is no https address"),
    }
}

/// As [`address`], of one that stands in the configuration for all to read.
pub(super) fn open_address(text: &str, insecure: bool) -> Result<Url, &'static str> {
    let url = address(text, insecure)?;
    let bare = url.username().is_empty() && url.password().is_none();
    if bare { Ok(url) } else { Err("holds a password: put the whole address in a file, and its name under url_file") }
}

/// Whether an address names this machine, which no proxy stands before.
pub(super) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(is_this_machine)
}

/// Whether `host` names this machine.
pub(super) fn is_this_machine(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_read_on_the_way_is_refused() {
        for good in ["https://example.com/x", "http://127.0.0.1:9093", "http://localhost/x", "http://[::1]:80/"] {
            assert!(address(good, false).is_ok(), "{good}");
        }
        for bad in ["http://example.com/x", "example.com", "", "ftp://example.com", "file:///x", "https://"] {
            assert!(address(bad, false).is_err(), "{bad}");
        }
        assert!(address("http://example.com/x", true).is_ok());
    }

    #[test]
    fn a_password_belongs_in_no_configuration() {
        let fault = open_address("https://me:hunter2@example.com", false).unwrap_err();
        assert!(fault.contains("url_file") && !fault.contains("hunter2"), "{fault}");
        assert!(
            open_address("https://example.com", false).is_ok() && address("https://me:x@example.com", false).is_ok()
        );
    }
}
