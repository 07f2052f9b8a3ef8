//! A `[[receiver]]` of `type = "email"`.

use std::fmt;
use std::path::PathBuf;

use jiff::SignedDuration;
use lettre::Address;
use lettre::address::AddressError;
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};

use crate::notify::address::is_this_machine;
use crate::notify::context::{ca_file_problem, defaults, timeout_problem};

/// A `[[receiver]]` of `type = "email"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default)]
    pub transport: Transport,
    /// The SMTP server's name, as in its certificate.
    #[serde(default)]
    pub server: Option<String>,
    /// Defaults to 587, 465 or 25, depending on `tls`.
    #[serde(default)]
    pub port: Option<u16>,
    #[serde(default)]
    pub tls: Tls,
    /// With a user, the password comes from `password_file`, the environment or a credential.
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// For `transport = "directory"`: where mails are written, one file each.
    #[serde(default)]
    pub directory: Option<PathBuf>,
    /// `address@host`, or `Name <address@host>`.
    pub from: String,
    pub to: Vec<String>,
    #[serde(default)]
    pub cc: Vec<String>,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Allows mail to another machine without TLS.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout", with = "crate::duration")]
    pub timeout: SignedDuration,
}

/// How mails are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    #[default]
    Smtp,
    /// One `.eml` file per mail.
    Directory,
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// The connection is upgraded to TLS before anything is sent; a server without STARTTLS is rejected.
    #[default]
    Starttls,
    /// TLS from the start.
    Tls,
    None,
}

/// The recipients, and the transport.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mail to {}", self.to.iter().chain(&self.cc).cloned().collect::<Vec<_>>().join(", "))?;
        match (self.transport, &self.directory) {
            (Transport::Directory, Some(directory)) => write!(f, ", as files in {}", directory.display()),
            _ => write!(f, ", by {}:{}", self.server.as_deref().unwrap_or("(no server)"), self.port()),
        }
    }
}

impl Config {
    /// Every problem, each naming its key. Nothing is resolved, and no secret is read.
    pub fn validate(&self) -> Vec<String> {
        let mut problems: Vec<String> = timeout_problem(self.timeout).into_iter().collect();
        problems.extend(mailbox_problem("from", &self.from));
        for (key, list) in [("to", &self.to), ("cc", &self.cc)] {
            problems.extend(list.iter().filter_map(|address| mailbox_problem(key, address)));
        }
        if self.to.is_empty() {
            problems.push("to: no recipients; expected e.g. [\"crisis@example.com\"]".into());
        }
        match self.transport {
            Transport::Smtp => problems.extend(self.smtp_problems()),
            Transport::Directory if self.directory.is_none() => {
                problems.push("directory: missing; required with transport = \"directory\"".into());
            }
            Transport::Directory => {}
        }
        problems
    }

    fn smtp_problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.ca_file.as_deref().and_then(ca_file_problem).into_iter().collect();
        let server = self.server.as_deref().unwrap_or_default().trim();
        let strange = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'));
        if server.is_empty() {
            problems.push("server: missing; expected the SMTP server's name, such as \"smtp.example.com\"".into());
        } else if let Some((host, port)) = split_port(server) {
            problems.push(format!("server is {server:?}, with a port; write server = {host:?} and port = {port}"));
        } else if server.contains(strange) {
            problems.push(format!("server is {server:?}: expected a host name, such as \"smtp.example.com\""));
        } else if self.tls == Tls::None && !self.insecure && !is_this_machine(server) {
            problems.push(
                "tls is \"none\", so mail could be intercepted; expected \"starttls\" or \"tls\", or set insecure = true"
                    .into(),
            );
        }
        if self.user.is_none() && self.password_file.is_some() {
            problems.push("password_file: needs a user; set user".into());
        }
        problems
    }

    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            Tls::Starttls => 587,
            Tls::Tls => 465,
            Tls::None => 25,
        })
    }
}

/// The host and the port of a `server` that has a port: `smtp.example.com:587`, `[::1]:25`.
fn split_port(server: &str) -> Option<(&str, u16)> {
    let (host, port) = server.rsplit_once(':')?;
    let is_host = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    port.parse().ok().filter(|_| is_host).map(|port| (host, port))
}

/// The mailbox that `text` names. An international domain is written in ASCII (`xn--`), which every server accepts.
///
/// # Errors
/// When it is not a valid address.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, AddressError> {
    let Mailbox { name, email } = text.parse()?;
    let host = reqwest::Url::parse(&format!("http://{}/", email.domain())).ok();
    let host = host.as_ref().and_then(reqwest::Url::host_str).filter(|_| !email.domain().is_ascii());
    let email = match host {
        Some(host) => Address::new(email.user(), host)?,
        None => email,
    };
    Ok(Mailbox::new(name, email))
}

fn mailbox_problem(key: &str, text: &str) -> Option<String> {
    let error = mailbox(text).err()?;
    Some(format!("{key}: {text:?} is not a valid email address ({error}); expected e.g. \"vigie <vigie@example.com>\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_international_domain_is_written_in_ascii() {
        for (text, expected) in [
            ("crise@société.fr", "crise@xn--socit-esab.fr"),
            ("Cellule de crise <crise@société.fr>", "Cellule de crise <crise@xn--socit-esab.fr>"),
            ("crise@example.com", "crise@example.com"),
            ("élise@example.com", "élise@example.com"),
        ] {
            assert_eq!(mailbox(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_port_belongs_into_its_key() {
        for (server, expected) in [
            ("smtp.example.com:587", Some(("smtp.example.com", 587))),
            ("[::1]:25", Some(("[::1]", 25))),
            ("::1", None),
            ("[::1]", None),
            ("smtp.example.com", None),
            ("smtp.example.com:smtp", None),
        ] {
            assert_eq!(split_port(server), expected, "{server}");
        }
    }
}
